"""The session of a browser: the same tokens as the API's, in cookies, and the token that its forms send.

Browsers send cookies with whatever any page of the world makes them send. So a page that changes something needs the
CSRF token too, which stands in a cookie and in the form, where only the shop's own pages can put it. It is signed for
one sign-in: a cookie that somebody else has planted does not help. Source: "Signed Double-Submit Cookie",
https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
"""

import hashlib
import hmac
import secrets
import uuid
from typing import Any, TypeVar

from flask import current_app, request

from grocery.auth.errors import ForgedRequestError
from grocery.auth.tokens import ACCESS_LIFETIME, REFRESH_LIFETIME, TokenPair, verify_token

ACCESS, REFRESH, CSRF = "access", "refresh", "csrf"

#: Where a page sends the CSRF token: a field of its form, or a header of its script.
CSRF_FIELD = "csrf_token"
CSRF_HEADER = "X-CSRF-Token"

# In production only: no other host, and nobody on the way without TLS, can set a cookie of this name (RFC 6265bis).
_PREFIX = "__Host-"

AnyResponse = TypeVar("AnyResponse", bound=Any)


def cookie_name(kind: str) -> str:
    """The name of the cookie ACCESS, REFRESH or CSRF."""
    return f"{_PREFIX if _is_production() else ''}{kind}"


def read_cookie(kind: str) -> str:
    """What this request brings; "" without one."""
    return request.cookies.get(cookie_name(kind), "")


def has_session_cookies() -> bool:
    return any(cookie_name(kind) in request.cookies for kind in (ACCESS, REFRESH))


def set_session_cookies(response: AnyResponse, pair: TokenPair) -> AnyResponse:
    """Sign this browser in. Of the same sign-in, the CSRF token stays: forms that are open must not fail."""
    family_id = verify_token(pair.access_token, "access").family_id
    csrf_token = read_cookie(CSRF) if _is_of(family_id, read_cookie(CSRF)) else _make_csrf_token(family_id)
    _set(response, ACCESS, pair.access_token, max_age=ACCESS_LIFETIME)
    _set(response, REFRESH, pair.refresh_token, max_age=REFRESH_LIFETIME)
    _set(response, CSRF, csrf_token, max_age=REFRESH_LIFETIME)
    return response


def clear_session_cookies(response: AnyResponse) -> AnyResponse:
    """Sign this browser out. The tokens themselves end with `end_session`."""
    for kind in (ACCESS, REFRESH, CSRF):
        _set(response, kind, "", max_age=0)
    return response


def csrf_token() -> str:
    """For the forms of a page of somebody who is signed in: what the cookie has."""
    return read_cookie(CSRF)


def check_csrf_token(family_id: uuid.UUID) -> None:
    """Raise ForgedRequestError unless form or header have the CSRF token of the cookie, and it is of this sign-in."""
    sent = request.headers.get(CSRF_HEADER) or request.form.get(CSRF_FIELD, "")
    is_same = hmac.compare_digest(sent.encode(), read_cookie(CSRF).encode())
    if not (is_same and _is_of(family_id, sent)):
        raise ForgedRequestError


def _make_csrf_token(family_id: uuid.UUID) -> str:
    # Another one for each sign-in although the key is the same, so that compressed pages give nothing away.
    nonce = secrets.token_urlsafe(12)
    return f"{nonce}.{_signature(family_id, nonce)}"


def _is_of(family_id: uuid.UUID, token: str) -> bool:
    nonce, _, signature = token.partition(".")
    return hmac.compare_digest(signature.encode(), _signature(family_id, nonce).encode())


def _signature(family_id: uuid.UUID, nonce: str) -> str:
    key = current_app.config["SECRET_KEY"].encode()
    return hmac.new(key, f"csrf:{family_id}:{nonce}".encode(), hashlib.sha256).hexdigest()


def _set(response: Any, kind: str, value: str, **lifetime: Any) -> None:
    # Scripts of the shop's pages read the CSRF token, to send it; the others are none of their business.
    is_hidden = kind != CSRF
    response.set_cookie(
        cookie_name(kind),
        value,
        path="/",
        secure=_is_production(),
        httponly=is_hidden,
        samesite="Lax",
        **lifetime,
    )


def _is_production() -> bool:
    is_production: bool = current_app.extensions["settings"].is_production
    return is_production
