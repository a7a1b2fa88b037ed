"""The outermost layer: counts every answer by route, method and status, whoever gives it, and how long it took.

Kept answers and refusals before Flask are counted, too. A route is Flask's template (`/products/<int:product_id>`), so
that the number of them is bounded; what no route was found for is "none".
"""

import time
from collections.abc import Callable, Iterable
from functools import cache
from http import HTTPMethod
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask
from sqlalchemy import Engine, event

from grocery.answers.middleware import OUTCOME
from grocery.metrics.cells import Cells
from grocery.metrics.counted import KEPT_ANSWERS, POOL_IN_USE, REQUEST_SECONDS, REQUESTS, REQUESTS_UNDER_WAY
from grocery.web import ROUTE

_METHODS = frozenset(HTTPMethod)
_NO_ROUTE = "none"
_BOUNDS = REQUEST_SECONDS.bounds

# The entry of a pool's record, which outlives the connection in it.
_TAKEN = "grocery.taken"


class Counting:
    """Counts in `cells` what `app` answers. It costs a request about 4 µs; a kept answer costs 20 to 30."""

    def __init__(self, app: WSGIApplication, cells: Cells):
        self._app = app
        self._cells = cells

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        status = "500"

        def start(line: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Callable[[bytes], object]:
            nonlocal status
            status = line[:3]
            return start_response(line, headers, exc_info)

        self._cells.add((_UNDER_WAY, 1.0))
        started = time.perf_counter()
        try:
            return self._app(environ, start)
        finally:
            seconds = time.perf_counter() - started
            keys = _keys(environ.get(ROUTE, _NO_ROUTE), environ["REQUEST_METHOD"], status, environ.get(OUTCOME))
            self._cells.add((_UNDER_WAY, -1.0), *keys.counts, (keys.bounds[_place(seconds)], 1.0), (keys.sum, seconds))


class _Keys:
    """The cells of one kind of request."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, route: str, method: str, status: str, outcome: str | None):
        *self.bounds, self.sum = REQUEST_SECONDS.keys(route, method)
        self.counts = [(REQUESTS.key(route, method, status), 1.0)]
        if outcome is not None:
            self.counts.append((KEPT_ANSWERS.key(outcome), 1.0))


_UNDER_WAY = REQUESTS_UNDER_WAY.key()


def _keys(route: str, method: str, status: str, outcome: str | None) -> _Keys:
    return _made_keys(route, method if method in _METHODS else "other", status, outcome)


@cache
def _made_keys(route: str, method: str, status: str, outcome: str | None) -> _Keys:
    return _Keys(route, method, status, outcome)


def _place(seconds: float) -> int:
    """The number of the first bound that is not below."""
    for place, bound in enumerate(_BOUNDS):
        if seconds <= bound:
            return place
    return len(_BOUNDS)


def init_app(app: Flask, *engines: Engine) -> None:
    """Put the layer before all others, and count the connections that are taken from the pools of `engines`."""
    cells: Cells = app.extensions["metrics"].cells
    app.wsgi_app = Counting(app.wsgi_app, cells)  # type: ignore[method-assign]  # Flask's own way of adding middleware
    for engine in engines:
        _count_connections(engine, cells)


def _count_connections(engine: Engine, cells: Cells) -> None:
    in_use = POOL_IN_USE.key()

    # A connection that was lost is given back more than once, and one that could not be made was never taken.
    def note_taken(_connection: Any, record: Any, _proxy: Any) -> None:
        if not record.record_info.get(_TAKEN):
            record.record_info[_TAKEN] = True
            cells.add((in_use, 1.0))

    def note_given_back(_connection: Any, record: Any) -> None:
        if record.record_info.pop(_TAKEN, False):
            cells.add((in_use, -1.0))

    event.listen(engine, "checkout", note_taken)
    event.listen(engine, "checkin", note_given_back)
