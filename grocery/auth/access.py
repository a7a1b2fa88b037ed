"""Who may call a route: decorators for views, and the person behind the current request.

Each checks the token, then the role, before the body is read. The role is that of the row, not of the token, so that a
change of it takes effect at once.
"""

import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from flask import Response, after_this_request, g, request
from flask_jwt_extended import verify_jwt_in_request
from sqlalchemy import bindparam, exists, select

from grocery.api import View, declare_access
from grocery.auth.models import ROLES, BlockedToken, Customer
from grocery.auth.people import PERSON_COLUMNS, Person
from grocery.auth.tokens import Token, read_claims
from grocery.db import reader
from grocery.errors import ForbiddenError, UnauthenticatedError
from grocery.extensions import jwt

# Ours have about 400 characters. Longer ones cost time to decode, before anyone knows whether they are genuine.
_BEARER = re.compile(r"(?i:Bearer) +[A-Za-z0-9_-]{1,512}\.[A-Za-z0-9_-]{1,2048}\.[A-Za-z0-9_-]{0,512}")

_STAFF = ("staff", "admin")

_LOAD = select(
    exists().where(BlockedToken.token_id.in_([bindparam("token_id"), bindparam("family_id")])),
    *PERSON_COLUMNS,
).where(Customer.id == bindparam("customer_id"))


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
        raise ForbiddenError(_needed(_STAFF))


def current_token() -> Token:
    """The token of this request. Only for views that have one of the decorators of this module."""
    token: Token = g.token
    return token


def optional_person(view: View) -> View:
    """Let visitors in, and people with all their rights.

    Who sends a token wants to be known by it: one that is bad, expired or revoked is refused like everywhere, since an
    answer made for a visitor would look complete and be wrong.
    """

    @wraps(view)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
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
                raise ForbiddenError(_needed(roles))
            return view(*args, **kwargs)

        declare_access(wrapper, level)
        return wrapper

    return decorator


customer_required = _required("customer", ROLES)
staff_required = _required("staff", _STAFF)
admin_required = _required("admin", ("admin",))
refresh_required = _required("refresh", ROLES, is_refresh=True)


def _needed(roles: tuple[str, ...]) -> str:
    return f"This needs the role {' or '.join(roles)}."


def _vary_by_person(response: Response) -> Response:
    response.vary.add("Authorization")
    return response


def _authenticate(is_refresh: bool) -> None:
    # Flask-JWT-Extended raises an IndexError for some headers that are made of commas and spaces.
    sent = request.headers.get("Authorization", "").strip()
    if sent and not _BEARER.fullmatch(sent):
        raise UnauthenticatedError("The header must be Authorization: Bearer <token>.", code="invalid_token")
    # The scheme may be written in any letter case (RFC 9110, section 11.1); the library knows one.
    if sent:
        request.environ["HTTP_AUTHORIZATION"] = f"Bearer {sent.split()[1]}"
    verify_jwt_in_request(refresh=is_refresh)


@jwt.token_in_blocklist_loader
def _load_person(_header: dict[str, Any], claims: dict[str, Any]) -> bool:
    """Read the person and the blocklist in one statement, the only one that signing in costs a request."""
    token = read_claims(claims)
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
