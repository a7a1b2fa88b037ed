"""All that locks messages, against each other: nothing waits in a circle, where PostgreSQL would end one of them."""

import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from decimal import Decimal
from itertools import count
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.exc import OperationalError

from grocery.auth.service import delete_customer
from grocery.db import db, transaction
from grocery.notify.clients.letter import Letter
from grocery.notify.extension import Backends
from grocery.notify.outcome import SendResult
from grocery.notify.receipts.jobs import match_fresh
from grocery.notify.receipts.service import take_report
from grocery.notify.sending.records import expire_leases
from grocery.notify.sending.sender import send_due
from grocery.notify.suppressions import service as suppressions
from tests.notify.campaigns.factories import make_campaign, move
from tests.notify.clients import AMINA
from tests.notify.scripted import FAILED, RETRY, SENT, UNKNOWN, ScriptedMail, ScriptedSms, backends_of

pytestmark = pytest.mark.usefixtures("context")

RunSql = Callable[..., list[tuple[Any, ...]]]

PHONES = [f"+2547110000{number:02d}" for number in range(8)]

# Texts, an offer among them, that are in doubt when one more answer stays away; each text with an e-mail in its place.
_QUEUE = """
    WITH texts AS (
        INSERT INTO notifications
            (dedupe_key, channel, event, recipient, body, customer_id, campaign_id, priority, unknowns)
        SELECT customer_id || ':' || n, 'sms', 'order_placed', :phone, 'x', customer_id,
               CASE WHEN n = 5 THEN CAST(:campaign AS bigint) END, CASE WHEN n = 5 THEN 2 ELSE 1 END, 2
        FROM generate_series(1, 6) AS n, (SELECT CAST(:customer AS bigint) AS customer_id) AS c
        RETURNING *
    )
    INSERT INTO notifications
        (dedupe_key, channel, event, recipient, subject, body, customer_id, fallback_for_id, next_attempt_at, unknowns)
    SELECT 'mail:' || dedupe_key, 'email', event, :address, 'x', 'x', customer_id, id, now() + interval '0.1 s', 2
    FROM texts WHERE campaign_id IS NULL
"""


@dataclass
class FickleSms(ScriptedSms):
    """Answers anything."""

    results: list[SendResult] = field(default_factory=lambda: [SENT, SENT, RETRY, FAILED, UNKNOWN])
    ids: Any = field(default_factory=lambda: count(1))

    def send(self, to: str, body: str) -> SendResult:
        time.sleep(random.random() * 0.01)
        result = random.choice(self.results)
        return replace(result, provider_id=f"ATXid_{next(self.ids)}") if result is SENT else result


class FickleMail(ScriptedMail):
    def send(self, letter: Letter) -> SendResult:
        time.sleep(random.random() * 0.01)
        return random.choice([SENT, RETRY, UNKNOWN])


class Shop:
    """What goes on in a shop; each thing again and again in a thread of its own."""

    def __init__(self, app: Flask, run_sql: RunSql) -> None:
        self._app = app
        self._run_sql = run_sql
        self._campaign = make_campaign(status="running")
        self._ids = count(1)
        self._customers = [self._register() for _ in range(20)]
        self._lock = threading.Lock()
        self.errors: list[str] = []

    def live(self, seconds: float) -> None:
        acts = [self.send, self.send, self.erase, self.erase, self.report, self.match, self.stop, self.bounce]
        until = time.monotonic() + seconds
        threads = [threading.Thread(target=self._repeat, args=(act, until)) for act in [*acts, self.hold, self.expire]]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _repeat(self, act: Callable[[], None], until: float) -> None:
        with self._app.app_context():
            while time.monotonic() < until:
                try:
                    act()
                except OperationalError as error:
                    self.errors.append(f"{act.__name__}: {error}")
                db.session.remove()

    def _register(self) -> int:
        [(customer,)] = self._run_sql(
            "INSERT INTO customers (name, email, role) VALUES ('A', :email, 'customer') RETURNING id",
            email=f"person{next(self._ids)}@people.example",
        )
        parameters = {"customer": customer, "phone": random.choice(PHONES), "campaign": self._campaign}
        self._run_sql(_QUEUE, **parameters, address=AMINA)
        return int(customer)

    def send(self) -> None:
        send_due(0.5)

    def erase(self) -> None:
        with self._lock:
            customer = self._customers.pop(random.randrange(len(self._customers)))
        try:
            with transaction():
                delete_customer(customer, None)
        finally:
            self._customers.append(self._register())

    def report(self) -> None:
        sent = self._run_sql(
            "SELECT provider_id, recipient FROM notifications WHERE channel = 'sms' AND status = 'sent' "
            "ORDER BY random() LIMIT 1"
        )
        provider_id, phone = sent[0] if sent else (f"ATXid_of_others_{next(self._ids)}", random.choice(PHONES))
        form = {
            "id": provider_id,
            "phone": phone,
            "status": random.choice(["Success", "Failed", "Rejected", "Sent"]),
            "failure_reason": random.choice([None, "UserInBlackList"]),
            "network_code": None,
            "retry_count": None,
        }
        with transaction():
            take_report(form)

    def match(self) -> None:
        match_fresh()
        time.sleep(0.02)

    def stop(self) -> None:
        self._suppress("sms", random.choice(PHONES), "stop")

    def bounce(self) -> None:
        self._suppress("email", AMINA, "bounce")

    def _suppress(self, channel: str, address: str, reason: str) -> None:
        with transaction():
            suppressions.suppress(channel, address, reason)
        with transaction():
            suppressions.lift(channel, address)

    def hold(self) -> None:
        move(self._campaign, "pause")
        move(self._campaign, "resume")

    def expire(self) -> None:
        self._run_sql(
            "UPDATE notifications SET leased_until = now() - interval '1 s' WHERE id IN "
            "(SELECT id FROM notifications WHERE status = 'sending' LIMIT 3 FOR UPDATE SKIP LOCKED)"
        )
        with transaction():
            expire_leases()
        time.sleep(0.1)


@pytest.mark.prove
@pytest.mark.parametrize("budget", [None, Decimal(1)], ids=["no budget", "used up"])
def test_nothing_waits_in_a_circle(
    app: Flask, run_sql: RunSql, monkeypatch: pytest.MonkeyPatch, budget: Decimal | None
) -> None:
    for name, value in {
        "SMS_BACKEND": "africastalking",
        "SMS_UNKNOWN_WAIT": 0,
        "SMS_RATE": 5000,
        "MAIL_RATE": 5000,
        "SMS_DAILY_BUDGET": budget,
    }.items():
        monkeypatch.setitem(app.config, name, value)
    shop = Shop(app, run_sql)
    deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
    before = run_sql(deadlocks)

    with backends_of(app, Backends(FickleSms(), FickleMail())):
        shop.live(8)
    time.sleep(1)  # a second after it happens the figure is told

    assert shop.errors == []
    assert run_sql(deadlocks) == before
