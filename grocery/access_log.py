"""What each request leaves behind: its id in all that is logged meanwhile, a line in the log, a span.

By the template of its address, never by the address itself: queries and paths have tokens, numbers and names in them.
What is answered from what the process keeps is not seen here; that costs less than its line would.
"""

import logging
import time
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask

from grocery import logs, tracing
from grocery.web import PROBES, ROUTE, request_id_of

log = logging.getLogger(logs.ACCESS)

# Others write what they like for a method; it must not be a word of its own for each.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class AccessLog:
    """Stands before the lanes, so that waiting counts. A request ends when its answer begins: what is streamed after
    that is no longer timed."""

    def __init__(self, app: WSGIApplication):
        self._app = app

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        request = request_id_of(environ.get("HTTP_X_REQUEST_ID", ""))
        # So that whoever answers, here or further in, gives the same one.
        environ["HTTP_X_REQUEST_ID"] = request
        logs.begin(request)
        if environ.get("PATH_INFO") in PROBES:
            return self._app(environ, start_response)
        return self._watch(environ, start_response)

    def _watch(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        started = time.perf_counter()
        status = int(HTTPStatus.INTERNAL_SERVER_ERROR)

        def start(line: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Any:
            nonlocal status
            status = int(line[:3])
            return start_response(line, headers, exc_info)

        method = environ["REQUEST_METHOD"] if environ["REQUEST_METHOD"] in _METHODS else "other"
        with tracing.root(method, kind="server", parent=environ.get("HTTP_TRACEPARENT")) as span:
            try:
                return self._app(environ, start)
            finally:
                route = environ.get(ROUTE) or "-"
                if span is not None:
                    _describe(span, method, route, status)
                _write(method, route, status, (time.perf_counter() - started) * 1000)


def _describe(span: tracing.Span, method: str, route: str, status: int) -> None:
    span.update_name(f"{method} {route}")
    span.set_attribute("http.request.method", method)
    span.set_attribute("http.route", route)
    span.set_attribute("http.response.status_code", status)
    span.set_attribute("grocery.request_id", logs.request_id.get() or "")
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        tracing.mark_failed(span, str(status))


def _write(method: str, route: str, status: int, milliseconds: float) -> None:
    if log.isEnabledFor(logging.INFO):
        fields = {"method": method, "route": route, "status": status, "ms": round(milliseconds, 1)}
        log.info("%s %s %d", method, route, status, extra={"fields": fields})


def init_app(app: Flask) -> None:
    """Put it before what `app` has so far."""
    app.wsgi_app = AccessLog(app.wsgi_app)  # type: ignore[method-assign]  # Flask's own way of adding middleware
