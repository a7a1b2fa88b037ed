"""Forgotten passwords. Commits nothing."""

from sqlalchemy import ColumnElement, func, select

from grocery.auth.audit.service import note
from grocery.auth.choices import without_phone
from grocery.auth.codes import store
from grocery.auth.codes.errors import InvalidCodeError
from grocery.auth.codes.messages import send_code, send_reset_token, tell_of_change
from grocery.auth.codes.secrets import RESET_LIFETIME
from grocery.auth.credentials import make_password_hash, replace_password
from grocery.auth.errors import PersonNotFoundError
from grocery.auth.models import Customer
from grocery.auth.people import Person
from grocery.auth.reclaiming import drop_what_was_set_up, has_way_in
from grocery.auth.service import change_person, get_person, lock_person
from grocery.db import db

_PURPOSE = "reset_password"


def send_reset_by_email(email: str) -> None:
    """Send a token for a new password, if the address (normalised) is one of an active account.

    If not, the same work is done, and the message taken back. Raises CodeBudgetUsedUpError.
    """
    customer_id, language = _find(Customer.email == email)
    issued = store.issue_token(_PURPOSE, email, customer_id, RESET_LIFETIME)
    with db.session.begin_nested() as savepoint:
        send_reset_token(email, issued, customer_id=customer_id, language=language)
        if customer_id is None:
            savepoint.rollback()


def send_reset_by_phone(phone: str) -> str | None:
    """Send a code for a new password, if the phone (E.164) is the verified one of an active account.

    If not, the same work is done, and the message taken back; the shop's budget for SMS is left alone. Answers the
    request token. Raises CodeBudgetUsedUpError and CodesUsedUpError.
    """
    customer_id, language = _find((Customer.phone == phone) & Customer.phone_verified_at.is_not(None))
    issued = store.issue_requested_code(_PURPOSE, phone, customer_id, is_sent=customer_id is not None)
    with db.session.begin_nested() as savepoint:
        send_code(_PURPOSE, phone, issued, customer_id=customer_id, language=language)
        if customer_id is None:
            savepoint.rollback()
    return issued.request_token


def reset_by_token(token: str, password: str) -> None:
    """Give the account of a token another password; all of its sign-ins end.

    Raises InvalidCodeError, WeakPasswordError (then the token stays good) and HashingBusyError.
    """
    _reset(store.hash_token(_PURPOSE, token), password)


def reset_by_code(phone: str, code: str, password: str, code_id: int) -> None:
    """The same with a code by SMS, after `spend_try`, which has answered `code_id`, was committed."""
    _reset(store.hash_code(_PURPOSE, phone, code), password, code_id)


def _find(condition: ColumnElement[bool]) -> tuple[int | None, str | None]:
    statement = select(Customer.id, Customer.language).where(condition, Customer.is_active)
    row = db.session.execute(statement.with_for_update(read=True, key_share=True)).first()
    return (row.id, row.language) if row else (None, None)


def _reset(secret_hashes: list[bytes], password: str, code_id: int | None = None) -> None:
    owned = store.find_owner(_PURPOSE, secret_hashes, code_id)
    try:
        # No connection is held while the password is hashed.
        password_hash = make_password_hash(get_person(owned.customer_id), password)
        person = lock_person(owned.customer_id)
    except PersonNotFoundError:
        raise InvalidCodeError from None
    is_still_theirs = owned.target == person.email or (person.is_phone_verified and owned.target == person.phone)
    if not (person.is_active and is_still_theirs):
        raise InvalidCodeError
    store.use(_PURPOSE, secret_hashes, person.id, code_id=code_id)
    is_reclaimed = owned.target == person.email and not person.is_email_verified and has_way_in(person.id)
    replace_password(person.id, password_hash)
    if owned.target == person.email and not person.is_email_verified:
        change_person(person, {"email_verified_at": func.now()})
    if is_reclaimed:
        _reclaim(person)
    note("password_reset", actor_id=None, actor_role="visitor", subject_type="customer", subject_id=person.id)
    tell_of_change(person, "reclaimed" if is_reclaimed else "password")


def _reclaim(person: Person) -> None:
    """Take off what was set up before the mailbox was proved, which is just now.

    Until then anybody could have made the account with this address, to come back with a phone of their own, which
    would get news of the owner's orders too. Of an invitation nobody has, so that keeps the phone it was made with.
    """
    drop_what_was_set_up(person)
    change_person(person, without_phone(person.notify_by))
