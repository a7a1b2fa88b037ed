"""`flask auth create|delete|resend-verification|sessions|end-sessions|reset-totp`."""

import json

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.auth.conftest import RunSql
from tests.auth.factories import PASSWORD, bearer, find_person, make_customer, token_pair
from tests.auth.second_factor.factories import turn_on_totp
from tests.auth.test_cli import run


def test_create(app: Flask, run_sql: RunSql) -> None:
    result = run(app, "create", "--name", "Otieno", "--email", "Otieno@shop.example", "--role", "staff")
    [(person_id, role, password_hash)] = run_sql("SELECT id, role, password_hash FROM customers")
    assert result.output == f"Otieno ({person_id}) is staff now, and is told at otieno@shop.example.\n"
    assert (result.exit_code, role, password_hash) == (0, "staff", None)
    assert run_sql("SELECT event, recipient FROM notifications") == [("invitation", "otieno@shop.example")]
    assert run_sql("SELECT action, actor_role, subject_id FROM audit_log") == [("auth create", "command", person_id)]


def test_create_as_json(app: Flask, context: None) -> None:
    result = run(app, "create", "--name", "Njeri", "--phone", "0712 345678", "--json")
    made = json.loads(result.output)
    assert (made["phone"], made["role"], made["email"]) == ("+254712345678", "customer", None)


@pytest.mark.parametrize(
    ("arguments", "exit_code", "message"),
    [
        (("--name", "A"), 1, "Needs an e-mail address or a phone number."),
        (("--name", "A", "--email", "no"), 1, "email: Not a valid"),
        (("--name", "A", "--email", "taken@example.com"), 1, "There is an account with this e-mail address already."),
        (("--email", "a@example.com"), 2, "Missing option '--name'"),
        (("--name", "A", "--email", "a@example.com", "--role", "owner"), 2, "is not one of"),
    ],
)
def test_create_refused(
    app: Flask, context: None, run_sql: RunSql, arguments: tuple[str, ...], exit_code: int, message: str
) -> None:
    make_customer(email="taken@example.com")
    result = run(app, "create", *arguments)
    assert result.exit_code == exit_code
    assert message in result.output
    assert run_sql("SELECT count(*) FROM customers") == [(1,)]


def test_delete_by_id_and_by_email(app: Flask, context: None, run_sql: RunSql) -> None:
    first, stays = make_customer("Wanjiku"), make_customer()
    make_customer(email="o@example.com")
    assert run(app, "delete", str(first.id), "--yes").output == f"Wanjiku ({first.id}) is deleted.\n"
    assert run(app, "delete", "O@example.com", stdin="y\n").exit_code == 0
    assert run_sql("SELECT id FROM customers") == [(stays.id,)]


def test_delete_asks_first(app: Flask, context: None) -> None:
    person = make_customer()
    assert run(app, "delete", str(person.id), stdin="n\n").exit_code == 1
    assert find_person(person.id) == person


def test_the_last_admin_is_not_deleted(app: Flask, context: None) -> None:
    admin = make_customer(role="admin")
    result = run(app, "delete", str(admin.id), "--yes")
    assert (result.exit_code, "This is the last active admin." in result.output) == (1, True)
    assert find_person(admin.id) == admin


def test_resend_verification(app: Flask, context: None, run_sql: RunSql) -> None:
    person = make_customer("Wanjiku", "w@example.com")
    assert run(app, "resend-verification", "w@example.com").output == f"Wanjiku ({person.id}) is told again.\n"
    assert run_sql("SELECT event, recipient FROM notifications") == [("verify_email", "w@example.com")]


def test_sessions_and_their_end(app: Flask, client: FlaskClient) -> None:
    person, other = make_customer("Wanjiku", "w@example.com"), make_customer()
    pair, others_pair = token_pair(person), token_pair(other)
    assert run(app, "sessions", "w@example.com").output.splitlines()[0].split()[:2] == ["id", "device"]
    [session] = json.loads(run(app, "sessions", str(person.id), "--json").output)
    assert session.keys() == {"id", "device", "created_at", "last_used_at"}
    ended = run(app, "end-sessions", "w@example.com")
    assert ended.output == f"Wanjiku ({person.id}) is signed out everywhere.\n"
    assert client.get("/auth/me", headers=bearer(pair.access_token)).json["code"] == "token_revoked"
    assert client.get("/auth/me", headers=bearer(others_pair.access_token)).status_code == 200
    assert run(app, "sessions", "w@example.com").output == "Nothing found.\n"


def test_reset_totp(app: Flask, client: FlaskClient, run_sql: RunSql) -> None:
    person = make_customer("Amina", "amina@shop.example", role="staff")
    turn_on_totp(person)
    pair = token_pair(person)
    assert (
        run(app, "reset-totp", "amina@shop.example").output == f"Amina ({person.id}) has no second factor any more.\n"
    )
    assert client.get("/auth/me", headers=bearer(pair.access_token)).json["code"] == "token_revoked"
    assert client.post("/auth/login", json={"email": person.email, "password": PASSWORD}).status_code == 200
    assert run_sql("SELECT count(*) FROM recovery_codes") == [(0,)]
    assert run_sql("SELECT actor_role, subject_id FROM audit_log WHERE action = 'auth reset-totp'") == [
        ("command", person.id)
    ]


def test_reset_totp_of_who_has_none_changes_nothing(app: Flask, client: FlaskClient) -> None:
    pair = token_pair(make_customer(email="w@example.com"))
    assert run(app, "reset-totp", "w@example.com").exit_code == 1
    assert client.get("/auth/me", headers=bearer(pair.access_token)).status_code == 200


@pytest.mark.parametrize("command", ["delete", "resend-verification", "sessions", "end-sessions", "reset-totp"])
@pytest.mark.parametrize("who", ["999999", "nobody@example.com", "", "0712345678901234567890"])
def test_nobody_is_found(app: Flask, context: None, command: str, who: str) -> None:
    result = run(app, command, who)
    assert (result.exit_code, result.output) == (1, "Error: There is no such person.\n")


@pytest.mark.parametrize(
    "command", ["create", "delete", "resend-verification", "sessions", "end-sessions", "reset-totp"]
)
def test_every_command_has_help(app: Flask, command: str) -> None:
    result = run(app, command, "--help")
    assert (result.exit_code, "Usage:" in result.output) == (0, True)
