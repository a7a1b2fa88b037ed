"""POST /auth/otp: what is sent, to whom, and how often."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from werkzeug.test import TestResponse

from grocery.db import db
from tests.auth.codes.conftest import OTHER_PHONE, PHONE, ReadSecret
from tests.auth.conftest import RunSql
from tests.auth.factories import make_customer, sign_in


def ask(client: FlaskClient, phone: str = PHONE) -> TestResponse:
    return client.post("/auth/otp", json={"phone": phone})


@pytest.mark.parametrize("phone", ["+254712345678", "0712345678", "0712 345 678", "254712345678", "٠٧١٢٣٤٥٦٧٨"])
def test_code_goes_out_by_sms(client: FlaskClient, run_sql: RunSql, read_secret: ReadSecret, phone: str) -> None:
    answer = ask(client, phone)
    assert (answer.status_code, list(answer.json), answer.headers["Cache-Control"]) == (
        202,
        ["request_token"],
        "no-store",
    )
    assert len(answer.json["request_token"]) == 43
    code = read_secret(PHONE)
    assert run_sql("SELECT channel, event, recipient, body, priority, is_needed, customer_id FROM notifications") == [
        (
            "sms",
            "sign_in_code",
            PHONE,
            f"{code} is your sign-in code for Test Grocer. It works for 5 minutes. Give it to nobody, not even to us.",
            0,
            True,
            None,
        )
    ]
    assert run_sql("""
        SELECT purpose, target, customer_id, tries_left, used_at, expires_at - created_at = interval '5 minutes'
        FROM one_time_codes
    """) == [("sign_in", PHONE, None, 5, None, True)]


def test_what_is_kept_does_not_show_the_code(client: FlaskClient, run_sql: RunSql, read_secret: ReadSecret) -> None:
    answer = ask(client)
    [(kept,)] = run_sql("SELECT one_time_codes::text FROM one_time_codes")
    assert read_secret(PHONE) not in kept
    assert answer.json["request_token"] not in kept


def test_code_comes_in_the_owners_language(client: FlaskClient, run_sql: RunSql) -> None:
    person = make_customer(phone=PHONE, is_phone_verified=True)
    run_sql("UPDATE customers SET language = 'sw'")
    ask(client)
    [(body, customer_id)] = run_sql("SELECT body, customer_id FROM notifications")
    assert ("nambari yako ya kuingia" in body, customer_id) == (True, person.id)


def test_phone_with_an_account_and_without_gets_the_same_answer_and_work(client: FlaskClient) -> None:
    make_customer(phone=PHONE, is_phone_verified=True)
    make_customer(phone="+254733000222")
    seen: list[str] = []
    for engine in (db.engine, client.application.extensions["reads"]):
        event.listen(engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
    answers, statements = [], []
    ask(client, "+254711999888")  # what is done once in a process only is behind us
    for phone in (PHONE, "+254733000222", OTHER_PHONE):
        seen.clear()
        answers.append(ask(client, phone))
        statements.append(list(seen))
    assert {(answer.status_code, *answer.json, len(answer.data)) for answer in answers} == {(202, "request_token", 63)}
    assert statements[0] == statements[1] == statements[2] != []


@pytest.mark.parametrize(
    "phone",
    [
        "+254203674000",
        "0900123456",
        "+447400000",
        "+18005550100",
        "+882161234567",
        "112",
        "",
        "x",
        None,
    ],
)
def test_nothing_is_sent_to_what_is_no_mobile_phone(client: FlaskClient, run_sql: RunSql, phone: Any) -> None:
    answer = client.post("/auth/otp", json={"phone": phone})
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["phone"])
    assert run_sql("SELECT (SELECT count(*) FROM one_time_codes), (SELECT count(*) FROM notifications)") == [(0, 0)]


def test_number_gets_ten_codes_a_day_for_all_purposes(client: FlaskClient, run_sql: RunSql) -> None:
    make_customer(phone=PHONE, is_phone_verified=True)
    for _ in range(9):
        assert ask(client).status_code == 202
    assert client.post("/auth/password/forgot", json={"phone": PHONE}).status_code == 202
    for path in ("/auth/otp", "/auth/password/forgot"):
        refused = client.post(path, json={"phone": PHONE})
        assert (refused.status_code, refused.json["code"]) == (429, "code_budget_used_up")
        assert 86_000 < int(refused.headers["Retry-After"]) <= 86_400
    assert run_sql("SELECT count(*) FROM notifications") == [(10,)]
    assert ask(client, OTHER_PHONE).status_code == 202
    run_sql(
        "UPDATE one_time_codes SET created_at = created_at - interval '1 day' WHERE id IN "
        "(SELECT min(id) FROM one_time_codes)"
    )
    assert ask(client).status_code == 202
    assert ask(client).status_code == 429


def test_requests_at_once_do_not_pass_the_budget_or_leave_two_live_codes(
    client: FlaskClient, at_once: Callable[..., list[TestResponse]], run_sql: RunSql
) -> None:
    for _ in range(8):
        ask(client)
    answers = at_once(*[{"path": "/auth/otp", "method": "POST", "json": {"phone": PHONE}}] * 6)
    assert sorted(answer.status_code for answer in answers) == [202, 202, 429, 429, 429, 429]
    assert run_sql("SELECT count(*) FROM one_time_codes") == [(10,)]
    # Those before the newest live on for who has their request tokens only.
    assert run_sql("SELECT count(*), count(request_hash) FROM one_time_codes WHERE expires_at > now()") == [(10, 10)]


def test_number_may_be_asked_for_as_often_as_the_limit_says(
    client: FlaskClient, app: Flask, run_sql: RunSql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "RATE_LIMIT_OTP", "2/hour")
    answers = [ask(client, phone) for phone in (PHONE, "0712345678", "0712 345678", OTHER_PHONE)]
    assert [answer.status_code for answer in answers] == [202, 202, 429, 202]
    assert (answers[2].json["code"], int(answers[2].headers["Retry-After"]) > 3500) == ("too_many_requests", True)
    assert run_sql("SELECT count(*) FROM one_time_codes") == [(3,)]


@pytest.fixture
def small_budget(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "CODES_PER_DAY", 20)


def test_shop_sends_no_more_than_its_budget_and_admins_hear_of_it_once(
    client: FlaskClient, run_sql: RunSql, small_budget: None
) -> None:
    for number in range(16):
        assert ask(client, f"+2547120000{number:02}").status_code == 202
    for _ in range(3):
        refused = ask(client)
        assert (refused.status_code, refused.json["code"]) == (503, "codes_used_up")
    assert run_sql("SELECT count(*) FROM notifications WHERE recipient = :phone", phone=PHONE) == [(0,)]
    [(recipient, subject)] = run_sql("SELECT recipient, subject FROM notifications WHERE event = 'codes_used_up'")
    assert (recipient, subject) == ("owner@shop.example", "No more sign-in codes go out by SMS today")


def test_pumping_abroad_leaves_the_codes_of_the_country(
    client: FlaskClient, run_sql: RunSql, small_budget: None
) -> None:
    assert ask(client, "+447400123456").status_code == 202
    assert ask(client, "+447400123457").status_code == 202
    assert (ask(client, "+447400123458").json["code"], ask(client).status_code) == ("codes_used_up", 202)
    assert run_sql("SELECT subject FROM notifications WHERE event = 'codes_used_up'") == [
        ("No more sign-in codes go to other countries today",)
    ]


def test_admins_do_not_see_codes_among_what_was_sent(client: FlaskClient, read_secret: ReadSecret) -> None:
    ask(client)
    shown = client.get("/notifications/", headers=sign_in(make_customer(role="admin")))
    assert [message["event"] for message in shown.json] == ["sign_in_code"]
    assert read_secret(PHONE) not in shown.text
