"""Accounts that admins make for others: POST /auth/users and …/resend-verification."""

import re
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.auth.conftest import RunSql
from tests.auth.factories import PASSWORD, bearer, find_person, make_customer, sign_in, token_pair


@pytest.fixture
def as_admin(context: None) -> dict[str, str]:
    return sign_in(make_customer(email="amina@shop.example", role="admin"))


def messages(run_sql: RunSql) -> list[tuple[Any, ...]]:
    return run_sql("SELECT channel, event, recipient FROM notifications ORDER BY id")


def invited_token(run_sql: RunSql) -> str:
    [(body,)] = run_sql("SELECT body FROM notifications WHERE event = 'invitation' ORDER BY id DESC LIMIT 1")
    found = re.search(r"^([\w-]{43})$", body, re.MULTILINE)
    assert found
    return found.group(1)


OTIENO = {"name": "Otieno", "email": "Otieno@shop.example", "role": "staff"}


def test_the_invited_choose_their_own_password(client: FlaskClient, as_admin: dict[str, str], run_sql: RunSql) -> None:
    answer = client.post("/auth/users", json=OTIENO, headers=as_admin)
    assert answer.status_code == 201
    assert (answer.json["email"], answer.json["role"]) == ("otieno@shop.example", "staff")
    assert messages(run_sql) == [("email", "invitation", "otieno@shop.example")]
    token = invited_token(run_sql)
    reset = client.post("/auth/password/reset", json={"token": token, "password": "a fine long phrase"})
    assert reset.status_code < 300
    credentials = {"email": "otieno@shop.example", "password": "a fine long phrase"}
    signed_in = client.post("/auth/login", json=credentials)
    assert client.get("/auth/me", headers=bearer(signed_in.json["access_token"])).json["role"] == "staff"


def test_nobody_signs_in_to_an_account_without_a_password(
    client: FlaskClient, as_admin: dict[str, str], run_sql: RunSql
) -> None:
    client.post("/auth/users", json=OTIENO, headers=as_admin)
    assert client.post("/auth/login", json={"email": OTIENO["email"], "password": PASSWORD}).status_code == 401


def test_by_phone_alone(client: FlaskClient, as_admin: dict[str, str], run_sql: RunSql) -> None:
    answer = client.post("/auth/users", json={"name": "Njeri", "phone": "0712 345678"}, headers=as_admin)
    assert answer.status_code == 201
    assert (answer.json["phone"], answer.json["role"]) == ("+254712345678", "customer")
    assert messages(run_sql) == [("sms", "account_made", "+254712345678")]
    assert run_sql("SELECT count(*) FROM one_time_codes") == [(0,)]


def test_who_was_invited_by_phone_signs_in_with_a_code(
    client: FlaskClient, as_admin: dict[str, str], run_sql: RunSql
) -> None:
    made = client.post("/auth/users", json={"name": "Njeri", "phone": "0712345678", "role": "staff"}, headers=as_admin)
    assert made.json["is_phone_verified"] is False
    answer = log_in_by_sms(client, run_sql)
    me = client.get("/auth/me", headers=bearer(answer.json["access_token"])).json
    assert (me["id"], me["role"], me["is_phone_verified"]) == (made.json["id"], "staff", True)
    assert log_in_by_sms(client, run_sql).status_code == 200
    assert run_sql("SELECT count(*), count(invited_at) FROM customers") == [(2, 0)]


def log_in_by_sms(client: FlaskClient, run_sql: RunSql, phone: str = "+254712345678") -> TestResponse:
    client.post("/auth/otp", json={"phone": phone})
    [(body,)] = run_sql("SELECT body FROM notifications WHERE event = 'sign_in_code' ORDER BY id DESC LIMIT 1")
    return client.post("/auth/otp/login", json={"phone": phone, "code": body[:6]})


