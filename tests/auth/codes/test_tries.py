"""Strangers who try another's codes, or have some sent to another's number."""

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.auth.codes.conftest import OTHER_PHONE, PHONE, ReadSecret, wrong
from tests.auth.conftest import RunSql
from tests.auth.factories import PASSWORD, find_person, make_customer, sign_in
from tests.auth.throttling.conftest import post_from

OWNER, STRANGER = "203.0.113.7", "198.51.100.1"
TRIES = "SELECT tries_left, cardinality(tried_from) FROM one_time_codes ORDER BY id"

Post = Callable[..., TestResponse]


@pytest.fixture
def ask(app: Flask, context: None) -> Post:
    def send(phone: str = PHONE, address: str = OWNER, device: str = "") -> TestResponse:
        headers = {"X-Device-Token": device}
        return post_from(app, address, "/auth/otp", json={"phone": phone}, headers=headers)

    return send


@pytest.fixture
def enter(app: Flask, context: None) -> Post:
    """Tries a code: `enter(code, "198.51.100.1", request_token=…, device=…)`."""

    def send(code: str, address: str = OWNER, *, device: str = "", phone: str = PHONE, **more: Any) -> TestResponse:
        body, headers = {"phone": phone, "code": code, **more}, {"X-Device-Token": device}
        return post_from(app, address, "/auth/otp/login", json=body, headers=headers)

    return send


def burn(enter: Post, code: str, **more: Any) -> None:
    """As many wrong tries from as many addresses as anyone could want."""
    for number in range(1, 5):
        for _ in range(6):
            assert enter(wrong(code), f"198.51.100.{number}", **more).status_code == 401


def test_stranger_burns_no_code_of_who_sends_the_request_token(
    ask: Post, enter: Post, read_secret: ReadSecret, run_sql: RunSql
) -> None:
    token, code = ask().json["request_token"], read_secret(PHONE)
    burn(enter, code)
    assert run_sql(TRIES) == [(5, 10)]
    assert enter(code).status_code == 401
    assert enter(code, request_token=token).status_code == 200


def test_stranger_who_asks_for_newer_codes_takes_none_away(
    ask: Post, enter: Post, read_secret: ReadSecret, run_sql: RunSql
) -> None:
    token, code = ask().json["request_token"], read_secret(PHONE)
    for number in range(4):
        assert ask(address=f"198.51.100.{number}").status_code == 202
    assert enter(code, request_token=token).status_code == 200
    assert run_sql("SELECT count(*) FROM one_time_codes WHERE used_at IS NULL AND expires_at > now()") == [(0,)]


def test_stranger_of_one_address_leaves_the_tries_of_others(ask: Post, enter: Post, read_secret: ReadSecret) -> None:
    ask()
    code = read_secret(PHONE)
    for _ in range(20):
        assert enter(wrong(code), STRANGER).status_code == 401
    assert enter(code, STRANGER).status_code == 401
    assert enter(code).status_code == 200


def test_own_tries_are_five_and_the_sixth_is_none(
    ask: Post, enter: Post, read_secret: ReadSecret, run_sql: RunSql
) -> None:
    token, code = ask().json["request_token"], read_secret(PHONE)
    for number in range(5):
        assert enter(wrong(code), f"198.51.100.{number}", request_token=token).status_code == 401
    assert run_sql(TRIES) == [(0, 0)]
    # What is left are the tries that anyone has.
    for _ in range(5):
        assert enter(wrong(code), request_token=token).status_code == 401
    assert enter(code, request_token=token).json["code"] == "invalid_code"
    assert run_sql("SELECT count(*) FROM customers") == [(0,)]


def test_request_token_is_of_one_code_of_one_number_for_one_purpose(
    app: Flask, ask: Post, enter: Post, read_secret: ReadSecret, run_sql: RunSql
) -> None:
    make_customer(phone=PHONE, is_phone_verified=True)
    token, old = ask().json["request_token"], read_secret(PHONE)
    other_token = ask(OTHER_PHONE).json["request_token"]
    ask(address=STRANGER)
    assert enter(old, request_token=other_token).status_code == 401
    assert enter(old, request_token="x").status_code == 401
    reset = {"phone": PHONE, "code": old, "password": "another long password", "request_token": token}
    assert post_from(app, OWNER, "/auth/password/reset", json=reset).status_code == 401
    assert run_sql(TRIES) == [(5, 0), (5, 0), (5, 2)]
    assert enter(old, request_token=token).status_code == 200


@pytest.mark.parametrize("token", ["", "x" * 201, 5, ["x"], "\x00"])
def test_what_is_no_request_token_costs_no_try(ask: Post, enter: Post, run_sql: RunSql, token: Any) -> None:
    ask()
    answer = enter("123456", request_token=token)
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["request_token"])
    assert run_sql(TRIES) == [(5, 0)]


