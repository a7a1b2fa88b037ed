"""Codes and the audit log: what was done with them is noted once it is done, and what failed is not."""

import pytest
from flask.testing import FlaskClient

from tests.auth.codes.conftest import OTHER_PHONE, PHONE, ReadSecret, wrong
from tests.auth.conftest import RunSql
from tests.auth.factories import PASSWORD, make_customer, sign_in

ENTRIES = "SELECT actor_id, action, subject_type, subject_id FROM audit_log ORDER BY id"


def test_an_account_that_is_erased_with_a_code_is_named(
    client: FlaskClient, send_code: ReadSecret, run_sql: RunSql
) -> None:
    person = make_customer(phone=PHONE, is_phone_verified=True)
    headers, code = sign_in(person), send_code(PHONE)
    assert client.delete("/auth/me", headers=headers, json={"code": wrong(code)}).status_code == 403
    assert run_sql(ENTRIES) == []
    assert client.delete("/auth/me", headers=headers, json={"code": code}).status_code == 204
    assert run_sql(ENTRIES) == [(person.id, "delete_me", "customer", person.id)]


@pytest.mark.parametrize("role", ["customer", "staff"])
def test_another_phone_is_noted_when_it_is_confirmed(
    client: FlaskClient, read_secret: ReadSecret, run_sql: RunSql, role: str
) -> None:
    person = make_customer(role=role)
    headers = sign_in(person)
    body = {"phone": OTHER_PHONE, "password": PASSWORD}
    assert client.post("/auth/phone/verify", headers=headers, json=body).status_code == 202
    code = read_secret(OTHER_PHONE)
    assert client.post("/auth/phone/confirm", headers=headers, json={"code": wrong(code)}).status_code == 403
    confirmed = "SELECT actor_id FROM audit_log WHERE action = 'confirm_phone'"
    assert run_sql(confirmed) == []
    assert client.post("/auth/phone/confirm", headers=headers, json={"code": code}).status_code == 200
    assert run_sql(confirmed) == [(person.id,)]


def test_a_password_that_was_reset_is_noted(client: FlaskClient, read_secret: ReadSecret, run_sql: RunSql) -> None:
    person = make_customer(email="amina@example.com")
    assert client.post("/auth/password/forgot", json={"email": "amina@example.com"}).status_code == 202
    body = {"token": read_secret("amina@example.com"), "password": "a better staple 7"}
    assert client.post("/auth/password/reset", json=body).status_code == 204
    assert run_sql(ENTRIES) == [(None, "password_reset", "customer", person.id)]


def test_staff_who_get_no_code_have_changed_nothing(
    client: FlaskClient, run_sql: RunSql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(client.application.config, "CODES_PER_DAY", 0)
    make_customer(role="admin")
    body = {"phone": PHONE, "password": PASSWORD}
    headers = sign_in(make_customer(role="staff"))
    assert client.post("/auth/phone/verify", headers=headers, json=body).status_code == 503
    assert run_sql(ENTRIES) == []
