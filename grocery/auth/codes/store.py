"""One-time codes as rows: writing one within the budgets, using it once."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import current_app
from sqlalchemy import text

from grocery.auth.codes.budgets import check_budgets
from grocery.auth.codes.errors import InvalidCodeError
from grocery.auth.codes.secrets import CODE_LIFETIME, CODE_TRIES, hash_with_all, make_code, make_token
from grocery.auth.codes.tries import hash_request_token
from grocery.db import db, reader
from grocery.keys import keys_of

# The first of two numbers under which PostgreSQL locks a target: for sending to it, and for making it somebody's.
_SENDING, _CLAIMING = 4_711_010, 4_711_011

_LOCK = text("SELECT pg_advisory_xact_lock(:kind, hashtext(:target))")

# Who has an account has one live code of a purpose, wherever it went; without an account it is one of a target. A code
# with a request token stays for whoever holds that: who asks for one to another's number must not take theirs away.
_REPLACE = text("""
    UPDATE one_time_codes SET expires_at = now()
    WHERE purpose = :purpose AND used_at IS NULL AND expires_at > now() AND request_hash IS NULL
      AND CASE WHEN CAST(:customer_id AS bigint) IS NULL THEN target = :target ELSE customer_id = :customer_id END
""")

_VOID = text("""
    UPDATE one_time_codes SET expires_at = now()
    WHERE purpose = :purpose AND used_at IS NULL AND expires_at > now() AND customer_id = :customer_id
""")

_WRITE = text("""
    INSERT INTO one_time_codes
        (purpose, target, customer_id, secret_hash, request_hash, tries_left, is_sent, expires_at)
    VALUES (:purpose, :target, :customer_id, :secret_hash, :request_hash, :tries, :is_sent, now() + :lifetime)
    RETURNING id
""")

_WAS_SENT = text("""
    SELECT EXISTS (
        SELECT FROM one_time_codes
        WHERE target = :target AND purpose = :purpose AND customer_id = :customer_id
          AND used_at IS NULL AND expires_at > now() AND created_at > now() - :within
    )
""")

_FIND = text("""
    SELECT customer_id, target FROM one_time_codes
    WHERE secret_hash = ANY(:secret_hashes) AND purpose = :purpose AND used_at IS NULL AND expires_at > now()
      AND customer_id IS NOT NULL AND (CAST(:code_id AS bigint) IS NULL OR id = :code_id)
""")

# Two who come with the same code at once meet at its row: the second one finds it used.
_USE = text("""
    UPDATE one_time_codes SET used_at = now()
    WHERE secret_hash = ANY(:secret_hashes) AND purpose = :purpose AND used_at IS NULL AND expires_at > now()
      AND (CAST(:code_id AS bigint) IS NULL OR id = :code_id)
      AND (CAST(:customer_id AS bigint) IS NULL OR customer_id = :customer_id)
    RETURNING target
""")

# Who has used one needs none of the others that were asked for. One that is being used at this moment is left to that.
_VOID_OTHERS = text("""
    UPDATE one_time_codes SET expires_at = now() WHERE id IN (
        SELECT id FROM one_time_codes
        WHERE purpose = :purpose AND target = :target AND request_hash IS NOT NULL
          AND used_at IS NULL AND expires_at > now()
        FOR UPDATE SKIP LOCKED
    )
""")

# They stay, since they count for the budgets: who deletes an account and makes it anew gets no more SMS by that.
_DISOWN = text("""
    UPDATE one_time_codes SET customer_id = NULL, expires_at = least(expires_at, now())
    WHERE customer_id = :customer_id
