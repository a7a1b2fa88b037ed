"""Invitations by phone: an account for the holder of a number, from an admin's word until a code proves it.

Commits nothing.
"""

from datetime import timedelta

from sqlalchemy import ColumnElement, and_, func, select

from grocery.auth.models import Customer
from grocery.auth.people import PERSON_COLUMNS, Person
from grocery.auth.reclaiming import drop_what_was_set_up
from grocery.auth.service import change_person
from grocery.db import db

#: How long an invitation is good. It goes to somebody who does not wait for it.
INVITATION_LIFETIME = timedelta(days=3)


def is_invited_at(phone: str) -> ColumnElement[bool]:
    """The condition on `customers` for an open invitation of this number (E.164)."""
    return and_(
        Customer.phone == phone,
        Customer.phone_verified_at.is_(None),
        Customer.is_active,
        Customer.invited_at > func.now() - INVITATION_LIFETIME,
    )


def accept_invitation(phone: str) -> int | None:
    """Make the number that a code has just proved the verified one of the account that was made for it; its id.

    None without one. The caller holds the claim of the number. Sign-ins of before end, so that nobody else stays in the
    account.
    """
    invited = select(*PERSON_COLUMNS).where(is_invited_at(phone)).order_by(Customer.id.desc()).limit(1)
    row = db.session.execute(invited.with_for_update()).first()
    if row is None:
        return None
    person = Person(*row)
    drop_what_was_set_up(person)
    change_person(person, {"phone_verified_at": func.now(), "invited_at": None})
    return person.id
