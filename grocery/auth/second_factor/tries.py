"""How often codes may be wrong: six digits would be found within days by who may guess without end."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text

from grocery.auth.audit.changes import leave_unnoted
from grocery.auth.audit.service import note
from grocery.auth.second_factor.errors import TooManyWrongCodesError, WrongCodeError, WrongSecondFactorError
from grocery.db import db, transaction

#: Wrong codes of one account within an hour, from wherever they come. Who gets this far knows the password, or holds
#: the phone: a stranger can keep nobody out with this.
MOST_WRONG_CODES = 10

_FAILURE = "second_factor_failed"

_SECONDS_TO_WAIT = text("""
    SELECT ceil(extract(epoch FROM min(at) + interval '1 hour' - now()))::int
    FROM (
        SELECT at FROM audit_log
        WHERE subject_type = 'customer' AND subject_id = :customer_id AND action = :failure
            AND at > now() - interval '1 hour'
        ORDER BY id DESC
        LIMIT :most
    ) AS newest
    HAVING count(*) >= :most
""")


@contextmanager
def counting_wrong_codes() -> Iterator[None]:
    """Write down each wrong code that is raised inside, after all else was rolled back. Stands around the transaction.

    The audit log is the count: it outlives a restart of Redis, and admins can read it.
    """
    try:
        yield
    except (WrongCodeError, WrongSecondFactorError) as error:
        actor_id = error.customer_id if isinstance(error, WrongCodeError) else None
        leave_unnoted()
        with transaction():
            note(
                _FAILURE,
                actor_id=actor_id,
                actor_role=error.role,
                subject_type="customer",
                subject_id=error.customer_id,
            )
        raise


def check_tries(customer_id: int) -> None:
    """Raise TooManyWrongCodesError when there were MOST_WRONG_CODES of them within an hour."""
    parameters = {"customer_id": customer_id, "failure": _FAILURE, "most": MOST_WRONG_CODES}
    seconds = db.session.scalar(_SECONDS_TO_WAIT, parameters)
    if seconds is not None:
        raise TooManyWrongCodesError(seconds)
