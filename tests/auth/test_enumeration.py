"""Who asks for an account learns nothing of whether it is there: the same answer, byte by byte, and the same work.

But for `POST /auth/register`, which says so by contract: it is limited by RATE_LIMIT_REGISTER.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event
from werkzeug.test import TestResponse

from grocery.db import db
from tests.auth.conftest import RunSql
from tests.auth.factories import PASSWORD, make_customer, sign_in
from tests.auth.second_factor.factories import turn_on_totp

EMAIL, PHONE = "wanjiku@example.com", "+254712345678"

# Of each kind the first is known, the others are not, or have never been proved, or are closed.
EMAILS = [EMAIL, "nobody@example.com", "invited@example.com", "gone@example.com", "guarded@example.com"]
PHONES = [PHONE, "+254722000001", "+254722000002", "+254722000003", "+254722000004", "+254722000005"]

# Random in each answer, or told of the request itself.
_VARYING_HEADERS = {"X-Request-ID", "Date"}
_RANDOM = re.compile(r"[\w-]{43}")


@dataclass(frozen=True)
class Seen:
    """What somebody outside can see, and measure."""

    status: int
    headers: frozenset[tuple[str, str]]
    body: str
    statements: tuple[str, ...]


@pytest.fixture
def look(client: FlaskClient) -> Iterator[Callable[..., Seen]]:
    """Sends a request and answers what can be seen of it."""
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        # A message to nobody is written and taken back; an entry of the audit log about nobody has two columns less.
        # The shop's own texts are read again every 15 seconds, whoever asks then.
        if "SAVEPOINT" not in statement and "text_overrides" not in statement:
            statements.append(statement.partition("(")[0] if "INTO audit_log" in statement else statement)

    engines = (db.engine, client.application.extensions["reads"])

    def send(path: str, body: dict[str, Any], **more: Any) -> Seen:
        statements.clear()
        answer: TestResponse = client.post(path, json=body, **more)
        headers = frozenset((name, value) for name, value in answer.headers if name not in _VARYING_HEADERS)
        text = answer.text.replace(answer.headers["X-Request-ID"], "")
        return Seen(answer.status_code, headers, _RANDOM.sub("…", text), tuple(statements))

    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    yield send
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)


@pytest.fixture(autouse=True)
def _people(context: None, run_sql: RunSql) -> None:
    make_customer(email=EMAIL, phone=PHONE, is_phone_verified=True, is_email_verified=True)
    make_customer(email="invited@example.com", phone="+254722000002", password=None)
    make_customer(email="gone@example.com", phone="+254722000003", is_phone_verified=True, is_active=False)
    turn_on_totp(make_customer(email="guarded@example.com", phone="+254722000004", is_phone_verified=True))
    invited = make_customer(email=None, phone="+254722000005", password=None)
    run_sql("UPDATE customers SET invited_at = now() WHERE id = :id", id=invited.id)


def same(seen: list[Seen]) -> bool:
    """Whether nobody can tell one from the other. Shows the first two that differ."""
    for one in seen[1:]:
        assert set(one.statements) ^ set(seen[0].statements) == set()
        assert one == seen[0]
    return True


def test_asking_for_a_code_to_sign_in_with(look: Callable[..., Seen]) -> None:
    look("/auth/otp", {"phone": "+254722000999"})  # what is done once in a process only is behind us
    seen = [look("/auth/otp", {"phone": phone}) for phone in PHONES]
    assert same(seen)
    assert seen[0].status == 202


@pytest.mark.parametrize("kind", ["email", "phone"])
def test_asking_for_a_new_password(look: Callable[..., Seen], kind: str) -> None:
    addresses = EMAILS if kind == "email" else PHONES
    look("/auth/password/forgot", {"email": "x@example.com"})
    seen = [look("/auth/password/forgot", {kind: address}) for address in addresses]
    assert same(seen)
    assert seen[0].status == 202


@pytest.mark.parametrize("identifiers", [EMAILS, PHONES], ids=["email", "phone"])
def test_a_wrong_password(look: Callable[..., Seen], identifiers: list[str]) -> None:
    look("/auth/login", {"email": "x@example.com", "password": "wrong"})
    wrong = {"password": "wrong", "totp": "123456"}
    seen = [look("/auth/login", {"email": identifier, **wrong}) for identifier in identifiers]
    assert same(seen)
    assert seen[0].status == 401


def test_a_wrong_code(look: Callable[..., Seen]) -> None:
    """Whether a code was asked for or not, whoever did so."""
    look("/auth/otp", {"phone": PHONE})
    seen = [look("/auth/otp/login", {"phone": phone, "code": "000000", "totp": "123456"}) for phone in PHONES[1:]]
    assert same(seen)
    assert seen[0].status == 401
    asked = look("/auth/otp/login", {"phone": PHONE, "code": "000000", "totp": "123456"})
    assert (asked.status, asked.body) == (401, seen[0].body)


def test_a_wrong_code_for_a_new_password(look: Callable[..., Seen]) -> None:
    for phone in PHONES:
        look("/auth/password/forgot", {"phone": phone})
    body = {"code": "000000", "password": "another long password"}
    seen = [look("/auth/password/reset", {**body, "phone": phone}) for phone in PHONES]
    assert same(seen)
    assert (seen[0].status, "invalid_code" in seen[0].body) == (401, True)


@pytest.mark.parametrize("kind", ["email", "phone"])
def test_wanting_the_address_of_another_account(look: Callable[..., Seen], kind: str) -> None:
    headers = sign_in(make_customer(email="mallory@example.com"))
    path = "/auth/email" if kind == "email" else "/auth/phone/verify"
    look(path, {kind: EMAILS[1] if kind == "email" else PHONES[1], "password": PASSWORD}, headers=headers)
    addresses = EMAILS if kind == "email" else PHONES
    seen = [look(path, {kind: address, "password": PASSWORD}, headers=headers) for address in addresses]
    assert same(seen)
    assert seen[0].status == 202
