"""What goes out how urgently, to whom it goes in spite of STOP, and when offers have to wait. Pure rules."""

from datetime import time

#: How urgent a message is; the lower goes first. Codes are waited for, news can be read any time, offers have time.
CODE, NEWS, OFFER = 0, 1, 2
PRIORITY_WORDS = {CODE: "code", NEWS: "news", OFFER: "offer"}

#: What tells a secret to its reader alone.
CODE_EVENTS = frozenset({"sign_in_code", "verify_phone", "verify_email", "reset_password", "invitation"})

_PRIORITIES = {**dict.fromkeys(CODE_EVENTS, CODE), "campaign": OFFER}

#: Why nothing is sent to an address on the suppression list, by the reason for which it is there.
REFUSALS = {
    "stop": "The recipient has opted out.",
    "provider": "The recipient has opted out.",
    "bounce": "Mail to this address comes back.",
}

#: The events of answers to what people wrote by SMS begin so.
REPLY_PREFIX = "reply_"


def priority_of(event: str) -> int:
    """CODE, NEWS or OFFER."""
    return _PRIORITIES.get(event, NEWS)


def is_asked_for(event: str) -> bool:
    """Whether the person waits for it at this moment: a code, an answer. STOP does not hold that back."""
    return priority_of(event) == CODE or event.startswith(REPLY_PREFIX)


def is_quiet(now: time, hours: tuple[time, time] | None) -> bool:
    """Whether `now` is in the hours; they may go over midnight. `None`: no hour is quiet."""
    if hours is None:
        return False
    begin, end = hours
    return begin <= now < end if begin < end else now >= begin or now < end
