"""Whoever changes what an account is signed in to with says once more who they are: a token may be a stolen one.

Source: OWASP ASVS 5, 7.5.1.
"""

from grocery.auth.codes import store
from grocery.auth.codes.errors import InvalidCodeError, WrongCodeError
from grocery.auth.codes.tries import spend_try
from grocery.auth.credentials import has_password
from grocery.auth.people import Person
from grocery.auth.service import confirm_password
from grocery.auth.sessions import check_fresh_sign_in
from grocery.auth.tokens import Token
from grocery.errors import InvalidError


def confirm_person(person: Person, token: Token, password: str | None) -> None:
    """Raise WrongPasswordError unless this is the person's password.

    InvalidError when they have one and say none; who has none needs a fresh sign-in (SignInAgainError).
    """
    if password is not None:
        confirm_password(person.id, password)
        return
    if has_password(person.id):
        raise InvalidError("The password is missing.", errors={"password": ["Is needed to confirm this."]})
    check_fresh_sign_in(token)


def spend_own_try(person: Person, request_token: str | None) -> int:
    """`spend_try` of a code of `POST /auth/otp` to one's own verified phone; raises WrongCodeError."""
    if person.phone is None or not person.is_phone_verified:
        raise WrongCodeError
    try:
        return spend_try("sign_in", person.phone, request_token)
    except InvalidCodeError:
        raise WrongCodeError from None


def use_own_code(person: Person, code: str, code_id: int) -> None:
    """Use that code up, after `spend_own_try` was committed; raises WrongCodeError. Comes before people are locked."""
    try:
        store.use("sign_in", store.hash_code("sign_in", person.phone or "", code), code_id=code_id)
    except InvalidCodeError:
        raise WrongCodeError from None
