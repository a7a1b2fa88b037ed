"""Turning one's second factor on and off, step by step, each in a transaction of its own: API and pages share them."""

from grocery.auth.people import Person
from grocery.auth.second_factor import service
from grocery.auth.second_factor.service import Enrolment, Proof
from grocery.auth.second_factor.tries import trying_code
from grocery.auth.service import confirm_password
from grocery.auth.sessions import check_fresh_sign_in, end_other_sessions
from grocery.auth.tokens import Token
from grocery.db import transaction


def begin(person: Person, token: Token, password: str | None) -> Enrolment:
    """Make a secret. Without a password it takes a fresh sign-in (SignInAgainError). Raises as `begin_totp`."""
    if password is not None:
        confirm_password(person.id, password)
    else:
        check_fresh_sign_in(token)
    with transaction():
        return service.begin_totp(person)


def confirm(person: Person, token: Token, code: str) -> list[str]:
    """Turn it on, and end all other sign-ins. Answers the recovery codes. Raises as `confirm_totp`."""
    with trying_code(person.id):
        codes = service.confirm_totp(person, code)
        end_other_sessions(token)
    return codes


def renew_recovery_codes(person: Person, proof: Proof) -> list[str]:
    """Raises as `service.renew_recovery_codes`."""
    with trying_code(person.id):
        return service.renew_recovery_codes(person, proof)


def turn_off(person: Person, proof: Proof) -> None:
    """Raises as `service.turn_off_totp`."""
    with trying_code(person.id):
        service.turn_off_totp(person, proof)
