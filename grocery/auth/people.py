"""A person as the rest of the program sees one: a value, read in one statement."""

import unicodedata
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from grocery.auth.models import Customer


@dataclass(frozen=True, slots=True)
class Person:
    id: int
    name: str
    email: str | None
    phone: str | None
    phone_verified_at: datetime | None
    email_verified_at: datetime | None
    role: str
    is_active: bool
    language: str | None
    notify_by: str
    marketing_sms: bool
    marketing_email: bool
    created_at: datetime
    updated_at: datetime

    @property
    def is_admin(self) -> bool:
        return self.role == "admin"

    @property
    def is_staff(self) -> bool:
        """Staff rights; admins have them too."""
        return self.role in ("staff", "admin")

    @property
    def is_phone_verified(self) -> bool:
        return self.phone_verified_at is not None

    @property
    def is_email_verified(self) -> bool:
        return self.email_verified_at is not None

    @property
    def is_proved(self) -> bool:
        """Whether the address that others know this person by was proved: the e-mail address, else the phone."""
        return self.is_email_verified if self.email else self.is_phone_verified


#: What to select, or to return from an INSERT or UPDATE, for `Person(*row)`.
PERSON_COLUMNS: tuple[Any, ...] = tuple(getattr(Customer, field.name) for field in fields(Person))


def normalize_email(email: str) -> str:
    """The form in which an address is kept and compared."""
    return unicodedata.normalize("NFC", email.strip().lower())
