"""POST /auth/register."""

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from grocery.db import db
from tests.auth.conftest import RunSql
from tests.auth.factories import PASSWORD, make_customer, sign_in

BODY = {"name": "Wanjiku Kamau", "email": "wanjiku@example.com", "password": PASSWORD}
LONGEST_EMAIL = ".".join(["a" * 64 + "@" + "b" * 63, "c" * 63, "d" * 58, "ke"])


def register(client: FlaskClient, **changes: Any) -> TestResponse:
    return client.post("/auth/register", json={**BODY, **changes})


def test_register_answers_the_customer_without_the_password(client: FlaskClient, run_sql: RunSql) -> None:
    response = register(client, phone="0712 345678")
    [(customer_id, password_hash)] = run_sql("SELECT id, password_hash FROM customers")
    assert response.status_code == 201
    created_at = response.json["created_at"]
    assert created_at.endswith("Z")
    assert response.json == {
        "id": customer_id,
        "name": "Wanjiku Kamau",
        "email": "wanjiku@example.com",
        "phone": "+254712345678",
        "is_phone_verified": False,
        "is_email_verified": False,
        "role": "customer",
        "is_active": True,
        "language": None,
        "notify_by": "sms_and_email",
        "marketing_sms": False,
        "marketing_email": False,
        "created_at": created_at,
        "updated_at": created_at,
    }
    assert password_hash.startswith("$argon2id$")
    assert PASSWORD not in response.text


def test_phone_may_be_left_out_or_null(client: FlaskClient) -> None:
    assert register(client).json["phone"] is None
    assert register(client, email="b@example.com", phone=None).json["phone"] is None


def test_unverified_phone_may_be_the_contact_of_several(client: FlaskClient) -> None:
    assert register(client, phone="+254712345678").status_code == 201
    assert register(client, email="b@example.com", phone="0712345678").status_code == 201


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("  Wanjiku@Example.COM \n", "wanjiku@example.com"),
        ("ÉLODIE@example.com", "élodie@example.com"),
        ("e\u0301lodie@example.com", "élodie@example.com"),
        ("ΣΑΣ@example.com", "σας@example.com"),
        (LONGEST_EMAIL.upper(), LONGEST_EMAIL),
    ],
)
def test_email_is_kept_trimmed_and_in_lower_case(client: FlaskClient, sent: str, kept: str) -> None:
    response = register(client, email=sent)
    assert (response.status_code, response.json.get("email")) == (201, kept)


@pytest.mark.parametrize("email", ["wanjiku@example.com", "WANJIKU@EXAMPLE.COM", " wanjiku@example.com"])
def test_taken_email(client: FlaskClient, run_sql: RunSql, email: str) -> None:
    make_customer(email="wanjiku@example.com", name="First")
    response = register(client, email=email)
    assert (response.status_code, response.json["code"]) == (409, "email_taken")
    assert run_sql("SELECT name FROM customers") == [("First",)]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "wanjiku"),
        ("email", "wanjiku@"),
        ("email", "@example.com"),
        ("email", "a b@example.com"),
        ("email", '"a b"@example.com'),
        ("email", "a\x00@example.com"),
        ("email", "a@example.com\r\nBcc: b@example.com"),
        ("email", "\u00e4\ue000@example.com"),
        ("email", "\u0130\u0307@example.com"),
        ("email", "a" + LONGEST_EMAIL),
        ("email", ""),
        ("email", None),
        ("email", 7),
        ("email", ["a@example.com"]),
        ("name", ""),
        ("name", "   "),
        ("name", "a\x00b"),
        ("name", "x" * 201),
        ("name", None),
        ("name", {"first": "Wanjiku"}),
        ("password", "1234567"),
        ("password", "x" * 129),
        ("password", "\x00" * 8),
        ("password", "line\nbreaks"),
        ("password", 12345678),
        ("password", None),
        ("password", "wanjiku kamau"),
        ("password", "Wanjiku@Example.com"),
        ("password", "Test Grocer"),
        ("password", "Password123"),
        ("phone", "12"),
        ("phone", "call me"),
        ("phone", "+0000000000"),
        ("phone", 254712345678),
        ("phone", "\x00"),
        ("role", "admin"),
        ("is_active", True),
        ("id", 1),
        ("phone_verified_at", "2026-01-01T00:00:00Z"),
    ],
)
def test_refused_fields_are_named_and_nothing_is_written(
    client: FlaskClient, run_sql: RunSql, field: str, value: Any
) -> None:
    response = register(client, **{field: value})
    assert (response.status_code, response.json["code"]) == (422, "validation_failed")
    assert list(response.json["errors"]) == [field]
    assert run_sql("SELECT count(*) FROM customers") == [(0,)]


@pytest.mark.parametrize("missing", ["name", "email", "password"])
def test_required_fields(client: FlaskClient, missing: str) -> None:
    response = client.post("/auth/register", json={name: value for name, value in BODY.items() if name != missing})
    assert (response.status_code, list(response.json["errors"])) == (422, [missing])


