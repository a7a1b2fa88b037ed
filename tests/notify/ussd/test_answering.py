"""The gateway's calls: what is answered to any form, what is remembered, and what a failure looks like on a phone."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import pytest
import redis
from flask import Flask
from sqlalchemy import text

from grocery.app import create_app
from grocery.config import Settings
from grocery.db import db
from grocery.notify.hooks import UssdAnswer, UssdRequest
from grocery.notify.receipts.oddities import oddities
from grocery.notify.ussd.store import SessionStore
from tests.notify.ussd.conftest import ScriptedMenu
from tests.notify.ussd.phones import AMINA, STRANGER, gateway, phone_of, send
from tests.valkey_process import ValkeyProcess
from tests.waiting import within

Sql = Callable[..., list[tuple[Any, ...]]]

REFUSED = "END Sorry, this request cannot be answered. Please dial again."
SORRY = "END Sorry, something went wrong on our side. Please dial again in a moment."
SORRY_SW = "END Samahani, kuna hitilafu upande wetu. Tafadhali piga tena baada ya muda mfupi."


@pytest.fixture
def valkey(settings: Settings) -> redis.Redis:
    return redis.Redis.from_url(settings.redis_url or "")


@pytest.fixture
def own_valkey(app: Flask) -> Iterator[ValkeyProcess]:
    """A Valkey for sessions only, which the test may stop."""
    process = ValkeyProcess()
    process.start()
    kept = app.extensions["ussd_sessions"]
    app.extensions["ussd_sessions"] = SessionStore(lambda: process.url)
    yield process
    app.extensions["ussd_sessions"] = kept
    process.close()


def test_each_step_gets_what_was_keyed_in_and_the_state_of_the_last_one(app: Flask, menu: ScriptedMenu) -> None:
    phone = phone_of(app)
    assert phone.dial() == "You keyed in []"
    assert phone.press("1") == "You keyed in ['1']"
    assert phone.press(" 2 ") == "You keyed in ['1', '2']"
    session = phone.session_id
    assert menu.requests == [
        UssdRequest(session, AMINA, [], {}),
        UssdRequest(session, AMINA, ["1"], {"steps": 1}),
        UssdRequest(session, AMINA, ["1", "2"], {"steps": 2}),
    ]


def test_the_end_closes_the_session(app: Flask, menu: ScriptedMenu) -> None:
    menu.script = lambda request: UssdAnswer("Thank you!", is_end=True)
    phone = phone_of(app)
    assert (phone.dial(), phone.is_open) == ("Thank you!", False)


def test_the_same_step_sent_again_is_answered_without_asking_the_menu(app: Flask, menu: ScriptedMenu) -> None:
    phone = phone_of(app)
    phone.dial()
    first = phone.press("1")
    assert (phone.repeat(), phone.repeat()) == (first, first)
    assert len(menu.requests) == 2


def test_a_wrong_secret_is_not_found_and_asks_nobody(app: Flask, menu: ScriptedMenu) -> None:
    reply = gateway(app, "/notify/sms/callback-secret-for-testz").send(
        "/ussd", {"sessionId": "1", "phoneNumber": AMINA}
    )
    assert reply.status == 404
    assert menu.requests == []


@pytest.mark.parametrize(
    "form",
    [
        {"sessionId": ""},
        {"sessionId": "x" * 101},
        {"sessionId": "a b"},
        {"sessionId": "\0"},
        {"phoneNumber": ""},
        {"phoneNumber": "SAFARICOM"},
        {"phoneNumber": "+999"},
        {"phoneNumber": "+2547" + "1" * 300},
        {"text": "1" * 501},
    ],
)
def test_a_form_that_is_none_of_the_gateways_ends_and_is_counted(
    app: Flask, menu: ScriptedMenu, valkey: redis.Redis, form: dict[str, str]
) -> None:
    with app.app_context():
        before = oddities().counts["bad USSD form"]
    reply = send(app, **form)
    assert (reply.status, reply.body, reply.content_type) == (200, REFUSED, "text/plain; charset=utf-8")
    with app.app_context():
        assert oddities().counts["bad USSD form"] == before + 1
    assert menu.requests == []
    assert valkey.keys("grocery:ussd:*") == []


def test_a_body_that_is_no_form_ends(app: Flask, menu: ScriptedMenu) -> None:
    answer = app.test_client().post("/notify/sms/callback-secret-for-tests/ussd", json={"sessionId": "1"})
    assert (answer.status_code, answer.text) == (200, REFUSED)


@pytest.mark.parametrize("keys", ["\0", "🥑", "ñ", "1\r\n2", "￿", "-1", "9" * 400, "*", "***"])
def test_anything_can_be_keyed_in(app: Flask, menu: ScriptedMenu, keys: str) -> None:
    assert send(app, text=keys).status == 200
    assert list(menu.requests[0].inputs) == [part.strip() for part in keys.split("*")]


@pytest.mark.parametrize("number", [AMINA, " 254712345678", "254712345678", "0712345678"])
def test_a_number_is_known_however_it_is_written(app: Flask, menu: ScriptedMenu, number: str) -> None:
    send(app, phoneNumber=number)
    assert menu.requests[0].phone == AMINA


def test_a_screen_that_is_too_long_is_cut_and_logged(
    app: Flask, menu: ScriptedMenu, caplog: pytest.LogCaptureFixture
) -> None:
    menu.script = lambda request: UssdAnswer("Ngũgĩ 🥑 " + "x" * 200)
    reply = send(app)
    assert reply.body == "CON Ngugi ? " + "x" * 172 + ".."
    assert [record.message for record in caplog.records] == [
        "a screen of the USSD session ATUid_1 was too long and has been cut"
    ]


def test_a_menu_that_fails_ends_with_an_apology_and_changes_nothing(
    app: Flask, menu: ScriptedMenu, run_sql: Sql, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_request: UssdRequest) -> UssdAnswer:
        db.session.execute(text("INSERT INTO suppressions (channel, address, reason) VALUES ('sms', '+1', 'stop')"))
        raise RuntimeError("a fault")

    menu.script = fail
    reply = send(app)
    assert (reply.status, reply.body) == (200, SORRY)
    assert run_sql("SELECT count(*) FROM suppressions") == [(0,)]
    [record] = caplog.records
    assert (record.message, AMINA in caplog.text) == ("a step of the USSD session ATUid_1 failed", False)


def test_the_apology_is_in_the_language_of_the_session(app: Flask, menu: ScriptedMenu) -> None:
    def answer(request: UssdRequest) -> UssdAnswer:
        if request.inputs:
            raise RuntimeError("a fault")
        return UssdAnswer("Karibu", language="sw")

    menu.script = answer
    assert send(app).body == "CON Karibu"
    assert send(app, text="1").body == SORRY_SW


def test_a_step_that_failed_is_tried_anew_when_it_is_sent_again(app: Flask, menu: ScriptedMenu) -> None:
    works = menu.script

    def fail(_request: UssdRequest) -> UssdAnswer:
        raise RuntimeError("a fault")

    menu.script = fail
    assert send(app).body == SORRY
    menu.script = works
    assert send(app).body == "CON You keyed in []"


def test_a_language_that_was_chosen_is_remembered_for_the_phone_only(
    app: Flask, menu: ScriptedMenu, valkey: redis.Redis
) -> None:
    menu.script = lambda request: UssdAnswer("Karibu", language="sw", is_language_chosen=True)
    send(app, sessionId="1")
    send(app, sessionId="2")
    send(app, sessionId="3", phoneNumber=STRANGER)
    assert [request.language for request in menu.requests] == [None, "sw", None]
    assert 89 < valkey.ttl(f"grocery:ussd:1:language:{AMINA}") / 86400 <= 90
    assert 170 < valkey.ttl(f"grocery:ussd:1:session:{AMINA}:1") <= 180


def test_a_language_that_was_only_spoken_is_not_remembered(app: Flask, menu: ScriptedMenu, valkey: redis.Redis) -> None:
    menu.script = lambda request: UssdAnswer("Karibu", language="sw")
    send(app)
    assert valkey.keys("grocery:ussd:1:language:*") == []


def test_a_session_is_its_phones_own(app: Flask, menu: ScriptedMenu) -> None:
    send(app)
    send(app, phoneNumber=STRANGER, text="1")
    assert menu.requests[1].state == {}


def test_what_does_not_follow_the_last_step_is_a_walk_from_the_start(app: Flask, menu: ScriptedMenu) -> None:
    for keys in ("", "1", "1*2", "11*2", "1"):
        send(app, text=keys)
    assert [request.state for request in menu.requests] == [{}, {"steps": 1}, {"steps": 2}, {}, {}]


def test_without_redis_each_step_is_a_walk_from_the_start(
    app: Flask, menu: ScriptedMenu, own_valkey: ValkeyProcess
) -> None:
    own_valkey.stop()
    phone = phone_of(app)
    phone.dial()
    assert phone.press("1") == "You keyed in ['1']"
    assert [(request.state, request.is_kept) for request in menu.requests] == [({}, False), ({}, False)]


@pytest.mark.parametrize("command", ["CONFIG SET maxmemory 1", "REPLICAOF 127.0.0.1 1"])
def test_a_redis_that_takes_nothing_is_none(
    app: Flask, menu: ScriptedMenu, own_valkey: ValkeyProcess, command: str
) -> None:
    """Otherwise each step would be a walk from the start that asks to confirm once more, without end."""
    own_valkey.client.execute_command(command)
    phone = phone_of(app)
    phone.dial()
    assert phone.press("1") == "You keyed in ['1']"
    assert [(request.state, request.is_kept) for request in menu.requests] == [({}, False), ({}, False)]


def test_a_redis_that_hangs_costs_less_than_a_second(app: Flask, menu: ScriptedMenu, own_valkey: ValkeyProcess) -> None:
    phone = phone_of(app)
    phone.dial()
    own_valkey.freeze()
    with within(1):
        assert phone.press("1") == "You keyed in ['1']"
    own_valkey.unfreeze()


def test_a_statement_that_waits_ends_in_time(app: Flask, menu: ScriptedMenu, hurried: None) -> None:
    def sleep(_request: UssdRequest) -> UssdAnswer:
        db.session.execute(text("SELECT pg_sleep(20)"))
        raise AssertionError("it was waited for")

    menu.script = sleep
    with within(2):
        assert send(app).body == SORRY


def test_many_statements_that_wait_end_together_in_time(app: Flask, menu: ScriptedMenu, hurried: None) -> None:
    menu.script = sleep_long
    with within(2):
        assert send(app).body == SORRY
    menu.script = lambda request: UssdAnswer("Back again")
    assert send(app, text="1").body == "CON Back again"


def sleep_long(_request: UssdRequest) -> UssdAnswer:
    for _ in range(200):
        db.session.execute(text("SELECT pg_sleep(0.1)"))
    raise AssertionError("they were waited for")


@pytest.mark.prove
def test_the_worst_of_all_steps_takes_less_than_five_seconds(
    app: Flask, menu: ScriptedMenu, own_valkey: ValkeyProcess
) -> None:
    menu.script = sleep_long
    own_valkey.freeze()
    with within(5):
        assert send(app).body == SORRY


@pytest.mark.prove
def test_a_menu_for_which_no_connection_comes_free_is_an_apology_in_time(
    app: Flask, menu: ScriptedMenu, own_valkey: ValkeyProcess, context: None
) -> None:
    own_valkey.freeze()
    with ExitStack() as stack:
        for _ in range(10):
            stack.enter_context(db.engine.connect())
        with within(5):
            assert send(app).body == SORRY
    assert menu.requests == []


def test_limits_end_with_the_step(app: Flask, menu: ScriptedMenu, context: None) -> None:
    send(app)
    with db.engine.connect() as connection:
        shown = [connection.scalar(text(f"SHOW {name}")) for name in ("statement_timeout", "lock_timeout")]
    assert shown == ["15s", "10s"]


def test_a_database_that_is_away_is_an_apology(settings: Settings, app: Flask) -> None:
    elsewhere = create_app(replace(settings, database_url="postgresql+psycopg2:///grocery?host=/nowhere"))
    with within(5):
        reply = send(elsewhere)
        assert (reply.status, reply.body) == (200, SORRY)


def test_the_route_is_described_with_its_form(app: Flask) -> None:
    operation = app.test_client().get("/openapi.json").json["paths"]["/notify/sms/{secret}/ussd"]["post"]
    form = operation["requestBody"]["content"]["application/x-www-form-urlencoded"]
    assert set(form["schema"]["properties"]) == {"sessionId", "phoneNumber", "networkCode", "serviceCode", "text"}
    assert operation["responses"]["200"]["content"]["text/plain"]["schema"] == {"type": "string"}
