"""The suppression list: who gets nothing but what they need, and how an address comes onto the list and off it."""

import unicodedata

from sqlalchemy import text

from grocery.db import Row, db, reader
from grocery.notify.policy import REFUSALS
from grocery.notify.sending.fallbacks import settle_fallbacks
from grocery.notify.suppressions.errors import StoppedByHolderError, SuppressionNotFoundError

# What the holder says counts more than what others say about the address.
_SUPPRESS = text(
    """
    INSERT INTO suppressions (channel, address, reason, detail) VALUES (:channel, :address, :reason, :detail)
    ON CONFLICT (channel, address) DO UPDATE SET reason = excluded.reason, detail = excluded.detail
    WHERE excluded.reason = 'stop' AND suppressions.reason <> 'stop'
    """
)

# What was sent perhaps stays so, but is not sent again. SKIP LOCKED: what is being claimed or settled just now is in
# other hands, and two that stop the same address must not wait for each other. Should one of these wait to be sent
# later on, the claim that takes it finds the address on the list.
_STOP_WAITING = text(
    """
    WITH stopped AS MATERIALIZED (
        SELECT id FROM notifications
        WHERE channel = :channel AND recipient = :address AND next_attempt_at IS NOT NULL
          AND status IN ('pending', 'unknown') AND NOT is_needed
        FOR NO KEY UPDATE SKIP LOCKED
    )
    UPDATE notifications AS n
    SET status = CASE n.status WHEN 'pending' THEN 'failed' ELSE n.status END, next_attempt_at = NULL, error = :error
    FROM stopped
    WHERE n.id = stopped.id
    RETURNING n.id, n.status
    """
)

_LIFT = text("DELETE FROM suppressions WHERE channel = :channel AND address = :address")

_FIND = text("SELECT reason FROM suppressions WHERE channel = :channel AND address = :address FOR UPDATE")

_IS_SUPPRESSED = text("SELECT EXISTS (SELECT FROM suppressions WHERE channel = :channel AND address = :address)")

_LIST = text(
    """
    SELECT * FROM suppressions
    WHERE (CAST(:channel AS text) IS NULL OR channel = :channel)
      AND (CAST(:q AS text) IS NULL OR strpos(address, :q) > 0)
      AND (CAST(:after_channel AS text) IS NULL OR (channel, address) > (:after_channel, :after_address))
    ORDER BY channel, address
    LIMIT :limit
    """
)


def normalize_address(channel: str, address: str) -> str:
    """The form in which recipients are kept: an e-mail address in small letters; a phone number must be in E.164."""
    return address.strip() if channel == "sms" else unicodedata.normalize("NFC", address.strip().lower())


def suppress(channel: str, address: str, reason: str, detail: str | None = None) -> None:
    """Put an address ("sms": in E.164) on the list; `reason` is "stop", "provider" or "bounce".

    What waits to be sent to it is stopped too, but for what is needed, and what stands in its place goes out at
    once. Repeating it changes nothing, but for "stop", which replaces the other reasons. Runs in the caller's
    `transaction()`, after all locks of other packages' rows.
    """
    where = {"channel": channel, "address": normalize_address(channel, address)}
    db.session.execute(_SUPPRESS, {**where, "reason": reason, "detail": detail})
    stopped = db.session.execute(_STOP_WAITING, {**where, "error": REFUSALS[reason]})
    settle_fallbacks({row.id: row.status for row in stopped})


def lift(channel: str, address: str) -> None:
    """Take an address off the list, whatever put it there; nothing happens if it is not on it."""
    db.session.execute(_LIFT, {"channel": channel, "address": normalize_address(channel, address)})


def lift_for_holder(channel: str, address: str, *, is_forced: bool = False) -> None:
    """Take an address off the list in place of its holder.

    Raises SuppressionNotFoundError, and, unless forced, StoppedByHolderError for one whose holder has said STOP.
    """
    where = {"channel": channel, "address": normalize_address(channel, address)}
    # PostgreSQL takes neither NUL nor half a character, so neither is on the list.
    reason = db.session.execute(_FIND, where).scalar() if (channel + address).isprintable() else None
    if reason is None:
        raise SuppressionNotFoundError(channel, address)
    if reason == "stop" and not is_forced:
        raise StoppedByHolderError(address)
    db.session.execute(_LIFT, where)


def is_suppressed(channel: str, address: str) -> bool:
    """Whether the address is on the list, as the caller's transaction sees it."""
    where = {"channel": channel, "address": normalize_address(channel, address)}
    return bool(db.session.execute(_IS_SUPPRESSED, where).scalar())


def list_suppressions(
    *, limit: int, channel: str | None = None, q: str | None = None, after: tuple[str, str] | None = None
) -> list[Row]:
    """The list by channel and address, those after a channel and address only; `q` is a part of the address."""
    after_channel, after_address = after or (None, None)
    parameters = {
        "channel": channel,
        "q": q.lower() if q else None,
        "after_channel": after_channel,
        "after_address": after_address,
        "limit": limit,
    }
    with reader() as connection:
        return list(connection.execute(_LIST, parameters).mappings())