""")


@dataclass(frozen=True)
class Issued:
    """A code that was written; the only place where its secrets stand as they are."""

    id: int
    secret: str
    request_token: str | None = None


@dataclass(frozen=True)
class Owned:
    customer_id: int
    target: str


def issue_code(purpose: str, phone: str, customer_id: int) -> Issued:
    """Write a code of six digits for a phone (E.164) of somebody who is signed in; the live one before it is dead.

    Raises CodeBudgetUsedUpError and CodesUsedUpError.
    """
    code = make_code()
    return Issued(_issue(purpose, phone, customer_id, hash_code(purpose, phone, code)[0], CODE_LIFETIME), code)


def issue_requested_code(purpose: str, phone: str, customer_id: int | None = None, *, is_sent: bool = True) -> Issued:
    """Write a code of six digits for who is not signed in, with a request token, which has tries of its own.

    Not `is_sent`: nobody gets it, so it costs nothing of the shop's budget. Raises what `issue_code` raises.
    """
    code, request_token = make_code(), make_token()
    secret_hash, request_hash = hash_code(purpose, phone, code)[0], hash_request_token(request_token)[0]
    code_id = _issue(purpose, phone, customer_id, secret_hash, CODE_LIFETIME, request_hash, is_sent=is_sent)
    return Issued(code_id, code, request_token)


def issue_token(purpose: str, email: str, customer_id: int | None, lifetime: timedelta) -> Issued:
    """Write a token for an e-mail address; the live one before it is dead. Raises CodeBudgetUsedUpError."""
    token = make_token()
    return Issued(_issue(purpose, email, customer_id, hash_token(purpose, token)[0], lifetime), token)


def was_sent(purpose: str, target: str, customer_id: int, within: timedelta) -> bool:
    """Whether a code that is still good went there, for this person, a moment ago."""
    values = {"purpose": purpose, "target": target, "customer_id": customer_id, "within": within}
    return bool(db.session.scalar(_WAS_SENT, values))


def hash_code(purpose: str, phone: str, code: str) -> list[bytes]:
    """What may be kept of a code, by the key that made it; what is kept of a new one comes first."""
    return hash_with_all(keys_of(current_app.config), purpose, code, phone)


def hash_token(purpose: str, token: str) -> list[bytes]:
    """The same of a token."""
    return hash_with_all(keys_of(current_app.config), purpose, token)


def find_owner(purpose: str, secret_hashes: list[bytes], code_id: int | None = None) -> Owned:
    """Whose live code this is; raises InvalidCodeError. For what has to be known before it is used."""
    with reader() as connection:
        values = {"purpose": purpose, "secret_hashes": secret_hashes, "code_id": code_id}
        row = connection.execute(_FIND, values).first()
    if row is None:
        raise InvalidCodeError
    return Owned(*row)


def use(purpose: str, secret_hashes: list[bytes], customer_id: int | None = None, *, code_id: int | None = None) -> str:
    """Use a live code up, once, and answer its target; raises InvalidCodeError. Others that were asked for die with it.

    `customer_id`: only a code of this person. `code_id`: the one of digits whose try was spent.
    """
    values = {"purpose": purpose, "secret_hashes": secret_hashes, "customer_id": customer_id, "code_id": code_id}
    row = db.session.execute(_USE, values).first()
    if row is None:
        raise InvalidCodeError
    db.session.execute(_VOID_OTHERS, {"purpose": purpose, "target": row.target})
    return str(row.target)


def void(purpose: str, customer_id: int) -> None:
    """Make the codes of this purpose that were sent to a person good for nothing."""
    db.session.execute(_VOID, {"purpose": purpose, "customer_id": customer_id})


def lock_claims(target: str) -> None:
    """Make whoever else proves that this number or address is theirs wait for this transaction. Locked first of all."""
    db.session.execute(_LOCK, {"kind": _CLAIMING, "target": target})


def disown_codes(_sender: object, *, customer_id: int, actor: object) -> None:
    """The receiver of `customer_deleting`."""
    db.session.execute(_DISOWN, {"customer_id": customer_id})


def _issue(
    purpose: str,
    target: str,
    customer_id: int | None,
    secret_hash: bytes,
    lifetime: timedelta,
    request_hash: bytes | None = None,
    *,
    is_sent: bool = True,
) -> int:
    # Two requests for the same target must neither both find room for the last code, nor leave two live ones.
    db.session.execute(_LOCK, {"kind": _SENDING, "target": target})
    check_budgets(target)
    owner: dict[str, Any] = {"purpose": purpose, "target": target, "customer_id": customer_id}
    db.session.execute(_REPLACE, owner)
    hashes = {"secret_hash": secret_hash, "request_hash": request_hash}
    values = {**owner, **hashes, "tries": CODE_TRIES, "is_sent": is_sent, "lifetime": lifetime}
    code_id: int = db.session.execute(_WRITE, values).scalar_one()
    return code_id
