"""Having codes sent and giving them back, step by step, each in transactions of its own: API and pages share them."""

from collections.abc import Iterator
from contextlib import contextmanager

from grocery.auth.audit.changes import leave_unnoted, unnoted
from grocery.auth.audit.sign_ins import note_failed_sign_in
from grocery.auth.codes import addresses, resetting, signing_in
from grocery.auth.codes.confirming import confirm_person
from grocery.auth.codes.errors import CodesUsedUpError, InvalidCodeError
from grocery.auth.codes.messages import tell_admins_of_used_up_codes
from grocery.auth.codes.tries import spend_try
from grocery.auth.errors import InvalidCredentialsError
from grocery.auth.people import Person
from grocery.auth.second_factor.service import Proof
from grocery.auth.second_factor.tries import trying_code
from grocery.auth.throttling.tries import limit_codes, throttled_codes
from grocery.auth.tokens import Token, TokenPair
from grocery.db import transaction


def ask_sign_in_code(phone: str) -> str | None:
    """Have a code sent to sign in with, and answer its request token.

    Raises TooManyRequestsError and what `send_sign_in_code` raises.
    """
    limit_codes(phone)
    with _sending():
        return signing_in.send_sign_in_code(phone)


def enter_with_code(
    phone: str, code: str, request_token: str | None, proof: Proof, *, name: str | None = None
) -> TokenPair:
    """Sign in with that code, which takes one of its tries; the first time makes an account of this `name`.

    Raises TooManyRequestsError, InvalidCodeError, and what `check_second_factor` raises: TotpRequiredError leaves the
    code as it was.
    """
    try:
        with throttled_codes(phone):
            with transaction():
                code_id = spend_try("sign_in", phone, request_token)
                owner_id = signing_in.find_owner(phone)
            with trying_code(owner_id):
                return signing_in.sign_in_with_code(phone, code, code_id, name, proof)
    except (InvalidCodeError, InvalidCredentialsError):
        with transaction():
            note_failed_sign_in(signing_in.find_owner(phone))
        raise


def ask_phone_code(person: Person, token: Token, phone: str | None, password: str | None) -> None:
    """Have a code sent to a phone, or to that of the account, after `confirm_person`. Raises as these two."""
    confirm_person(person, token, password)
    limit_codes(phone or person.phone or "")
    with _sending():
        addresses.send_phone_code(person, phone)


def prove_phone(person: Person, code: str) -> Person:
    """Make the phone of that code the person's verified one. Raises as `addresses.confirm_phone`."""
    with unnoted(), transaction():
        phone = addresses.spend_phone_try(person)
    with transaction():
        return addresses.confirm_phone(person, phone, code)


def remove_phone(person: Person, token: Token, password: str | None) -> Person:
    """Raises as `confirm_person` and `addresses.remove_phone`."""
    confirm_person(person, token, password)
    with transaction():
        return addresses.remove_phone(person)


def ask_email_token(person: Person, token: Token, email: str, password: str | None) -> None:
    """Have a mail sent to an address (normalised). Who wants another one than the account has is confirmed first."""
    if email != person.email:
        confirm_person(person, token, password)
    limit_codes(email)
    with transaction():
        addresses.send_email_confirmation(person, email)


def remove_email(person: Person, token: Token, password: str | None) -> Person:
    """Raises as `confirm_person` and `addresses.remove_email`."""
    confirm_person(person, token, password)
    with transaction():
        return addresses.remove_email(person)


def ask_reset_by_email(email: str) -> None:
    """Have a mail sent to choose a new password. Raises TooManyRequestsError and CodeBudgetUsedUpError."""
    limit_codes(email)
    with transaction():
        resetting.send_reset_by_email(email)


def ask_reset_by_phone(phone: str) -> str | None:
    """Have an SMS sent for the same, and answer its request token. Raises CodesUsedUpError, too."""
    limit_codes(phone)
    with _sending():
        return resetting.send_reset_by_phone(phone)


def reset_by_code(phone: str, code: str, request_token: str | None, password: str) -> None:
    """Choose a new password with that code, which takes one of its tries.

    Raises TooManyRequestsError and what `resetting.reset_by_token` raises.
    """
    with throttled_codes(phone):
        with transaction():
            code_id = spend_try("reset_password", phone, request_token)
        with transaction():
            resetting.reset_by_code(phone, code, password, code_id)


@contextmanager
def _sending() -> Iterator[None]:
    """A transaction that sends a code; admins hear of it when there is none left, though all else is rolled back."""
    try:
        with transaction():
            yield
    except CodesUsedUpError as error:
        leave_unnoted()
        with transaction():
            tell_admins_of_used_up_codes(error)
        raise
