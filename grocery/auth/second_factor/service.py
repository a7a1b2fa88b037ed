"""Second factors: turning on, using and turning off. Commits nothing; the caller has the transaction.

Whoever calls something here that takes a code does so inside of `trying_code()`.
"""

import time
from dataclasses import dataclass
from datetime import datetime

from flask import current_app
from sqlalchemy import TextClause, text

from grocery.auth.audit.service import note
from grocery.auth.codes.messages import tell_of_change
from grocery.auth.errors import UnverifiedError
from grocery.auth.people import Person
from grocery.auth.second_factor.codes import (
    find_step,
    hash_recovery_code,
    new_recovery_codes,
    new_secret,
    secret_uri,
)
from grocery.auth.second_factor.errors import (
    TotpOffError,
    TotpOnError,
    TotpRequiredError,
    WrongCodeError,
    WrongSecondFactorError,
)
from grocery.auth.second_factor.resealing import open_and_reseal
from grocery.auth.second_factor.sealing import seal
from grocery.auth.second_factor.tries import check_tries
from grocery.db import db, reader
from grocery.keys import keys_of

_STATE = text("""
    SELECT confirmed_at,
        (SELECT count(*) FROM recovery_codes AS codes
         WHERE codes.customer_id = factors.customer_id AND used_at IS NULL) AS codes_left
    FROM second_factors AS factors
    WHERE customer_id = :customer_id AND confirmed_at IS NOT NULL
""")

_BEGIN = text("""
    INSERT INTO second_factors (customer_id, secret) VALUES (:customer_id, :secret)
    ON CONFLICT (customer_id) DO UPDATE SET secret = excluded.secret, last_step = NULL, created_at = now()
        WHERE second_factors.confirmed_at IS NULL
    RETURNING customer_id
""")

_LOCK_PERSON = text("SELECT id FROM customers WHERE id = :customer_id FOR UPDATE")

# Two requests with the same code meet here: one waits for the other, and then finds nothing to do.
_LOCK_FACTOR = text("""
    SELECT secret FROM second_factors
    WHERE customer_id = :customer_id AND (confirmed_at IS NOT NULL) = :is_confirmed
    FOR UPDATE
""")

_CONFIRM = text("UPDATE second_factors SET confirmed_at = now(), last_step = :step WHERE customer_id = :customer_id")

_SPEND_TOTP = text("""
    UPDATE second_factors SET last_step = :step
    WHERE customer_id = :customer_id AND (last_step IS NULL OR last_step < :step)
    RETURNING customer_id
""")

_SPEND_RECOVERY_CODE = text("""
    UPDATE recovery_codes SET used_at = now()
    WHERE customer_id = :customer_id AND code_hash = :code_hash AND used_at IS NULL
    RETURNING customer_id
""")

_DELETE_FACTOR = text("DELETE FROM second_factors WHERE customer_id = :customer_id RETURNING customer_id")
_DELETE_RECOVERY_CODES = text("DELETE FROM recovery_codes WHERE customer_id = :customer_id")
_ADD_RECOVERY_CODE = text("INSERT INTO recovery_codes (customer_id, code_hash) VALUES (:customer_id, :code_hash)")


@dataclass(frozen=True, slots=True)
class Proof:
    """What someone sends as their second factor: a code of the app, or a recovery code in its stead."""

    totp: str | None = None
    recovery_code: str | None = None


