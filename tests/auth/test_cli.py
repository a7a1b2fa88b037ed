"""`flask auth …`."""

import json

import pytest
from click.testing import Result
from flask import Flask
from flask.testing import FlaskClient

from grocery.auth.service import find_admin_emails
from tests.auth.conftest import RunSql
from tests.auth.factories import bearer, find_person, make_customer, token_pair


def run(app: Flask, *arguments: str, stdin: str | None = None) -> Result:
    return app.test_cli_runner().invoke(args=["auth", *arguments], input=stdin)


CREATE = ("create-admin", "--email", "Amina@Shop.example", "--name", "Amina", "--password-stdin")


def test_create_admin_from_standard_input(client: FlaskClient, app: Flask, run_sql: RunSql) -> None:
    result = run(app, *CREATE, stdin="correct horse battery\n")
    assert (result.exit_code, result.output) == (0, "Admin amina@shop.example was made.\n")
    assert run_sql("SELECT name, email, role, is_active, email_verified_at IS NOT NULL FROM customers") == [
        ("Amina", "amina@shop.example", "admin", True, True)
    ]
    credentials = {"email": "amina@shop.example", "password": "correct horse battery"}
    token = client.post("/auth/login", json=credentials).json["access_token"]
    assert client.get("/auth/users", headers=bearer(token)).status_code == 200


def test_create_admin_asks_for_what_is_missing(app: Flask, run_sql: RunSql) -> None:
    answers = ["Amina", "amina@shop.example", "correct horse battery", "mistyped", *["correct horse battery"] * 2]
    result = run(app, "create-admin", stdin="\n".join(answers) + "\n")
    assert result.exit_code == 0, result.output
    assert "correct horse" not in result.output
    assert run_sql("SELECT name, email, role FROM customers") == [("Amina", "amina@shop.example", "admin")]


@pytest.mark.parametrize(
    ("arguments", "stdin", "exit_code", "message"),
    [
        (CREATE, "short\n", 1, "password: Length must be between 8 and 128."),
        (CREATE, "", 1, "password: Length must be between 8 and 128."),
        (CREATE, "Amina@shop.example\n", 1, "password: Must not be your name, your e-mail address or the shop's name."),
        (("create-admin", "--email", "no", "--name", "A", "--password-stdin"), "x" * 8, 1, "email: Not a valid"),
        (("create-admin", "--password-stdin"), "x" * 8, 2, "--password-stdin needs --email and --name"),
        (("create-admin", "--nope"), "", 2, "No such option"),
        (("create-admin",), "", 1, "Aborted"),
    ],
)
def test_create_admin_refused(
    app: Flask, run_sql: RunSql, arguments: tuple[str, ...], stdin: str, exit_code: int, message: str
) -> None:
    result = run(app, *arguments, stdin=stdin)
    assert result.exit_code == exit_code, result.output
    assert message in result.output
    assert "Traceback" not in result.output
    assert run_sql("SELECT count(*) FROM customers") == [(0,)]


def test_create_admin_with_a_taken_email(app: Flask, context: None) -> None:
    person = make_customer(email="amina@shop.example")
    result = run(app, *CREATE, stdin="correct horse battery\n")
    assert result.exit_code == 1
    assert "There is an account with this e-mail address already." in result.output
    assert find_person(person.id) == person


def test_list(app: Flask, context: None) -> None:
    make_customer("Wanjiku", "w@example.com", phone="+254712345678")
    make_customer("Otieno", "o@example.com", role="staff", is_active=False)
    lines = run(app, "list").output.splitlines()
    assert lines[0].split() == ["id", "name", "e-mail", "phone", "role", "state"]
    assert lines[1].split()[1:] == ["Otieno", "o@example.com", "staff", "deactivated"]
    assert lines[2].split()[1:] == ["Wanjiku", "w@example.com", "+254712345678", "customer", "active"]


def test_list_as_json_of_one_role(app: Flask, context: None) -> None:
    make_customer("Wanjiku")
    make_customer("Otieno", role="staff")
    result = run(app, "list", "--role", "staff", "--json")
    assert [(person["name"], person["role"]) for person in json.loads(result.output)] == [("Otieno", "staff")]
    assert "password" not in result.output


def test_list_of_nobody(app: Flask) -> None:
    assert run(app, "list").output == "Nothing found.\n"
    assert run(app, "list", "--json").output == "[]\n"


def test_set_role(client: FlaskClient, app: Flask) -> None:
    person = make_customer(email="w@example.com", is_email_verified=True)
    pair = token_pair(person)
    result = run(app, "set-role", "W@example.com", "staff")
    assert (result.exit_code, result.output) == (0, "w@example.com is staff now.\n")
    changed = find_person(person.id)
    assert changed is not None
    assert changed.role == "staff"
    assert client.get("/auth/me", headers=bearer(pair.access_token)).json["code"] == "token_revoked"


def test_set_role_warns_of_an_address_that_nobody_has_proved_and_does_it(app: Flask, context: None) -> None:
    person = make_customer(email="w@example.com")
    result = run(app, "set-role", "w@example.com", "staff")
    assert (result.exit_code, result.stdout) == (0, "w@example.com is staff now.\n")
    warning = "Nobody has proved yet that w@example.com is theirs. Make sure whose account this is.\n"
    assert result.stderr == warning
    promoted = find_person(person.id)
    assert promoted is not None
    assert (promoted.role, promoted.is_email_verified) == ("staff", False)
    assert run(app, "set-role", "w@example.com", "customer").stderr == ""


def test_deactivate_and_activate(app: Flask, context: None, run_sql: RunSql) -> None:
    make_customer(email="w@example.com")
    assert run(app, "deactivate", "w@example.com").output == "w@example.com is deactivated now.\n"
    assert run_sql("SELECT is_active FROM customers") == [(False,)]
    assert run(app, "activate", "w@example.com").output == "w@example.com is active now.\n"
    assert run_sql("SELECT is_active FROM customers") == [(True,)]


@pytest.mark.parametrize(
    "arguments", [("set-role", "amina@shop.example", "staff"), ("deactivate", "amina@shop.example")]
)
def test_the_last_admin_stays(app: Flask, context: None, arguments: tuple[str, ...]) -> None:
    admin = make_customer(email="amina@shop.example", role="admin")
    result = run(app, *arguments)
    assert result.exit_code == 1
    assert "This is the last active admin." in result.output
    assert find_person(admin.id) == admin


@pytest.mark.parametrize("arguments", [("set-role", "x@example.com", "staff"), ("deactivate", "x@example.com")])
def test_unknown_email(app: Flask, context: None, arguments: tuple[str, ...]) -> None:
    result = run(app, *arguments)
    assert (result.exit_code, result.output) == (1, "Error: There is no such person.\n")


def test_unknown_role_is_a_usage_error(app: Flask, context: None) -> None:
    assert run(app, "set-role", "x@example.com", "owner").exit_code == 2


@pytest.mark.parametrize("command", ["create-admin", "list", "set-role", "deactivate", "activate"])
def test_every_command_has_help(app: Flask, command: str) -> None:
    result = run(app, command, "--help")
    assert result.exit_code == 0
    assert "Usage:" in result.output


def test_admin_emails_are_those_of_active_admins(app: Flask, context: None) -> None:
    make_customer(email="one@shop.example", role="admin")
    make_customer(email="two@shop.example", role="admin")
    make_customer(email="gone@shop.example", role="admin", is_active=False)
    make_customer(email=None, role="admin")
    make_customer(email="staff@shop.example", role="staff")
    assert find_admin_emails() == ["one@shop.example", "two@shop.example"]
