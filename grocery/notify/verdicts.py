"""What comes next for a message after a provider's answer: the transitions of the outbox, as plain arithmetic."""

from dataclasses import dataclass

from grocery.notify.outcome import Outcome, SendResult

#: How often a message is tried before it is given up; sending it anew allows as many again.
MAX_ATTEMPTS = 20

#: How often a message may be sent without knowing what became of it. Each time the person may get it once more.
MAX_UNKNOWNS = 3

_FIRST_WAIT_SECONDS = 5.0
_LONGEST_WAIT_SECONDS = 900.0
_FIRST_GENERAL_WAIT_SECONDS = 2.0
_LONGEST_GENERAL_WAIT_SECONDS = 60.0
# A provider that comes back must not meet everyone in the same second.
_JITTER = 0.2


@dataclass(frozen=True)
class Verdict:
    """The next state of a message; `wait_seconds` until it is due again, None when nothing is left to do.

    An attempt that is not `is_counted` is made up for with one more: it said nothing about the message.
    """

    status: str
    unknowns: int
    wait_seconds: float | None
    is_counted: bool = True


def judge(
    result: SendResult, *, attempts: int, max_attempts: int, unknowns: int, unknown_wait: float, chance: float
) -> Verdict:
    """Decide by the outcome of attempt number `attempts`.

    `unknown_wait` is the setting SMS_UNKNOWN_WAIT in seconds, `chance` a random number from 0 to 1 for the jitter.
    """
    match result.outcome:
        case Outcome.SENT:
            return Verdict("sent", unknowns, None)
        case Outcome.FAILED:
            return Verdict("failed", unknowns, None)
        case Outcome.UNKNOWN:
            is_last = unknowns + 1 >= MAX_UNKNOWNS
            return Verdict("unknown", unknowns + 1, None if is_last else unknown_wait)
        case Outcome.RETRY if result.is_general:
            # An outage may take longer than all attempts. The channel waits as a whole; this wait only lets another
            # message try next, since the provider may after all have refused this one: then it grows as the channel's
            # pauses do, for a single text that a firewall before the provider dislikes must not keep pausing the rest.
            wait = _FIRST_GENERAL_WAIT_SECONDS * 2 ** min(max(max_attempts - MAX_ATTEMPTS, 0), 16)
            return Verdict("pending", unknowns, min(wait, _LONGEST_GENERAL_WAIT_SECONDS), is_counted=False)
        case Outcome.RETRY if attempts >= max_attempts:
            return Verdict("failed", unknowns, None)
        case Outcome.RETRY:
            return Verdict("pending", unknowns, backoff_seconds(attempts - (max_attempts - MAX_ATTEMPTS), chance))


def backoff_seconds(attempt: int, chance: float) -> float:
    """The wait after the given attempt (1 is the first): 5 s, doubled up to 15 min, give or take a fifth.

    The attempts of one allowance (`MAX_ATTEMPTS`) cover about three hours.
    """
    wait = min(_FIRST_WAIT_SECONDS * 2 ** max(attempt - 1, 0), _LONGEST_WAIT_SECONDS)
    return wait * (1 - _JITTER + 2 * _JITTER * chance)
