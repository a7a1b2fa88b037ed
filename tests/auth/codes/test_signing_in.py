"""POST /auth/otp/login."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.auth.codes.conftest import OTHER_PHONE, PHONE, LogIn, ReadSecret, wrong
from tests.auth.conftest import RunSql
from tests.auth.factories import PASSWORD, bearer, find_person, make_customer, sign_in


def test_first_sign_in_makes_an_account(
    client: FlaskClient, send_code: ReadSecret, log_in: LogIn, run_sql: RunSql
) -> None:
    answer = log_in(send_code(), name="Wanjiku Kamau")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert sorted(answer.json) == ["access_token", "expires_in", "refresh_token", "token_type"]
    me = client.get("/auth/me", headers=bearer(answer.json["access_token"])).json
    assert (me["name"], me["email"], me["phone"], me["is_phone_verified"], me["role"]) == (
        "Wanjiku Kamau",
        None,
        PHONE,
        True,
        "customer",
    )
    assert (me["marketing_sms"], me["marketing_email"]) == (False, False)
    assert run_sql("SELECT password_hash FROM customers") == [(None,)]
    assert run_sql("SELECT action, subject_id FROM audit_log") == [("signed_in", me["id"])]


def test_second_sign_in_finds_it_and_a_name_changes_nothing(
    client: FlaskClient, send_code: ReadSecret, log_in: LogIn, run_sql: RunSql
) -> None:
    assert log_in(send_code()).status_code == 200
    assert log_in(send_code(), name="Somebody Else").status_code == 200
    assert run_sql("SELECT name, phone FROM customers") == [("Customer", PHONE)]


def test_code_does_not_open_an_account_that_has_the_phone_as_a_contact(
    client: FlaskClient, send_code: ReadSecret, log_in: LogIn, run_sql: RunSql
) -> None:
    squatter = make_customer(phone=PHONE)
    answer = log_in(send_code())
    me = client.get("/auth/me", headers=bearer(answer.json["access_token"])).json
    assert me["id"] != squatter.id
    assert run_sql("SELECT count(*) FROM token_families WHERE customer_id = :id", id=squatter.id) == [(0,)]
    assert find_person(squatter.id) == squatter


@pytest.mark.parametrize("kind", ["wrong", "unknown", "expired", "used", "replaced", "other number", "deactivated"])
def test_all_refusals_are_the_same_answer(send_code: ReadSecret, log_in: LogIn, run_sql: RunSql, kind: str) -> None:
    phone, code = PHONE, "123456"
    if kind != "unknown":
        code = send_code()
    if kind == "wrong":
        code = wrong(code)
    elif kind == "expired":
        run_sql("UPDATE one_time_codes SET expires_at = now()")
    elif kind == "used":
        assert log_in(code).status_code == 200
    elif kind == "replaced":
        while send_code() == code:
            pass
    elif kind == "other number":
        send_code(OTHER_PHONE)
        phone = OTHER_PHONE
    elif kind == "deactivated":
        make_customer(phone=PHONE, is_phone_verified=True, is_active=False)
    before = run_sql("SELECT count(*) FROM token_families")
    answer = log_in(code, phone)
    assert (answer.status_code, answer.json["code"]) == (401, "invalid_code")
    assert answer.json["detail"] == "This code is wrong, was used, or has expired. Ask for a new one."
    assert answer.headers["WWW-Authenticate"] == "Bearer"
    assert run_sql("SELECT count(*) FROM token_families") == before
    assert run_sql("SELECT count(*) FROM audit_log WHERE action = 'sign_in_failed'") == [(1,)]


def test_fifth_wrong_code_was_the_last_try(send_code: ReadSecret, log_in: LogIn, run_sql: RunSql) -> None:
    code = send_code()
    for _ in range(4):
        assert log_in(wrong(code)).status_code == 401
    assert run_sql("SELECT cardinality(tried_from) FROM one_time_codes") == [(4,)]
    assert log_in(wrong(code)).status_code == 401
    assert log_in(code).json["code"] == "invalid_code"
    assert run_sql("SELECT count(*) FROM customers") == [(0,)]


def test_right_code_at_the_fifth_try_is_good(send_code: ReadSecret, log_in: LogIn) -> None:
    code = send_code()
    for _ in range(4):
        log_in(wrong(code))
    assert log_in(code).status_code == 200


def test_guessing_at_once_gets_no_more_tries(
    send_code: ReadSecret, log_in: LogIn, at_once: Callable[..., list[TestResponse]], run_sql: RunSql
) -> None:
    code = send_code()
    guess = {"path": "/auth/otp/login", "method": "POST", "json": {"phone": PHONE, "code": wrong(code)}}
    assert {answer.status_code for answer in at_once(*[guess] * 8)} == {401}
    assert run_sql("SELECT cardinality(tried_from), used_at FROM one_time_codes") == [(5, None)]
    assert log_in(code).status_code == 401


def test_guessing_ends_with_the_budget_of_the_number(client: FlaskClient, log_in: LogIn, run_sql: RunSql) -> None:
    """Forty of a million guesses within a day. One of these is right once in 25,000 runs."""
    while client.post("/auth/otp", json={"phone": PHONE}).status_code == 202:
        for _ in range(7):
            assert log_in("000000").status_code == 401
    assert run_sql("SELECT count(*), sum(cardinality(tried_from)), min(tries_left) FROM one_time_codes") == [
        (10, 40, 5)
    ]


def test_code_sent_twice_at_once_signs_in_once(
    send_code: ReadSecret, at_once: Callable[..., list[TestResponse]], run_sql: RunSql
) -> None:
    login = {"path": "/auth/otp/login", "method": "POST", "json": {"phone": PHONE, "code": send_code()}}
    answers = at_once(login, login, login)
    assert sorted(answer.status_code for answer in answers) == [200, 401, 401]
    assert run_sql("SELECT (SELECT count(*) FROM customers), (SELECT count(*) FROM token_families)") == [(1, 1)]


@pytest.mark.parametrize(
    "code", ["12345", "1234567", "12345a", "١٢٣٤٥٦", "１２３４５６", "", None, 123456, "12345\n6", "%31%32"]
)
def test_what_is_no_code_costs_no_try(send_code: ReadSecret, log_in: LogIn, run_sql: RunSql, code: Any) -> None:
    send_code()
    answer = log_in(code)
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["code"])
    assert run_sql("SELECT tries_left, cardinality(tried_from) FROM one_time_codes") == [(5, 0)]


@pytest.mark.parametrize("field", ["role", "id", "customer_id", "email", "is_active"])
def test_nobody_says_who_they_are_in_the_body(
    send_code: ReadSecret, log_in: LogIn, run_sql: RunSql, field: str
) -> None:
    assert list(log_in(send_code(), **{field: "admin"}).json["errors"]) == [field]
    assert run_sql("SELECT count(*) FROM customers") == [(0,)]


def test_code_alone_does_not_open_an_account_with_a_second_factor(
    send_code: ReadSecret, log_in: LogIn, run_sql: RunSql
) -> None:
    person = make_customer(phone=PHONE, is_phone_verified=True, role="admin")
    run_sql("INSERT INTO second_factors (customer_id, secret, confirmed_at) VALUES (:id, 'x', now())", id=person.id)
    code = send_code()
    answer = log_in(code)
    assert (answer.status_code, answer.json["code"]) == (401, "totp_required")
    assert log_in(code, totp="123456").json["code"] == "invalid_credentials"
    assert run_sql("SELECT count(*) FROM token_families") == [(0,)]


def test_phone_signs_in_with_its_password_too(client: FlaskClient) -> None:
    make_customer(email=None, phone=PHONE, is_phone_verified=True)
    assert client.post("/auth/login", json={"email": "0712345678", "password": PASSWORD}).status_code == 200


def test_no_code_stands_in_the_log(send_code: ReadSecret, log_in: LogIn, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    code = send_code()
    log_in(wrong(code))
    log_in(code)
    assert code not in caplog.text


def test_erasing_oneself_with_a_code(
    client: FlaskClient, send_code: ReadSecret, log_in: LogIn, run_sql: RunSql
) -> None:
    headers = bearer(log_in(send_code()).json["access_token"])
    code = send_code()
    refused = client.delete("/auth/me", json={"code": wrong(code)}, headers=headers)
    assert (refused.status_code, refused.json["code"]) == (403, "invalid_code")
    for body in ({}, {"code": code, "password": PASSWORD}):
        assert client.delete("/auth/me", json=body, headers=headers).status_code == 422
    assert run_sql("SELECT count(*) FROM customers") == [(1,)]
    assert client.delete("/auth/me", json={"code": code}, headers=headers).status_code == 204
    assert run_sql("SELECT count(*) FROM customers") == [(0,)]


def test_code_of_an_unverified_phone_erases_nobody(client: FlaskClient, send_code: ReadSecret, run_sql: RunSql) -> None:
    person = make_customer(phone=PHONE)
    answer = client.delete("/auth/me", json={"code": send_code()}, headers=sign_in(person))
    assert (answer.status_code, answer.json["code"]) == (403, "invalid_code")
    assert find_person(person.id) is not None


def test_deleting_the_account_brings_no_new_budget(client: FlaskClient, send_code: ReadSecret, log_in: LogIn) -> None:
    for _ in range(5):
        headers = bearer(log_in(send_code()).json["access_token"])
        assert client.delete("/auth/me", json={"code": send_code()}, headers=headers).status_code == 204
    assert client.post("/auth/otp", json={"phone": PHONE}).status_code == 429
