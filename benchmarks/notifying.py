"""How fast messages leave the outbox, and what queueing them costs an order.

    python -m benchmarks.notifying

Two workers, started with the plain `rq` command, send SMS to a provider on loopback: one that answers at once, and one
that takes 100 ms. Beside it stands the floor, one thread that posts the same texts with nothing but HTTP. Queueing is
measured against one bare round trip to PostgreSQL. Runs on embedded engines of its own in a temporary directory. Quote
the ratios: messages per second belong to one machine.
"""

import functools
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import requests
from flask import Flask
from sqlalchemy import text

from benchmarks.shop import ready_app, settle
from grocery.config import setting_names
from grocery.db import db, transaction
from grocery.notify.service import Message, queue_messages
from grocery.queues import NOTIFY, doorbell
from tests.fakes.fast_africastalking import counts, fast_africastalking
from tests.notify.factories import order_context

WORKERS = 2
ORDERS = 300
# What the workers do before they are measured: start, fork, connect.
WARM = 200
BARE = 50
DRAIN_SECONDS = 120

_FILL = text(
    """
    INSERT INTO notifications (dedupe_key, channel, event, recipient, body)
    SELECT gen_random_uuid()::text, 'sms', 'order_placed', '+2547' || lpad(n::text, 8, '0'),
           'Test Grocer: order no. ' || n || ' is placed. Total KES 1,250, cash on delivery.'
    FROM generate_series(:first + 1, :first + :number) AS n
    """
)
_COUNT_SENT = text("SELECT count(*) FROM notifications WHERE status = 'sent'")


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        app, _ = ready_app(Path(directory, "data"))
        with app.app_context():
            _print_queueing()
            for delay, number, least in ((0, 4000, 300), (100, 1500, 60)):
                with fast_africastalking(delay) as origin:
                    floor = _post_bare(origin)
                    rate = _send(app, origin, number)
                    taken = counts(origin)
                assert taken["duplicates"] == 0, taken
                print(f"provider that takes {delay} ms: {rate:.0f} messages per second (at least {least})")
                print(f"  {rate / floor:.2f} times one thread that does nothing but post ({floor:.0f} per second)")


def _print_queueing() -> None:
    """The median of what `queue_messages` takes in an order's transaction: SMS, e-mail and one e-mail to an admin."""
    with transaction() as session:
        customer = session.execute(
            text("INSERT INTO customers (name, email, role) VALUES ('A', 'a@example.com', 'customer') RETURNING id")
        ).scalar_one()
    queueing, trips = [], []
    for number in range(ORDERS):
        messages = [_message(number, customer, *kind) for kind in _KINDS]
        with transaction() as session:
            session.execute(text("SELECT 1"))  # connects and begins
            trips.append(_time(functools.partial(session.execute, text("SELECT 1"))))
            queueing.append(_time(functools.partial(queue_messages, messages)))
    took, trip = statistics.median(queueing) * 1000, statistics.median(trips) * 1000
    print(f"queueing the three messages of an order: {took:.2f} ms (below 2), {took / trip:.1f} round trips")
    with transaction() as session:
        session.execute(text("DELETE FROM notifications"))


_KINDS = (
    ("sms", "customer", "+254711000001"),
    ("email", "customer", "amina@example.com"),
    ("email", "admin", "owner@shop.example"),
)


def _message(number: int, customer: int, channel: str, audience: str, recipient: str) -> Message:
    return Message(
        channel=channel,
        event="order_placed",
        audience=audience,
        recipient=recipient,
        context=order_context(),
        dedupe_key=f"benchmark:{number}:{channel}:{audience}",
        customer_id=customer,
        fallback_for=f"benchmark:{number}:sms:customer" if (channel, audience) == ("email", "customer") else None,
    )


def _time(work: Any) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _post_bare(origin: str) -> float:
    """Texts per second of one thread over one connection."""
    url = f"{origin}/version1/messaging"
    forms = [{"username": "duka", "to": "+254711000001", "message": f"{n} {'x' * 80}"} for n in range(BARE)]
    with requests.Session() as session:
        return 1 / statistics.median(_time(functools.partial(session.post, url, data=form)) for form in forms)


def _send(app: Flask, origin: str, number: int) -> float:
    """Messages per second of the workers together."""
    with _workers(app, origin):
        _drain(app, 0, WARM)
        started = time.monotonic()
        _drain(app, WARM, number)
        return number / (time.monotonic() - started)


def _drain(app: Flask, first: int, number: int) -> None:
    """Queue so many messages and wait until they are sent; be the relay meanwhile."""
    with transaction() as session:
        session.execute(text("DELETE FROM notifications"))
        session.execute(_FILL, {"first": first, "number": number})
    settle(app)
    ends_at = time.monotonic() + DRAIN_SECONDS
    while True:
        assert time.monotonic() < ends_at, "the workers do not send"
        doorbell().ring(NOTIFY)
        with db.engine.connect() as connection:
            if connection.execute(_COUNT_SENT).scalar_one() >= number:
                return
        time.sleep(0.02)


@contextmanager
def _workers(app: Flask, origin: str) -> Iterator[None]:
    engines = app.extensions["engines"]
    environ = {**dict.fromkeys(setting_names(), ""), "PATH": os.environ["PATH"]}
    environ |= {"DATABASE_URL": engines.database_url, "REDIS_URL": engines.redis_url}
    environ |= {"LOG_LEVEL": "WARNING", "SMS_BACKEND": "africastalking", "AT_USERNAME": "duka", "AT_API_KEY": "key"}
    environ |= {"AT_BASE_URL": origin, "SMS_RATE": "100000", "QUIET_HOURS": "none"}
    command = [Path(sys.executable).with_name("rq"), "worker", "-w", "grocery.worker.Worker", NOTIFY]
    with ExitStack() as undo:
        for _ in range(WORKERS):
            worker = subprocess.Popen(command, env=environ)
            undo.callback(worker.wait, 60)
            undo.callback(worker.terminate)
        yield


if __name__ == "__main__":
    main()
