"""Taking off the second factor of somebody who has lost it. Commits nothing."""

from grocery.auth.errors import OwnAccountError
from grocery.auth.people import Person
from grocery.auth.second_factor.service import reset_totp
from grocery.auth.service import lock_person
from grocery.auth.sessions import end_all_sessions
from grocery.db import name_subject


def take_off_totp(customer_id: int, actor: Person | None) -> Person:
    """Turn somebody's second factor off and sign them out everywhere; they are told. `actor` None: a command line.

    Raises PersonNotFoundError, TotpOffError, and OwnAccountError for one's own: whoever has stolen a sign-in must not
    get rid of the factor with it.
    """
    if actor is not None and actor.id == customer_id:
        raise OwnAccountError
    person = lock_person(customer_id)
    name_subject("customer", customer_id)
    reset_totp(person)
    end_all_sessions(customer_id)
    return person
