"""Who may call a route: decorators for views, and the person behind the current request.

Each checks the token, then the role, before the body is read. The role is that of the row, not of the token, so that a
change of it takes effect at once.
"""

import logging
import re
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from typing import Any, NoReturn

from flask import Response, after_this_request, current_app, g, request
from flask_jwt_extended import verify_jwt_in_request
from sqlalchemy import bindparam, exists, select

from grocery.api import View, declare_access
from grocery.auth.cookies import (
    ACCESS,
    REFRESH,
    check_csrf_token,
    clear_session_cookies,
    has_session_cookies,
    read_cookie,
    set_session_cookies,
)
from grocery.auth.errors import TokenRevokedError
from grocery.auth.models import ROLES, BlockedToken, Customer, SecondFactor
from grocery.auth.pages import SAFE_METHODS, is_page
from grocery.auth.people import PERSON_COLUMNS, Person
from grocery.auth.second_factor.errors import TotpNeededError
from grocery.auth.sessions import exchange_token
from grocery.auth.tokens import JWT_PATTERN, Token, read_claims, verify_token
from grocery.db import reader
from grocery.errors import ForbiddenError, UnauthenticatedError
from grocery.extensions import jwt

log = logging.getLogger(__name__)

_BEARER = re.compile(rf"(?i:Bearer) +{JWT_PATTERN}")

_STAFF = ("staff", "admin")

_LOAD = select(
    exists().where(BlockedToken.token_id.in_([bindparam("token_id"), bindparam("family_id")])),
    *PERSON_COLUMNS,
).where(Customer.id == bindparam("customer_id"))

_HAS_SECOND_FACTOR = select(
    exists().where(SecondFactor.customer_id == bindparam("customer_id"), SecondFactor.confirmed_at.is_not(None))
)


def current_person() -> Person:
    """The person behind this request. Only for views that have one of the decorators of this module."""
    person: Person = g.person
    return person


def current_person_or_none() -> Person | None:
    """The person behind this request, None for a visitor. Only for views that have `optional_person`."""
    person: Person | None = g.person
    return person


def check_staff() -> None:
    """Raise UnauthenticatedError for a visitor and ForbiddenError for a customer.

    For the part of a view with `optional_person` that only staff may use.
    """
    person = current_person_or_none()
    if person is None:
        raise UnauthenticatedError("This is for staff. Sign in.", code="missing_token")
    if not person.is_staff:
        _refuse(_STAFF)


def current_token() -> Token:
    """The token of this request. Only for views that have one of the decorators of this module."""
    token: Token = g.token
    return token


def usable_without_totp(view: View) -> View:
    """Let staff use this route who have no second factor yet, although REQUIRE_TOTP wants one of them."""
    view.is_usable_without_totp = True  # type: ignore[attr-defined]  # the decorators around it carry it along
    return view


def optional_person(view: View) -> View:
    """Let visitors in, and people with all their rights.

    Who sends a token wants to be known by it: one that is bad, expired or revoked is refused like everywhere, since an
    answer made for a visitor would look complete and be wrong. On a page, whose cookies nobody sees, one is signed out.
    """

    @wraps(view)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        if is_page():
            _know_browser()
            return view(*args, **kwargs)
        after_this_request(_vary_by_person)
        if "Authorization" in request.headers:
            _authenticate(is_refresh=False)
        else:
            g.person = None
        return view(*args, **kwargs)

    declare_access(wrapper, "optional")
    return wrapper


def _required(level: str, roles: tuple[str, ...], *, is_refresh: bool = False) -> Callable[[View], View]:
    def decorator(view: View) -> View:
        @wraps(view)
        def wrapper(*args: Any, **kwargs: Any) -> Any:
            _authenticate(is_refresh)
            if current_person().role not in roles:
                _refuse(roles)
            return view(*args, **kwargs)

        declare_access(wrapper, level)
        return wrapper

    return decorator


customer_required = _required("customer", ROLES)
staff_required = _required("staff", _STAFF)
admin_required = _required("admin", ("admin",))
refresh_required = _required("refresh", ROLES, is_refresh=True)