def test_the_word_of_an_admin_makes_no_number_somebodys(
    client: FlaskClient, as_admin: dict[str, str], run_sql: RunSql
) -> None:
    client.post("/auth/users", json={"name": "Njeri", "phone": "0712345678"}, headers=as_admin)
    assert client.post("/auth/password/forgot", json={"phone": "0712345678"}).status_code == 202
    assert run_sql("SELECT event FROM notifications WHERE event = 'reset_password'") == []
    holder = make_customer()
    headers = sign_in(holder)
    client.post("/auth/phone/verify", json={"phone": "0712345678", "password": PASSWORD}, headers=headers)
    [(body,)] = run_sql("SELECT body FROM notifications WHERE event = 'verify_phone'")
    code = re.search("[0-9]{6}", body)
    assert code
    assert client.post("/auth/phone/confirm", json={"code": code[0]}, headers=headers).status_code == 200
    answer = log_in_by_sms(client, run_sql)
    assert client.get("/auth/me", headers=bearer(answer.json["access_token"])).json["id"] == holder.id


@pytest.mark.parametrize("kind", ["expired", "deactivated", "activated again", "replaced by a contact"])
def test_invitations_by_phone_that_are_void_open_nothing(
    client: FlaskClient, as_admin: dict[str, str], run_sql: RunSql, kind: str
) -> None:
    user = client.post("/auth/users", json={"name": "Njeri", "phone": "0712345678", "role": "admin"}, headers=as_admin)
    path = f"/auth/users/{user.json['id']}"
    if kind == "expired":
        run_sql("UPDATE customers SET invited_at = now() - interval '73 hours' WHERE invited_at IS NOT NULL")
    elif kind == "replaced by a contact":
        run_sql("UPDATE customers SET invited_at = NULL")
    else:
        assert client.patch(path, json={"is_active": False}, headers=as_admin).status_code == 200
    if kind == "activated again":
        assert client.patch(path, json={"is_active": True}, headers=as_admin).status_code == 200
    answer = log_in_by_sms(client, run_sql)
    me = client.get("/auth/me", headers=bearer(answer.json["access_token"])).json
    assert (me["id"] != user.json["id"], me["role"]) == (True, "customer")
    assert run_sql("SELECT phone_verified_at FROM customers WHERE id = :id", id=user.json["id"]) == [(None,)]


def test_an_invitation_by_phone_can_be_sent_again(
    client: FlaskClient, as_admin: dict[str, str], run_sql: RunSql
) -> None:
    user = client.post("/auth/users", json={"name": "Njeri", "phone": "0712345678"}, headers=as_admin).json
    run_sql("UPDATE customers SET invited_at = now() - interval '73 hours' WHERE invited_at IS NOT NULL")
    path = f"/auth/users/{user['id']}/resend-verification"
    assert client.post(path, headers=as_admin).status_code == 202
    assert messages(run_sql) == [("sms", "account_made", "+254712345678")] * 2
    answer = log_in_by_sms(client, run_sql)
    assert client.get("/auth/me", headers=bearer(answer.json["access_token"])).json["id"] == user["id"]
    again = client.post(path, headers=as_admin)
    assert (again.status_code, again.json["code"]) == (409, "already_verified")


def test_nobody_is_invited_to_a_number_twice_or_once_it_is_another_ones(
    client: FlaskClient, as_admin: dict[str, str], run_sql: RunSql
) -> None:
    body = {"name": "Njeri", "phone": "0712345678"}
    user = client.post("/auth/users", json=body, headers=as_admin).json
    second = client.post("/auth/users", json=body, headers=as_admin)
    assert (second.status_code, second.json["code"]) == (409, "phone_taken")
    make_customer(phone="+254712345678", is_phone_verified=True)
    again = client.post(f"/auth/users/{user['id']}/resend-verification", headers=as_admin)
    assert (again.status_code, again.json["code"]) == (409, "phone_taken")
    assert len(messages(run_sql)) == 1


def test_who_was_in_an_account_before_its_invitation_is_out_with_the_answer_to_it(
    client: FlaskClient, as_admin: dict[str, str], run_sql: RunSql
) -> None:
    """Somebody whose number went to another one writes a stranger's number there, and has an admin invite it."""
    mallory = make_customer(email=None, password=None)
    headers = sign_in(mallory)
    assert client.patch("/auth/me", json={"phone": "0712345678"}, headers=headers).status_code == 200
    client.post(f"/auth/users/{mallory.id}/resend-verification", headers=as_admin)
    assert log_in_by_sms(client, run_sql).status_code == 200
    assert client.get("/auth/me", headers=headers).json["code"] == "token_revoked"


