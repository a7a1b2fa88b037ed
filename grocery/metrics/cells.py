"""What processes count, added up over all processes of one server.

Each writes into a file of its own in a directory that they share (`files`); whichever is asked reads them all. What a
process has counted stays counted when it ends; its gauges, such as connections in use, go with it.
"""

import fcntl
import logging
import os
import secrets
import threading
from collections import Counter as Totals
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from grocery.metrics.files import NumberFile, is_written, read_numbers, write_numbers

log = logging.getLogger(__name__)

_BETWEEN = "\x1f"
_SUFFIX = ".numbers"
# What ended processes have counted.
_ENDED = "ended"


@dataclass(frozen=True)
class Counter:
    """A number that only grows."""

    name: str
    help: str
    labels: tuple[str, ...] = ()

    def key(self, *values: str) -> str:
        """The cell of these label values."""
        return _BETWEEN.join((self.name, *values))


@dataclass(frozen=True)
class Gauge(Counter):
    """A number that goes up and down, of processes that live."""


@dataclass(frozen=True)
class Histogram(Counter):
    """How often something took up to so many seconds, for each of `bounds`, and how long in all."""

    bounds: tuple[float, ...] = ()

    def keys(self, *values: str) -> list[str]:
        """The cells of these label values: one for each of `bounds`, one for what took longer, and the sum."""
        return [self.key(*values, str(number)) for number in range(len(self.bounds) + 1)] + [self.key(*values, "sum")]


class Cells:
    """The numbers of this process; with a `directory`, of all that have the same. Safe between threads.

    `kinds` are all that may be counted.
    """

    def __init__(self, directory: Path | None, kinds: Iterable[Counter]):
        self._directory = directory
        self._kinds = {kind.name: kind for kind in kinds}
        self._gauges = {name for name, kind in self._kinds.items() if isinstance(kind, Gauge)}
        self._lock = threading.Lock()
        self._numbers: dict[str, float] = {}
        self._file: NumberFile | None = None
        self._counts_in: int | None = None

    def add(self, *changes: tuple[str, float]) -> None:
        """Add to cells. On the way of every request: under 2 µs."""
        with self._lock:
            if self._counts_in != os.getpid():
                self._begin()
            numbers, file = self._numbers, self._file
            for key, amount in changes:
                number = numbers.get(key, 0.0) + amount
                numbers[key] = number
                if file is not None:
                    file.write(key, number)

    def families(self) -> list[Metric]:
        """All that was counted, for Prometheus; what has never happened is 0 where there are no labels."""
        found: dict[str, dict[tuple[str, ...], float]] = {name: {} for name in self._kinds}
        for key, number in self._totals().items():
            name, *values = key.split(_BETWEEN)
            if name in found:
                found[name][tuple(values)] = number
        return [_family(kind, found[name]) for name, kind in self._kinds.items()]

    def _totals(self) -> Totals[str]:
        if self._directory is None:
            with self._lock:
                return Totals(self._numbers)
        try:
            with _alone_in(self._directory):
                return self._read_all()
        except OSError as error:
            log.warning("what other processes have counted cannot be read: %s", error)
            return Totals(self._numbers)

    def _begin(self) -> None:
        """Make this process's file: what a parent has counted before it forked is in the parent's."""
        self._counts_in = os.getpid()
        self._numbers, self._file = {}, None
        if self._directory is None:
            return
        # Where that is impossible, it counts for itself.
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            with _alone_in(self._directory):
                name = f"{os.getpid()}-{secrets.token_hex(4)}{_SUFFIX}"
                self._file = NumberFile(self._directory / name)
        except OSError as error:
            log.warning("what this process counts is not told to others: %s", error)

    def _read_all(self) -> Totals[str]:
        """What living and ended processes have counted; of ended ones all but the gauges."""
        assert self._directory is not None
        kept = self._directory / f"{_ENDED}{_SUFFIX}"
        living: list[Path] = []
        ended: list[Path] = []
        for path in self._directory.glob(f"*{_SUFFIX}"):
            if path != kept:
                (living if is_written(path) else ended).append(path)
        found = _sum([*ended, *([kept] if kept.exists() else [])])
        totals = Totals({key: total for key, total in found.items() if key.split(_BETWEEN)[0] not in self._gauges})
        if ended:
            _settle(kept, totals, ended)
        totals.update(_sum(living))
        if self._file is None:
            totals.update(self._numbers)
        return totals


def _settle(kept: Path, totals: Totals[str], ended: Iterable[Path]) -> None:
    """Put what ended processes have counted into one file: processes that crash must not fill the disk."""
    try:
        write_numbers(kept, totals)
        for path in ended:
            path.unlink()
    except OSError as error:
        log.warning("the figures of ended processes stay where they are: %s", error)


@contextmanager
def _alone_in(directory: Path) -> Iterator[None]:
    """Keep other processes from making, reading and removing files there meanwhile: some milliseconds."""
    with (directory / "lock").open("ab") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _sum(paths: Iterable[Path]) -> Totals[str]:
    totals: Totals[str] = Totals()
    for path in paths:
        for key, number in read_numbers(path):
            totals[key] += number  # type: ignore[assignment]
    return totals


def _family(kind: Counter, found: dict[tuple[str, ...], float]) -> Metric:
    if isinstance(kind, Histogram):
        return _histogram(kind, found)
    make = GaugeMetricFamily if isinstance(kind, Gauge) else CounterMetricFamily
    family = make(kind.name, kind.help, labels=kind.labels)
    if not kind.labels:
        found.setdefault((), 0.0)
    for values, number in sorted(found.items()):
        family.add_metric(values, number)
    return family


def _histogram(kind: Histogram, found: dict[tuple[str, ...], float]) -> Metric:
    family = HistogramMetricFamily(kind.name, kind.help, labels=kind.labels)
    names = [*map(str, kind.bounds), "+Inf"]
    for values in sorted({values[:-1] for values in found}):
        counts = [found.get((*values, str(number)), 0.0) for number in range(len(names))]
        upto = [sum(counts[: number + 1]) for number in range(len(names))]
        family.add_metric(values, list(zip(names, upto, strict=True)), sum_value=found.get((*values, "sum"), 0.0))
    return family
