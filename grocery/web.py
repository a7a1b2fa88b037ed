"""What every response has: a request id, safe headers, entity tags."""

import hashlib
import re
import uuid
from collections.abc import Callable, Iterable
from functools import wraps
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask, Response, current_app, g, request
from werkzeug.middleware.proxy_fix import ProxyFix

from grocery import logs
from grocery.errors import InvalidError, StaleError

_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")
_VERSION_TAG = re.compile(r'(?:W/)?"([0-9]{1,18})(?:-[^"]*)?"')

#: Bytes of a body. The largest JSON anyone has reason to send is an order of 200 lines.
MAX_BODY_BYTES = 1024 * 1024

#: The probes of operators, who come by address and not by name.
PROBES = frozenset({"/healthz", "/readyz", "/metrics"})

#: Where the template of a request's address is left in the environ, for the layers before Flask.
ROUTE = "grocery.route"

#: What browsers must not do with an answer. For what is not a page, no policy can be too strict; pages bring their own.
#: Pages of other origins may fetch what CORS_ORIGINS lets them, but not embed it. Source: OWASP's REST security sheet.
SAFE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}

# A year, for the shop's host and all below it: ASVS 5, 3.4.1.
_HTTPS_ONLY = "max-age=31536000; includeSubDomains"


def init_app(app: Flask, trusted_hosts: tuple[str, ...]) -> None:
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    if trusted_hosts:
        app.config["TRUSTED_HOSTS"] = list(trusted_hosts)
        app.wsgi_app = _probed_by_any_name(app.wsgi_app, trusted_hosts[0])  # type: ignore[assignment,method-assign]
    app.before_request(_take_request_id)
    app.after_request(_add_headers)


def _probed_by_any_name(app: WSGIApplication, trusted_host: str) -> WSGIApplication:
    """Probes make no addresses of the name that they are asked by, so none can do harm there."""

    def layer(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        if environ.get("PATH_INFO") in PROBES:
            environ["HTTP_HOST"] = trusted_host.lstrip(".")
        return app(environ, start_response)

    return layer


def trust_proxies(app: Flask, count: int) -> None:
    """Believe the `X-Forwarded-*` headers of so many proxies. Comes last: all other layers must see what it makes."""
    if count:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=count, x_proto=count, x_host=count)  # type: ignore[method-assign]


def request_id_of(sent: str) -> str:
    """The id of a request: the client's own `X-Request-ID` if it is one, else a new one."""
    return sent if _REQUEST_ID.fullmatch(sent) else uuid.uuid4().hex


def safe_headers(*, is_https_only: bool) -> dict[str, str]:
    """`SAFE_HEADERS`; `is_https_only` tells browsers never to come without TLS again."""
    return {**SAFE_HEADERS, "Strict-Transport-Security": _HTTPS_ONLY} if is_https_only else SAFE_HEADERS


def _take_request_id() -> None:
    g.request_id = request_id_of(request.headers.get("X-Request-ID", ""))
    logs.request_id.set(g.request_id)
    if request.url_rule is not None:
        request.environ[ROUTE] = request.url_rule.rule


def _add_headers(response: Response) -> Response:
    response.headers["X-Request-ID"] = g.get("request_id") or uuid.uuid4().hex
    is_production = current_app.extensions["settings"].is_production
    for name, value in safe_headers(is_https_only=request.is_secure and is_production).items():
        response.headers.setdefault(name, value)
    if "Authorization" in request.headers:
        response.headers.setdefault("Cache-Control", "no-store")
    return response


def revalidated(view: Callable[..., Response]) -> Callable[..., Response]:
    """Let anyone keep what a view answers to visitors, and ask each time whether it still holds."""

    @wraps(view)
    def wrapper(*args: Any, **kwargs: Any) -> Response:
        response = view(*args, **kwargs)
        response.vary.add("Accept-Language")
        if "Authorization" not in request.headers:
            response.headers["Cache-Control"] = "public, no-cache"
        return response

    return wrapper


def add_etag(response: Response, version: int | None = None) -> Response:
    """Tag a response by its bytes and answer 304 when the client has them already.

    With `version`, the tag begins with it, so that `If-Match` can compare versions while `If-None-Match` sees every
    change, of a computed field too.
    """
    digest = hashlib.blake2b(response.get_data(), digest_size=9).hexdigest()
    response.set_etag(digest if version is None else f"{version}-{digest}")
    # If-Match is for changes. On a read, Werkzeug would answer 412, `*` included, with the whole body.
    if "If-Match" not in request.headers:
        response.make_conditional(request)
    return response


def sent_version() -> int | None:
    """The version in `If-Match`, None without one (or with `*`); raises StaleError for one that we never gave out."""
    sent = request.headers.get("If-Match")
    if sent is None or sent.strip() == "*":
        return None
    match = _VERSION_TAG.fullmatch(sent.strip())
    if match is None:
        raise StaleError("If-Match does not hold an ETag of this resource.")
    return int(match[1])


def check_version(current: int, sent: int | None) -> None:
    """Raise StaleError when the client has changed an older version than the current one."""
    if sent is not None and sent != current:
        raise StaleError("It was changed meanwhile. Read it again, then repeat the change.", current_version=current)


def idempotency_key() -> str | None:
    """The header `Idempotency-Key`; raises InvalidError unless it has 1 to 255 printable ASCII characters."""
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not re.fullmatch(r"[\x21-\x7e]{1,255}", key):
        detail = "Idempotency-Key must have 1 to 255 printable ASCII characters."
        raise InvalidError(detail, errors={"Idempotency-Key": [detail]})
    return key
