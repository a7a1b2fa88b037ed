"""Secrets of second factors after a new SECRET_KEY: opened by the older one, sealed anew, and then without it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from grocery.auth.second_factor.sealing import open_sealed, seal, unseal
from grocery.db import db
from grocery.keys import Keys
from tests.auth.conftest import RunSql
from tests.auth.factories import PASSWORD, make_customer
from tests.auth.second_factor.factories import Factor, turn_on_totp
from tests.waiting import wait_until

NEW = "another-secret-key-0123456789abcdef"
SECRET = "JBSWY3DPEHPK3PXP"

WAITING = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%FROM second_factors%'"

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def swap(app: Flask, monkeypatch: pytest.MonkeyPatch) -> Callable[[bool], None]:
    """The new key signs; the old one is a fallback, or gone."""
    old = app.config["SECRET_KEY"]

    def change(is_old_kept: bool) -> None:
        monkeypatch.setitem(app.config, "SECRET_KEY", NEW)
        monkeypatch.setitem(app.config, "SECRET_KEY_FALLBACKS", (old,) if is_old_kept else ())

    return change


def log_in(client: FlaskClient, email: str, factor: Factor, steps: int) -> int:
    body = {"email": email, "password": PASSWORD, "totp": factor.code(steps=steps)}
    return client.post("/auth/login", json=body).status_code


def test_a_secret_of_another_owner_stays_closed_with_any_key() -> None:
    keys = Keys("k" * 32, ("o" * 32,))
    for key in keys.newest_first:
        sealed = seal(SECRET, owner_id=7, secret_key=key)
        opened = open_sealed(sealed, owner_id=7, keys=keys)
        assert opened is not None
        assert (opened.secret, opened.is_by_older_key) == (SECRET, key != keys.signing)
        assert SECRET not in repr(opened)
        assert open_sealed(sealed, owner_id=8, keys=keys) is None
    assert open_sealed(seal(SECRET, owner_id=7, secret_key="r" * 32), owner_id=7, keys=keys) is None
    for garbage in (b"", b"x", b"x" * 12, b"x" * 1_000_000):
        assert open_sealed(garbage, owner_id=7, keys=keys) is None


def test_the_next_sign_in_seals_anew(client: FlaskClient, run_sql: RunSql, swap: Callable[[bool], None]) -> None:
    person = make_customer(email="amina@shop.example")
    factor = turn_on_totp(person)
    swap(True)
    assert log_in(client, "amina@shop.example", factor, 1) == 200
    [(sealed,)] = run_sql("SELECT secret FROM second_factors")
    assert unseal(bytes(sealed), owner_id=person.id, secret_key=NEW) == factor.secret


def test_a_wrong_code_seals_nothing_anew(client: FlaskClient, run_sql: RunSql, swap: Callable[[bool], None]) -> None:
    factor = turn_on_totp(make_customer(email="amina@shop.example"))
    before = run_sql("SELECT secret FROM second_factors")
    swap(True)
    body = {"email": "amina@shop.example", "password": PASSWORD, "totp": factor.wrong_code()}
    assert client.post("/auth/login", json=body).status_code == 401
    assert run_sql("SELECT secret FROM second_factors") == before


def test_reseal_lets_the_older_key_go(
    app: Flask, client: FlaskClient, run_sql: RunSql, swap: Callable[[bool], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grocery.auth.second_factor.resealing._BATCH", 2)
    emails = [f"person{number}@shop.example" for number in range(5)]
    factors = {email: turn_on_totp(make_customer(email=email)) for email in emails}
    swap(True)
    reseal = app.test_cli_runner().invoke
    done = reseal(args=["auth", "reseal"])
    assert (done.exit_code, done.stdout) == (0, "sealed anew: 5 as they should be: 0 not opened: 0\n")
    sealed = run_sql("SELECT customer_id, secret FROM second_factors ORDER BY 1")
    done = reseal(args=["auth", "reseal"])
    assert (done.exit_code, done.stdout) == (0, "sealed anew: 0 as they should be: 5 not opened: 0\n")
    assert run_sql("SELECT customer_id, secret FROM second_factors ORDER BY 1") == sealed
    swap(False)
    assert [log_in(client, email, factors[email], 1) for email in emails] == [200] * 5


def test_reseal_overwrites_nothing_that_changes_meanwhile(
    app: Flask, swap: Callable[[bool], None], run_sql: RunSql
) -> None:
    """It waits for whoever has the row, and then sees what they have made of it."""
    person = make_customer()
    turn_on_totp(person)
    swap(True)
    newer = seal("KRSXG5CTMVRXEZLU", owner_id=person.id, secret_key=NEW)
    with ThreadPoolExecutor(1) as pool, db.engine.connect() as connection:
        connection.execute(text("SELECT FROM second_factors FOR UPDATE"))
        done = pool.submit(lambda: app.test_cli_runner().invoke(args=["auth", "reseal"]))
        wait_until(lambda: run_sql(WAITING) != [], "it waits for the row")
        connection.execute(text("UPDATE second_factors SET secret = :secret"), {"secret": newer})
        connection.commit()
        assert done.result().stdout == "sealed anew: 0 as they should be: 1 not opened: 0\n"
    assert [bytes(secret) for (secret,) in run_sql("SELECT secret FROM second_factors")] == [newer]


def test_reseal_names_whose_secret_no_key_opens(app: Flask, swap: Callable[[bool], None], run_sql: RunSql) -> None:
    person = make_customer()
    turn_on_totp(person)
    before = run_sql("SELECT secret FROM second_factors")
    swap(False)
    done = app.test_cli_runner().invoke(args=["auth", "reseal"])
    assert (done.exit_code, done.stdout) == (1, "sealed anew: 0 as they should be: 0 not opened: 1\n")
    assert f"No key opens the secrets of these people: {person.id}." in done.stderr
    assert run_sql("SELECT secret FROM second_factors") == before
