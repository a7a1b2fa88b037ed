"""The provider's callback: what is kept, what is not, and that nothing is kept twice."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from redis import Redis

from grocery.notify.inbound.service import answer_received, ring_if_due
from grocery.notify.jobs import send_notifications
from grocery.queues import NOTIFY, doorbell, periodic_task
from tests.fakes.africastalking import Callbacks
from tests.notify.clients import PHONE
from tests.notify.inbound.conftest import Sql
from tests.notify.receipts.conftest import BASE
from tests.notify.scripted import ScriptedSms

FORM = {"from": PHONE, "to": "22384", "text": "STATUS", "date": "2026-11-22 09:20:31", "id": "sms-1"}
KEPT = "SELECT provider_id, phone, short_code, body, link_id, status, customer_id FROM inbound_sms ORDER BY id"


def post(client: FlaskClient, form: dict[str, Any]) -> None:
    answer = client.post(f"{BASE}/inbound", data=form)
    assert (answer.status_code, answer.get_data()) == (200, b"")


def test_sms_is_kept_as_it_came_and_the_bell_rings(provider: Callbacks, run_sql: Sql) -> None:
    provider.text_from(PHONE, "Status  please\n", message_id="sms-1", link_id="link-1")

    assert run_sql(KEPT) == [("sms-1", PHONE, "22384", "Status  please", "link-1", "received", None)]
    assert doorbell().depth(NOTIFY) == 1
    assert run_sql("SELECT count(*) FROM notifications") == [(0,)]


def test_the_same_sms_posted_at_once_is_kept_and_answered_once(provider: Callbacks, run_sql: Sql) -> None:
    with ThreadPoolExecutor(5) as threads:
        answers = list(threads.map(lambda _: provider.text_from(PHONE, "HELP", message_id="sms-1"), range(5)))
    tried = answer_received()
    provider.text_from(PHONE, "HELP", message_id="sms-1")

    assert {answer.status for answer in answers} == {200}
    assert (tried, answer_received()) == (1, 0)
    assert run_sql("SELECT status, command FROM inbound_sms") == [("answered", "help")]
    assert run_sql("SELECT count(*) FROM notifications") == [(1,)]


def test_sms_without_an_id_is_known_by_what_it_says_and_when(client: FlaskClient, run_sql: Sql) -> None:
    form = {name: value for name, value in FORM.items() if name != "id"}

    post(client, form)
    post(client, form)
    post(client, {**form, "date": "2026-11-22 09:20:32"})
    post(client, {**form, "text": "HELP"})

    rows = run_sql("SELECT provider_id, body FROM inbound_sms ORDER BY id")
    assert [body for _, body in rows] == ["STATUS", "STATUS", "HELP"]
    assert all(provider_id.startswith("sha256:") for provider_id, _ in rows)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"from": " 254711000001"}, {"phone": PHONE}),
        ({"from": "0711 000 001"}, {"phone": PHONE}),
        ({"from": " 256772123456"}, {"phone": "+256772123456"}),
        ({"text": "Hi\x00there\x1b[2J"}, {"body": "Hi there [2J"}),
        ({"text": "\ufeffST\u200bOP\u202e"}, {"body": "STOP"}),
        ({"text": "x" * 10_000}, {"body": "x" * 2000}),
        ({"text": "Nataka 🥭 kesho"}, {"body": "Nataka 🥭 kesho"}),
        ({"to": "", "linkId": ""}, {"short_code": None, "link_id": None}),
    ],
)
def test_what_people_write_is_kept_as_far_as_it_can_be(
    client: FlaskClient, run_sql: Sql, changed: dict[str, str], expected: dict[str, Any]
) -> None:
    post(client, {**FORM, **changed})

    kept = dict(zip(("provider_id", "phone", "short_code", "body", "link_id"), run_sql(KEPT)[0], strict=False))
    assert {name: kept[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("form", "kind"),
    [
        ({"from": "SAFARICOM"}, "SMS without a number"),
        ({"from": "22384"}, "SMS without a number"),
        ({"from": "+254"}, "SMS without a number"),
        ({"from": PHONE, "to": PHONE}, "SMS from the shop itself"),
        ({"from": ""}, "bad form for take_inbound_sms"),
        ({"text": ""}, "bad form for take_inbound_sms"),
        ({"id": "", "date": ""}, "bad form for take_inbound_sms"),
        ({"id": "x" * 10_000}, "bad form for take_inbound_sms"),
        ({"id": ["sms-1", "sms-2"]}, "bad form for take_inbound_sms"),
        ({"to": "22\x00384"}, "bad form for take_inbound_sms"),
    ],
)
def test_what_no_answer_can_reach_is_counted_and_not_kept(
    app: Flask, client: FlaskClient, run_sql: Sql, form: dict[str, Any], kind: str
) -> None:
    counts = app.extensions["oddities"].counts
    before = counts[kind]

    post(client, {**FORM, **form})

    assert run_sql(KEPT) == []
    assert counts[kind] == before + 1
    assert doorbell().depth(NOTIFY) == 0


def test_number_that_the_shop_sends_from_is_not_answered(app: Flask, client: FlaskClient, run_sql: Sql) -> None:
    app.config["AT_SENDER_ID"] = "0711000001"
    try:
        post(client, FORM)
    finally:
        app.config["AT_SENDER_ID"] = None

    assert run_sql(KEPT) == []


def test_wrong_secret_is_not_found_and_keeps_nothing(client: FlaskClient, run_sql: Sql) -> None:
    answer = client.post("/notify/sms/wrong-secret-for-tests/inbound", data=FORM)

    assert answer.status_code == 404
    assert run_sql(KEPT) == []


def test_job_answers_before_it_sends(scripted: Flask, provider: Callbacks, sms: ScriptedSms, run_sql: Sql) -> None:
    provider.text_from(PHONE, "HELP", at=datetime.now(UTC))

    send_notifications()

    assert [to for to, _ in sms.sent] == [PHONE]
    assert sms.bodies[0].startswith("Test Grocer: STATUS: your order.")
    assert run_sql("SELECT event, status FROM notifications") == [("reply_help", "sent")]


def test_relay_rings_for_sms_whose_ring_was_lost(app: Flask, provider: Callbacks) -> None:
    ring_if_due()
    assert doorbell().depth(NOTIFY) == 0
    provider.text_from(PHONE, "HELP")
    Redis.from_url(app.config["REDIS_URL"]).flushall()

    ring_if_due()

    assert doorbell().depth(NOTIFY) == 1
    tasks = [task for _, answered in periodic_task.send(app) for task in answered]
    assert [(task.every_seconds, task.run) for task in tasks if task.name == "notify.watch_inbound"] == [
        (1.0, ring_if_due)
    ]
