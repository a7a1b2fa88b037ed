"""Tickets: what the API gives to who may watch an order, and the stream process lets in.

A ticket is signed with SECRET_KEY, for one order. It opens a stream for a minute, so that an address found in a log or
a browser's history is worthless. An `EventSource` that has lost its connection comes back to the same address, though:
with a `Last-Event-ID` that is one of this order, which it can only have from there, its ticket is good for a day.

Imports nothing that is large: the stream process lives in a few megabytes.
"""

import hashlib
import re
import time
from dataclasses import dataclass

from itsdangerous import BadSignature, TimestampSigner

#: Where who changes an order says so, after the commit; the message is the order's id.
CHANNEL = "grocery:orders"

OPENING_SECONDS = 60
RESUMING_SECONDS = 24 * 3600

# Hosts' clocks differ: a ticket may come from a little ahead.
_SKEW_SECONDS = 60

_SALT = "stream-ticket"
_CONTENT = re.compile(r"([0-9]{1,19})-([op])", re.ASCII)


class TicketError(ValueError):
    """The ticket is none of this shop."""


@dataclass(frozen=True)
class Ticket:
    """`is_public`: given for the public link, which must not tell what the order costs."""

    order_id: int
    is_public: bool
    age_seconds: float

    @property
    def opens(self) -> bool:
        """Whether a stream can be opened with it."""
        return -_SKEW_SECONDS <= self.age_seconds <= OPENING_SECONDS

    @property
    def resumes(self) -> bool:
        """Whether who was on the stream already can come back with it."""
        return -_SKEW_SECONDS <= self.age_seconds <= RESUMING_SECONDS


def make_ticket(secret_key: str, order_id: int, *, is_public: bool) -> str:
    """A ticket for the stream of an order, from now on."""
    return _signer(secret_key).sign(f"{order_id}-{'p' if is_public else 'o'}").decode()


def read_ticket(ticket: str, *secret_keys: str) -> Ticket:
    """What a ticket says, however old it is; raises TicketError for one made with none of the keys (newest first)."""
    try:
        content, made_at = _signer(*secret_keys).unsign(ticket, return_timestamp=True)
    except (BadSignature, UnicodeError) as error:
        raise TicketError("not a ticket of this shop") from error
    match = _CONTENT.fullmatch(content.decode())
    if match is None:
        raise TicketError("not a ticket of this shop")
    return Ticket(int(match[1]), match[2] == "p", time.time() - made_at.timestamp())


def _signer(*secret_keys: str) -> TimestampSigner:
    # It signs with the last one, and tries that first.
    return TimestampSigner(secret_keys[::-1], salt=_SALT, digest_method=hashlib.sha256)
