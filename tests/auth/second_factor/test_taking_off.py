"""DELETE /auth/users/{user_id}/totp: admins take off the second factor of who has lost it."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from grocery.auth.people import Person
from tests.auth.conftest import RunSql
from tests.auth.factories import PASSWORD, bearer, make_customer, sign_in, token_pair
from tests.auth.second_factor.factories import turn_on_totp

FACTORS = "SELECT customer_id FROM second_factors ORDER BY customer_id"


@pytest.fixture
def admin(context: None) -> Person:
    return make_customer(email="amina@shop.example", role="admin")


@pytest.fixture
def person(context: None) -> Person:
    return make_customer(email="otieno@shop.example", role="staff")


def take_off(client: FlaskClient, headers: dict[str, str], user_id: int, **body: Any) -> TestResponse:
    return client.delete(f"/auth/users/{user_id}/totp", json=body or {"password": PASSWORD}, headers=headers)


def test_who_has_lost_it_signs_in_with_the_password_and_is_told(
    client: FlaskClient, admin: Person, person: Person, run_sql: RunSql
) -> None:
    turn_on_totp(person)
    other = make_customer()
    turn_on_totp(other)
    pair = token_pair(person)
    answer = take_off(client, sign_in(admin), person.id)
    assert (answer.status_code, answer.data) == (204, b"")
    assert run_sql(FACTORS) == [(other.id,)]
    assert run_sql("SELECT count(*) FROM recovery_codes WHERE customer_id = :id", id=person.id) == [(0,)]
    assert client.get("/auth/me", headers=bearer(pair.access_token)).json["code"] == "token_revoked"
    assert client.post("/auth/refresh", headers=bearer(pair.refresh_token)).status_code == 401
    assert client.post("/auth/login", json={"email": person.email, "password": PASSWORD}).status_code == 200
    [(recipient, body)] = run_sql("SELECT recipient, body FROM notifications ORDER BY id DESC LIMIT 1")
    assert recipient == "otieno@shop.example"
    assert "needs no code of an authenticator" in body


def test_it_is_in_the_audit_log(client: FlaskClient, admin: Person, person: Person, run_sql: RunSql) -> None:
    turn_on_totp(person)
    take_off(client, sign_in(admin), person.id)
    assert run_sql(
        "SELECT actor_id, actor_role, subject_type, subject_id FROM audit_log WHERE action = 'reset_user_totp'"
    ) == [(admin.id, "admin", "customer", person.id)]


@pytest.mark.parametrize("role", ["customer", "staff"])
def test_only_admins_do_it(client: FlaskClient, person: Person, run_sql: RunSql, role: str) -> None:
    turn_on_totp(person)
    answer = take_off(client, sign_in(make_customer(role=role)), person.id)
    assert (answer.status_code, answer.json["code"]) == (403, "forbidden")
    assert client.delete(f"/auth/users/{person.id}/totp", json={"password": PASSWORD}).status_code == 401
    assert run_sql(FACTORS) == [(person.id,)]


def test_a_stolen_token_of_an_admin_is_not_enough(
    client: FlaskClient, admin: Person, person: Person, run_sql: RunSql
) -> None:
    turn_on_totp(person)
    headers = sign_in(admin)
    missing = client.delete(f"/auth/users/{person.id}/totp", json={}, headers=headers)
    assert (missing.status_code, list(missing.json["errors"])) == (422, ["password"])
    wrong = take_off(client, headers, person.id, password="guessed by a thief")
    assert (wrong.status_code, wrong.json["code"]) == (403, "wrong_password")
    run_sql("UPDATE customers SET password_hash = NULL WHERE id = :id", id=admin.id)
    run_sql("UPDATE token_families SET created_at = now() - interval '11 minutes'")
    stale = client.delete(f"/auth/users/{person.id}/totp", json={}, headers=headers)
    assert (stale.status_code, stale.json["code"]) == (403, "sign_in_again")
    assert run_sql(FACTORS) == [(person.id,)]
    assert run_sql("SELECT count(*) FROM notifications WHERE body LIKE '%no code%'") == [(0,)]


def test_nobody_gets_rid_of_their_own_with_it(client: FlaskClient, admin: Person, run_sql: RunSql) -> None:
    """Not even the only admin: whoever has stolen the password and a sign-in would. The operator can."""
    turn_on_totp(admin)
    headers = sign_in(admin)
    answer = take_off(client, headers, admin.id)
    assert (answer.status_code, answer.json["code"]) == (409, "own_account")
    assert run_sql(FACTORS) == [(admin.id,)]
    assert client.get("/auth/me", headers=headers).status_code == 200


def test_who_has_none_stays_signed_in(client: FlaskClient, admin: Person, person: Person) -> None:
    headers = sign_in(person)
    answer = take_off(client, sign_in(admin), person.id)
    assert (answer.status_code, answer.json["code"]) == (409, "totp_off")
    assert client.get("/auth/me", headers=headers).status_code == 200


@pytest.mark.parametrize("missing", [0, 999_999])
def test_unknown_person(client: FlaskClient, admin: Person, missing: int) -> None:
    answer = take_off(client, sign_in(admin), missing, wrong="body")
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")
