"""Errors and how they look outside: RFC 9457 problem details.

Packages raise children of the classes here; only this module knows HTTP statuses. Source of the format:
https://www.rfc-editor.org/rfc/rfc9457
"""

import errno
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, current_app
from psycopg2.errors import DeadlockDetected, ForeignKeyViolation, LockNotAvailable, QueryCanceled
from sqlalchemy.exc import DataError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import HTTPException

log = logging.getLogger(__name__)

# A disk that is full, and a user who may not have more of it.
_NO_ROOM = (errno.ENOSPC, errno.EDQUOT)

PROBLEM_TYPE = "application/problem+json"


class GroceryError(Exception):
    """Base of all errors with a meaning for the caller.

    `code` is the stable word that clients compare; `members` are added to the problem document.
    """

    code = "error"

    def __init__(self, detail: str, *, code: str | None = None, **members: Any):
        super().__init__(detail)
        self.detail = detail
        self.members = members
        if code:
            self.code = code


class InvalidError(GroceryError):
    """The request is well formed and makes no sense. `errors` maps a field's path to messages."""

    code = "validation_failed"

    def __init__(
        self, detail: str, *, errors: Mapping[str, Any] | None = None, code: str | None = None, **members: Any
    ):
        super().__init__(detail, code=code, **members, **({"errors": dict(errors)} if errors else {}))


class MalformedError(GroceryError):
    code = "malformed_request"


class UnauthenticatedError(GroceryError):
    code = "unauthenticated"


class ForbiddenError(GroceryError):
    code = "forbidden"


class NotFoundError(GroceryError):
    code = "not_found"


class ConflictError(GroceryError):
    code = "conflict"


class StaleError(GroceryError):
    """The `If-Match` sent does not fit the current version."""

    code = "stale_version"


class MediaTypeError(GroceryError):
    code = "unsupported_media_type"


class BusyError(GroceryError):
    """Something that the request needs is away; trying again later makes sense."""

    code = "unavailable"


class TooManyRequestsError(GroceryError):
    """More than a limit allows; `retry_after_seconds` is how long to wait before the next try."""

    code = "too_many_requests"

    def __init__(self, retry_after_seconds: int, detail: str = "Too many tries. Wait a little.", **kwargs: Any):
        super().__init__(detail, **kwargs)
        self.retry_after_seconds = retry_after_seconds


STATUS: dict[type[Exception], HTTPStatus] = {
    MalformedError: HTTPStatus.BAD_REQUEST,
    UnauthenticatedError: HTTPStatus.UNAUTHORIZED,
    ForbiddenError: HTTPStatus.FORBIDDEN,
    NotFoundError: HTTPStatus.NOT_FOUND,
    ConflictError: HTTPStatus.CONFLICT,
    StaleError: HTTPStatus.PRECONDITION_FAILED,
    MediaTypeError: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    InvalidError: HTTPStatus.UNPROCESSABLE_ENTITY,
    TooManyRequestsError: HTTPStatus.TOO_MANY_REQUESTS,
    BusyError: HTTPStatus.SERVICE_UNAVAILABLE,
}

_HTTP_CODES = {
    400: "malformed_request",
    401: "unauthenticated",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    411: "length_required",
    412: "stale_version",
    413: "too_large",
    415: "unsupported_media_type",
    422: "validation_failed",
    429: "too_many_requests",
}


def status_of(error: GroceryError) -> HTTPStatus:
    """The HTTP status of a domain error: that of its nearest ancestor in the table."""
    for ancestor in type(error).__mro__:
        if ancestor in STATUS:
            return STATUS[ancestor]
    return HTTPStatus.INTERNAL_SERVER_ERROR


