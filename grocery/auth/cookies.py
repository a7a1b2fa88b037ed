"""The session of a browser: the same tokens as the API's, in cookies, and the token that its forms send.

Browsers send cookies with whatever any page of the world makes them send. So a page that changes something needs the
CSRF token too, which stands in a cookie and in the form, where only the shop's own pages can put it. It is signed for
one sign-in: a cookie that somebody else has planted does not help. Visitors have one that is signed for no sign-in:
it keeps others from signing them in or filling their basket. Source: "Signed Double-Submit Cookie",
https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
"""

import hashlib
import hmac
import secrets
import uuid
from datetime import timedelta
from typing import Any, TypeVar

from flask import after_this_request, current_app, g, request

from grocery.auth.errors import ForgedRequestError
from grocery.auth.tokens import ACCESS_LIFETIME, REFRESH_LIFETIME, TokenPair, verify_token
from grocery.errors import UnauthenticatedError
from grocery.keys import is_made_by_any, keys_of

ACCESS, REFRESH, CSRF = "access", "refresh", "csrf"

#: Other cookies of pages that scripts must not read: the visitor's cart, the device that has signed in before.
CART, DEVICE = "cart", "device"

#: In place of a sign-in, in the CSRF token of a visitor.
_VISITOR = "visitor"

# In place of a sign-in, in the seal by which a CSRF token is known as one of ours whoever it was made for.
_ANYONE = "anyone"
_SEAL_LENGTH = 16

# Where a request has the CSRF token that its answer brings. Not in `g`, which several requests of a test may share.
_NEW_CSRF = "grocery.csrf_token"

#: Where a page sends the CSRF token: a field of its form, or a header of its script.
CSRF_FIELD = "csrf_token"
CSRF_HEADER = "X-CSRF-Token"

# In production only: no other host, and nobody on the way without TLS, can set a cookie of this name (RFC 6265bis).
_PREFIX = "__Host-"

AnyResponse = TypeVar("AnyResponse", bound=Any)


def cookie_name(kind: str) -> str:
    """The name of the cookie ACCESS, REFRESH, CSRF, CART or DEVICE."""
    return f"{_PREFIX if _is_production() else ''}{kind}"


def read_cookie(kind: str) -> str:
    """What this request brings; "" without one."""
    return request.cookies.get(cookie_name(kind), "")


def has_session_cookies() -> bool:
    return any(cookie_name(kind) in request.cookies for kind in (ACCESS, REFRESH))


def set_session_cookies(response: AnyResponse, pair: TokenPair) -> AnyResponse:
    """Sign this browser in. Of the same sign-in, the CSRF token stays: forms that are open must not fail."""
    family_id = verify_token(pair.access_token, "access").family_id
    kept = read_cookie(CSRF)
    csrf_token = kept if _is_of(family_id, kept) else _make_csrf_token(family_id)
    set_cookie(response, ACCESS, pair.access_token, ACCESS_LIFETIME)
    set_cookie(response, REFRESH, pair.refresh_token, REFRESH_LIFETIME)
    set_cookie(response, CSRF, csrf_token, REFRESH_LIFETIME)
    return response


def clear_session_cookies(response: AnyResponse) -> AnyResponse:
    """Sign this browser out. The tokens themselves end with `end_session`."""
    for kind in (ACCESS, REFRESH, CSRF):
        set_cookie(response, kind, "", timedelta(0))
    return response


def set_cookie(response: AnyResponse, kind: str, value: str, lifetime: timedelta | None) -> AnyResponse:
    """Put a cookie into this browser, for its session without a `lifetime`; of no lifetime, it is taken out."""
    # Scripts of the shop's pages read the CSRF token, to send it; the others are none of their business.
    response.set_cookie(
        cookie_name(kind),
        value,
        max_age=lifetime,
        path="/",
        secure=_is_production(),
        httponly=kind != CSRF,
        samesite="Lax",
    )
    return response


