"""The two lanes before Flask: one for what hashes a password and is open to anyone, one for everything else.

Whoever waits in a lane holds a thread of the server and nothing else: no connection to the database, no memory of a
request under way. So the server can have many threads, and a flood of sign-ins stands in its own lane while everybody
else goes by. Held in line, the flood comes no faster than it is served; sent away at once, it would be back at once.
"""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from flask import Flask, Response

from grocery.errors import BusyError, handle_grocery_error
from grocery.limits import network_of
from grocery.metrics.counted import SIGN_INS_REFUSED
from grocery.web import ROUTE, request_id_of, safe_headers

log = logging.getLogger(__name__)

#: For `problems(_503=…)` of the routes that stand in line.
BUSY = "Too many people at once: `busy`, or what the shop needs is away; try again after `Retry-After` seconds."

#: The probes that stand in no lane.
PROBES = frozenset({"/healthz", "/metrics"})

#: Seconds until someone who waits is told to try again.
MAX_WAIT_SECONDS = 8.0

_TELL_EVERY_SECONDS = 60.0


class LineFullError(BusyError):
    """Too many sign-ins at once."""

    code = "busy"

    def __init__(self) -> None:
        super().__init__("Too many people are signing in at this moment. Try again.")


class Line:
    """People who wait for their turn, about in the order in which they came. Safe between threads.

    `at_once` have the turn while up to `waiting` wait. Of all these places one network gets three in four at the most,
    so that one who floods the shop cannot keep all others out.
    """

    def __init__(self, at_once: int, waiting: int, max_wait_seconds: float = MAX_WAIT_SECONDS):
        self._turns = threading.Semaphore(at_once)
        self._places = at_once + waiting
        self._places_of_one = max(at_once, self._places * 3 // 4)
        self._max_wait_seconds = max_wait_seconds
        self._lock = threading.Lock()
        self._here: Counter[str] = Counter()

    def __len__(self) -> int:
        """How many have the turn or wait for it."""
        return self._here.total()

    @contextmanager
    def turn(self, network: str) -> Iterator[None]:
        """Wait for the turn and have it; raises LineFullError when there is no place, or it took too long."""
        self._join(network)
        try:
            if not self._turns.acquire(timeout=self._max_wait_seconds):
                raise LineFullError
            try:
                yield
            finally:
                self._turns.release()
        finally:
            self._leave(network)

    def _join(self, network: str) -> None:
        with self._lock:
            if len(self) >= self._places or self._here[network] >= self._places_of_one:
                raise LineFullError
            self._here[network] += 1

    def _leave(self, network: str) -> None:
        with self._lock:
            self._here[network] -= 1
            if not self._here[network]:
                del self._here[network]


class Lanes:
    """Has POSTs to `paths` stand in `line`, and lets so many of all others in `at_once`; these wait without an end.

    Who finds no place in the line is answered here with `refuse`, at the cost of a twentieth of a request.
    """

    def __init__(
        self,
        app: WSGIApplication,
        *,
        at_once: int,
        line: Line,
        paths: Collection[str],
        refuse: Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]],
    ):
        self.line = line
        self._app = app
        self._others = threading.Semaphore(at_once)
        self._paths = frozenset(paths)
        self._refuse = refuse

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path = environ.get("PATH_INFO")
        # Whether the process is alive, and how it does, must not depend on what others wait for.
        if path in PROBES:
            return self._app(environ, start_response)
        if environ["REQUEST_METHOD"] != "POST" or path not in self._paths:
            with self._others:
                return self._app(environ, start_response)
        try:
            with self.line.turn(network_of(environ.get("REMOTE_ADDR", ""))):
                return self._app(environ, start_response)
        except LineFullError:
            environ[ROUTE] = path
            return self._refuse(environ, start_response)


class Refusal:
    """The answer to those who find no place, made once; says in the log how many there were, once a minute.

    `pages` has the answers of paths at which people wait who want to read something; `count` is called for each one.
    """

    def __init__(
        self, app: Flask, pages: Mapping[str, Response] | None = None, count: Callable[[], object] = lambda: None
    ):
        with app.app_context():
            self._problem: Response = handle_grocery_error(LineFullError())
        self._pages = pages or {}
        self._is_production = app.extensions["settings"].is_production
        self._count_for_all = count
        self._lock = threading.Lock()
        self._count = 0
        self._told_at = -_TELL_EVERY_SECONDS

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self._note()
        answer = self._pages.get(environ.get("PATH_INFO", ""), self._problem)
        safe = safe_headers(is_https_only=self._is_production and environ["wsgi.url_scheme"] == "https")
        own = ("X-Request-ID", request_id_of(environ.get("HTTP_X_REQUEST_ID", "")))
        more = [(name, value) for name, value in safe.items() if name not in answer.headers]
        start_response(answer.status, [*answer.headers, *more, own])
        return [answer.get_data()]

    def _note(self) -> None:
        self._count_for_all()
        with self._lock:
            self._count += 1
            now = time.monotonic()
            if now < self._told_at + _TELL_EVERY_SECONDS:
                return
            count, self._count, self._told_at = self._count, 0, now
        log.warning("sign-ins sent away since too many came at once: %d", count)


def init_app(app: Flask, *, at_once: int, line: Line, paths: Collection[str], pages: Mapping[str, Response]) -> None:
    """Put the lanes before Flask; past the kept answers, which wait for nobody.

    At `pages` people stand in line too, and are answered with these.
    """
    cells = app.extensions["metrics"].cells
    refuse = Refusal(app, pages, lambda: cells.add((SIGN_INS_REFUSED.key(), 1.0)))
    lanes = Lanes(app.wsgi_app, at_once=at_once, line=line, paths=(*paths, *pages), refuse=refuse)
    app.extensions["lanes"] = lanes
    app.wsgi_app = lanes  # type: ignore[method-assign]  # Flask's own way of adding middleware