def _refuse(roles: tuple[str, ...]) -> NoReturn:
    # The audit log has what was done; who tries other people's doors is seen here.
    person = current_person()
    log.info("refused: person %d (%s), %s %s", person.id, person.role, request.method, request.url_rule)
    raise ForbiddenError(f"This needs the role {' or '.join(roles)}.")


def _vary_by_person(response: Response) -> Response:
    response.vary.add("Authorization")
    return response


def _know_browser() -> None:
    g.person = None
    if has_session_cookies():
        with suppress(UnauthenticatedError):
            _authenticate(is_refresh=False)


def _authenticate_browser() -> None:
    """By its cookies, for pages. An access token that has expired is renewed without a word."""
    try:
        token, is_renewed = _token_of_browser()
        if request.method not in SAFE_METHODS:
            check_csrf_token(token.family_id)
        if _identify(token):
            raise TokenRevokedError
        if is_renewed:
            _renew(token)
    except UnauthenticatedError:
        g.person = None
        # A visitor has none; the token of the forms in other tabs must stay.
        if has_session_cookies():
            after_this_request(clear_session_cookies)
        raise


def role_of_browser() -> str | None:
    """The role of whom the cookies of a page's request name, None for a visitor; without a look at its form.

    It lets nobody do anything: only how large a form may be depends on it, before the form is read and checked.
    """
    with suppress(UnauthenticatedError):
        token, _ = _token_of_browser()
        if not _identify(token):
            return current_person().role
    return None


def _token_of_browser() -> tuple[Token, bool]:
    """The access token, else the refresh token, and whether it is that."""
    try:
        return verify_token(read_cookie(ACCESS), "access"), False
    except UnauthenticatedError:
        return verify_token(read_cookie(REFRESH), "refresh"), True


def _renew(token: Token) -> None:
    # Pages are asked for at once, in several tabs: with a key of the token itself, all of them get the same pair.
    pair = exchange_token(token, f"page-{token.id}")
    g.token = verify_token(pair.access_token, "access")
    after_this_request(lambda response: set_session_cookies(response, pair))


def _authenticate(is_refresh: bool) -> None:
    if is_page():
        _authenticate_browser()
    else:
        _authenticate_client(is_refresh)
    if current_app.config["REQUIRE_TOTP"] and current_person().is_staff:
        _check_second_factor_is_on()


def _authenticate_client(is_refresh: bool) -> None:
    # Flask-JWT-Extended raises an IndexError for some headers that are made of commas and spaces.
    sent = request.headers.get("Authorization", "").strip()
    if sent and not _BEARER.fullmatch(sent):
        raise UnauthenticatedError("The header must be Authorization: Bearer <token>.", code="invalid_token")
    # The scheme may be written in any letter case (RFC 9110, section 11.1); the library knows one.
    if sent:
        request.environ["HTTP_AUTHORIZATION"] = f"Bearer {sent.split()[1]}"
    verify_jwt_in_request(refresh=is_refresh)


def _check_second_factor_is_on() -> None:
    """Raise TotpNeededError for staff who have none, but on the routes that they need to get one."""
    if getattr(current_app.view_functions[request.endpoint or ""], "is_usable_without_totp", False):
        return
    with reader() as connection:
        if not connection.scalar(_HAS_SECOND_FACTOR, {"customer_id": current_person().id}):
            raise TotpNeededError


@jwt.token_in_blocklist_loader
def _load_person(_header: dict[str, Any], claims: dict[str, Any]) -> bool:
    """Read the person and the blocklist in one statement, the only one that signing in costs a request."""
    return _identify(read_claims(claims))


def _identify(token: Token) -> bool:
    """Note whose token it is; whether it is revoked."""
    ids = {"token_id": token.id, "family_id": token.family_id, "customer_id": token.customer_id}
    with reader() as connection:
        row = connection.execute(_LOAD, ids).first()
    if row is None:
        raise UnauthenticatedError("This account is gone.")
    is_revoked, *columns = row
    g.token, g.person = token, Person(*columns)
    if not is_revoked and not g.person.is_active:
        raise UnauthenticatedError("This account is deactivated.")
    return bool(is_revoked)
