"""Accounts whose address is proved for the first time, after somebody else could have been in them. Commits nothing.

Anybody can register with another one's e-mail address, or have an account made for a number. What was set up before
its holder proved it may serve to come back.
"""

from sqlalchemy import delete, or_, select

from grocery.auth.codes.voiding import void_own_codes
from grocery.auth.models import Customer, KnownDevice
from grocery.auth.people import Person
from grocery.auth.second_factor.service import forget_totp
from grocery.auth.sessions import end_all_sessions
from grocery.db import db


def has_way_in(customer_id: int) -> bool:
    """Whether somebody could sign in to this account; false for an invitation that nobody has answered yet."""
    has_one = or_(Customer.password_hash.is_not(None), Customer.phone_verified_at.is_not(None))
    return bool(db.session.scalar(select(has_one).where(Customer.id == customer_id)))


def drop_what_was_set_up(person: Person) -> None:
    """End the sign-ins of a person whose row is locked, and forget devices, codes and the second factor.

    That of staff stays: admins give roles to proved accounts only, and a stolen mailbox alone must not open one that
    has a second factor.
    """
    end_all_sessions(person.id)
    void_own_codes(person.id)
    db.session.execute(
        delete(KnownDevice).where(KnownDevice.customer_id == person.id).execution_options(synchronize_session=False)
    )
    if not person.is_staff:
        forget_totp(person.id)
