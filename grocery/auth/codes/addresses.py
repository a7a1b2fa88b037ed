"""Verifying, adding, changing and removing the addresses that identify a person. Commits nothing."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from grocery.auth.choices import DEFAULT_NOTIFY_BY, choices_for_other_phone, without_phone
from grocery.auth.codes import store
from grocery.auth.codes.errors import (
    AlreadyVerifiedError,
    CodeBudgetUsedUpError,
    InvalidCodeError,
    NoMobilePhoneError,
    NoPhoneError,
    WrongCodeError,
)
from grocery.auth.codes.messages import send_code, send_email_token, tell_of_change
from grocery.auth.codes.secrets import VERIFY_EMAIL_LIFETIME
from grocery.auth.codes.tries import spend_try_of
from grocery.auth.errors import EmailTakenError, LastIdentifierError, PersonNotFoundError
from grocery.auth.models import Customer
from grocery.auth.people import PERSON_COLUMNS, Person
from grocery.auth.service import change_person, lock_person
from grocery.db import db
from grocery.phones import is_mobile

# Who asks twice in so short a time has not waited for the first mail.
_ON_ITS_WAY = timedelta(minutes=1)


def send_phone_code(person: Person, phone: str | None) -> None:
    """Send a code to a phone (E.164) that the person wants to verify; None for the one on the account.

    Raises NoPhoneError, NoMobilePhoneError, AlreadyVerifiedError, CodeBudgetUsedUpError and CodesUsedUpError.
    """
    phone = phone or person.phone
    if phone is None:
        raise NoPhoneError
    # Any number may stand on an account as a contact, also one that costs whoever sends to it.
    if not is_mobile(phone):
        raise NoMobilePhoneError
    if phone == person.phone and person.is_phone_verified:
        raise AlreadyVerifiedError
    _keep(person)
    issued = store.issue_code("verify_phone", phone, person.id)
    send_code("verify_phone", phone, issued, customer_id=person.id, language=person.language)


def spend_phone_try(person: Person) -> str:
    """Take a try from the code that the person wants to verify a phone with, and answer the phone.

    Raises WrongCodeError. Committed before `confirm_phone`.
    """
    try:
        return spend_try_of("verify_phone", person.id)
    except InvalidCodeError:
        raise WrongCodeError from None


def confirm_phone(person: Person, phone: str, code: str) -> Person:
    """Make a phone (E.164) the person's verified one; which `spend_phone_try` has answered.

    An account that had it verified before has it no more. Raises WrongCodeError, and PersonNotFoundError.
    """
    store.lock_claims(phone)
    person, *others = _lock_with_owner(person.id, phone)
    try:
        store.use("verify_phone", store.hash_code("verify_phone", phone, code), person.id)
    except InvalidCodeError:
        raise WrongCodeError from None
    for other in others:
        _take_phone(other)
    changes: dict[str, Any] = {"phone": phone, "phone_verified_at": func.now()}
    if person.phone != phone:
        changes |= choices_for_other_phone(person.notify_by, phone)
    changed = change_person(person, changes)
    tell_of_change(person, "phone")
    return changed


def send_email_confirmation(person: Person, email: str) -> None:
    """Send a token to an address (normalised) that the person wants to have; it is not theirs before it came back.

    The same whether another account has the address or not. Nothing more is sent while the mail of a moment ago may be
    on its way. Raises AlreadyVerifiedError and CodeBudgetUsedUpError.
    """
    if email == person.email and person.is_email_verified:
        raise AlreadyVerifiedError
    _keep(person)
    if store.was_sent("verify_email", email, person.id, within=_ON_ITS_WAY):
        return
    issued = store.issue_token("verify_email", email, person.id, VERIFY_EMAIL_LIFETIME)
    send_email_token(person, email, issued)


def confirm_later(person: Person) -> None:
    """Send that token to the address of a new account, in the transaction that makes it.

    The account is made all the same when so many codes went to the address within a day that no more do.
    """
    with suppress(CodeBudgetUsedUpError):
        send_email_confirmation(person, person.email or "")


def confirm_email(person: Person, token: str) -> Person:
    """Make the address of a token the person's own, if it was they who asked for it. Who had another one is told there.

    Raises WrongCodeError, and EmailTakenError when another account has the address.
    """
    person = lock_person(person.id)
    try:
        email = store.use("verify_email", store.hash_token("verify_email", token), person.id)
    except InvalidCodeError:
        raise WrongCodeError from None
    is_other = email != person.email
    changes: dict[str, Any] = {"email": email, "email_verified_at": func.now()}
    if is_other:
        changes["marketing_email"] = False
    try:
        with db.session.begin_nested():
            changed = change_person(person, changes)
    except IntegrityError:
        raise EmailTakenError from None
    if is_other:
        tell_of_change(person, "email")
    return changed


def remove_email(person: Person) -> Person:
    """Take the e-mail address off an account that can be signed in to by phone; raises LastIdentifierError."""
    person = lock_person(person.id)
    if not person.is_phone_verified:
        raise LastIdentifierError
    if person.email is None:
        return person
    changes: dict[str, Any] = {"email": None, "email_verified_at": None, "marketing_email": False}
    if person.notify_by == "email":
        changes["notify_by"] = DEFAULT_NOTIFY_BY
    changed = change_person(person, changes)
    tell_of_change(person, "email")
    return changed


def remove_phone(person: Person) -> Person:
    """Take the phone off an account that can be signed in to by e-mail; raises LastIdentifierError.

    The number is told, if it was verified.
    """
    person = lock_person(person.id)
    if person.email is None:
        raise LastIdentifierError
    if person.phone is None:
        return person
    changed = change_person(person, without_phone(person.notify_by))
    tell_of_change(person, "phone")
    return changed


def _keep(person: Person) -> None:
    """Hold the row, so that whoever deletes the person waits: people are locked before their codes."""
    statement = select(Customer.id).where(Customer.id == person.id)
    db.session.execute(statement.with_for_update(read=True, key_share=True))


def _lock_with_owner(customer_id: int, phone: str) -> list[Person]:
    """The person and whoever has this phone verified, the person first; locked in the order of ids.

    Raises PersonNotFoundError.
    """
    is_owner = (Customer.phone == phone) & Customer.phone_verified_at.is_not(None)
    statement = select(*PERSON_COLUMNS).where((Customer.id == customer_id) | is_owner).order_by(Customer.id)
    people = [Person(*row) for row in db.session.execute(statement.with_for_update())]
    people.sort(key=lambda found: found.id != customer_id)
    if not people or people[0].id != customer_id:
        raise PersonNotFoundError
    return people


def _take_phone(person: Person) -> None:
    change_person(person, without_phone(person.notify_by))
    tell_of_change(person, "phone_taken")
