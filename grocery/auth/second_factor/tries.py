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

# The first of two numbers under which PostgreSQL locks the tries of an account.
_TRYING = 4_711_012

_LOCK_TRIES = text("SELECT pg_advisory_xact_lock(:kind, hashint8(:customer_id))")

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
def trying_code(customer_id: int | None) -> Iterator[None]:
    """A transaction in which a code of this account may be tried. A wrong one takes all back but the note of it.

    Whoever tries another one waits from here to the commit, so that of many guesses at once none is looked at before
    all before it are counted. The lock comes before all others: that on a row would go with what is taken back. The
    audit log is the count: it outlives a restart of Redis, and admins can read it. None: there is no account yet.
    """
    wrong: WrongCodeError | WrongSecondFactorError | None = None
    with transaction() as session:
        if customer_id is not None:
            session.execute(_LOCK_TRIES, {"kind": _TRYING, "customer_id": customer_id})
        try:
            with session.begin_nested():
                yield
        except (WrongCodeError, WrongSecondFactorError) as error:
            wrong = error
            _note_failure(error)
    if wrong is not None:
        raise wrong


def check_tries(customer_id: int) -> None:
    """Raise TooManyWrongCodesError when there were MOST_WRONG_CODES of them within an hour."""
    parameters = {"customer_id": customer_id, "failure": _FAILURE, "most": MOST_WRONG_CODES}
    seconds = db.session.scalar(_SECONDS_TO_WAIT, parameters)
    if seconds is not None:
        raise TooManyWrongCodesError(seconds)


def _note_failure(error: WrongCodeError | WrongSecondFactorError) -> None:
    actor_id = error.customer_id if isinstance(error, WrongCodeError) else None
    leave_unnoted()
    note(
        _FAILURE,
        actor_id=actor_id,
        actor_role=error.role,
        subject_type="customer",
        subject_id=error.customer_id,
    )
