"""Known devices: who has signed in from one before is not held up by what strangers try.

A device has a token, which the answer to a sign-in gives it and which it sends with the next one. It opens nothing: the
password is needed all the same. Clients of the API keep it and send a header, browsers have it in a cookie that counts
on pages only.
"""

import hashlib
import re
import secrets
from datetime import timedelta

from flask import Response, after_this_request, has_request_context, request
from sqlalchemy import select, text

from grocery.auth.cookies import DEVICE, read_cookie, set_cookie
from grocery.auth.identifiers import is_identified_by
from grocery.auth.models import Customer, KnownDevice
from grocery.auth.pages import is_page
from grocery.db import after_commit, db, reader

HEADER = "X-Device-Token"

#: For the documentation of the routes that sign in.
TOKEN_PARAMETER = {
    "in": "header",
    "name": HEADER,
    "schema": {"type": "string"},
    "description": "What an earlier sign-in of this person answered in the header of the same name. With it, failures"
    " of others do not hold up this device.",
}
TOKEN_HEADER = {
    HEADER: {
        "schema": {"type": "string"},
        "description": "For a device that this person has not signed in from before: keep it with the account, and send"
        " it at the next sign-in.",
    }
}

# A client that throws its token away has a new one with each sign-in.
_MAX_DEVICES = 50

# As long as browsers keep any (RFC 6265bis), and the shop itself (see `privacy.retention`).
_COOKIE_LIFETIME = timedelta(days=400)

_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")

# An hour is exact enough for the cleaning, and saves most of the writes.
_TOUCH = text("""
    WITH known AS (
        SELECT token_hash, used_at FROM known_devices WHERE token_hash = :token_hash AND customer_id = :customer_id
    ), touched AS (
        UPDATE known_devices SET used_at = now() FROM known
        WHERE known_devices.token_hash = known.token_hash AND known.used_at < now() - interval '1 hour'
    )
    SELECT token_hash FROM known
""")

_ADD = text("INSERT INTO known_devices (token_hash, customer_id) VALUES (:token_hash, :customer_id)")

_FORGET_OLDEST = text("""
    DELETE FROM known_devices WHERE token_hash IN (
        SELECT token_hash FROM known_devices WHERE customer_id = :customer_id
        ORDER BY used_at DESC, token_hash OFFSET :most
    )
""")


def find_device(identifier: str) -> str | None:
    """The device that sends this request, by a hash, if whoever signs in with `identifier` has done so from it before.

    None for the device of another account: it is no stranger there only.
    """
    token_hash = _sent_hash() if has_request_context() else None
    if token_hash is None:
        return None
    known = select(KnownDevice.token_hash).join(Customer, Customer.id == KnownDevice.customer_id)
    with reader() as connection:
        is_known = connection.scalar(known.where(KnownDevice.token_hash == token_hash, is_identified_by(identifier)))
    return token_hash.hex() if is_known else None


def remember_device(_sender: object, *, customer_id: int) -> None:
    """The answer to `signed_in`: gives a device that this person has not signed in from before a token."""
    if not has_request_context():
        return
    sent = {"token_hash": _sent_hash(), "customer_id": customer_id}
    if db.session.execute(_TOUCH, sent).first() is not None:
        return
    token = secrets.token_urlsafe(32)
    db.session.execute(_ADD, {"token_hash": _hash(token), "customer_id": customer_id})
    db.session.execute(_FORGET_OLDEST, {"customer_id": customer_id, "most": _MAX_DEVICES})
    after_commit(("device", customer_id), lambda: _give(token))


def _give(token: str) -> None:
    @after_this_request
    def hand_over(response: Response) -> Response:
        if is_page():
            return set_cookie(response, DEVICE, token, _COOKIE_LIFETIME)
        response.headers[HEADER] = token
        return response


def _sent_hash() -> bytes | None:
    token = read_cookie(DEVICE) if is_page() else request.headers.get(HEADER, "")
    return _hash(token) if _TOKEN.fullmatch(token) else None


def _hash(token: str) -> bytes:
    # It is random, so there is nothing to guess that a slower hash would protect.
    return hashlib.sha256(token.encode()).digest()