@pytest.mark.parametrize("password", ["x9-k2!qz", "x" * 128, "  spaces count  ", "пароль пароль", "🔑" * 8])
def test_passwords_at_the_limits_sign_in_afterwards(client: FlaskClient, password: str) -> None:
    assert register(client, password=password).status_code == 201
    answer = client.post("/auth/login", json={"email": BODY["email"], "password": password})
    assert answer.status_code == 200
    almost = password.strip() if password != password.strip() else "!" + password[1:]
    assert client.post("/auth/login", json={"email": BODY["email"], "password": almost}).status_code == 401


def test_line_breaks_and_runs_of_spaces_in_a_name_become_one_space(client: FlaskClient) -> None:
    assert register(client, name=" Wanjiku \r\n  Kamau ").json["name"] == "Wanjiku Kamau"


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [
        ("{", "application/json", 400),
        ("[]", "application/json", 422),
        ("null", "application/json", 422),
        ("name=x", "application/x-www-form-urlencoded", 415),
    ],
)
def test_malformed_bodies(client: FlaskClient, body: str, content_type: str, status: int) -> None:
    assert client.post("/auth/register", data=body, content_type=content_type).status_code == status


def test_the_same_email_registered_eight_times_at_once_makes_one_account(
    client: FlaskClient, at_once: Callable[..., list[TestResponse]], run_sql: RunSql
) -> None:
    request = {"path": "/auth/register", "method": "POST", "json": BODY}
    answers = at_once(*[request] * 8)
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    assert {answer.json["code"] for answer in answers if answer.status_code == 409} == {"email_taken"}
    assert run_sql("SELECT count(*) FROM customers") == [(1,)]


def test_no_connection_is_held_while_the_password_is_hashed(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    held: list[int] = []

    def hash_password(_password: str) -> str:
        held.append(db.engine.pool.checkedout())  # type: ignore[attr-defined]  # QueuePool
        return "$argon2id$"

    monkeypatch.setattr("grocery.auth.service.hash_password", hash_password)
    assert register(client).status_code == 201
    assert held == [0]


def test_an_endless_e_mail_address_is_refused_at_once(client: FlaskClient) -> None:
    marks = (
        "\u0301" * 30_000 + "\u0323" * 30_000
    )  # takes seconds to normalise, and four times as long for twice as many
    before = time.process_time()
    response = register(client, email=f"a{marks}@example.com")
    assert (response.status_code, response.json["errors"]) == (422, {"email": ["Longer than maximum length 254."]})
    assert time.process_time() - before < 1


MAILS = "SELECT event, recipient, customer_id, language FROM notifications ORDER BY id"


def test_new_account_gets_a_mail_to_verify_the_address(client: FlaskClient, run_sql: RunSql) -> None:
    person_id = register(client).json["id"]
    [(event, recipient, customer_id, language)] = run_sql(MAILS)
    assert (event, recipient, customer_id, language) == ("verify_email", BODY["email"], person_id, "en")
    assert run_sql("SELECT purpose, target, customer_id FROM one_time_codes") == [
        ("verify_email", BODY["email"], person_id)
    ]
    [(body,)] = run_sql("SELECT body FROM notifications")
    token = re.search(r"^([\w-]{43})$", body, re.MULTILINE)
    assert token is not None
    headers = sign_in(person_id)
    assert client.post("/auth/email/confirm", json={"token": token[1]}, headers=headers).status_code == 200
    assert client.get("/auth/me", headers=headers).json["is_email_verified"] is True


def test_the_mail_is_in_the_language_of_the_account(client: FlaskClient, run_sql: RunSql) -> None:
    register(client, language="sw")
    assert [(row[0], row[3]) for row in run_sql(MAILS)] == [("verify_email", "sw")]


def test_owner_of_a_taken_address_gets_no_mail(client: FlaskClient, run_sql: RunSql) -> None:
    make_customer(email=BODY["email"])
    assert register(client).status_code == 409
    assert register(client, email="WANJIKU@example.com").status_code == 409
    assert run_sql("SELECT (SELECT count(*) FROM notifications), (SELECT count(*) FROM one_time_codes)") == [(0, 0)]


def test_registration_that_is_refused_sends_nothing(client: FlaskClient, run_sql: RunSql) -> None:
    assert register(client, password="password").status_code == 422
    assert run_sql("SELECT count(*) FROM notifications") == [(0,)]


def test_no_second_mail_goes_out_within_a_minute(client: FlaskClient, run_sql: RunSql) -> None:
    headers = sign_in(register(client).json["id"])
    for _ in range(3):
        assert client.post("/auth/email", json={"email": BODY["email"]}, headers=headers).status_code == 202
    assert len(run_sql(MAILS)) == 1
    run_sql("UPDATE one_time_codes SET created_at = created_at - interval '61 seconds'")
    assert client.post("/auth/email", json={"email": BODY["email"]}, headers=headers).status_code == 202
    assert len(run_sql(MAILS)) == 2


def test_account_is_made_though_no_more_mails_go_to_the_address(client: FlaskClient, run_sql: RunSql) -> None:
    """A stranger who has asked for ten mails to an address keeps nobody from registering with it."""
    run_sql(
        "INSERT INTO one_time_codes (purpose, target, secret_hash, tries_left, expires_at)"
        " SELECT 'verify_email', :email, 'x', 5, now() FROM generate_series(1, 10)",
        email=BODY["email"],
    )
    assert register(client).status_code == 201
    assert (run_sql("SELECT count(*) FROM customers"), run_sql(MAILS)) == ([(1,)], [])
