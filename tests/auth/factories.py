"""People to test with. All functions need an application context (the fixture `context`)."""

from functools import cache
from itertools import count
from typing import Any

from sqlalchemy import func, insert, select

from grocery.auth.models import Customer
from grocery.auth.passwords import hash_password
from grocery.auth.people import PERSON_COLUMNS, Person
from grocery.auth.sessions import start_session
from grocery.auth.tokens import TokenPair
from grocery.db import db, transaction

PASSWORD = "correct horse battery"

_numbers = count(1)
_hash_once = cache(hash_password)


def make_customer(
    name: str = "Wanjiku Kamau",
    email: str | None = "",
    *,
    is_email_verified: bool = False,
    phone: str | None = None,
    is_phone_verified: bool = False,
    password: str | None = PASSWORD,
    role: str = "customer",
    is_active: bool = True,
) -> Person:
    """A new person, with an e-mail address of their own unless told."""
    values: dict[str, Any] = {
        "name": name,
        "email": f"person{next(_numbers)}@example.com" if email == "" else email,
        "email_verified_at": func.now() if is_email_verified else None,
        "phone": phone,
        "phone_verified_at": func.now() if is_phone_verified else None,
        "password_hash": _hash_once(password) if password else None,
        "role": role,
        "is_active": is_active,
    }
    with db.engine.begin() as connection:
        return Person(*connection.execute(insert(Customer).values(values).returning(*PERSON_COLUMNS)).one())


def sign_in(person: Person | int) -> dict[str, str]:
    """Headers of requests that this person makes, without asking for the password."""
    return bearer(token_pair(person).access_token)


def token_pair(person: Person | int) -> TokenPair:
    """A fresh sign-in of this person."""
    with transaction():
        return start_session(person if isinstance(person, int) else person.id)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def find_person(person_id: int) -> Person | None:
    """The person as the database has them now."""
    with db.engine.connect() as connection:
        row = connection.execute(select(*PERSON_COLUMNS).where(Customer.id == person_id)).first()
        return Person(*row) if row else None
