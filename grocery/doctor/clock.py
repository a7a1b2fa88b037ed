"""Clocks: tokens, codes, slots and offers go by the time of this machine and of PostgreSQL."""

import ctypes
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from zoneinfo import ZoneInfo

import psycopg2
import requests
from redis.exceptions import RedisError

from grocery.config import Settings
from grocery.doctor.asking import ANSWER_SECONDS, asking
from grocery.doctor.examining import Patient
from grocery.doctor.findings import Finding, failure, hint, ok, warning
from grocery.queues import connect

_ODD_SECONDS, _WRONG_SECONDS = 2.0, 30.0
_PAGE = "docs/runbook.md, Clocks"

# What adjtimex(2) answers while nothing keeps the clock right.
_TIME_ERROR = 5
_TIMEX_BYTES = 512


def look(patient: Patient) -> Iterator[Finding]:
    yield from _against_others(patient)
    yield from _kept_right()
    yield from _zone(patient)


def _against_others(patient: Patient) -> Iterator[Finding]:
    others: dict[str, Callable[[], float]] = {
        "PostgreSQL": lambda: _time_of_postgres(patient),
        "Redis": lambda: _time_of_redis(patient.engines.redis_url),
        **{url: lambda url=url: _time_of_web(url) for url in _web_addresses(patient.settings)},  # type: ignore[misc]
    }
    compared = []
    for name, read in others.items():
        asked_at = time.time()
        try:
            its_time = read()
        except (psycopg2.Error, RedisError, requests.RequestException, ValueError, TypeError):
            continue  # whoever is away is told of by another check
        # It said its time somewhere between the question and the answer; web servers say whole seconds.
        off = _outside(its_time, asked_at, time.time(), 1.0 if name.startswith("http") else 0.0)
        compared.append(name)
        if abs(off) > _ODD_SECONDS:
            yield _differs(name, off)
    if compared:
        yield ok(f"The clock was compared with that of {', '.join(compared)}.")
    else:
        yield warning("There was nobody to compare the clock with.", "Mend what else was found, and look again.")


def _outside(its_time: float, asked_at: float, answered_at: float, grain: float) -> float:
    """By how much another clock is ahead (or behind, below zero), leaving out what may come of the way."""
    if its_time > answered_at:
        return its_time - answered_at
    return min(its_time + grain - asked_at, 0.0)


def _differs(name: str, off: float) -> Finding:
    what = f"The clock of {name} is {abs(off):.1f} s {'ahead of' if off > 0 else 'behind'} this machine's."
    remedy = f"Let chrony or systemd-timesyncd keep all clocks right ({_PAGE})."
    return failure(what, remedy) if abs(off) > _WRONG_SECONDS else warning(what, remedy)


def _web_addresses(settings: Settings) -> Iterator[str]:
    if settings.sms_backend == "africastalking":
        subdomain = "sandbox." if settings.at_username == "sandbox" else ""
        yield settings.at_base_url or f"https://api.{subdomain}africastalking.com"


def _time_of_postgres(patient: Patient) -> float:
    with asking(patient.engines.connect) as questions:
        return float(questions.value("SELECT extract(epoch FROM clock_timestamp())"))


def _time_of_redis(url: str) -> float:
    with closing(connect(url, answer_seconds=ANSWER_SECONDS)) as redis:
        seconds, microseconds = redis.time()
        return float(seconds) + microseconds / 1_000_000


def _time_of_web(url: str) -> float:
    """By the header Date of any answer; nothing is sent but the question."""
    answer = requests.head(url, timeout=3, allow_redirects=False)
    return parsedate_to_datetime(answer.headers.get("Date", "")).timestamp()


def _kept_right() -> Iterator[Finding]:
    try:
        state = ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES))
    except (OSError, AttributeError):
        return
    if state == _TIME_ERROR:
        what = "The kernel says that nothing keeps this machine's clock right."
        yield hint(what, f"Run chrony or systemd-timesyncd on the host, unless its hypervisor does so ({_PAGE}).")


def _zone(patient: Patient) -> Iterator[Finding]:
    """Days and slots are worked out here and in PostgreSQL; each has a list of time zones of its own."""
    zone: ZoneInfo = patient.settings.timezone
    moments = [datetime.now(UTC) + timedelta(days=days) for days in (0, 91, 182, 273)]
    with asking(patient.engines.connect) as questions:
        if not questions.rows("SELECT 1 FROM pg_timezone_names WHERE name = %(name)s", name=zone.key):
            yield failure(f"PostgreSQL does not know TIMEZONE {zone.key}.", "Update it, or use a zone that it knows.")
            return
        theirs = [
            questions.value("SELECT %(at)s::timestamptz AT TIME ZONE %(zone)s", at=moment, zone=zone.key)
            for moment in moments
        ]
    ours = [moment.astimezone(zone).replace(tzinfo=None) for moment in moments]
    if ours != theirs:
        what = f"This program and PostgreSQL disagree about {zone.key} within the next year: one has old rules."
        yield failure(what, "Update the package tzdata here and at PostgreSQL, then restart both.")
    else:
        yield ok(f"This program and PostgreSQL agree about {zone.key}: it is {ours[0]:%Y-%m-%d %H:%M} there.")
