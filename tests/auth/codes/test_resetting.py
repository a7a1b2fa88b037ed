"""POST /auth/password/forgot and /auth/password/reset."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import event
from werkzeug.test import TestResponse

from grocery.auth import passwords
from grocery.db import db
from tests.auth.codes.conftest import PHONE, LogIn, ReadSecret, wrong
from tests.auth.conftest import RunSql
from tests.auth.factories import PASSWORD, bearer, find_person, make_customer, sign_in, token_pair

NEW = "another long password"
EMAIL = "wanjiku@example.com"


def forget(client: FlaskClient, **address: str) -> TestResponse:
    return client.post("/auth/password/forgot", json=address)


def reset(client: FlaskClient, password: str = NEW, **proof: str) -> TestResponse:
    return client.post("/auth/password/reset", json={**proof, "password": password})


def log_in_with(client: FlaskClient, password: str) -> int:
    return client.post("/auth/login", json={"email": EMAIL, "password": password}).status_code


def test_reset_by_mail(client: FlaskClient, read_secret: ReadSecret, run_sql: RunSql) -> None:
    person = make_customer(email=EMAIL)
    pair = token_pair(person)
    assert forget(client, email="WANJIKU@example.com").status_code == 202
    token = read_secret(EMAIL)
    assert run_sql("SELECT expires_at - created_at = interval '30 minutes', customer_id FROM one_time_codes") == [
        (True, person.id)
    ]
    done = reset(client, token=token)
    assert (done.status_code, done.data) == (204, b"")
    assert (log_in_with(client, PASSWORD), log_in_with(client, NEW)) == (401, 200)
    assert client.get("/auth/me", headers=bearer(pair.access_token)).json["code"] == "token_revoked"
    assert client.post("/auth/refresh", headers=bearer(pair.refresh_token)).status_code == 401
    changed = find_person(person.id)
    assert changed is not None
    assert changed.is_email_verified
    told = "SELECT channel, recipient FROM notifications WHERE event = 'account_changed'"
    assert run_sql(told) == [("email", EMAIL)]


def test_mail_has_the_link(client: FlaskClient, run_sql: RunSql, read_secret: ReadSecret) -> None:
    make_customer(email=EMAIL, name="Click evil.example")
    forget(client, email=EMAIL)
    [(body,)] = run_sql("SELECT body FROM notifications")
    assert f"\n{read_secret(EMAIL)}\n" in body
    assert "evil.example" not in body


def test_mail_of_a_shop_without_an_address_has_the_token_alone(
    client: FlaskClient, app: Flask, run_sql: RunSql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "SHOP_URL", "")
    make_customer(email=EMAIL)
    forget(client, email=EMAIL)
    [(body,)] = run_sql("SELECT body FROM notifications")
    found = re.search(r"use this code:\n\n([\w-]{43})\n", body)
    assert found, body
    assert "http" not in body
    assert reset(client, token=found[1]).status_code == 204


def test_token_is_good_once(client: FlaskClient, read_secret: ReadSecret) -> None:
    make_customer(email=EMAIL)
    forget(client, email=EMAIL)
    token = read_secret(EMAIL)
    assert reset(client, token=token).status_code == 204
    again = reset(client, "yet another password", token=token)
    assert (again.status_code, again.json["code"]) == (401, "invalid_code")
    assert log_in_with(client, NEW) == 200


def test_token_sent_twice_at_once_resets_once(
    client: FlaskClient, read_secret: ReadSecret, at_once: Callable[..., list[TestResponse]]
) -> None:
    make_customer(email=EMAIL)
    forget(client, email=EMAIL)
    token = read_secret(EMAIL)
    bodies = [{"token": token, "password": f"{NEW} {number}"} for number in range(3)]
    answers = at_once(*[{"path": "/auth/password/reset", "method": "POST", "json": body} for body in bodies])
    assert sorted(answer.status_code for answer in answers) == [204, 401, 401]


@pytest.mark.parametrize("password", ["wanjiku kamau", EMAIL, "password", "short"])
def test_weak_password_leaves_the_token_good(client: FlaskClient, read_secret: ReadSecret, password: str) -> None:
    make_customer(email=EMAIL)
    forget(client, email=EMAIL)
    token = read_secret(EMAIL)
    weak = reset(client, password, token=token)
    assert (weak.status_code, list(weak.json["errors"])) == (422, ["password"])
    assert log_in_with(client, PASSWORD) == 200
    assert reset(client, token=token).status_code == 204


@pytest.mark.parametrize("kind", ["unknown", "expired", "replaced", "of another use", "address changed", "deactivated"])
def test_refused_tokens(client: FlaskClient, read_secret: ReadSecret, run_sql: RunSql, kind: str) -> None:
    person = make_customer(email=EMAIL)
    forget(client, email=EMAIL)
    token = read_secret(EMAIL)
    if kind == "unknown":
        token = token[::-1]
    elif kind == "expired":
        run_sql("UPDATE one_time_codes SET expires_at = now()")
    elif kind == "replaced":
        forget(client, email=EMAIL)
    elif kind == "of another use":
        client.post("/auth/email", json={"email": EMAIL}, headers=sign_in(person))
        token = read_secret(EMAIL)
    elif kind == "address changed":
        run_sql("UPDATE customers SET email = 'new@example.com'")
    else:
        run_sql("UPDATE customers SET is_active = false")
    before = run_sql("SELECT password_hash FROM customers")
    answer = reset(client, token=token)
    assert (answer.status_code, answer.json["code"]) == (401, "invalid_code")
    assert run_sql("SELECT password_hash FROM customers") == before


def test_reset_by_phone_gives_a_first_password(
    client: FlaskClient, send_code: ReadSecret, log_in: LogIn, read_secret: ReadSecret
) -> None:
    log_in(send_code())
    assert forget(client, phone="0712345678").status_code == 202
    code = read_secret(PHONE)
    refused = reset(client, phone=PHONE, code=wrong(code))
    assert (refused.status_code, refused.json["code"]) == (401, "invalid_code")
    assert reset(client, phone=PHONE, code=code).status_code == 204
    assert client.post("/auth/login", json={"email": PHONE, "password": NEW}).status_code == 200


def test_sms_code_has_five_tries_and_is_no_token(client: FlaskClient, read_secret: ReadSecret) -> None:
    make_customer(phone=PHONE, is_phone_verified=True)
    forget(client, phone=PHONE)
    code = read_secret(PHONE)
    assert reset(client, token=code).status_code == 401
    for _ in range(5):
        assert reset(client, phone=PHONE, code=wrong(code)).status_code == 401
    assert reset(client, phone=PHONE, code=code).status_code == 401


def test_sign_in_code_resets_no_password(client: FlaskClient, send_code: ReadSecret) -> None:
    make_customer(phone=PHONE, is_phone_verified=True)
    forget(client, phone=PHONE)
    assert reset(client, phone=PHONE, code=send_code()).status_code == 401


def test_unverified_phone_gets_no_code(client: FlaskClient, run_sql: RunSql) -> None:
    make_customer(phone=PHONE)
    assert forget(client, phone=PHONE).status_code == 202
    assert run_sql("SELECT count(*) FROM notifications") == [(0,)]


class CountingHasher:
    def __init__(self, real: Any):
        self.count = 0
        self._real = real

    def __getattr__(self, name: str) -> Any:
        self.count += 1
        return getattr(self._real, name)


@pytest.mark.parametrize("way", ["email", "phone"])
def test_known_and_unknown_get_the_same_answer_and_the_same_work(
    client: FlaskClient, run_sql: RunSql, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    addresses = {"email": [EMAIL, "unknown@example.com"], "phone": [PHONE, "+254722000999"]}[way]
    make_customer(email=EMAIL, phone=PHONE, is_phone_verified=True)
    hasher = CountingHasher(passwords._hasher)
    monkeypatch.setattr(passwords, "_hasher", hasher)
    seen: list[str] = []
    for engine in (db.engine, client.application.extensions["reads"]):
        event.listen(engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
    forget(client, **{way: addresses[0]})  # what is done once in a process only is behind us
    answers, statements = [], []
    for address in addresses:
        seen.clear()
        answers.append(forget(client, **{way: address}))
        statements.append([line for line in seen if "SAVEPOINT" not in line])
    assert {(answer.status_code, *map(len, answer.json)) for answer in answers} in ({(202,)}, {(202, 13)})
    assert {len(answer.data) for answer in answers} == {len(answers[0].data)}
    assert statements[0] == statements[1] != []
    assert hasher.count == 0
    assert run_sql("SELECT DISTINCT recipient FROM notifications") == [(addresses[0],)]
    assert run_sql("SELECT target, count(*) FROM one_time_codes GROUP BY target ORDER BY 2") == [
        (addresses[1], 1),
        (addresses[0], 2),
    ]


def test_budget_of_mails_does_not_tell_who_has_an_account(client: FlaskClient) -> None:
    make_customer(email=EMAIL)
    for address in (EMAIL, "unknown@example.com"):
        statuses = [forget(client, email=address).status_code for _ in range(11)]
        assert statuses == [202] * 10 + [429]


def test_account_made_with_a_strangers_address_cannot_be_kept(
    client: FlaskClient, read_secret: ReadSecret, send_code: ReadSecret, log_in: LogIn
) -> None:
    """An attacker makes the account before its owner does, and verifies a phone of their own on it."""
    person = make_customer(email=EMAIL, phone=PHONE, is_phone_verified=True)
    attacker = sign_in(person)
    forget(client, email=EMAIL)
    assert reset(client, token=read_secret(EMAIL)).status_code == 204
    assert client.get("/auth/me", headers=attacker).status_code == 401
    token = log_in(send_code()).json["access_token"]
    assert client.get("/auth/me", headers=bearer(token)).json["id"] != person.id


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"email": EMAIL, "phone": PHONE},
        {"email": "no address"},
        {"email": None},
        {"phone": "+254203674000"},
        {"email": EMAIL, "role": "admin"},
    ],
)
def test_refused_requests_for_a_password(client: FlaskClient, run_sql: RunSql, body: dict[str, Any]) -> None:
    assert client.post("/auth/password/forgot", json=body).status_code == 422
    assert run_sql("SELECT count(*) FROM one_time_codes") == [(0,)]


@pytest.mark.parametrize(
    "proof", [{}, {"phone": PHONE}, {"code": "123456"}, {"token": "x", "phone": PHONE, "code": "123456"}, {"token": ""}]
)
def test_refused_resets(client: FlaskClient, proof: dict[str, str]) -> None:
    assert reset(client, **proof).status_code == 422
