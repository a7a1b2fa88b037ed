"""The way to each provider, as all senders share it: how fast it may be used, and whether it works at all.

Both are kept in a row of `channels`. A claim locks it for its own short transaction, so that two senders can neither
take the same token nor both try whether a provider is back.
"""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

from flask import current_app
from sqlalchemy import text

from grocery.db import db
from grocery.notify.outcome import ERROR_LENGTH, Outcome, SendResult

log = logging.getLogger(__name__)

#: Unclear outcomes one after the other, without a clear one between, after which a channel is paused. A provider that
#: hangs would otherwise bring message after message in doubt.
DOUBTS_IN_A_ROW = 20

#: How long the one message that tries a paused channel keeps the others waiting when its sender dies.
PROBE_SECONDS = 60

_FIRST_PAUSE_SECONDS = 2.0
_LONGEST_PAUSE_SECONDS = 60.0

_SHORTEST_WAIT_SECONDS = 0.02

# The time is the clock's, since the transaction may have waited for the lock.
_OPEN = text(
    """
    INSERT INTO channels AS c (name, tokens, refilled_at)
    VALUES (:name, :burst, clock_timestamp())
    ON CONFLICT (name) DO UPDATE
    SET tokens = LEAST(
            :burst, c.tokens + :rate * GREATEST(0, EXTRACT(EPOCH FROM clock_timestamp() - c.refilled_at)::float)
        ),
        refilled_at = clock_timestamp()
    RETURNING tokens, failures, COALESCE(paused_until > clock_timestamp(), false) AS is_paused
    """
)

_TAKE = text("UPDATE channels SET tokens = tokens - :number WHERE name = :name")

_PROBE = text(
    """
    UPDATE channels
    SET tokens = GREATEST(0, tokens - 1), paused_until = clock_timestamp() + make_interval(secs => :seconds)
    WHERE name = :name
    """
)

# An outcome that was on its way when the pause began does not make it longer, unless it is the one that tried.
_PAUSE = text(
    """
    UPDATE channels
    SET failures = CASE WHEN :is_mixed THEN 1 ELSE failures + 1 END, error = :error,
        paused_until = clock_timestamp() + make_interval(
            secs => LEAST(:longest, :first * 2 ^ LEAST(CASE WHEN :is_mixed THEN 0 ELSE failures END, 16))
        )
    WHERE name = :name AND (:is_probe OR paused_until IS NULL OR paused_until <= clock_timestamp())
    RETURNING failures
    """
)

_CLEAR = text(
    """
    UPDATE channels SET failures = 0, paused_until = NULL, error = NULL
    WHERE name = :name AND failures > 0
    RETURNING name
    """
)


@dataclass(frozen=True)
class Opening:
    """How many messages may be taken now: `limit` in all, `offer_limit` of them offers.

    `is_probe`: the channel did not work, and this one message tries it. `wait_seconds` is the time until one more token
    is there, `offer_wait_seconds` until there is one for an offer; None when tokens are not what keeps messages back.
    """

    name: str
    limit: int
    offer_limit: int
    is_probe: bool = False
    wait_seconds: float | None = None
    offer_wait_seconds: float | None = None


def open_channel(name: str, wanted: int) -> Opening:
    """See how many of `wanted` messages the channel takes. Keeps others from it until the transaction ends."""
    rate = float(current_app.config["SMS_RATE" if name == "sms" else "MAIL_RATE"])
    # One second's worth; two at least, for else a shop with one a second could never spare one for an offer.
    burst = max(rate, 2.0)
    row = db.session.execute(_OPEN, {"name": name, "rate": rate, "burst": burst}).one()
    if row.is_paused:
        return Opening(name, 0, 0)
    if row.failures:
        return Opening(name, 1, 1, is_probe=True)
    # A campaign leaves half of the burst to what people wait for.
    spare = row.tokens - burst / 2
    limit, offer_limit = min(wanted, int(row.tokens)), min(wanted, max(0, int(spare)))
    return Opening(
        name,
        limit,
        offer_limit,
        wait_seconds=_wait_seconds(row.tokens - limit, rate) if limit < wanted else None,
        offer_wait_seconds=_wait_seconds(spare - offer_limit, rate) if offer_limit < wanted else None,
    )


def _wait_seconds(tokens: float, rate: float) -> float:
    return max((1 - tokens) / rate, _SHORTEST_WAIT_SECONDS)


def use_channel(opening: Opening, number: int) -> None:
    """Take `number` tokens out of what was opened in this transaction."""
    if number and opening.is_probe:
        db.session.execute(_PROBE, {"name": opening.name, "seconds": PROBE_SECONDS})
    elif number:
        db.session.execute(_TAKE, {"name": opening.name, "number": number})


class Health:
    """What one sender sees of a channel. A failure that every message would meet pauses it for all senders.

    The pauses double from 2 s to a minute. When one is over a single message tries; a clear answer opens the channel.
    """

    def __init__(self, name: str) -> None:
        self._name = name
        self._doubts = 0

    def note(self, results: Sequence[SendResult], *, is_probe: bool) -> None:
        """Draw the conclusion from outcomes, the latest last; in the caller's transaction."""
        failures = [result for result in results if result.is_general]
        doubts = [result for result in results if result.outcome is Outcome.UNKNOWN]
        is_clear = len(failures) + len(doubts) < len(results)
        self._doubts = 0 if is_clear else self._doubts + len(doubts)
        if failures:
            self._pause(failures[-1].error, is_mixed=is_clear, is_probe=is_probe)
        elif is_clear:
            self._clear()
        elif doubts and (is_probe or self._doubts >= DOUBTS_IN_A_ROW):
            self._doubts = 0
            self._pause(doubts[-1].error, is_mixed=False, is_probe=is_probe)

    def _pause(self, error: str | None, *, is_mixed: bool, is_probe: bool) -> None:
        values = {
            "name": self._name,
            "error": (error or "no reason given")[:ERROR_LENGTH],
            "is_mixed": is_mixed,
            "is_probe": is_probe,
            "first": _FIRST_PAUSE_SECONDS,
            "longest": _LONGEST_PAUSE_SECONDS,
        }
        failures = db.session.execute(_PAUSE, values).scalar()
        if failures == 1:
            # Not the provider's words: an answer may repeat the text. Operators find them by `flask notify status`.
            log.error("channel %s does not work and is paused; it is tried again by itself", self._name)

    def _clear(self) -> None:
        if db.session.execute(_CLEAR, {"name": self._name}).first() is not None:
            log.warning("channel %s works again", self._name)