def test_a_phone_beside_an_email_is_not_believed(client: FlaskClient, as_admin: dict[str, str]) -> None:
    answer = client.post("/auth/users", json={**OTIENO, "phone": "0712345678"}, headers=as_admin)
    assert (answer.json["phone"], answer.json["is_phone_verified"]) == ("+254712345678", False)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"name": "Otieno", "email": "taken@example.com"}, 409, "email_taken"),
        ({"name": "Otieno", "phone": "0712345678"}, 409, "phone_taken"),
        ({"name": "Otieno"}, 422, "validation_failed"),
        ({"name": "Otieno", "email": None, "phone": None}, 422, "validation_failed"),
        ({**OTIENO, "role": "owner"}, 422, "validation_failed"),
        ({**OTIENO, "password": PASSWORD}, 422, "validation_failed"),
        ({**OTIENO, "id": 7}, 422, "validation_failed"),
        ({**OTIENO, "email": "otieno"}, 422, "validation_failed"),
        ({"email": "otieno@shop.example"}, 422, "validation_failed"),
    ],
)
def test_refused_accounts(
    client: FlaskClient, as_admin: dict[str, str], run_sql: RunSql, body: dict[str, Any], status: int, code: str
) -> None:
    make_customer(email="taken@example.com", phone="+254712345678", is_phone_verified=True)
    answer = client.post("/auth/users", json=body, headers=as_admin)
    assert (answer.status_code, answer.json["code"]) == (status, code)
    assert run_sql("SELECT count(*) FROM customers") == [(2,)]
    assert messages(run_sql) == []


@pytest.mark.parametrize("role", ["customer", "staff"])
def test_only_admins_make_accounts(client: FlaskClient, role: str, run_sql: RunSql) -> None:
    headers = sign_in(make_customer(role=role))
    answer = client.post("/auth/users", json={**OTIENO, "role": "admin"}, headers=headers)
    assert (answer.status_code, answer.json["code"]) == (403, "forbidden")
    assert run_sql("SELECT count(*) FROM customers WHERE role = 'admin'") == [(0,)]


@pytest.mark.parametrize("field", [{"role": "admin"}, {"id": 1}, {"is_active": True}, {"phone_verified_at": None}])
def test_nobody_gives_themselves_a_role(
    client: FlaskClient, context: None, run_sql: RunSql, field: dict[str, Any]
) -> None:
    body = {"name": "Mallory", "email": "m@example.com", "password": PASSWORD, **field}
    assert client.post("/auth/register", json=body).status_code == 422
    assert run_sql("SELECT count(*) FROM customers") == [(0,)]
    person = make_customer()
    assert client.patch("/auth/me", json=field, headers=sign_in(person)).status_code == 422
    assert find_person(person.id) == person


def test_an_admin_who_is_demoted_makes_no_more_accounts(
    client: FlaskClient, as_admin: dict[str, str], run_sql: RunSql
) -> None:
    other = make_customer(role="admin")
    others_headers = sign_in(other)
    changed = client.patch(f"/auth/users/{other.id}", json={"role": "staff"}, headers=as_admin)
    assert changed.status_code == 200
    assert client.post("/auth/users", json=OTIENO, headers=others_headers).status_code == 401
    assert client.post("/auth/users", json=OTIENO, headers=sign_in(other)).status_code == 403
    assert messages(run_sql) == []


def test_an_invitation_ends_with_the_account_it_is_for(
    client: FlaskClient, as_admin: dict[str, str], run_sql: RunSql
) -> None:
    user = client.post("/auth/users", json=OTIENO, headers=as_admin).json
    token = invited_token(run_sql)
    client.patch(f"/auth/users/{user['id']}", json={"is_active": False}, headers=as_admin)
    answer = client.post("/auth/password/reset", json={"token": token, "password": "a fine long phrase"})
    assert answer.status_code == 401
    assert run_sql("SELECT password_hash FROM customers WHERE id = :id", id=user["id"]) == [(None,)]


def test_an_invitation_sent_again_voids_the_first(
    client: FlaskClient, as_admin: dict[str, str], run_sql: RunSql
) -> None:
    user = client.post("/auth/users", json=OTIENO, headers=as_admin).json
    first = invited_token(run_sql)
    answer = client.post(f"/auth/users/{user['id']}/resend-verification", headers=as_admin)
    assert (answer.status_code, answer.data) == (202, b"")
    assert messages(run_sql) == [("email", "invitation", "otieno@shop.example")] * 2
    body = {"password": "a fine long phrase"}
    assert client.post("/auth/password/reset", json={**body, "token": first}).status_code == 401
    assert client.post("/auth/password/reset", json={**body, "token": invited_token(run_sql)}).status_code < 300