#: Of whoever sends no second factor.
NO_PROOF = Proof()


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A secret for an authenticator app, alone and as the address of a QR code."""

    secret: str
    uri: str


@dataclass(frozen=True, slots=True)
class FactorState:
    is_on: bool
    confirmed_at: datetime | None
    recovery_codes_left: int


def read_state(customer_id: int) -> FactorState:
    with reader() as connection:
        row = connection.execute(_STATE, {"customer_id": customer_id}).first()
    return FactorState(True, row.confirmed_at, row.codes_left) if row else FactorState(False, None, 0)


def begin_totp(person: Person) -> Enrolment:
    """Make a secret. It counts for nothing until `confirm_totp`; one that was begun before is forgotten.

    Raises TotpOnError, and UnverifiedError for an account that may have been made with another one's address: its
    owner, who makes the password anew, would be kept out.
    """
    if not person.is_proved:
        raise UnverifiedError
    secret = new_secret()
    sealed = seal(secret, owner_id=person.id, secret_key=keys_of(current_app.config).signing)
    if db.session.execute(_BEGIN, {"customer_id": person.id, "secret": sealed}).first() is None:
        raise TotpOnError
    account = person.email or person.phone or person.name
    return Enrolment(secret, secret_uri(secret, account=account, shop=current_app.config["SHOP_NAME"]))


def confirm_totp(person: Person, code: str) -> list[str]:
    """Turn the second factor on with the first code of the app. Returns the recovery codes, which are kept nowhere.

    Raises TotpOffError when none was begun, WrongCodeError and TooManyWrongCodesError. The person's row is locked, so
    that a sign-in which comes in meanwhile waits, and then needs the code.
    """
    db.session.execute(_LOCK_PERSON, {"customer_id": person.id})
    secret = _lock_secret(person.id, is_confirmed=False)
    step = find_step(secret, code, time.time()) if secret else None
    if step is None:
        raise WrongCodeError(person)
    db.session.execute(_CONFIRM, {"customer_id": person.id, "step": step})
    _note_own("second_factor_on", person)
    tell_of_change(person, "totp_on")
    return _replace_recovery_codes(person.id)


def renew_recovery_codes(person: Person, proof: Proof) -> list[str]:
    """Ten new recovery codes; those of before are void. Raises as `confirm_totp`."""
    _check_proof(person, proof)
    _note_own("recovery_codes_renewed", person)
    return _replace_recovery_codes(person.id)


def turn_off_totp(person: Person, proof: Proof) -> None:
    """Turn the second factor off. Raises as `confirm_totp`."""
    _check_proof(person, proof)
    forget_totp(person.id)
    _note_own("second_factor_off", person)
    tell_of_change(person, "totp_off")


def reset_totp(person: Person) -> None:
    """Turn somebody's second factor off without a code; raises TotpOffError. Whoever calls it notes who did it."""
    if not forget_totp(person.id):
        raise TotpOffError
    tell_of_change(person, "totp_off")


def forget_totp(customer_id: int) -> bool:
    """Delete a second factor, also one that is only begun, and its recovery codes; whether there was one."""
    db.session.execute(_DELETE_RECOVERY_CODES, {"customer_id": customer_id})
    return _has_row(_DELETE_FACTOR, customer_id=customer_id)


def check_second_factor(customer_id: int, proof: Proof) -> None:
    """Called by every way to sign in, in its transaction, after the session has begun: all of it or nothing.

    By then the person's row is locked, so that a factor which is being turned on cannot be missed. Raises
    TotpRequiredError when a code is needed and none was sent, WrongSecondFactorError and TooManyWrongCodesError.
    """
    if not _is_on(customer_id):
        return
    if proof.totp is None and proof.recovery_code is None:
        raise TotpRequiredError
    if not _spend(customer_id, proof):
        raise WrongSecondFactorError(customer_id)


def _is_on(customer_id: int) -> bool:
    return db.session.execute(_STATE, {"customer_id": customer_id}).first() is not None


def _check_proof(person: Person, proof: Proof) -> None:
    # The order of all locks: people before what belongs to them.
    db.session.execute(_LOCK_PERSON, {"customer_id": person.id})
    if not _spend(person.id, proof):
        raise WrongCodeError(person)


def _spend(customer_id: int, proof: Proof) -> bool:
    """Whether the code was good; it is not any more."""
    secret = _lock_secret(customer_id, is_confirmed=True)
    if proof.recovery_code is not None:
        code_hash = hash_recovery_code(customer_id, proof.recovery_code)
        return _has_row(_SPEND_RECOVERY_CODE, customer_id=customer_id, code_hash=code_hash)
    step = find_step(secret, proof.totp, time.time()) if secret and proof.totp else None
    return step is not None and _has_row(_SPEND_TOTP, customer_id=customer_id, step=step)


def _lock_secret(customer_id: int, *, is_confirmed: bool) -> str | None:
    """The secret, locked; None when it was sealed with a key that is gone: then no code fits."""
    row = db.session.execute(_LOCK_FACTOR, {"customer_id": customer_id, "is_confirmed": is_confirmed}).first()
    if row is None:
        raise TotpOffError
    check_tries(customer_id)
    return open_and_reseal(customer_id, bytes(row.secret))


def _has_row(statement: TextClause, **parameters: object) -> bool:
    return db.session.execute(statement, parameters).first() is not None


def _replace_recovery_codes(customer_id: int) -> list[str]:
    codes = new_recovery_codes()
    db.session.execute(_DELETE_RECOVERY_CODES, {"customer_id": customer_id})
    rows = [{"customer_id": customer_id, "code_hash": hash_recovery_code(customer_id, code)} for code in codes]
    db.session.execute(_ADD_RECOVERY_CODE, rows)
    return codes


def _note_own(action: str, person: Person) -> None:
    note(action, actor_id=person.id, actor_role=person.role, subject_type="customer", subject_id=person.id)
