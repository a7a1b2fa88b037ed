"""One-time codes as rows: writing one within the budgets, spending its tries, using it once."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import phonenumbers
from flask import current_app
from sqlalchemy import text

from grocery.auth.codes.errors import CodeBudgetUsedUpError, CodesUsedUpError, InvalidCodeError
from grocery.auth.codes.secrets import CODE_LIFETIME, CODE_TRIES, hash_secret, make_code, make_token
from grocery.db import db, reader

# The first of two numbers under which PostgreSQL locks a target: for sending to it, and for making it somebody's.
_SENDING, _CLAIMING = 4_711_010, 4_711_011

# Of other countries' numbers, the part of the shop's budget: SMS there are dear, and who pumps them is paid there.
_ABROAD_PART = 10

_LOCK = text("SELECT pg_advisory_xact_lock(:kind, hashtext(:target))")

# When the oldest code that fills the budget is a day old, there is room for another one.
_SECONDS_UNTIL_ROOM = text("""
    SELECT ceil(extract(epoch FROM created_at + interval '1 day' - now()))
    FROM one_time_codes
    WHERE target = :target AND created_at > now() - interval '1 day'
    ORDER BY created_at DESC
    OFFSET :limit - 1 LIMIT 1
""")

# Phone numbers begin with a +, e-mail addresses do not go out by SMS.
_COUNT_SMS = text("""
    SELECT count(*) AS in_all, count(*) FILTER (WHERE target NOT LIKE :home) AS abroad
    FROM one_time_codes
    WHERE created_at > now() - interval '1 day' AND target LIKE '+%'
""")

# Who has an account has one live code of a purpose, wherever it went; without an account it is one of a target.
_REPLACE = text("""
    UPDATE one_time_codes SET expires_at = now()
    WHERE purpose = :purpose AND used_at IS NULL AND expires_at > now()
      AND CASE WHEN CAST(:customer_id AS bigint) IS NULL THEN target = :target ELSE customer_id = :customer_id END
""")

_WRITE = text("""
    INSERT INTO one_time_codes (purpose, target, customer_id, secret_hash, tries_left, expires_at)
    VALUES (:purpose, :target, :customer_id, :secret_hash, :tries, now() + :lifetime)
    RETURNING id
""")

_SPEND = text("""
    UPDATE one_time_codes SET tries_left = tries_left - 1
    WHERE purpose = :purpose AND used_at IS NULL AND tries_left > 0 AND expires_at > now()
      AND (CAST(:target AS text) IS NULL OR target = :target)
      AND (CAST(:customer_id AS bigint) IS NULL OR customer_id = :customer_id)
    RETURNING target
""")

_FIND = text("""
    SELECT customer_id, target FROM one_time_codes
    WHERE secret_hash = :secret_hash AND purpose = :purpose AND used_at IS NULL AND expires_at > now()
      AND customer_id IS NOT NULL
""")

# Two who come with the same code at once meet at its row: the second one finds it used.
_USE = text("""
    UPDATE one_time_codes SET used_at = now()
    WHERE secret_hash = :secret_hash AND purpose = :purpose AND used_at IS NULL AND expires_at > now()
      AND (CAST(:customer_id AS bigint) IS NULL OR customer_id = :customer_id)
    RETURNING target
""")

# They stay, since they count for the budgets: who deletes an account and makes it anew gets no more SMS by that.
_DISOWN = text("""
    UPDATE one_time_codes SET customer_id = NULL, expires_at = least(expires_at, now())
    WHERE customer_id = :customer_id
