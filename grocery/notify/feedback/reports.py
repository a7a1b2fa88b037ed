"""Reading bounce mails: delivery status notifications, RFC 3464, as mail servers send them to the sender's address."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from email import message_from_bytes, message_from_string
from email.message import Message
from typing import Any, Final

from grocery.notify.clients.mail import MESSAGE_ID
from grocery.notify.feedback.errors import NotABounceError
from grocery.notify.outcome import one_line

# Three numbers, but not of an IP address, which servers name in their answers too.
_STATUS: Final = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?!\.?\d)")
_REPLY_CODE: Final = re.compile(r"\b([45])\d\d\b")
# What goes before a server's answer: "smtp; 550 …".
_DIAGNOSIS_TYPE: Final = re.compile(r"^[\w-]*\s*;\s*")

# RFC 3463: the address (x.1), a mailbox that is switched off (x.2.1), no way to the domain (x.4.4; Exchange Online says
# x.4.310, and x.4.1 of a mailbox that it does not have). Neither a full mailbox (5.2.2) nor a server that was away for
# days (5.4.7) nor what is said of the sender (5.1.7, 5.1.8) or of the text and its policy (5.6, 5.7) makes an address a
# dead one.
_DEAD: Final = re.compile(r"5\.(1\.(?!7$|8$)\d+|4\.(1|4|310)|2\.1)")
# RFC 5321 4.2.3: no such mailbox. 552 is a full one, 554 may be anything, and without an answer Exim tells of a server
# that was away. Many servers say 550 to a sender whom they do not like, too: the shop, whose mail others still get.
_NO_MAILBOX: Final = ("550", "551", "553")
_ABOUT_US: Final = re.compile(r"spam|junk|block|rbl|listed|reputation|policy|relay|sender|spf|dkim", re.IGNORECASE)

_NEWS_OF_SUCCESS: Final = ("delivered", "relayed", "expanded")


@dataclass(frozen=True)
class Report:
    """What a mail server says of one recipient; `status` is like "5.1.1".

    `is_permanent`: there is no such mailbox. `is_given_up`: it does not try any more.
    """

    recipient: str
    status: str
    is_permanent: bool
    is_given_up: bool
    reason: str
    message_id: str | None


def read_reports(raw: bytes) -> list[Report]:
    """The failures and delays that a bounce mail tells of; raises NotABounceError."""
    mail = message_from_bytes(raw)
    groups = [group for part in _parts(mail, "message/delivery-status") for group in _groups(part)]
    if not groups:
        raise NotABounceError("This mail is no bounce: it has no delivery status (RFC 3464) of any recipient.")
    message_id = _find_message_id(mail)
    reports = [_read_group(group, message_id) for group in groups if _word(group, "Action") not in _NEWS_OF_SUCCESS]
    if not reports:
        raise NotABounceError("This mail is no bounce: it reports that a mail has arrived.")
    return reports


def _parts(mail: Message, *types: str) -> Iterator[Message]:
    return (part for part in mail.walk() if part.get_content_type() in types)


def _groups(part: Message) -> Iterator[Message]:
    """The groups of fields about a recipient; the first group is about the mail as a whole."""
    payload: Any = part.get_payload()
    groups = payload if isinstance(payload, list) else []
    return (group for group in groups if _recipient(group))


def _read_group(group: Message, message_id: str | None) -> Report:
    diagnosis = _DIAGNOSIS_TYPE.sub("", _field(group, "Diagnostic-Code"))
    status = _status(group, diagnosis)
    action = _word(group, "Action")
    is_given_up = action == "failed" or (action != "delayed" and status.startswith("5"))
    return Report(
        recipient=_recipient(group),
        status=status,
        is_permanent=is_given_up and _is_dead(status, diagnosis),
        is_given_up=is_given_up,
        reason=one_line(f"{status} {diagnosis}"),
        message_id=message_id,
    )


def _status(group: Message, diagnosis: str) -> str:
    """The field that must be there, or what the server's own answer says in its place.

    Or says more: Exim writes 5.0.0 of all that failed, whatever the answer was.
    """
    field, answer = _STATUS.search(_field(group, "Status")), _STATUS.search(diagnosis)
    if field is not None and (field[2] != "0" or answer is None):
        return field[0]
    if answer is not None:
        return answer[0]
    code = _REPLY_CODE.search(diagnosis)
    return f"{code[1]}.0.0" if code is not None else "4.0.0"


def _is_dead(status: str, diagnosis: str) -> bool:
    """Whether there is no such mailbox; of a status without details the code of the answer tells."""
    if status.startswith("5.0."):
        return diagnosis.startswith(_NO_MAILBOX) and _ABOUT_US.search(diagnosis) is None
    return _DEAD.fullmatch(status) is not None


def _recipient(group: Message) -> str:
    """Of a field like "rfc822; amina@example.com". The original one is what we wrote to, before any forwarding."""
    fields = (_field(group, "Original-Recipient"), _field(group, "Final-Recipient"))
    addresses = (field.partition(";")[2].strip().strip("<>") for field in fields)
    return next((address for address in addresses if "@" in address), "")


def _find_message_id(mail: Message) -> str | None:
    """The Message-ID of the mail that came back: of its copy, or of its headers, or that the bounce answers to."""
    for part in _parts(mail, "message/rfc822", "text/rfc822-headers"):
        original: Any = part.get_payload(0) if part.is_multipart() else message_from_string(_text(part))
        found = MESSAGE_ID.search(_field(original, "Message-ID"))
        if found is not None:
            return found[0]
    answered = MESSAGE_ID.search(_field(mail, "In-Reply-To"))
    return answered[0] if answered is not None else None


def _text(part: Message) -> str:
    payload: Any = part.get_payload(decode=True)
    return payload.decode("utf-8", "replace") if isinstance(payload, bytes) else ""


def _field(group: Message, name: str) -> str:
    """A header on one line. As text: of bytes that are no ASCII Python makes an object."""
    return " ".join(str(group.get(name, "")).split())


def _word(group: Message, name: str) -> str:
    return _field(group, name).partition(" ")[0].lower()