def test_without_a_request_token_only_the_newest_code_is_tried(ask: Post, enter: Post, read_secret: ReadSecret) -> None:
    """Each guess is at one code of a million, however many are alive."""
    ask()
    old = read_secret(PHONE)
    ask()
    assert read_secret(PHONE) != old
    assert enter(old).status_code == 401
    assert enter(old, STRANGER).status_code == 401


def test_what_a_stranger_may_guess_in_a_day_is_under_one_in_ten_thousand(
    ask: Post, enter: Post, run_sql: RunSql
) -> None:
    """From as many addresses as there are, with all the request tokens that they get."""
    addresses = (f"198.51.{number // 250}.{number % 250}" for number in count())
    while (asked := ask(address=next(addresses))).status_code == 202:
        for _ in range(12):
            assert enter("000000", next(addresses), request_token=asked.json["request_token"]).status_code == 401
        for _ in range(12):
            assert enter("000000", next(addresses)).status_code == 401
    [(codes, guesses)] = run_sql("SELECT count(*), sum(5 - tries_left + cardinality(tried_from)) FROM one_time_codes")
    assert (codes, guesses) == (10, 90)


def test_tries_at_once_do_not_pass_what_all_others_have_together(
    ask: Post, enter: Post, read_secret: ReadSecret, at_once: Callable[..., list[TestResponse]], run_sql: RunSql
) -> None:
    ask()
    code = read_secret(PHONE)
    run_sql("UPDATE one_time_codes SET tried_from = array_fill('x'::bytea, ARRAY[35])")
    ask()
    guess = {"path": "/auth/otp/login", "method": "POST", "json": {"phone": PHONE, "code": wrong(code)}}
    guesses = [{**guess, "environ_overrides": {"REMOTE_ADDR": f"198.51.100.{n}"}} for n in range(10)]
    assert {answer.status_code for answer in at_once(*guesses)} == {401}
    assert run_sql(TRIES) == [(5, 35), (5, 5)]


@pytest.fixture
def device(ask: Post, enter: Post, read_secret: ReadSecret, run_sql: RunSql) -> str:
    """A device that the owner of the number has signed in from, days ago."""
    ask()
    token = enter(read_secret(PHONE)).headers["X-Device-Token"]
    run_sql("DELETE FROM one_time_codes")
    return token


def test_known_device_signs_in_whatever_strangers_have_tried(
    ask: Post, enter: Post, read_secret: ReadSecret, device: str
) -> None:
    ask(address=STRANGER)
    code = read_secret(PHONE)
    burn(enter, code)
    assert enter(code).status_code == 401
    assert enter(code, device="A" * 43).status_code == 401
    assert enter(code, device=device).status_code == 200


def test_known_device_has_five_tries_too(ask: Post, enter: Post, read_secret: ReadSecret, device: str) -> None:
    ask()
    code = read_secret(PHONE)
    for number in range(5):
        assert enter(wrong(code), f"198.51.100.{number}", device=device).status_code == 401
    assert enter(code, "198.51.100.9", device=device).status_code == 401


def test_known_device_of_another_number_is_a_strangers(
    ask: Post, enter: Post, read_secret: ReadSecret, device: str
) -> None:
    ask(OTHER_PHONE)
    code = read_secret(OTHER_PHONE)
    burn(enter, code, phone=OTHER_PHONE, device=device)
    assert enter(code, phone=OTHER_PHONE, device=device).status_code == 401


def test_stranger_who_has_codes_sent_leaves_some_to_known_devices(
    ask: Post, enter: Post, read_secret: ReadSecret, device: str, run_sql: RunSql
) -> None:
    while ask(address=STRANGER).status_code == 202:
        pass
    assert ask().json["code"] == "code_budget_used_up"
    assert [ask(device=device).status_code for _ in range(6)] == [202] * 5 + [429]
    assert ask(device="A" * 43).status_code == 429
    assert enter(read_secret(PHONE), device=device).status_code == 200
    assert run_sql("SELECT count(*) FROM one_time_codes") == [(15,)]


def test_who_pumps_sms_leaves_a_part_of_the_shops_budget_to_known_devices(
    app: Flask, ask: Post, device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "CODES_PER_DAY", 5)
    for number in range(4):
        assert ask(f"+25471200000{number}", STRANGER).status_code == 202
    assert ask(OTHER_PHONE).json["code"] == "codes_used_up"
    assert ask(OTHER_PHONE, device=device).json["code"] == "codes_used_up"
    assert [ask(device=device).status_code for _ in range(2)] == [202, 503]


