"""REQUIRE_TOTP: staff and admins without a second factor can do nothing but turn one on."""

from collections.abc import Iterator

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient

from grocery.auth.people import Person
from tests.auth.conftest import RunSql
from tests.auth.factories import PASSWORD, bearer, make_customer, sign_in, token_pair
from tests.auth.second_factor.factories import turn_on_totp
from tests.test_guards import a_path, operations

# What is left to them: their own account, the way in and out, and the second factor.
USABLE = {
    ("DELETE", "/auth/me"),
    ("DELETE", "/auth/sessions"),
    ("DELETE", "/auth/sessions/{session_id}"),
    ("DELETE", "/auth/totp"),
    ("GET", "/auth/me"),
    ("GET", "/auth/sessions"),
    ("GET", "/auth/totp"),
    ("PATCH", "/auth/me"),
    ("POST", "/auth/email"),
    ("POST", "/auth/email/confirm"),
    ("POST", "/auth/logout"),
    ("POST", "/auth/phone/confirm"),
    ("POST", "/auth/phone/verify"),
    ("POST", "/auth/refresh"),
    ("POST", "/auth/totp"),
    ("POST", "/auth/totp/confirm"),
    ("POST", "/auth/totp/recovery-codes"),
}


@pytest.fixture(autouse=True)
def _required(app: Flask) -> Iterator[None]:
    app.config["REQUIRE_TOTP"] = True
    yield
    app.config["REQUIRE_TOTP"] = False


@pytest.mark.parametrize("role", ["staff", "admin"])
def test_every_other_route_is_closed_to_staff_without_one(
    app: Flask, client: FlaskClient, role: str, run_sql: RunSql
) -> None:
    person = make_customer(role=role)
    closed: set[tuple[str, str]] = set()
    open_: set[tuple[str, str]] = set()
    for method, path, operation in operations(app):
        if operation["x-access"] == "public":
            continue
        pair = token_pair(person)
        token = pair.refresh_token if operation["x-access"] == "refresh" else pair.access_token
        answer = client.open(a_path(path), method=method, headers=bearer(token), data="x")
        code = (answer.json or {}).get("code") if answer.status_code == 403 else None
        (closed if code == "totp_needed" else open_).add((method, path))
    assert open_ == USABLE
    assert {("GET", "/products/"), ("GET", "/auth/users"), ("POST", "/orders/")} <= closed
    assert run_sql("SELECT count(*) FROM customers") == [(1,)]


def test_with_one_all_is_open_again(client: FlaskClient, context: None) -> None:
    admin = make_customer(role="admin")
    headers = sign_in(admin)
    assert client.get("/auth/users", headers=headers).json["code"] == "totp_needed"
    turn_on_totp(admin)
    assert client.get("/auth/users", headers=headers).status_code == 200


def test_one_that_is_only_begun_does_not_count(client: FlaskClient, context: None) -> None:
    headers = sign_in(make_customer(role="admin", is_email_verified=True))
    assert client.post("/auth/totp", json={"password": PASSWORD}, headers=headers).status_code == 200
    answer = client.get("/auth/users", headers=headers)
    assert (answer.status_code, answer.json["code"]) == (403, "totp_needed")


def test_turned_off_it_is_needed_again(client: FlaskClient, context: None) -> None:
    admin = make_customer(role="admin")
    factor, headers = turn_on_totp(admin), sign_in(admin)
    assert client.get("/auth/users", headers=headers).status_code == 200
    assert client.delete("/auth/totp", json={"code": factor.code()}, headers=headers).status_code == 204
    assert client.get("/auth/users", headers=headers).json["code"] == "totp_needed"


def test_customers_need_none(client: FlaskClient, context: None) -> None:
    headers = sign_in(make_customer())
    assert client.get("/alerts/", headers=headers).status_code == 200


def test_visitors_shop_as_before(client: FlaskClient, context: None) -> None:
    assert client.get("/products/").status_code == 200


def test_a_customer_who_becomes_staff_needs_one_at_once(client: FlaskClient, context: None, run_sql: RunSql) -> None:
    person = make_customer()
    headers = sign_in(person)
    assert client.get("/alerts/", headers=headers).status_code == 200
    run_sql("UPDATE customers SET role = 'staff'")
    assert client.get("/alerts/", headers=headers).json["code"] == "totp_needed"


def test_who_is_promoted_can_do_nothing_before_they_have_one(client: FlaskClient, context: None) -> None:
    admin = make_customer(role="admin")
    turn_on_totp(admin)
    person = make_customer(is_email_verified=True)
    before = sign_in(person)
    path = f"/auth/users/{person.id}"
    assert client.patch(path, json={"role": "admin"}, headers=sign_in(admin)).status_code == 200
    assert client.get("/alerts/", headers=before).json["code"] == "token_revoked"

    headers = password_sign_in(client, person)
    for method, closed in (("GET", "/auth/users"), ("PATCH", path), ("GET", "/orders/"), ("GET", "/auth/me/export")):
        answer = client.open(closed, method=method, json={"role": "staff"}, headers=headers)
        assert (answer.status_code, answer.json["code"]) == (403, "totp_needed")
    secret = client.post("/auth/totp", json={}, headers=headers).json["secret"]
    code = pyotp.TOTP(secret).now()
    assert client.post("/auth/totp/confirm", json={"code": code}, headers=headers).status_code == 200
    assert client.get("/auth/users", headers=headers).status_code == 200


def test_staff_whose_address_nobody_proved_can_prove_it_and_then_turn_one_on(
    client: FlaskClient, context: None, run_sql: RunSql
) -> None:
    """As those are whom the operator has promoted."""
    person = make_customer(role="staff")
    headers = sign_in(person)
    assert client.post("/auth/totp", json={}, headers=headers).json["code"] == "unverified"
    assert client.post("/auth/email", json={"email": person.email}, headers=headers).status_code == 202
    [(body,)] = run_sql("SELECT body FROM notifications WHERE event = 'verify_email'")
    token = next(word for word in body.split() if len(word) == 43)
    assert client.post("/auth/email/confirm", json={"token": token}, headers=headers).status_code == 200
    assert client.post("/auth/totp", json={}, headers=headers).status_code == 200


def password_sign_in(client: FlaskClient, person: Person) -> dict[str, str]:
    answer = client.post("/auth/login", json={"email": person.email, "password": PASSWORD})
    return bearer(answer.json["access_token"])


def test_a_revoked_token_is_told_so_first(client: FlaskClient, context: None) -> None:
    headers = sign_in(make_customer(role="admin"))
    client.post("/auth/logout", headers=headers)
    assert client.get("/auth/users", headers=headers).json["code"] == "token_revoked"
