"""Figures for Prometheus: packages answer the signal, `/metrics` writes what they answer and what was counted.

Whoever asks, and however often: each package is asked every 10 s at the most by each process, and one whose figures
take long to read more rarely. One that fails leaves its figures out, and nobody else's.
"""

import logging
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from blinker import Namespace
from flask import Flask
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from grocery.errors import GroceryError
from grocery.metrics.cells import Cells
from grocery.metrics.counted import KINDS
from grocery.metrics.reading import figures_engine, figures_reader

log = logging.getLogger(__name__)

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

#: How long an answer is good for, at least; and how much of the time may go into asking.
REMEMBER_SECONDS = 10.0
_SHARE = 0.05

#: For how long one waits for another that asks, in seconds. While PostgreSQL hangs, those who come all the time must
#: not take one thread of the server after the other.
PATIENCE_SECONDS = 5.0

metrics_asked = Namespace().signal(
    "metrics-asked",
    """Asks for figures. Sent with the app as the sender; a receiver answers a list of `prometheus_client` families:

    GaugeMetricFamily("grocery_notifications_waiting", "Messages that wait to be sent.", labels=["channel"])

    It reads PostgreSQL with `figures_reader()`, and what it reads must be cheap for a shop with a million orders a day.
    """,
)

# For a test whether PostgreSQL answers.
_ANYTHING = text("SELECT 1")


@dataclass
class _Answer:
    """What a receiver has answered, and until when (monotonic seconds) it need not be asked again."""

    families: list[Metric] = field(default_factory=list)
    is_missing: bool = False
    good_until: float = 0.0


class Figures:
    """The figures of an application: what its processes count, and what it is asked for.

    `connect` makes a psycopg2 connection.
    """

    def __init__(self, app: Flask, connect: Callable[[], Any]):
        self.cells = Cells(app.extensions["settings"].prometheus_multiproc_dir, KINDS)
        self.engine = figures_engine(connect)
        self.is_database_up = True
        self._app = app
        self._lock = threading.Lock()
        self._answers: dict[str, _Answer] = {}

    def forget(self) -> None:
        """Ask everybody anew the next time."""
        with self._lock:
            self._answers.clear()

    def ask(self) -> list[Metric]:
        """All families, while another asks for long as they were before. Never fails: PostgreSQL may be away."""
        if self._lock.acquire(timeout=PATIENCE_SECONDS):
            try:
                self._ask_all()
            finally:
                self._lock.release()
        answers = dict(self._answers)
        answered = [family for answer in answers.values() for family in answer.families]
        return [*self.cells.families(), *answered, _missing_family(answers)]

    def _ask_all(self) -> None:
        # It costs PostgreSQL nothing. Remembered for longer when it hung, one such moment would look like a failure.
        self._ask_one("database", self._try_database, share=1.0)
        for receiver in metrics_asked.receivers_for(self._app):
            self._ask_one(_name(receiver), lambda asked=receiver: asked(self._app))  # type: ignore[misc]

    def _ask_one(self, source: str, ask: Callable[[], Iterable[Metric]], share: float = _SHARE) -> None:
        answer = self._answers.setdefault(source, _Answer())
        started = monotonic()
        if started < answer.good_until:
            return
        try:
            answer.families = list(ask())
        except Exception as error:
            answer.families = []
            self._note(source, answer, error)
        else:
            self._note(source, answer, None)
        now = monotonic()
        answer.good_until = now + max(REMEMBER_SECONDS, (now - started) / share)

    def _try_database(self) -> list[Metric]:
        """Found away once, it is not tried by everybody: each try may take the seconds of a connection that hangs."""
        self.is_database_up = True  # so that it is tried at all
        try:
            with figures_reader() as connection:
                connection.execute(_ANYTHING)
        except Exception as error:
            self.is_database_up = False
            log.debug("PostgreSQL is away: %s", error)
        return [GaugeMetricFamily("grocery_database_up", "1 while PostgreSQL answers.", value=self.is_database_up)]

    def _note(self, source: str, answer: _Answer, error: Exception | None) -> None:
        """Say once that figures are missing, with a stack where nobody expected it, and once that they are back."""
        if error is not None and not answer.is_missing:
            is_expected = isinstance(error, SQLAlchemyError | GroceryError)
            log.warning("figures of %s are left out: %s", source, error, exc_info=None if is_expected else error)
        elif error is None and answer.is_missing:
            log.warning("figures of %s are back", source)
        answer.is_missing = error is not None


class _Answered:
    """A collector of what was answered, once."""

    def __init__(self, families: list[Metric]):
        self._families = families

    def collect(self) -> list[Metric]:
        return self._families

    describe = collect


def init_app(app: Flask, connect: Callable[[], Any]) -> None:
    """Give the app its figures; `connect` makes a psycopg2 connection to the database that the shop writes to."""
    app.extensions["metrics"] = Figures(app, connect)


def write_metrics(app: Flask) -> bytes:
    """All figures in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Answered(app.extensions["metrics"].ask()))
    return generate_latest(registry)


def _missing_family(answers: Mapping[str, _Answer]) -> Metric:
    missing = GaugeMetricFamily(
        "grocery_figures_missing", "1 while figures of a part could not be read.", labels=["source"]
    )
    for source, answer in sorted(answers.items()):
        missing.add_metric([source], answer.is_missing)
    return missing


def _name(receiver: Callable[..., Any]) -> str:
    """Which part of the program answers: "orders" of `grocery.orders.figures.metric_families`."""
    return ".".join(receiver.__module__.split(".")[1:]).removesuffix(".figures")