def test_forgotten_passwords_of_unknown_numbers_cost_no_sms(
    app: Flask, client: FlaskClient, ask: Post, run_sql: RunSql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "CODES_PER_DAY", 1)
    for number in range(9):
        answer = client.post("/auth/password/forgot", json={"phone": f"+25471200000{number}"})
        assert (answer.status_code, list(answer.json)) == (202, ["request_token"])
    assert run_sql("SELECT count(*) FROM notifications") == [(0,)]
    assert ask().status_code == 202
    refused = client.post("/auth/password/forgot", json={"phone": OTHER_PHONE})
    assert (refused.status_code, refused.json["code"]) == (503, "codes_used_up")


def test_unknown_number_has_the_same_daily_budget_as_a_known_one(client: FlaskClient) -> None:
    make_customer(phone=PHONE, is_phone_verified=True)
    for phone in (PHONE, OTHER_PHONE):
        answers = [client.post("/auth/password/forgot", json={"phone": phone}).status_code for _ in range(11)]
        assert answers == [202] * 10 + [429]


def test_stranger_burns_no_code_for_a_new_password(
    app: Flask, client: FlaskClient, read_secret: ReadSecret, run_sql: RunSql
) -> None:
    make_customer(phone=PHONE, is_phone_verified=True)
    token = client.post("/auth/password/forgot", json={"phone": PHONE}).json["request_token"]
    code = read_secret(PHONE)
    body = {"phone": PHONE, "code": wrong(code), "password": "another long password"}
    for number in range(12):
        assert post_from(app, f"198.51.100.{number}", "/auth/password/reset", json=body).status_code == 401
    assert run_sql(TRIES) == [(5, 10)]
    right = {**body, "code": code}
    assert client.post("/auth/password/reset", json=right).status_code == 401
    assert client.post("/auth/password/reset", json={**right, "request_token": token}).status_code == 204
    assert client.post("/auth/login", json={"email": PHONE, "password": body["password"]}).status_code == 200


def test_easy_password_does_not_tell_that_an_older_code_was_right(client: FlaskClient, read_secret: ReadSecret) -> None:
    make_customer(phone=PHONE, is_phone_verified=True)
    client.post("/auth/password/forgot", json={"phone": PHONE})
    old = read_secret(PHONE)
    client.post("/auth/password/forgot", json={"phone": PHONE})
    guess = {"phone": PHONE, "code": old, "password": "password1"}
    assert client.post("/auth/password/reset", json=guess).json["code"] == "invalid_code"


def test_owner_erases_the_account_with_the_request_token(
    client: FlaskClient, ask: Post, enter: Post, read_secret: ReadSecret
) -> None:
    person = make_customer(phone=PHONE, is_phone_verified=True)
    token, code = ask().json["request_token"], read_secret(PHONE)
    burn(enter, code)
    own = sign_in(person)
    assert client.delete("/auth/me", json={"code": code}, headers=own).status_code == 403
    both = {"password": PASSWORD, "code": code, "request_token": token}
    assert client.delete("/auth/me", json=both, headers=own).status_code == 422
    assert client.delete("/auth/me", json={"request_token": token}, headers=own).status_code == 422
    assert find_person(person.id) is not None
    assert client.delete("/auth/me", json={"code": code, "request_token": token}, headers=own).status_code == 204
    assert find_person(person.id) is None


def test_only_hashes_are_kept_of_who_tries(ask: Post, enter: Post, run_sql: RunSql) -> None:
    ask()
    enter("000000", STRANGER)
    [(kept,)] = run_sql("SELECT tried_from FROM one_time_codes")
    assert [len(bytes(source)) for source in kept] == [32]
    assert STRANGER.encode() not in bytes(kept[0])


def test_code_is_good_while_many_sign_in_from_one_network(
    app: Flask, ask: Post, enter: Post, read_secret: ReadSecret, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Wrong codes of one address are limited over all numbers; a known device has a count of its own."""
    monkeypatch.setitem(app.config, "RATE_LIMIT_OTP_LOGIN", "3/hour")
    ask()
    first = enter(read_secret(PHONE))
    statuses = [enter("000000", phone=f"+25471200000{number}").status_code for number in range(5)]
    assert (first.status_code, statuses) == (200, [401, 401, 401, 429, 429])
    ask()
    code = read_secret(PHONE)
    refused = enter(code)
    assert (refused.json["code"], int(refused.headers["Retry-After"]) > 3500) == ("too_many_requests", True)
    reset = {"phone": OTHER_PHONE, "code": "000000", "password": "another long password"}
    assert post_from(app, OWNER, "/auth/password/reset", json=reset).status_code == 429
    assert enter(code, STRANGER, phone=OTHER_PHONE).status_code == 401
    assert enter(code, device=first.headers["X-Device-Token"]).status_code == 200