""")


@dataclass(frozen=True)
class Issued:
    """A code that was written; the only place where its `secret` stands as it is."""

    id: int
    secret: str


@dataclass(frozen=True)
class Owned:
    customer_id: int
    target: str


def issue_code(purpose: str, phone: str, customer_id: int | None = None) -> Issued:
    """Write a code of six digits for a phone (E.164); the live one before it is dead.

    Raises CodeBudgetUsedUpError and CodesUsedUpError.
    """
    code = make_code()
    return _issue(purpose, phone, customer_id, code, hash_code(purpose, phone, code), CODE_LIFETIME)


def issue_token(purpose: str, email: str, customer_id: int | None, lifetime: timedelta) -> Issued:
    """Write a token for an e-mail address; the live one before it is dead. Raises CodeBudgetUsedUpError."""
    token = make_token()
    return _issue(purpose, email, customer_id, token, hash_token(purpose, token), lifetime)


def hash_code(purpose: str, phone: str, code: str) -> bytes:
    return hash_secret(current_app.config["SECRET_KEY"], purpose, code, phone)


def hash_token(purpose: str, token: str) -> bytes:
    return hash_secret(current_app.config["SECRET_KEY"], purpose, token)


def spend_try(purpose: str, *, target: str | None = None, customer_id: int | None = None) -> str:
    """Take a try from the live code, and answer its target; raises InvalidCodeError when there is none.

    To be committed before the code is looked at: of many who guess at once, only as many get to that as there are
    tries, and none gets a try back with the roll-back of the error.
    """
    values = {"purpose": purpose, "target": target, "customer_id": customer_id}
    row = db.session.execute(_SPEND, values).first()
    if row is None:
        raise InvalidCodeError
    return str(row.target)


def find_owner(purpose: str, secret_hash: bytes) -> Owned:
    """Whose live code this is; raises InvalidCodeError. For what has to be known before it is used."""
    with reader() as connection:
        row = connection.execute(_FIND, {"purpose": purpose, "secret_hash": secret_hash}).first()
    if row is None:
        raise InvalidCodeError
    return Owned(*row)


def use(purpose: str, secret_hash: bytes, customer_id: int | None = None) -> str:
    """Use a live code up, once, and answer its target; raises InvalidCodeError.

    `customer_id`: only a code of this person. A code of digits needs `spend_try` first.
    """
    values = {"purpose": purpose, "secret_hash": secret_hash, "customer_id": customer_id}
    row = db.session.execute(_USE, values).first()
    if row is None:
        raise InvalidCodeError
    return str(row.target)


def void(purpose: str, customer_id: int) -> None:
    """Make the codes of this purpose that were sent to a person good for nothing."""
    db.session.execute(_REPLACE, {"purpose": purpose, "target": None, "customer_id": customer_id})


def lock_claims(target: str) -> None:
    """Make whoever else proves that this number or address is theirs wait for this transaction. Locked first of all."""
    db.session.execute(_LOCK, {"kind": _CLAIMING, "target": target})


def disown_codes(_sender: object, *, customer_id: int, actor: object) -> None:
    """The receiver of `customer_deleting`."""
    db.session.execute(_DISOWN, {"customer_id": customer_id})


def _issue(
    purpose: str, target: str, customer_id: int | None, secret: str, secret_hash: bytes, lifetime: timedelta
) -> Issued:
    # Two requests for the same target must neither both find room for the last code, nor leave two live ones.
    db.session.execute(_LOCK, {"kind": _SENDING, "target": target})
    _check_budgets(target)
    owner: dict[str, Any] = {"purpose": purpose, "target": target, "customer_id": customer_id}
    db.session.execute(_REPLACE, owner)
    values = {**owner, "secret_hash": secret_hash, "tries": CODE_TRIES, "lifetime": lifetime}
    return Issued(db.session.execute(_WRITE, values).scalar_one(), secret)


def _check_budgets(target: str) -> None:
    config = current_app.config
    wait = db.session.scalar(_SECONDS_UNTIL_ROOM, {"target": target, "limit": config["CODES_PER_NUMBER"]})
    if wait is not None:
        raise CodeBudgetUsedUpError(max(int(wait), 1))
    if not target.startswith("+"):
        return
    home = f"+{phonenumbers.country_code_for_region(config['DEFAULT_COUNTRY'])}"
    sent = db.session.execute(_COUNT_SMS, {"home": f"{home}%"}).one()
    if sent.in_all >= config["CODES_PER_DAY"]:
        raise CodesUsedUpError(config["CODES_PER_DAY"], is_abroad=False)
    limit_abroad = max(config["CODES_PER_DAY"] // _ABROAD_PART, 1)
    if not target.startswith(home) and sent.abroad >= limit_abroad:
        raise CodesUsedUpError(limit_abroad, is_abroad=True)
