"""Who may try a code that was sent to a number, and how often.

Anybody can send wrong codes for anyone's number. So that a stranger who does so burns no code of its owner's, tries are
counted apart:

- Who asked for a code got a request token with the answer. With it come 5 tries of this code that nobody else can take;
  also when others have asked for newer ones since.
- Who has none, or one of another code, tries the newest code: 5 times from one address, 10 times from all together, and
  40 times a day for one number.
- A device that the account knows tries the newest code 5 times, whatever others have done.

What a stranger may guess of one number within a day: 5 tries by request token at each of 10 codes (CODES_PER_NUMBER),
and 40 tries without one, each at a single code; 90 of a million, or 0.009 %. Known devices get half as many codes more,
of which a stranger has no request token; tries at these are among the 40.
"""

from typing import Any

from flask import current_app
from sqlalchemy import text

from grocery.auth.codes.errors import InvalidCodeError
from grocery.auth.codes.secrets import CODE_TRIES, hash_with_all
from grocery.auth.throttling.devices import find_device
from grocery.db import db
from grocery.keys import keys_of
from grocery.limits import client_network

#: Tries without its request token, from all addresses together: of one code, and of all codes of a number within a day.
OTHERS_TRIES = 10
OTHERS_TRIES_A_DAY = 40

# The first of two numbers under which PostgreSQL locks a target, while a try is counted.
_TRYING = 4_711_013

_LOCK = text("SELECT pg_advisory_xact_lock(:kind, hashtext(:target))")

_SPEND_OWN = text("""
    UPDATE one_time_codes SET tries_left = tries_left - 1
    WHERE purpose = :purpose AND target = :target AND request_hash = ANY(:request_hashes)
      AND used_at IS NULL AND tries_left > 0 AND expires_at > now()
    RETURNING id
""")

_SPEND_OF_NEWEST = text("""
    UPDATE one_time_codes SET tried_from = array_append(tried_from, CAST(:source AS bytea))
    WHERE id = (SELECT max(id) FROM one_time_codes WHERE purpose = :purpose AND target = :target)
      AND used_at IS NULL AND expires_at > now()
      AND (SELECT count(*) FROM unnest(tried_from) AS tried WHERE tried = ANY(:sources)) < :each
      AND (:is_known OR (cardinality(tried_from) < :others AND :others_a_day > (
          SELECT sum(cardinality(tried_from)) FROM one_time_codes
          WHERE target = :target AND created_at > now() - interval '1 day'
      )))
    RETURNING id
""")

_SPEND_OF_PERSON = text("""
    UPDATE one_time_codes SET tries_left = tries_left - 1
    WHERE purpose = :purpose AND customer_id = :customer_id
      AND used_at IS NULL AND tries_left > 0 AND expires_at > now()
    RETURNING target
""")


def spend_try(purpose: str, phone: str, request_token: str | None = None) -> int:
    """Take a try from a code that was sent to this number (E.164), and answer which: `use` that one only.

    To be committed before the code is looked at: of many who guess at once, only as many get to that as there are
    tries, and none gets a try back with the roll-back of the error. Raises InvalidCodeError when there is no try left.
    """
    values: dict[str, Any] = {"purpose": purpose, "target": phone}
    # Of many tries at once each has to see those before it, those of other codes of the same number, too.
    db.session.execute(_LOCK, {"kind": _TRYING, "target": phone})
    found = _spend_own(values, request_token) or _spend_of_newest(values)
    if found is None:
        raise InvalidCodeError
    return found


def spend_try_of(purpose: str, customer_id: int) -> str:
    """The same for the live code that somebody who is signed in asked for; answers the number that it went to."""
    target: str | None = db.session.scalar(_SPEND_OF_PERSON, {"purpose": purpose, "customer_id": customer_id})
    if target is None:
        raise InvalidCodeError
    return target


def hash_request_token(token: str) -> list[bytes]:
    """What may be kept of a request token; what is kept of a new one comes first."""
    return hash_with_all(keys_of(current_app.config), "request", token)


def _spend_own(values: dict[str, Any], request_token: str | None) -> int | None:
    if request_token is None:
        return None
    found: int | None = db.session.scalar(_SPEND_OWN, {**values, "request_hashes": hash_request_token(request_token)})
    return found


def _spend_of_newest(values: dict[str, Any]) -> int | None:
    device = find_device(values["target"])
    limits = {"each": CODE_TRIES, "others": OTHERS_TRIES, "others_a_day": OTHERS_TRIES_A_DAY}
    # Only what tells one from another is kept of an address. Tries by way of a process with another key count, too.
    sources = hash_with_all(keys_of(current_app.config), "source", device or client_network())
    tried = {"source": sources[0], "sources": sources, "is_known": device is not None}
    found: int | None = db.session.scalar(_SPEND_OF_NEWEST, {**values, **limits, **tried})
    return found
