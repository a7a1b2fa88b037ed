"""The layer that sends proxies away from a server that is about to end.

While the file DRAIN_FILE is there, `/readyz` says so and each answer closes its connection, kept answers too: a proxy
that comes again has to connect anew, and will find another server. Whoever ends the server makes the file, then waits.
"""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask, current_app

Headers = list[tuple[str, str]]


class Draining:
    """Adds `Connection: close` to what `app` answers while the file is there. Looking for it costs 2 µs."""

    def __init__(self, app: WSGIApplication, path: Path):
        self._app = app
        self._path = str(path)

    def is_on(self) -> bool:
        """Whether the server is about to end."""
        return os.path.exists(self._path)

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        def start(status: str, headers: Headers, exc_info: Any = None, /) -> Callable[[bytes], object]:
            # Asked at the end: while a long request was worked on, the file may have come.
            closing = [("Connection", "close")] if self.is_on() else []
            return start_response(status, [*headers, *closing], exc_info)

        return self._app(environ, start)


def is_draining() -> bool:
    """Whether the server of the running application is about to end."""
    draining: Draining | None = current_app.extensions.get("draining")
    return draining is not None and draining.is_on()


def init_app(app: Flask, path: Path | None) -> None:
    """Put the layer outside of all others that answer."""
    if path:
        app.extensions["draining"] = app.wsgi_app = Draining(app.wsgi_app, path)  # type: ignore[method-assign]
