"""Devices that a person has signed in from."""

import hashlib

import pytest
from flask import Flask

from grocery.auth import service
from grocery.auth.throttling import devices
from grocery.db import transaction
from tests.auth.conftest import RunSql
from tests.auth.factories import PASSWORD, make_customer
from tests.auth.throttling.conftest import LogIn

DEVICES = "SELECT token_hash, customer_id FROM known_devices ORDER BY created_at"


def test_first_sign_in_gives_a_token_of_which_only_the_hash_is_kept(log_in: LogIn, run_sql: RunSql) -> None:
    person = make_customer()
    token = log_in(person.email).headers["X-Device-Token"]
    assert len(token) == 43
    [(kept, owner)] = run_sql(DEVICES)
    assert (bytes(kept), owner) == (hashlib.sha256(token.encode()).digest(), person.id)


def test_known_device_gets_no_other_token(log_in: LogIn, run_sql: RunSql) -> None:
    person = make_customer()
    token = log_in(person.email).headers["X-Device-Token"]
    run_sql("UPDATE known_devices SET used_at = now() - interval '2 days'")
    assert "X-Device-Token" not in log_in(person.email, device=token).headers
    assert run_sql("SELECT count(*), min(used_at) > now() - interval '1 minute' FROM known_devices") == [(1, True)]


def test_failed_sign_in_gives_none(log_in: LogIn, run_sql: RunSql) -> None:
    person = make_customer()
    assert "X-Device-Token" not in log_in(person.email, "wrong password").headers
    assert "X-Device-Token" not in log_in("nobody@example.com").headers
    assert run_sql(DEVICES) == []


def test_device_of_another_person_gets_a_token_of_its_own_for_this_one(log_in: LogIn, run_sql: RunSql) -> None:
    first, second = make_customer(), make_customer()
    token = log_in(first.email).headers["X-Device-Token"]
    other = log_in(second.email, device=token).headers["X-Device-Token"]
    assert other != token
    assert [owner for _, owner in run_sql(DEVICES)] == [first.id, second.id]


def test_sign_in_that_is_rolled_back_gives_none(app: Flask, context: None, run_sql: RunSql) -> None:
    def log_in_and_fail() -> None:
        with transaction():
            service.log_in(service.check_password(person.email or "", PASSWORD))
            raise ZeroDivisionError

    person = make_customer()
    with app.test_request_context():
        with pytest.raises(ZeroDivisionError):
            log_in_and_fail()
        assert "X-Device-Token" not in app.process_response(app.make_response("")).headers
    assert run_sql(DEVICES) == []


def test_the_oldest_are_forgotten(log_in: LogIn, run_sql: RunSql, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "_MAX_DEVICES", 3)
    person, other = make_customer(), make_customer()
    kept = [log_in(one.email).headers["X-Device-Token"] for one in (other, person, person, person, person)]
    known = {bytes(token_hash) for token_hash, _ in run_sql(DEVICES)}
    assert known == {hashlib.sha256(kept[at].encode()).digest() for at in (0, 2, 3, 4)}


def test_devices_go_with_the_person(log_in: LogIn, run_sql: RunSql) -> None:
    person = make_customer()
    log_in(person.email)
    run_sql("DELETE FROM customers WHERE id = :id", id=person.id)
    assert run_sql(DEVICES) == []


def test_sign_in_works_on_no_matter_what_is_sent_as_token(log_in: LogIn) -> None:
    person = make_customer()
    for sent in ("x", "A" * 43, "A" * 5000, "ÿ" * 43):
        assert len(log_in(person.email, device=sent).headers["X-Device-Token"]) == 43
