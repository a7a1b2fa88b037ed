"""Registering and signing in with a password, each step in a transaction of its own: API and pages share them.

Those who fail are counted, and noted in the audit log, whatever way they came.
"""

import hmac
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from flask import current_app
from sqlalchemy import select

from grocery.auth import service
from grocery.auth.audit.sign_ins import note_failed_sign_in
from grocery.auth.codes.addresses import confirm_later
from grocery.auth.errors import InvalidCredentialsError
from grocery.auth.models import Customer
from grocery.auth.people import Person
from grocery.auth.second_factor.service import Proof
from grocery.auth.second_factor.tries import trying_code
from grocery.auth.service import Account
from grocery.auth.throttling.tries import limit_registrations, throttled_sign_in
from grocery.auth.tokens import TokenPair
from grocery.db import reader, transaction
from grocery.keys import is_made_by_any, keys_of


def make_account(**values: Any) -> Person:
    """Make an account (RegisterSchema) and have a mail sent to confirm its address.

    Raises TooManyRequestsError, and as `service.register`.
    """
    limit_registrations()
    with transaction():
        person = service.register(**values)
        confirm_later(person)
    return person


def find_account(identifier: str, password: str) -> Account:
    """The account that this password opens.

    Raises InvalidCredentialsError, TooManyRequestsError after many of these, and HashingBusyError.
    """
    with _noting_failures(), throttled_sign_in(identifier):
        return service.check_password(identifier, password)


def enter(account: Account, proof: Proof) -> TokenPair:
    """Sign in to an account that `find_account` or `recall_account` has answered.

    Raises TotpRequiredError when it needs a second factor and `proof` has none: then all else was right. Else as
    `service.log_in`.
    """
    with _noting_failures(), trying_code(account.customer_id):
        return service.log_in(account, proof)


def fingerprint(account: Account) -> str:
    """What tells this password of this account from any other, and helps nobody to find it.

    Between two pages of a sign-in it stands for the password, which is asked for once, and kept nowhere meanwhile.
    """
    return _fingerprint(keys_of(current_app.config).signing, account)


def recall_account(customer_id: int, known: str) -> Account:
    """The account again whose `fingerprint` is known; raises InvalidCredentialsError once its password is another."""
    with reader() as connection:
        password_hash = connection.scalar(select(Customer.password_hash).where(Customer.id == customer_id))
    account = Account(customer_id, password_hash or "", better_hash=None)
    secret_keys = keys_of(current_app.config).newest_first
    if not password_hash or not is_made_by_any(known, lambda key: _fingerprint(key, account), secret_keys):
        raise InvalidCredentialsError(customer_id)
    return account


def _fingerprint(key: str, account: Account) -> str:
    text = f"password:{account.customer_id}:{account.password_hash}"
    return hmac.new(key.encode(), text.encode(), "sha256").hexdigest()


@contextmanager
def _noting_failures() -> Iterator[None]:
    try:
        yield
    except InvalidCredentialsError as error:
        with transaction():
            note_failed_sign_in(error.customer_id)
        raise
