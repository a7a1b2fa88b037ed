"""What the words of delivery reports mean for a message. Pure rules.

Source of the words: http://docs.africastalking.com/sms/notifications, Delivery Reports. Newer editions have two more,
and call neither final: `AbsentSubscriber` (the phone is off, the network may try again) and `Expired` (it gave up).
"""

_MEANINGS = {
    "sent": "sent",
    "submitted": "sent",
    "buffered": "sent",
    "absentsubscriber": "sent",
    "success": "delivered",
    "rejected": "failed",
    "failed": "failed",
    "expired": "failed",
}

# From which statuses a report may move a message; never back. One that waits to be sent anew after an attempt that has
# arrived after all need not be sent, but that the earlier attempt has failed is known already.
_FROM = {"sent": {"unknown"}, "delivered": {"unknown", "sent", "pending"}, "failed": {"unknown", "sent"}}

_BLOCKED = "userinblacklist"


def meaning_of(word: str) -> str | None:
    """The status that the word reports: "sent", "delivered" or "failed"; None for a word that nobody has told us of."""
    return _MEANINGS.get(word.casefold())


def next_status(current: str, word: str) -> str | None:
    """The status that a message in status `current` goes to; None when it stays."""
    reported = meaning_of(word)
    return reported if reported is not None and current in _FROM[reported] else None


def is_blocked(failure_reason: str | None) -> bool:
    """Whether the provider lets nothing of ours through to this number any more."""
    return failure_reason is not None and failure_reason.casefold() == _BLOCKED


def explain(word: str, failure_reason: str | None) -> str:
    """Why a message has failed, for admins."""
    return f"The network reported {word}: {failure_reason or 'no reason given'}."
