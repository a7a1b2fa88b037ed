"""Giving oneself another password, or a first one."""

from flask import current_app
from sqlalchemy import select, update

from grocery.auth.audit.service import note
from grocery.auth.codes import store
from grocery.auth.codes.messages import tell_of_change
from grocery.auth.errors import PersonNotFoundError, WrongPasswordError
from grocery.auth.models import Customer
from grocery.auth.passwords import check_new_password, hash_password, is_right_password
from grocery.auth.people import Person
from grocery.auth.sessions import check_fresh_sign_in, end_all_sessions, start_session
from grocery.auth.throttling.tries import throttled_confirmation
from grocery.auth.tokens import Token, TokenPair
from grocery.db import db, reader
from grocery.errors import InvalidError


def has_password(customer_id: int) -> bool:
    """False for who signs in with codes alone."""
    with reader() as connection:
        found = connection.scalar(select(Customer.password_hash.is_not(None)).where(Customer.id == customer_id))
    return bool(found)


def make_password_hash(person: Person, password: str) -> str:
    """The hash of a new password of this person, which is checked first.

    Raises WeakPasswordError and HashingBusyError. Comes before all statements of its transaction, so that no connection
    is held meanwhile.
    """
    check_new_password(password, person.name, person.email, current_app.config["SHOP_NAME"])
    return hash_password(password)


def replace_password(customer_id: int, password_hash: str) -> None:
    """Give a person this password, end all of their sign-ins, and void what was sent to them to choose another one.

    Raises PersonNotFoundError.
    """
    if not _store(customer_id, password_hash):
        raise PersonNotFoundError
    _end_what_was(customer_id)


def change_password(person: Person, token: Token, password: str, current_password: str | None) -> TokenPair:
    """Give oneself another password. All sign-ins end, and a new one begins: whoever else had a token has none.

    It is noted, and told at the addresses of the account.

    Raises WeakPasswordError, InvalidError without `current_password`, WrongPasswordError, TooManyRequestsError after
    many wrong ones, and HashingBusyError. Whoever has no password yet says none: SignInAgainError unless they have just
    signed in.
    """
    with reader() as connection:
        old_hash = connection.scalar(select(Customer.password_hash).where(Customer.id == person.id))
    if old_hash is None:
        check_fresh_sign_in(token)
    elif current_password is None:
        raise InvalidError("The current password is missing.", errors={"current_password": ["Is needed."]})
    else:
        _confirm(person.id, current_password, old_hash)
    new_hash = make_password_hash(person, password)
    if not _store(person.id, new_hash, Customer.password_hash.is_not_distinct_from(old_hash)):
        raise WrongPasswordError  # it was changed meanwhile
    _end_what_was(person.id)
    pair = start_session(person.id, password_hash=new_hash)
    note("password_changed", actor_id=person.id, actor_role=person.role, subject_type="customer", subject_id=person.id)
    tell_of_change(person, "password")
    return pair


def _confirm(customer_id: int, password: str, password_hash: str) -> None:
    with throttled_confirmation(customer_id):
        if not is_right_password(password, password_hash):
            raise WrongPasswordError


def _end_what_was(customer_id: int) -> None:
    end_all_sessions(customer_id)
    store.void("reset_password", customer_id)


def _store(customer_id: int, password_hash: str, *conditions: object) -> bool:
    # A sign-in that begins at this moment waits for this lock, or this for it; the UPDATE alone would let it slip past.
    db.session.execute(select(Customer.id).where(Customer.id == customer_id).with_for_update())
    statement = update(Customer).where(Customer.id == customer_id, *conditions)  # type: ignore[arg-type]
    stored = statement.values(password_hash=password_hash).returning(Customer.id)
    return db.session.scalar(stored.execution_options(synchronize_session=False)) is not None
