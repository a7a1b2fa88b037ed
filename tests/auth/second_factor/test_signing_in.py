"""POST /auth/login of people with a second factor, and those who want to get past it."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from grocery.auth.people import Person
from grocery.auth.second_factor.tries import MOST_WRONG_CODES
from tests.auth.conftest import RunSql
from tests.auth.factories import PASSWORD, bearer, make_customer, sign_in
from tests.auth.second_factor.factories import Factor, turn_on_totp


@pytest.fixture
def person(context: None) -> Person:
    return make_customer(email="amina@shop.example", role="admin")


@pytest.fixture
def factor(person: Person) -> Factor:
    return turn_on_totp(person)


LogIn = Callable[..., TestResponse]


@pytest.fixture
def log_in(client: FlaskClient, factor: Factor) -> LogIn:
    def send(**body: Any) -> TestResponse:
        return client.post("/auth/login", json={"email": "amina@shop.example", "password": PASSWORD, **body})

    return send


def refusal(answer: TestResponse) -> tuple[int, str]:
    return answer.status_code, answer.json["code"]


def sign_ins(run_sql: RunSql) -> int:
    return int(run_sql("SELECT count(*) FROM token_families")[0][0])


def test_the_password_alone_is_not_enough(log_in: LogIn, run_sql: RunSql) -> None:
    answer = log_in()
    assert refusal(answer) == (401, "totp_required")
    assert "access_token" not in answer.json
    assert sign_ins(run_sql) == 0
    assert run_sql("SELECT count(*) FROM audit_log WHERE action = 'signed_in'") == [(0,)]


def test_with_the_code_of_the_app(client: FlaskClient, log_in: LogIn, factor: Factor) -> None:
    answer = log_in(totp=factor.code())
    assert answer.status_code == 200
    assert client.get("/auth/me", headers=bearer(answer.json["access_token"])).json["email"] == "amina@shop.example"


def test_with_the_verified_phone_too(client: FlaskClient, context: None) -> None:
    person = make_customer(phone="+254712345678", is_phone_verified=True)
    factor = turn_on_totp(person)
    body = {"email": "0712 345678", "password": PASSWORD}
    assert refusal(client.post("/auth/login", json=body)) == (401, "totp_required")
    assert client.post("/auth/login", json={**body, "totp": factor.code()}).status_code == 200


def test_a_code_by_sms_alone_is_not_enough_and_stays_good(client: FlaskClient, context: None, run_sql: RunSql) -> None:
    factor = turn_on_totp(make_customer(phone="+254712345678", is_phone_verified=True))
    client.post("/auth/otp", json={"phone": "0712345678"})
    [(text,)] = run_sql("SELECT body FROM notifications WHERE event = 'sign_in_code'")
    body = {"phone": "0712345678", "code": text[:6]}
    assert refusal(client.post("/auth/otp/login", json=body)) == (401, "totp_required")
    wrong = client.post("/auth/otp/login", json={**body, "totp": factor.wrong_code()})
    assert wrong.status_code == 401
    assert sign_ins(run_sql) == 0
    assert run_sql("SELECT count(*) FROM audit_log WHERE action = 'second_factor_failed'") == [(1,)]
    assert client.post("/auth/otp/login", json={**body, "totp": factor.code()}).status_code == 200


def test_without_the_right_password_nobody_learns_of_the_second_factor(
    log_in: LogIn, factor: Factor, run_sql: RunSql
) -> None:
    assert refusal(log_in(password="wrong")) == (401, "invalid_credentials")
    assert refusal(log_in(password="wrong", totp=factor.code())) == (401, "invalid_credentials")
    assert refusal(log_in(password="wrong", recovery_code=factor.recovery_codes[0])) == (401, "invalid_credentials")
    assert run_sql("SELECT count(*) FROM recovery_codes WHERE used_at IS NOT NULL") == [(0,)]
    assert log_in(totp=factor.code()).status_code == 200


def test_a_wrong_code_looks_like_a_wrong_password(log_in: LogIn, factor: Factor, run_sql: RunSql) -> None:
    wrong_code, wrong_password = log_in(totp=factor.wrong_code()), log_in(password="wrong")
    assert (wrong_code.status_code, wrong_code.json) == (wrong_password.status_code, wrong_password.json)
    assert sign_ins(run_sql) == 0


@pytest.mark.parametrize("steps", [-1, 1])
def test_a_clock_may_be_one_step_off(log_in: LogIn, factor: Factor, steps: int, run_sql: RunSql) -> None:
    run_sql("UPDATE second_factors SET last_step = NULL")
    assert log_in(totp=factor.code(steps=steps)).status_code == 200


@pytest.mark.parametrize("steps", [-3, 3, 2880])
def test_a_clock_that_is_further_off_is_refused(log_in: LogIn, factor: Factor, steps: int, run_sql: RunSql) -> None:
    run_sql("UPDATE second_factors SET last_step = NULL")
    assert refusal(log_in(totp=factor.code(steps=steps))) == (401, "invalid_credentials")


def test_a_code_is_good_once(log_in: LogIn, factor: Factor, run_sql: RunSql) -> None:
    code = factor.code()
    assert log_in(totp=code).status_code == 200
    assert refusal(log_in(totp=code)) == (401, "invalid_credentials")
    assert sign_ins(run_sql) == 1


def test_the_code_that_turned_it_on_does_not_sign_in(log_in: LogIn, factor: Factor) -> None:
    assert refusal(log_in(totp=factor.code(steps=0))) == (401, "invalid_credentials")


def test_an_older_code_is_void_once_a_newer_one_was_used(log_in: LogIn, factor: Factor, run_sql: RunSql) -> None:
    run_sql("UPDATE second_factors SET last_step = NULL")
    older = factor.code(steps=0)
    assert log_in(totp=factor.code(steps=1)).status_code == 200
    assert refusal(log_in(totp=older)) == (401, "invalid_credentials")


def test_one_code_sent_twice_at_once_signs_in_once(
    factor: Factor, at_once: Callable[..., list[TestResponse]], run_sql: RunSql
) -> None:
    assert statuses_at_once(at_once, totp=factor.code()) == [200, 401, 401]
    assert sign_ins(run_sql) == 1


def test_one_recovery_code_sent_twice_at_once_signs_in_once(
    factor: Factor, at_once: Callable[..., list[TestResponse]], run_sql: RunSql
) -> None:
    assert statuses_at_once(at_once, recovery_code=factor.recovery_codes[0]) == [200, 401, 401]
    assert sign_ins(run_sql) == 1
    assert run_sql("SELECT count(*) FROM recovery_codes WHERE used_at IS NOT NULL") == [(1,)]


def statuses_at_once(at_once: Callable[..., list[TestResponse]], **proof: str) -> list[int]:
    body = {"email": "amina@shop.example", "password": PASSWORD, **proof}
    request = {"path": "/auth/login", "method": "POST", "json": body}
    return sorted(answer.status_code for answer in at_once(request, request, request))


def test_each_recovery_code_signs_in_once(log_in: LogIn, factor: Factor) -> None:
    for code in factor.recovery_codes[:2]:
        assert log_in(recovery_code=code).status_code == 200
        assert refusal(log_in(recovery_code=code)) == (401, "invalid_credentials")


def test_a_recovery_code_may_be_typed_in_capitals_and_without_hyphens(log_in: LogIn, factor: Factor) -> None:
    assert log_in(recovery_code=factor.recovery_codes[0].upper().replace("-", "")).status_code == 200


def test_recovery_codes_of_another_person_are_no_use(log_in: LogIn, factor: Factor, run_sql: RunSql) -> None:
    other = turn_on_totp(make_customer())
    assert refusal(log_in(recovery_code=other.recovery_codes[0])) == (401, "invalid_credentials")
    assert refusal(log_in(totp=other.code())) == (401, "invalid_credentials")
    assert run_sql("SELECT count(*) FROM recovery_codes WHERE used_at IS NOT NULL") == [(0,)]


@pytest.mark.parametrize(
    "proof",
    [
        {"totp": ""},
        {"totp": None},
        {"totp": 123456},
        {"totp": ["123456"]},
        {"totp": "１２３４５６"},
        {"recovery_code": ""},
    ],
)
def test_what_is_no_code_is_refused(log_in: LogIn, proof: dict[str, Any], run_sql: RunSql) -> None:
    assert log_in(**proof).status_code == 422
    assert sign_ins(run_sql) == 0


def test_who_has_no_second_factor_may_send_a_code(client: FlaskClient, context: None) -> None:
    person = make_customer()
    body = {"email": person.email, "password": PASSWORD, "totp": "123456"}
    assert client.post("/auth/login", json=body).status_code == 200


def test_guessing_ends_after_ten_wrong_codes(log_in: LogIn, factor: Factor, run_sql: RunSql) -> None:
    for _ in range(MOST_WRONG_CODES):
        assert refusal(log_in(totp=factor.wrong_code())) == (401, "invalid_credentials")
    for proof in ({"totp": factor.code()}, {"recovery_code": factor.recovery_codes[0]}):
        answer = log_in(**proof)
        assert refusal(answer) == (429, "too_many_requests")
        assert 3500 < int(answer.headers["Retry-After"]) <= 3600
    assert sign_ins(run_sql) == 0
    assert run_sql("SELECT count(*) FROM recovery_codes WHERE used_at IS NOT NULL") == [(0,)]


def test_guessing_does_not_go_on_with_a_token(
    client: FlaskClient, person: Person, log_in: LogIn, factor: Factor, run_sql: RunSql
) -> None:
    headers = sign_in(person)
    for _ in range(MOST_WRONG_CODES):
        answer = client.delete("/auth/totp", json={"code": factor.wrong_code()}, headers=headers)
        assert refusal(answer) == (403, "wrong_code")
    answer = client.delete("/auth/totp", json={"code": factor.code()}, headers=headers)
    assert refusal(answer) == (429, "too_many_requests")
    assert refusal(log_in(totp=factor.code())) == (429, "too_many_requests")
    assert run_sql("SELECT count(*) FROM second_factors") == [(1,)]


def test_after_an_hour_codes_are_taken_again(
    client: FlaskClient, person: Person, log_in: LogIn, factor: Factor, run_sql: RunSql
) -> None:
    run_sql(
        "INSERT INTO audit_log (at, actor_role, action, subject_type, subject_id) SELECT now() - interval '61 minutes',"
        " 'visitor', 'second_factor_failed', 'customer', :id FROM generate_series(1, 10)",
        id=person.id,
    )
    assert log_in(totp=factor.code()).status_code == 200


def test_a_stranger_without_the_password_keeps_nobody_out(log_in: LogIn, factor: Factor) -> None:
    for _ in range(MOST_WRONG_CODES + 1):
        assert refusal(log_in(password="wrong", totp="000000")) == (401, "invalid_credentials")
    assert log_in(totp=factor.code()).status_code == 200


def test_wrong_codes_of_one_are_not_counted_for_another(log_in: LogIn, client: FlaskClient, factor: Factor) -> None:
    other = make_customer()
    others_factor = turn_on_totp(other)
    for _ in range(MOST_WRONG_CODES):
        log_in(totp=factor.wrong_code())
    body = {"email": other.email, "password": PASSWORD, "totp": others_factor.code()}
    assert client.post("/auth/login", json=body).status_code == 200


def test_a_person_who_was_deactivated_is_refused_without_a_word_of_the_code(
    log_in: LogIn, factor: Factor, run_sql: RunSql
) -> None:
    run_sql("UPDATE customers SET is_active = false")
    assert refusal(log_in()) == (401, "invalid_credentials")
    assert refusal(log_in(totp=factor.code())) == (401, "invalid_credentials")
    assert refusal(log_in(recovery_code=factor.recovery_codes[0])) == (401, "invalid_credentials")
    assert run_sql("SELECT count(*) FROM recovery_codes WHERE used_at IS NOT NULL") == [(0,)]


def test_with_another_secret_key_codes_fail_and_recovery_codes_still_sign_in(
    app: Flask, log_in: LogIn, factor: Factor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "SECRET_KEY", "another-secret-key-0123456789abcdef")
    assert refusal(log_in(totp=factor.code())) == (401, "invalid_credentials")
    assert log_in(recovery_code=factor.recovery_codes[0]).status_code == 200


def test_failures_are_in_the_audit_log_without_the_code(
    log_in: LogIn, person: Person, factor: Factor, run_sql: RunSql
) -> None:
    wrong = factor.wrong_code()
    log_in(totp=wrong)
    [entry] = run_sql(
        "SELECT actor_id, actor_role, subject_type, subject_id, to_jsonb(audit_log)::text FROM audit_log"
        " WHERE action = 'second_factor_failed'"
    )
    assert entry[:4] == (None, "visitor", "customer", person.id)
    assert wrong not in json.loads(entry[4]).values()
