"""Guessing passwords at POST /auth/login."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import redis
from flask import Flask
from werkzeug.test import TestResponse

from grocery.app import create_app
from grocery.auth import passwords
from grocery.auth.throttling.tries import throttled_sign_in
from grocery.config import Settings
from grocery.errors import TooManyRequestsError
from grocery.limits import limiter
from tests.auth.conftest import RunSql
from tests.auth.factories import PASSWORD, make_customer
from tests.auth.throttling.conftest import LogIn
from tests.valkey_process import ValkeyProcess

Limited = Callable[..., None]


def statuses(answers: list[TestResponse]) -> list[int]:
    return [answer.status_code for answer in answers]


def guess(log_in: LogIn, identifier: str | None, times: int, **kwargs: Any) -> list[int]:
    return statuses([log_in(identifier, f"guess number {number}", **kwargs) for number in range(times)])


def fail_often(account: str, times: int) -> None:
    """As if so many addresses had guessed once each."""
    for _ in range(times):
        limiter().add(3600, "login-failures", account)


def test_guesses_are_refused_beyond_the_limit_and_so_is_the_right_one(limited: Limited, log_in: LogIn) -> None:
    limited(login="3/minute;60/hour")
    person = make_customer()
    assert guess(log_in, person.email, 4) == [401, 401, 401, 429]
    refused = log_in(person.email)
    assert (refused.status_code, refused.json["code"]) == (429, "too_many_requests")
    assert refused.content_type == "application/problem+json"
    assert 1 <= int(refused.headers["Retry-After"]) <= 61
    assert "access_token" not in refused.json


def test_a_refused_guess_is_not_hashed_and_is_no_session(
    limited: Limited, log_in: LogIn, run_sql: RunSql, monkeypatch: pytest.MonkeyPatch
) -> None:
    limited(login="1/minute")
    person = make_customer()
    guess(log_in, person.email, 1)
    monkeypatch.setattr(passwords, "_hasher", None)
    assert log_in(person.email).status_code == 429
    assert run_sql("SELECT count(*) FROM token_families") == [(0,)]
    assert run_sql("SELECT count(*) FROM known_devices") == [(0,)]


def test_right_passwords_are_never_counted(limited: Limited, log_in: LogIn) -> None:
    limited(login="2/minute")
    person = make_customer()
    assert statuses([log_in(person.email) for _ in range(5)]) == [200] * 5
    assert guess(log_in, person.email, 1) == [401]
    assert log_in(person.email).status_code == 200


def test_limits_that_are_off_count_nothing(limited: Limited, log_in: LogIn, settings: Settings) -> None:
    limited(login="")
    assert guess(log_in, make_customer().email, 15) == [401] * 15
    assert redis.Redis.from_url(settings.redis_url or "").keys("grocery:limit:*") == []


def test_unknown_and_known_accounts_are_refused_alike(limited: Limited, log_in: LogIn) -> None:
    limited(login="2/minute")
    known = make_customer(phone="+254712345678", is_phone_verified=True)
    inactive = make_customer(is_active=False)
    for identifier in (known.email, known.phone, inactive.email, "nobody@example.com", "0799000000", "neither"):
        answers = [log_in(identifier, "guess") for _ in range(3)]
        assert statuses(answers) == [401, 401, 429], identifier
        assert answers[2].json["detail"] == "Too many tries. Wait a little."
        assert set(answers[2].json) == {"type", "title", "status", "detail", "code"}


@pytest.mark.parametrize(
    "spellings",
    [
        ["amina@example.com", "AMINA@example.com", "  Amina@Example.com "],
        ["+254712345678", "0712345678", "0712 345 678", "254712345678"],
        ["neither", " neither", "neither "],
    ],
)
def test_another_spelling_is_the_same_account(limited: Limited, log_in: LogIn, spellings: list[str]) -> None:
    limited(login="2/minute")
    make_customer(email="amina@example.com", phone="+254712345678", is_phone_verified=True)
    assert guess(log_in, spellings[0], 2) == [401, 401]
    assert {log_in(spelling).status_code for spelling in spellings} == {429}


def test_other_accounts_and_other_addresses_go_on(limited: Limited, log_in: LogIn) -> None:
    limited(login="2/minute")
    person, neighbour = make_customer(), make_customer()
    assert guess(log_in, person.email, 3) == [401, 401, 429]
    assert log_in(neighbour.email).status_code == 200
    assert log_in(person.email, address="198.51.100.9").status_code == 200


def test_addresses_of_one_ipv6_network_are_one(limited: Limited, log_in: LogIn) -> None:
    limited(login="2/minute")
    person = make_customer()
    answers = [log_in(person.email, "guess", address=f"2001:db8:1:2::{number:x}") for number in range(1, 5)]
    assert statuses(answers) == [401, 401, 429, 429]
    assert log_in(person.email, address="2001:db8:1:3::1").status_code == 200
    assert log_in(person.email, address="::ffff:198.51.100.9").status_code == 200


def test_of_many_guesses_at_once_no_more_are_answered(
    limited: Limited, at_once: Callable[..., list[TestResponse]]
) -> None:
    limited(login="3/minute")
    person = make_customer()
    bodies = [{"email": person.email, "password": f"guess number {number}"} for number in range(8)]
    answers = at_once(*({"path": "/auth/login", "method": "POST", "json": body} for body in bodies))
    assert sorted(statuses(answers)) == [401] * 3 + [429] * 5


def test_many_right_passwords_at_once_are_all_taken(
    limited: Limited, at_once: Callable[..., list[TestResponse]]
) -> None:
    limited(login="1/minute")
    body = {"email": make_customer().email, "password": PASSWORD}
    answers = at_once(*({"path": "/auth/login", "method": "POST", "json": body} for _ in range(6)))
    assert statuses(answers) == [200] * 6


def test_the_right_password_is_not_told_when_others_used_up_the_tries_meanwhile(limited: Limited, app: Flask) -> None:
    limited(login="1/minute")
    with (
        app.test_request_context(environ_base={"REMOTE_ADDR": "203.0.113.7"}),
        pytest.raises(TooManyRequestsError),
        throttled_sign_in("amina@example.com"),
    ):
        limiter().hit("1/minute", "login", "amina@example.com", "203.0.113.7")


def test_a_hundred_customers_behind_one_address_sign_in(limited: Limited, log_in: LogIn) -> None:
    limited(login="10/minute;60/hour")
    people = [make_customer() for _ in range(100)]
    assert {log_in(person.email).status_code for person in people} == {200}


@pytest.mark.parametrize("proxies", [0, 1])
def test_forged_forwarded_addresses_help_nobody(app: Flask, context: None, settings: Settings, proxies: int) -> None:
    person = make_customer()
    client = create_app(replace(settings, trusted_proxies=proxies, rate_limit_login="2/minute")).test_client()
    body = {"email": person.email, "password": "guess"}
    # The last one is what our own proxy has seen; the ones before are what the client wrote.
    true = ", 203.0.113.7" if proxies else ""
    sent = [f"198.51.100.{number}{true}" for number in range(5)]
    answers = [client.post("/auth/login", json=body, headers={"X-Forwarded-For": forged}) for forged in sent]
    assert statuses(answers) == [401, 401, 429, 429, 429]


def test_behind_a_proxy_each_client_counts_alone(app: Flask, context: None, settings: Settings) -> None:
    person = make_customer()
    client = create_app(replace(settings, trusted_proxies=1, rate_limit_login="1/minute")).test_client()
    body = {"email": person.email, "password": "guess"}
    sent = ["203.0.113.7", "203.0.113.7", "198.51.100.9", "not an address", "not an address"]
    answers = [client.post("/auth/login", json=body, headers={"X-Forwarded-For": address}) for address in sent]
    assert statuses(answers) == [401, 429, 401, 401, 429]


def test_guesses_from_everywhere_are_slowed_down(limited: Limited, log_in: LogIn) -> None:
    limited(login="10/minute;60/hour")
    person = make_customer()
    spread = [log_in(person.email, "guess", address=f"198.51.100.{number}") for number in range(21)]
    assert statuses(spread) == [401] * 21
    slowed = log_in(person.email, "guess", address="192.0.2.1")
    assert slowed.status_code == 429
    assert 1 <= int(slowed.headers["Retry-After"]) <= 2
    assert log_in(make_customer().email, address="192.0.2.1").status_code == 200


def test_the_rest_grows_to_half_a_minute_and_refused_guesses_do_not_prolong_it(limited: Limited, log_in: LogIn) -> None:
    limited(login="10/minute;60/hour")
    email = "nobody@example.com"
    fail_often(email, 60)
    assert log_in(email, "guess").status_code == 401
    waits = [int(log_in(email, "guess", address=f"192.0.2.{n}").headers["Retry-After"]) for n in range(20)]
    assert max(waits) <= 31
    assert waits == sorted(waits, reverse=True)
    assert limiter().count("login-failures", email) == 61


def test_a_stranger_cannot_lock_out_who_has_a_known_device(limited: Limited, log_in: LogIn) -> None:
    limited(login="10/minute;60/hour")
    person = make_customer()
    device = log_in(person.email).headers["X-Device-Token"]
    # Guessed at from the same address (a carrier's), and from everywhere.
    assert guess(log_in, person.email, 11) == [401] * 10 + [429]
    fail_often(person.email or "", 100)
    assert log_in(person.email, address="198.51.100.1").status_code == 200
    assert log_in(person.email, address="198.51.100.2").status_code == 429
    assert log_in(person.email, device=device).status_code == 200
    assert log_in(person.email, device=device, address="198.51.100.3").status_code == 200


def test_a_device_that_guesses_is_refused_by_itself(limited: Limited, log_in: LogIn) -> None:
    limited(login="3/minute")
    person = make_customer()
    stolen, own = (log_in(person.email).headers["X-Device-Token"] for _ in range(2))
    spread = [log_in(person.email, "guess", device=stolen, address=f"192.0.2.{n}") for n in range(5)]
    assert statuses(spread) == [401, 401, 401, 429, 429]
    assert log_in(person.email, device=own).status_code == 200


def test_a_device_of_another_account_is_a_stranger(limited: Limited, log_in: LogIn) -> None:
    limited(login="2/minute")
    thief, victim = make_customer(), make_customer()
    device = log_in(thief.email).headers["X-Device-Token"]
    assert guess(log_in, victim.email, 3, device=device) == [401, 401, 429]
    fail_often(victim.email or "", 100)
    assert log_in(victim.email, "guess", device=device, address="192.0.2.1").status_code == 401
    assert log_in(victim.email, "guess", device=device, address="192.0.2.2").status_code == 429


def test_made_up_devices_are_strangers(limited: Limited, log_in: LogIn) -> None:
    limited(login="2/minute")
    person = make_customer()
    answers = [log_in(person.email, "guess", device=device) for device in ("A" * 43, "B" * 43, "x", "ÿ" * 43, "' OR 1")]
    assert statuses(answers) == [401, 401, 429, 429, 429]


def test_a_flushed_redis_forgets_and_nothing_breaks(limited: Limited, log_in: LogIn, settings: Settings) -> None:
    limited(login="1/minute")
    person = make_customer()
    assert guess(log_in, person.email, 2) == [401, 429]
    redis.Redis.from_url(settings.redis_url or "").flushall()
    assert guess(log_in, person.email, 2) == [401, 429]


def test_redis_killed_in_the_middle_is_no_error_and_no_open_door(
    limited: Limited, log_in: LogIn, own_redis: ValkeyProcess
) -> None:
    limited(login="2/minute")
    person = make_customer()
    assert guess(log_in, person.email, 1) == [401]
    own_redis.stop()
    assert guess(log_in, person.email, 3) == [401, 401, 429]
    assert log_in(make_customer().email).status_code == 200
    own_redis.start()
    assert log_in(make_customer().email).status_code == 200
