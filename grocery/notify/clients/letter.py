"""An e-mail as it is handed over: what it says, and what is written on the envelope."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Letter:
    """A mail to one address.

    `message_id` ("<…@…>") is the caller's, the same at every try, so that a mail sent twice can be known as one.
    `html` says the same as `body` for mail programs that show it; `headers` are further ones, of printable ASCII.
    """

    to: str
    subject: str
    body: str
    message_id: str
    html: str | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
