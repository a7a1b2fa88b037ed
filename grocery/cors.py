"""Cross-origin requests: which web pages of other origins may call the API. Source: https://fetch.spec.whatwg.org/

Before Flask, so that kept answers have the headers too, and so that a preflight costs next to nothing. The API takes
headers and no cookies, so credentials are never allowed.
"""

from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask

from grocery.web import request_id_of

# Chromium asks again after two hours (7,200 s) whatever it is told.
_PREFLIGHT_HEADERS = (
    ("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE"),
    (
        "Access-Control-Allow-Headers",
        "Authorization, Content-Type, Idempotency-Key, If-Match, If-None-Match, Last-Event-ID, X-Request-ID, "
        "X-Cart-Token, X-Device-Token",
    ),
    ("Access-Control-Max-Age", "7200"),
)

_EXPOSED = (
    "Access-Control-Expose-Headers",
    "Content-Disposition, ETag, Link, Location, Retry-After, X-Request-ID, X-Cart-Token, X-Device-Token, "
    "X-Did-You-Mean, X-Search-Corrected",
)

# Answers to others vary too: a shared cache must not give them to an origin that is allowed.
_VARY = ("Vary", "Origin")

Headers = list[tuple[str, str]]


class Cors:
    """Answers preflights, and names the origin of a page that may read in every answer to it."""

    def __init__(self, app: WSGIApplication, origins: Iterable[str]):
        self._app = app
        self._origins = frozenset(origins)
        self._is_open = "*" in self._origins
        self._headers_for_others: Headers = [] if self._is_open else [_VARY]

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        origin = environ.get("HTTP_ORIGIN", "")
        is_allowed = origin in self._origins or (self._is_open and origin != "")
        added = self._headers(origin) if is_allowed else self._headers_for_others
        is_preflight = environ["REQUEST_METHOD"] == "OPTIONS" and "HTTP_ACCESS_CONTROL_REQUEST_METHOD" in environ
        if is_preflight and is_allowed:
            own = ("X-Request-ID", request_id_of(environ.get("HTTP_X_REQUEST_ID", "")))
            start_response("204 NO CONTENT", [*added, *_PREFLIGHT_HEADERS, own])
            return ()

        def start(status: str, headers: Headers, exc_info: Any = None, /) -> Callable[[bytes], object]:
            return start_response(status, [*headers, *added], exc_info)

        return self._app(environ, start)

    def _headers(self, origin: str) -> Headers:
        if self._is_open:
            return [("Access-Control-Allow-Origin", "*"), _EXPOSED]
        return [("Access-Control-Allow-Origin", origin), _EXPOSED, _VARY]


def init_app(app: Flask, origins: tuple[str, ...]) -> None:
    """Let pages of these origins call the app, `*` stands for all; without any, only its own."""
    if origins:
        app.wsgi_app = Cors(app.wsgi_app, origins)  # type: ignore[method-assign]  # Flask's own way of adding middleware