def csrf_token() -> str:
    """For the forms of this page: what the cookie has, or a new one that this answer puts there."""
    kept = read_cookie(CSRF)
    if "person" not in g and has_session_cookies():  # a page for everybody, which has not asked who it is
        return kept
    holder = g.token.family_id if g.get("person") else _VISITOR
    if _is_of(holder, kept):
        return kept
    if _NEW_CSRF not in request.environ:
        request.environ[_NEW_CSRF] = _make_csrf_token(holder)
        after_this_request(_keep_new_csrf_token)
    token: str = request.environ[_NEW_CSRF]
    return token


def check_csrf_token(family_id: uuid.UUID) -> None:
    """Raise ForgedRequestError unless form or header have the CSRF token of the cookie, and it is of this sign-in."""
    if not (_sends_what_it_keeps() and _is_of(family_id, read_cookie(CSRF))):
        raise ForgedRequestError


def check_browser() -> None:
    """Raise ForgedRequestError unless form or header have the CSRF token of the cookie, and a visitor's is a visitor's.

    Whether that of somebody who is signed in is of this sign-in, `check_csrf_token` asks, where it is known who it is.
    A form from before a sign-out, of another tab, does nothing either, but is no forgery: UnauthenticatedError.
    """
    is_genuine = has_session_cookies() or _is_of(_VISITOR, read_cookie(CSRF))
    if is_genuine and _sends_what_it_keeps():
        return
    if not has_session_cookies() and _is_of_a_sign_in(_sent_csrf_token()):
        raise UnauthenticatedError("This browser was signed out meanwhile. Sign in.", code="missing_token")
    raise ForgedRequestError


def _sends_what_it_keeps() -> bool:
    kept = read_cookie(CSRF)
    return bool(kept) and hmac.compare_digest(_sent_csrf_token().encode(), kept.encode())


def _sent_csrf_token() -> str:
    return request.headers.get(CSRF_HEADER) or request.form.get(CSRF_FIELD, "")


def _make_csrf_token(holder: uuid.UUID | str) -> str:
    # Another one for each sign-in although the key is the same, so that compressed pages give nothing away.
    nonce = secrets.token_urlsafe(12)
    key = keys_of(current_app.config).signing
    signature = _signature(key, holder, nonce)
    seal = _signature(key, _ANYONE, f"{nonce}.{signature}")[:_SEAL_LENGTH]
    return f"{nonce}.{signature}.{seal}"


def _is_of(holder: uuid.UUID | str, token: str) -> bool:
    nonce, _, rest = token.partition(".")
    signature, _, _ = rest.partition(".")
    return _is_signature(signature, holder, nonce)


def _is_of_a_sign_in(token: str) -> bool:
    """Whether we have made it, for somebody who was signed in then."""
    nonce, _, rest = token.partition(".")
    signature, _, seal = rest.partition(".")
    is_ours = _is_signature(seal, _ANYONE, f"{nonce}.{signature}", _SEAL_LENGTH)
    return is_ours and not _is_of(_VISITOR, token)


def _is_signature(given: str, holder: uuid.UUID | str, text: str, length: int | None = None) -> bool:
    secret_keys = keys_of(current_app.config).newest_first
    return is_made_by_any(given, lambda key: _signature(key, holder, text)[:length], secret_keys)


def _signature(key: str, holder: uuid.UUID | str, text: str) -> str:
    return hmac.new(key.encode(), f"csrf:{holder}:{text}".encode(), hashlib.sha256).hexdigest()


def _keep_new_csrf_token(response: AnyResponse) -> AnyResponse:
    # A visitor's lasts for as long as the browser is open: nobody has to be known again by it.
    is_visitors = not g.get("person")
    return set_cookie(response, CSRF, request.environ[_NEW_CSRF], None if is_visitors else REFRESH_LIFETIME)


def _is_production() -> bool:
    is_production: bool = current_app.extensions["settings"].is_production
    return is_production
