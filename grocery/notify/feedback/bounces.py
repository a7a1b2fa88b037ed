"""Mail that came back, and mail that somebody called spam: what it means for the message and for its address."""

from dataclasses import dataclass

from sqlalchemy import text

from grocery.db import Row, db
from grocery.notify.clients.mail import ascii_address
from grocery.notify.feedback.unsubscribing import end_offers
from grocery.notify.outcome import one_line
from grocery.notify.suppressions.service import suppress

_FIND = text(
    "SELECT id, recipient FROM notifications WHERE provider_id = :message_id AND channel = 'email' FOR NO KEY UPDATE"
)

# Statuses only move forward: what has failed has its own reason already.
_NOTE = text(
    """
    UPDATE notifications
    SET status = CASE WHEN :has_failed THEN 'failed' ELSE status END,
        next_attempt_at = CASE WHEN :has_failed THEN NULL ELSE next_attempt_at END,
        error = :error
    WHERE id = :id AND status IN ('sent', 'unknown')
    """
)


@dataclass(frozen=True)
class Noted:
    """What came of a note: the message it was about, if we know it, and whether the address gets no more mail."""

    notification_id: int | None
    is_suppressed: bool


def note_bounce(
    recipient: str,
    *,
    is_permanent: bool,
    reason: str,
    message_id: str | None = None,
    is_given_up: bool = False,
    is_trusted: bool = True,
) -> Noted:
    """Note that a mail to `recipient` came back, for `reason`.

    The message with this Message-ID to this recipient has failed if the mailbox is gone (`is_permanent`) or the mail
    systems do not try any more (`is_given_up`); else the reason is written beside it. An address whose mailbox is gone
    is suppressed; on the word of somebody who `is_trusted` also when the message is not known. Repeating it changes
    nothing. Runs in the caller's `transaction()`.
    """
    known = _find(recipient, message_id)
    error = one_line(f"Came back: {reason}")
    if known is not None:
        note = {"id": known["id"], "error": error, "has_failed": is_permanent or is_given_up}
        db.session.execute(_NOTE, note)
    is_suppressed = is_permanent and (is_trusted or known is not None)
    if is_suppressed:
        suppress("email", _own_spelling(recipient, known), "bounce", error)
    return Noted(known["id"] if known is not None else None, is_suppressed)


def note_complaint(recipient: str, *, reason: str, message_id: str | None = None) -> Noted:
    """Note that the holder of `recipient` told the mail provider that our mail is spam: that is as good as STOP.

    Runs in the caller's `transaction()`.
    """
    end_offers(recipient)
    known = _find(recipient, message_id)
    suppress("email", _own_spelling(recipient, known), "stop", one_line(f"Called spam: {reason}"))
    return Noted(known["id"] if known is not None else None, True)


def _find(recipient: str, message_id: str | None) -> Row | None:
    """The message with this Message-ID, if it went to this recipient: nobody fails a message by its number alone."""
    if message_id is None:
        return None
    row = db.session.execute(_FIND, {"message_id": message_id}).mappings().first()
    return row if row is not None and _is_same(row["recipient"], recipient) else None


def _is_same(ours: str, theirs: str) -> bool:
    """Mail systems write international domains in ASCII, and letters as they like."""
    written = ascii_address(theirs)
    return written is not None and written.lower() == (ascii_address(ours) or "").lower()


def _own_spelling(recipient: str, known: Row | None) -> str:
    return known["recipient"] if known is not None else recipient