def test_who_has_a_password_gets_what_verifies_the_email(
    client: FlaskClient, as_admin: dict[str, str], run_sql: RunSql
) -> None:
    person = make_customer(email="w@example.com")
    answer = client.post(f"/auth/users/{person.id}/resend-verification", headers=as_admin)
    assert answer.status_code == 202
    assert messages(run_sql) == [("email", "verify_email", "w@example.com")]


def test_the_phone_comes_after_the_email(client: FlaskClient, as_admin: dict[str, str], run_sql: RunSql) -> None:
    person = make_customer(email="w@example.com", phone="+254712345678")
    run_sql("UPDATE customers SET email_verified_at = now() WHERE id = :id", id=person.id)
    assert client.post(f"/auth/users/{person.id}/resend-verification", headers=as_admin).status_code == 202
    assert messages(run_sql) == [("sms", "verify_phone", "+254712345678")]


def test_nothing_is_sent_to_whom_nothing_is_missing(
    client: FlaskClient, as_admin: dict[str, str], run_sql: RunSql
) -> None:
    person = make_customer(email="w@example.com")
    gone = make_customer(is_active=False)
    run_sql("UPDATE customers SET email_verified_at = now() WHERE id = :id", id=person.id)
    answers = [
        client.post(f"/auth/users/{user_id}/resend-verification", headers=as_admin)
        for user_id in (person.id, gone.id, 999_999)
    ]
    assert [(answer.status_code, answer.json["code"]) for answer in answers] == [
        (409, "already_verified"),
        (409, "deactivated"),
        (404, "not_found"),
    ]
    assert messages(run_sql) == []


def test_making_an_account_is_in_the_audit_log_without_name_and_address(
    client: FlaskClient, as_admin: dict[str, str], run_sql: RunSql
) -> None:
    user = client.post("/auth/users", json=OTIENO, headers=as_admin).json
    [(role, subject_type, subject_id, entry)] = run_sql(
        "SELECT actor_role, subject_type, subject_id, to_jsonb(audit_log)::text FROM audit_log"
        " WHERE action = 'create_user'"
    )
    assert (role, subject_type, subject_id) == ("admin", "customer", user["id"])
    assert "tieno" not in entry


def test_a_sign_in_of_a_person_who_is_deactivated_meanwhile_is_dead(
    client: FlaskClient, as_admin: dict[str, str]
) -> None:
    staff = make_customer(role="staff")
    pair = token_pair(staff)
    client.patch(f"/auth/users/{staff.id}", json={"is_active": False}, headers=as_admin)
    assert client.get("/auth/me", headers=bearer(pair.access_token)).status_code == 401
    assert client.post("/auth/refresh", headers=bearer(pair.refresh_token)).status_code == 401


def test_nobody_is_invited_at_a_number_that_gets_no_sms(
    client: FlaskClient, as_admin: dict[str, str], run_sql: RunSql
) -> None:
    answer = client.post("/auth/users", json={"name": "Njeri", "phone": "+254203674000"}, headers=as_admin)
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["phone"])
    assert run_sql("SELECT count(*) FROM customers") == [(1,)]
    assert messages(run_sql) == []


@pytest.mark.parametrize("password", [None, PASSWORD])
def test_nothing_is_sent_to_whom_a_number_was_taken_from(
    client: FlaskClient, as_admin: dict[str, str], run_sql: RunSql, password: str | None
) -> None:
    person = make_customer(email=None, password=password)
    answer = client.post(f"/auth/users/{person.id}/resend-verification", headers=as_admin)
    assert (answer.status_code, answer.json["code"]) == (409, "unreachable")
    assert messages(run_sql) == []


def test_a_landline_is_sent_no_code(client: FlaskClient, as_admin: dict[str, str], run_sql: RunSql) -> None:
    person = make_customer(email="w@example.com", phone="+254203674000")
    run_sql("UPDATE customers SET email_verified_at = now() WHERE id = :id", id=person.id)
    answer = client.post(f"/auth/users/{person.id}/resend-verification", headers=as_admin)
    assert (answer.status_code, list(answer.json["errors"])) == (422, ["phone"])
    assert messages(run_sql) == []
