"""The form that the gateway sends for each step.

Source: https://github.com/DanNduati/at-ussd/blob/main/AT-USSD.md, after the provider's own pages: `text` has all that
was keyed in since the session began, joined by stars, and is empty at first.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from grocery.errors import InvalidError
from grocery.phones import parse_phone

_SESSION_ID = re.compile(r"[\x21-\x7e]{1,100}")

# A session lasts three minutes at the most. What is longer was never keyed in.
MAX_TEXT = 500


@dataclass(frozen=True)
class Step:
    """One step of a session; `phone` in E.164, `text` as the gateway sent it."""

    session_id: str
    phone: str
    text: str

    @property
    def inputs(self) -> list[str]:
        return [part.strip() for part in self.text.split("*")] if self.text else []


def read_step(form: Mapping[str, str], default_country: str) -> Step:
    """The step in a form; raises InvalidError, whose words quote nothing of it."""
    session_id, phone, text = (form.get(name, "") for name in ("sessionId", "phoneNumber", "text"))
    if not _SESSION_ID.fullmatch(session_id):
        raise InvalidError("sessionId is missing, or is none.")
    if len(text) > MAX_TEXT:
        raise InvalidError(f"text has more than {MAX_TEXT} characters.")
    # A plus sign that was not encoded has become a space.
    number = f"+{phone.strip()}" if phone.startswith(" ") else phone
    return Step(session_id, parse_phone(number, default_country), text)