def problem(
    status: int,
    code: str,
    detail: str | None,
    members: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """A problem document as a response."""
    body = {
        "type": f"urn:grocery:problem:{code}",
        "title": HTTPStatus(status).phrase,
        "status": int(status),
        "detail": detail or HTTPStatus(status).description,
        "code": code,
        **(members or {}),
    }
    return current_app.response_class(
        current_app.json.dumps(body), status=status, mimetype=PROBLEM_TYPE, headers=dict(headers or {})
    )


def init_app(app: Flask) -> None:
    """Make every error that leaves a view a problem document."""
    app.register_error_handler(GroceryError, handle_grocery_error)
    app.register_error_handler(HTTPException, handle_http_exception)
    app.register_error_handler(DBAPIError, handle_database_error)
    app.register_error_handler(PoolTimeoutError, handle_pool_timeout)
    app.register_error_handler(Exception, handle_unexpected)


def handle_grocery_error(error: GroceryError) -> Response:
    status = status_of(error)
    headers = {}
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = "Bearer"
    if status == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = "2"
    if isinstance(error, TooManyRequestsError):
        headers["Retry-After"] = str(error.retry_after_seconds)
    return problem(status, error.code, error.detail, error.members, headers)


def handle_http_exception(error: HTTPException) -> Response:
    status = error.code or 500
    if status < 400:  # redirects of the router are exceptions too
        return error.get_response()  # type: ignore[return-value]  # werkzeug's Response; Flask takes it
    data = getattr(error, "data", None) or {}
    members: dict[str, Any] = {}
    detail = error.description
    if "messages" in data:
        members["errors"] = _by_field(data["messages"])
        detail = "One or more fields are not valid." if status == 422 else "The body is not valid JSON."
    headers = {name: value for name, value in error.get_headers() if name not in ("Content-Type", "Content-Length")}
    return problem(status, _HTTP_CODES.get(status, "error"), detail, members, headers)


def handle_database_error(error: DBAPIError) -> Response:
    if isinstance(error, DataError):
        log.warning("PostgreSQL refused a value that the schemas let pass", exc_info=error)
        return problem(422, "validation_failed", "A value is outside what can be stored.")
    if _is_person_gone(error):
        return handle_grocery_error(UnauthenticatedError("This account is gone."))
    if isinstance(error.orig, DeadlockDetected | LockNotAvailable | QueryCanceled):
        log.warning("given up for others: %s", str(error.orig).strip())
        return problem(503, "busy", "Others were at the same thing. Try again.", headers={"Retry-After": "1"})
    if is_database_away(error):
        log.error("database unavailable: %s", str(error.orig).strip())
        return problem(503, "database_unavailable", "The database is away. Try again.", headers={"Retry-After": "2"})
    return handle_unexpected(error)


def handle_pool_timeout(error: PoolTimeoutError) -> Response:
    """More requests at once than connections, and none came free in time: the server has too many threads."""
    log.error("no database connection came free: %s", error)
    return problem(503, "overloaded", "The shop is too busy. Try again.", headers={"Retry-After": "2"})


def _is_person_gone(error: DBAPIError) -> bool:
    """Whether a row could not be written since it names a person, who was deleted after the token was checked."""
    refused = error.orig
    return isinstance(refused, ForeignKeyViolation) and (refused.diag.constraint_name or "").endswith("_customers")


def is_database_away(error: DBAPIError) -> bool:
    """Whether PostgreSQL could not do its part, so that trying again makes sense: gone, restarting, or too slow.

    psycopg2 raises no more than its base class when the server dies in the middle of a statement.
    """
    return error.connection_invalidated or isinstance(error, OperationalError | InterfaceError)


def handle_unexpected(error: Exception) -> Response:
    if isinstance(error, OSError) and error.errno in _NO_ROOM:
        log.error("there is no room on the disk: %s", error)
        return problem(503, "no_room", "There is no room to keep this now. Try again.", headers={"Retry-After": "60"})
    log.error("unexpected error", exc_info=error)
    return problem(500, "internal_error", "Something went wrong on our side. It was logged with this request's id.")


def _by_field(messages: Any) -> Any:
    """webargs groups messages by location; clients know their fields, not our locations."""
    if not isinstance(messages, dict):
        return {"_schema": messages}
    fields: dict[str, Any] = {}
    for location, errors in messages.items():
        if location in ("json", "query", "headers", "form") and isinstance(errors, dict):
            fields.update({str(name): error for name, error in errors.items()})
        else:
            fields["_schema"] = errors
    return fields
