"""What was sent to a person before they were deactivated counts for nothing, then or later."""

import re
from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from grocery.auth.people import Person
from tests.auth.conftest import RunSql
from tests.auth.factories import PASSWORD, bearer, find_person, make_customer, sign_in, token_pair

EMAIL, PHONE, NEW = "otieno@shop.example", "+254712345678", "another long password"
LIVE = "SELECT purpose FROM one_time_codes WHERE used_at IS NULL AND expires_at > now() ORDER BY purpose"


@pytest.fixture
def as_admin(context: None) -> dict[str, str]:
    return sign_in(make_customer(role="admin"))


@pytest.fixture
def person(context: None) -> Person:
    return make_customer(email=EMAIL, phone=PHONE, is_phone_verified=True)


def set_active(client: FlaskClient, headers: dict[str, str], person: Person, is_active: bool) -> None:
    answer = client.patch(f"/auth/users/{person.id}", json={"is_active": is_active}, headers=headers)
    assert (answer.status_code, answer.json["is_active"]) == (200, is_active)


def sent(run_sql: RunSql, event: str) -> str:
    [(body,)] = run_sql("SELECT body FROM notifications WHERE event = :event ORDER BY id DESC LIMIT 1", event=event)
    found = re.search(r"(?<![\w-])([\w-]{43})(?![\w-])|\b([0-9]{6})\b", body)
    assert found, body
    return str(found[1] or found[2])


def test_codes_and_tokens_are_void_and_stay_so(
    client: FlaskClient, as_admin: dict[str, str], person: Person, run_sql: RunSql
) -> None:
    headers = sign_in(person)
    client.post("/auth/email", json={"email": EMAIL}, headers=headers)
    client.post("/auth/phone/verify", json={"phone": "+254722000111", "password": PASSWORD}, headers=headers)
    client.post("/auth/otp", json={"phone": PHONE})
    client.post("/auth/password/forgot", json={"email": EMAIL})
    code, token = sent(run_sql, "sign_in_code"), sent(run_sql, "reset_password")
    assert len(run_sql(LIVE)) == 4

    set_active(client, as_admin, person, False)
    assert run_sql(LIVE) == []
    set_active(client, as_admin, person, True)
    assert run_sql(LIVE) == []

    for path, body in (
        ("/auth/otp/login", {"phone": PHONE, "code": code}),
        ("/auth/password/reset", {"token": token, "password": NEW}),
    ):
        answer = client.post(path, json=body)
        assert (answer.status_code, answer.json["code"]) == (401, "invalid_code")
    assert client.post("/auth/login", json={"email": EMAIL, "password": PASSWORD}).status_code == 200


def test_what_was_asked_for_meanwhile_is_void_too(
    client: FlaskClient, as_admin: dict[str, str], person: Person, run_sql: RunSql
) -> None:
    set_active(client, as_admin, person, False)
    client.post("/auth/otp", json={"phone": PHONE})
    code = sent(run_sql, "sign_in_code")
    assert client.post("/auth/password/forgot", json={"email": EMAIL}).status_code == 202
    set_active(client, as_admin, person, True)
    assert client.post("/auth/otp/login", json={"phone": PHONE, "code": code}).status_code == 401
    assert run_sql("SELECT count(*) FROM token_families WHERE customer_id = :id", id=person.id) == [(0,)]
    assert run_sql("SELECT count(*) FROM notifications WHERE event = 'reset_password'") == [(0,)]


def test_an_invitation_is_not_revived(client: FlaskClient, as_admin: dict[str, str], run_sql: RunSql) -> None:
    user = client.post("/auth/users", json={"name": "Otieno", "email": EMAIL, "role": "staff"}, headers=as_admin)
    invited = find_person(user.json["id"])
    assert invited is not None
    token = sent(run_sql, "invitation")
    set_active(client, as_admin, invited, False)
    set_active(client, as_admin, invited, True)
    answer = client.post("/auth/password/reset", json={"token": token, "password": NEW})
    assert (answer.status_code, answer.json["code"]) == (401, "invalid_code")
    again = client.post(f"/auth/users/{invited.id}/resend-verification", headers=as_admin)
    assert again.status_code == 202
    fresh = {"token": sent(run_sql, "invitation"), "password": NEW}
    assert client.post("/auth/password/reset", json=fresh).status_code == 204


def test_sign_ins_are_not_revived(client: FlaskClient, as_admin: dict[str, str], person: Person) -> None:
    pair = token_pair(person)
    set_active(client, as_admin, person, False)
    set_active(client, as_admin, person, True)
    assert client.get("/auth/me", headers=bearer(pair.access_token)).json["code"] == "token_revoked"
    assert client.post("/auth/refresh", headers=bearer(pair.refresh_token)).status_code == 401


def test_codes_of_others_and_those_of_an_unchanged_person_stay(
    client: FlaskClient, as_admin: dict[str, str], person: Person, run_sql: RunSql
) -> None:
    other = make_customer(email="w@example.com", phone="+254722000111", is_phone_verified=True)
    client.post("/auth/password/forgot", json={"email": "w@example.com"})
    client.post("/auth/otp", json={"phone": "+254722000111"})
    client.post("/auth/password/forgot", json={"email": EMAIL})
    client.patch(f"/auth/users/{person.id}", json={"is_active": True, "name": "Otieno"}, headers=as_admin)
    assert len(run_sql(LIVE)) == 3
    set_active(client, as_admin, person, False)
    assert run_sql(LIVE) == [("reset_password",), ("sign_in",)]
    assert other == find_person(other.id)


def test_deactivating_meets_a_sign_in_with_a_code(
    client: FlaskClient,
    as_admin: dict[str, str],
    person: Person,
    run_sql: RunSql,
    at_once: Callable[..., list[TestResponse]],
) -> None:
    """Each locks what the other needs, in the same order; whoever comes first, the person is out at the end."""
    for _ in range(3):
        client.post("/auth/otp", json={"phone": PHONE})
        code = sent(run_sql, "sign_in_code")
        path = f"/auth/users/{person.id}"
        answers = at_once(
            {"path": "/auth/otp/login", "method": "POST", "json": {"phone": PHONE, "code": code}},
            {"path": path, "method": "PATCH", "json": {"is_active": False}, "headers": as_admin},
        )
        assert answers[1].status_code == 200
        assert answers[0].status_code in (200, 401)
        if answers[0].status_code == 200:
            headers = bearer(answers[0].json["access_token"])
            assert client.get("/auth/me", headers=headers).status_code == 401
        set_active(client, as_admin, person, True)
