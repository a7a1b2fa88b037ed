"""Sign-ins in the audit log, those that failed too."""

from sqlalchemy import select

from grocery.auth.audit.service import note
from grocery.auth.models import Customer
from grocery.db import db
from grocery.errors import TooManyRequestsError
from grocery.limits import client_network, limit

# Customers of one carrier share a few addresses.
_PER_NETWORK = 10


def note_sign_in(_sender: object, *, customer_id: int) -> None:
    """The receiver of `signed_in`, by whatever way somebody has signed in."""
    role = db.session.scalar(select(Customer.role).where(Customer.id == customer_id))
    note(
        "signed_in",
        actor_id=customer_id,
        actor_role=role or "customer",
        subject_type="customer",
        subject_id=customer_id,
    )


def note_failed_sign_in(customer_id: int | None) -> None:
    """Note that someone could not sign in, to which account (None: there is none like that).

    In a transaction of its own, since that of the failure is rolled back. The same work whether there is an account:
    who measures it learns nothing. Of one network no more than ten times what RATE_LIMIT_LOGIN allows are kept, since a
    flood of made-up accounts would fill the disk; sign-ins that succeed always are.
    """
    try:
        limit("RATE_LIMIT_LOGIN", "failures-noted", client_network(), times=_PER_NETWORK)
    except TooManyRequestsError:
        return
    note(
        "sign_in_failed",
        actor_id=None,
        actor_role="visitor",
        subject_type="customer" if customer_id else None,
        subject_id=customer_id,
    )
