"""Codes of a second factor that are tried at the same time."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from grocery.auth.people import Person
from grocery.auth.second_factor.tries import MOST_WRONG_CODES
from tests.auth.conftest import RunSql
from tests.auth.factories import PASSWORD, make_customer, sign_in
from tests.auth.second_factor.factories import Factor, turn_on_totp

AtOnce = Callable[..., list[TestResponse]]

FAILURES = "SELECT count(*) FROM audit_log WHERE action = 'second_factor_failed'"


@pytest.fixture
def person(context: None) -> Person:
    return make_customer(email="amina@shop.example", role="admin")


@pytest.fixture
def factor(person: Person) -> Factor:
    return turn_on_totp(person)


def login(person: Person, **proof: str) -> dict[str, Any]:
    return {"path": "/auth/login", "method": "POST", "json": {"email": person.email, "password": PASSWORD, **proof}}


def turning_off(headers: dict[str, str], **proof: str) -> dict[str, Any]:
    return {"path": "/auth/totp", "method": "DELETE", "json": proof, "headers": headers}


def codes_of(answers: list[TestResponse]) -> list[str]:
    return sorted(answer.json["code"] for answer in answers)


def test_of_twenty_wrong_codes_at_once_ten_are_looked_at(
    person: Person, factor: Factor, at_once: AtOnce, run_sql: RunSql
) -> None:
    answers = at_once(*[login(person, totp=factor.wrong_code())] * 20)
    assert codes_of(answers) == ["invalid_credentials"] * MOST_WRONG_CODES + ["too_many_requests"] * 10
    assert run_sql(FAILURES) == [(MOST_WRONG_CODES,)]
    assert run_sql("SELECT count(*) FROM token_families") == [(0,)]


def test_the_right_code_after_ten_wrong_ones_at_once_opens_nothing(
    client: FlaskClient, person: Person, factor: Factor, at_once: AtOnce, run_sql: RunSql
) -> None:
    for _ in range(MOST_WRONG_CODES):
        client.open(**login(person, totp=factor.wrong_code()))
    answers = at_once(*[login(person, totp=factor.code())] * 5, *[login(person, totp=factor.wrong_code())] * 5)
    assert codes_of(answers) == ["too_many_requests"] * 10
    assert run_sql(FAILURES) == [(MOST_WRONG_CODES,)]
    assert run_sql("SELECT count(*) FROM token_families") == [(0,)]


def test_tries_of_all_ways_count_together(person: Person, factor: Factor, at_once: AtOnce, run_sql: RunSql) -> None:
    headers = sign_in(person)
    wrong = factor.wrong_code()
    answers = at_once(*[login(person, totp=wrong)] * 7, *[turning_off(headers, code=wrong)] * 7)
    assert [answer.status_code for answer in answers].count(429) == 4
    assert run_sql(FAILURES) == [(MOST_WRONG_CODES,)]
    assert run_sql("SELECT count(*) FROM second_factors") == [(1,)]


@pytest.mark.parametrize("kind", ["totp", "recovery_code"])
def test_one_code_sent_ten_times_at_once_signs_in_once(
    person: Person, factor: Factor, at_once: AtOnce, run_sql: RunSql, kind: str
) -> None:
    proof = {kind: factor.code() if kind == "totp" else factor.recovery_codes[0]}
    answers = at_once(*[login(person, **proof)] * 10)
    assert sorted(answer.status_code for answer in answers) == [200] + [401] * 9
    assert run_sql("SELECT count(*) FROM token_families") == [(1,)]
    assert run_sql(FAILURES) == [(9,)]


def test_a_code_that_signs_in_and_turns_off_at_once_does_one_of_both(
    person: Person, factor: Factor, at_once: AtOnce, run_sql: RunSql
) -> None:
    code, headers = factor.code(), sign_in(person)
    answers = at_once(login(person, totp=code), turning_off(headers, code=code))
    is_off = run_sql("SELECT count(*) FROM second_factors") == [(0,)]
    assert answers[1].status_code == (204 if is_off else 403)
    # Where it was turned off first, signing in needs no code any more.
    assert answers[0].status_code == 200


def test_a_wrong_code_takes_nothing_else_with_it(client: FlaskClient, context: None, run_sql: RunSql) -> None:
    """The note is kept; the code by SMS, the session and the entry of a sign-in are not."""
    person = make_customer(phone="+254712345678", is_phone_verified=True)
    factor = turn_on_totp(person)
    client.post("/auth/otp", json={"phone": "0712345678"})
    [(body,)] = run_sql("SELECT body FROM notifications WHERE event = 'sign_in_code'")
    request = {"phone": "0712345678", "code": body[:6], "totp": factor.wrong_code()}
    assert client.post("/auth/otp/login", json=request).status_code == 401
    assert run_sql(FAILURES) == [(1,)]
    assert run_sql("SELECT count(*) FROM one_time_codes WHERE used_at IS NOT NULL") == [(0,)]
    assert run_sql("SELECT count(*) FROM token_families") == [(0,)]
    assert run_sql("SELECT count(*) FROM known_devices") == [(0,)]
    assert run_sql("SELECT count(*) FROM audit_log WHERE action = 'signed_in'") == [(0,)]
