"""POST /auth/login and /auth/logout."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jwt as pyjwt
import pytest
import redis
from argon2 import PasswordHasher, extract_parameters
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from grocery.auth import passwords
from grocery.config import Settings
from grocery.db import db
from tests.auth.conftest import RunSql
from tests.auth.factories import PASSWORD, bearer, make_customer, token_pair
from tests.waiting import wait_until


def log_in(client: FlaskClient, email: str, password: str = PASSWORD) -> TestResponse:
    return client.post("/auth/login", json={"email": email, "password": password})


class RecordingHasher:
    """Notes the cost of each verification, and how many database connections are held during it."""

    def __init__(self, app: Flask):
        self.costs: list[tuple[int, int, int]] = []
        self.held: list[int] = []
        self._pools: list[Any] = [db.engine.pool, app.extensions["reads"].pool]
        self._real = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

    def verify(self, password_hash: str, password: str) -> bool:
        parameters = extract_parameters(password_hash)
        self.costs.append((parameters.time_cost, parameters.memory_cost, parameters.parallelism))
        self.held.append(sum(pool.checkedout() for pool in self._pools))
        return self._real.verify(password_hash, password)

    def check_needs_rehash(self, password_hash: str) -> bool:
        return self._real.check_needs_rehash(password_hash)


@pytest.fixture
def hasher(app: Flask, context: None, monkeypatch: pytest.MonkeyPatch) -> RecordingHasher:
    recording = RecordingHasher(app)
    monkeypatch.setattr(passwords, "_hasher", recording)
    return recording


def test_login_answers_a_pair_that_works(client: FlaskClient) -> None:
    person = make_customer()
    response = log_in(client, person.email or "")
    assert response.status_code == 200
    assert response.headers["Cache-Control"] == "no-store"
    assert sorted(response.json) == ["access_token", "expires_in", "refresh_token", "token_type"]
    assert (response.json["token_type"], response.json["expires_in"]) == ("Bearer", 900)
    me = client.get("/auth/me", headers=bearer(response.json["access_token"]))
    assert (me.status_code, me.json["id"]) == (200, person.id)


def test_tokens_say_whose_they_are_and_for_how_long(client: FlaskClient) -> None:
    person = make_customer()
    pair = log_in(client, person.email or "").json
    access, refresh = (
        pyjwt.decode(pair[name], options={"verify_signature": False}) for name in ("access_token", "refresh_token")
    )
    assert access["sub"] == refresh["sub"] == str(person.id)
    assert access["fam"] == refresh["fam"]
    assert access["jti"] != refresh["jti"]
    assert (access["type"], refresh["type"]) == ("access", "refresh")
    assert access["exp"] - access["iat"] == 15 * 60
    assert refresh["exp"] - refresh["iat"] == 30 * 24 * 3600
    assert "role" not in access
    assert pyjwt.get_unverified_header(pair["access_token"]) == {"alg": "HS256", "kid": "test", "typ": "JWT"}


@pytest.mark.parametrize("email", ["WANJIKU@example.com", "  wanjiku@Example.com "])
def test_case_and_spaces_do_not_matter_in_the_email(client: FlaskClient, email: str) -> None:
    make_customer(email="wanjiku@example.com")
    assert log_in(client, email).status_code == 200


@pytest.mark.parametrize("phone", ["+254712345678", "0712345678", "0712 345 678", "254712345678"])
def test_verified_phone_signs_in(client: FlaskClient, phone: str) -> None:
    person = make_customer(phone="+254712345678", is_phone_verified=True)
    make_customer(phone="+254712345678", password="another password")
    response = log_in(client, phone)
    assert response.status_code == 200
    me = client.get("/auth/me", headers=bearer(response.json["access_token"]))
    assert me.json["id"] == person.id


def test_all_refusals_are_the_same_answer_and_the_same_work(client: FlaskClient, hasher: RecordingHasher) -> None:
    make_customer(email="known@example.com", phone="+254712345678")
    make_customer(email="gone@example.com", is_active=False)
    make_customer(email="code-only@example.com", password=None)
    attempts = [
        ("known@example.com", "wrong password"),
        ("unknown@example.com", PASSWORD),
        ("gone@example.com", PASSWORD),
        ("code-only@example.com", PASSWORD),
        ("0712345678", PASSWORD),
        ("0799000000", PASSWORD),
        ("neither", PASSWORD),
        ("\u00e9@", PASSWORD),
    ]
    answers = [log_in(client, email, password) for email, password in attempts]
    assert {answer.status_code for answer in answers} == {401}
    assert {answer.headers["WWW-Authenticate"] for answer in answers} == {"Bearer"}
    assert {answer.data for answer in answers} == {answers[0].data}
    assert answers[0].json["code"] == "invalid_credentials"
    assert hasher.costs == [(2, 19 * 1024, 1)] * len(attempts)


def test_no_connection_is_held_while_the_password_is_verified(client: FlaskClient, hasher: RecordingHasher) -> None:
    assert log_in(client, make_customer().email or "").status_code == 200
    assert log_in(client, "unknown@example.com").status_code == 401
    assert hasher.held == [0, 0]


def test_refused_login_leaves_nothing_behind(client: FlaskClient, run_sql: RunSql) -> None:
    log_in(client, make_customer().email or "", "wrong password")
    assert run_sql("SELECT count(*) FROM token_families") == [(0,)]


def test_hash_of_old_parameters_is_replaced_at_the_next_login(client: FlaskClient, run_sql: RunSql) -> None:
    person = make_customer()
    old = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    run_sql("UPDATE customers SET password_hash = :old", old=old)
    assert log_in(client, person.email or "").status_code == 200
    [(new,)] = run_sql("SELECT password_hash FROM customers")
    assert extract_parameters(new).memory_cost == 19 * 1024
    assert log_in(client, person.email or "").status_code == 200
    assert run_sql("SELECT password_hash FROM customers") == [(new,)]


def test_login_cannot_slip_past_a_change_of_the_password(client: FlaskClient, app: Flask, run_sql: RunSql) -> None:
    person = make_customer()

    def log_in_meanwhile() -> TestResponse:
        return log_in(app.test_client(), person.email or "")

    def login_waits() -> bool:
        return run_sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") == [(1,)]

    with ThreadPoolExecutor(1) as pool, db.engine.connect() as change:
        change.execute(text("SELECT id FROM customers FOR UPDATE"))
        answer = pool.submit(log_in_meanwhile)
        wait_until(login_waits)
        change.execute(text("UPDATE customers SET password_hash = 'another'"))
        change.commit()
        assert answer.result(timeout=60).json["code"] == "invalid_credentials"
    assert run_sql("SELECT count(*) FROM token_families") == [(0,)]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", None),
        ("email", ""),
        ("email", "x" * 255),
        ("email", "a\x00b@example.com"),
        ("email", {"$ne": None}),
        ("password", None),
        ("password", ""),
        ("password", "x" * 129),
        ("password", "\x00"),
        ("password", True),
        ("remember", True),
    ],
)
def test_refused_fields(client: FlaskClient, field: str, value: Any) -> None:
    response = client.post("/auth/login", json={"email": "a@example.com", "password": PASSWORD, field: value})
    assert (response.status_code, list(response.json["errors"])) == (422, [field])


def test_logout_kills_the_access_token_and_the_refresh_token(client: FlaskClient) -> None:
    pair = token_pair(make_customer())
    response = client.post("/auth/logout", headers=bearer(pair.access_token))
    assert (response.status_code, response.data) == (204, b"")
    for method, path in (("GET", "/auth/me"), ("POST", "/auth/logout"), ("GET", "/auth/users")):
        again = client.open(path, method=method, headers=bearer(pair.access_token))
        assert (again.status_code, again.json["code"]) == (401, "token_revoked")
    refresh = client.post("/auth/refresh", headers=bearer(pair.refresh_token))
    assert (refresh.status_code, refresh.json["code"]) == (401, "token_revoked")


def test_logout_kills_what_came_of_the_same_login_and_nothing_else(client: FlaskClient) -> None:
    person = make_customer()
    first, other_device = token_pair(person), token_pair(person)
    second = client.post("/auth/refresh", headers=bearer(first.refresh_token)).json
    assert client.post("/auth/logout", headers=bearer(second["access_token"])).status_code == 204
    assert client.get("/auth/me", headers=bearer(first.access_token)).json["code"] == "token_revoked"
    assert client.get("/auth/me", headers=bearer(other_device.access_token)).status_code == 200
    assert client.post("/auth/refresh", headers=bearer(other_device.refresh_token)).status_code == 200


def test_logout_outlives_redis(client: FlaskClient, settings: Settings) -> None:
    pair = token_pair(make_customer())
    client.post("/auth/logout", headers=bearer(pair.access_token))
    redis.Redis.from_url(settings.redis_url or "").flushall()
    assert client.get("/auth/me", headers=bearer(pair.access_token)).json["code"] == "token_revoked"


def test_logout_needs_an_access_token(client: FlaskClient, run_sql: RunSql) -> None:
    pair = token_pair(make_customer())
    assert client.post("/auth/logout").status_code == 401
    assert client.post("/auth/logout", headers=bearer(pair.refresh_token)).status_code == 401
    assert run_sql("SELECT count(*) FROM token_blocklist") == [(0,)]


def test_logout_of_a_person_who_is_deleted_meanwhile(client: FlaskClient, app: Flask, run_sql: RunSql) -> None:
    headers = bearer(token_pair(make_customer()).access_token)

    def log_out_meanwhile() -> TestResponse:
        return app.test_client().post("/auth/logout", headers=headers)

    def logout_waits() -> bool:
        return run_sql("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'") == [(1,)]

    with ThreadPoolExecutor(1) as pool, db.engine.connect() as deletion:
        deletion.execute(text("DELETE FROM customers"))
        answer = pool.submit(log_out_meanwhile)
        wait_until(logout_waits)
        deletion.commit()
        assert answer.result(timeout=60).status_code == 401
    assert run_sql("SELECT count(*) FROM token_blocklist") == [(0,)]
    assert client.get("/auth/me", headers=headers).status_code == 401
