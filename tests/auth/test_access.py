"""The gate before every route: which tokens open it, and for whom."""

import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt as pyjwt
import pytest
from flask import Flask, jsonify
from flask.testing import FlaskClient
from sqlalchemy import event
from werkzeug.test import TestResponse

from grocery.app import create_app
from grocery.auth.access import (
    admin_required,
    check_staff,
    current_person,
    current_person_or_none,
    customer_required,
    optional_person,
    refresh_required,
    staff_required,
)
from grocery.auth.people import Person
from grocery.config import Settings
from grocery.db import db
from tests.auth.factories import bearer, make_customer, sign_in, token_pair

# Long enough for HS512 too, so that such a token is refused for its algorithm and nothing else.
KEY = "secret-for-tests-only-" + "0123456789abcdef" * 3


@pytest.fixture(scope="module")
def gated_app(settings: Settings) -> Flask:
    """An application with one bare route for each decorator."""
    gated_app = create_app(replace(settings, jwt_secret_keys={"test": KEY}))
    for gate in (customer_required, staff_required, admin_required, refresh_required):
        name = gate(lambda: None)._apidoc["access"]
        gated_app.add_url_rule(f"/gate/{name}", name, gate(lambda: jsonify(id=current_person().id)))
    gated_app.add_url_rule("/gate/optional", "optional", optional_person(_tell_who))
    gated_app.add_url_rule("/gate/part", "part", optional_person(_part_for_staff))
    return gated_app


@pytest.fixture
def gated(app: Flask, gated_app: Flask) -> Iterator[FlaskClient]:
    """A client of that application, whose context is open for the factories."""
    with gated_app.app_context():
        yield gated_app.test_client()


def _tell_who() -> Any:
    person = current_person_or_none()
    return jsonify(id=person.id if person else None)


def _part_for_staff() -> Any:
    check_staff()
    return _tell_who()


@pytest.fixture
def statements(gated: FlaskClient) -> Iterator[list[str]]:
    """The SQL statements that requests make, in order."""
    seen: list[str] = []

    def note(*args: Any) -> None:
        seen.append(args[2])

    engines = (db.engine, gated.application.extensions["reads"])
    for engine in engines:
        event.listen(engine, "before_cursor_execute", note)
    yield seen
    for engine in engines:
        event.remove(engine, "before_cursor_execute", note)


def forge(person: Person, *, key: str = KEY, algorithm: str = "HS256", kid: Any = "test", **claims: Any) -> str:
    """A token like ours, save for what the test changes; a claim that is None is left out."""
    now = int(datetime.now(UTC).timestamp())
    payload = {
        "sub": str(person.id),
        "jti": str(uuid.uuid4()),
        "fam": str(uuid.uuid4()),
        "type": "access",
        "iss": "grocery",
        "aud": "api",
        "iat": now,
        "exp": now + 900,
        **claims,
    }
    present = {name: value for name, value in payload.items() if value is not None}
    return pyjwt.encode(present, key, algorithm, headers={"kid": kid} if kid else {})


def assert_refused(response: TestResponse, code: str) -> None:
    assert response.status_code == 401
    assert response.content_type == "application/problem+json"
    assert response.headers["WWW-Authenticate"] == "Bearer"
    assert response.json["code"] == code
    assert response.json["status"] == 401


def test_a_genuine_token_made_by_hand_opens_the_gate(gated: FlaskClient) -> None:
    person = make_customer()
    response = gated.get("/gate/customer", headers=bearer(forge(person)))
    assert (response.status_code, response.json) == (200, {"id": person.id})


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("customer", {"customer": 200, "staff": 403, "admin": 403}),
        ("staff", {"customer": 200, "staff": 200, "admin": 403}),
        ("admin", {"customer": 200, "staff": 200, "admin": 200}),
    ],
)
def test_each_role_passes_its_own_gates(gated: FlaskClient, role: str, expected: dict[str, int]) -> None:
    headers = sign_in(make_customer(role=role))
    assert {gate: gated.get(f"/gate/{gate}", headers=headers).status_code for gate in expected} == expected


def test_a_wrong_role_is_told_in_a_problem_document(gated: FlaskClient) -> None:
    response = gated.get("/gate/admin", headers=sign_in(make_customer()))
    assert response.content_type == "application/problem+json"
    assert response.json["code"] == "forbidden"


@pytest.mark.parametrize("headers", [{}, {"Authorization": ""}, {"Authorization": "   "}])
def test_no_token(gated: FlaskClient, headers: dict[str, str]) -> None:
    assert_refused(gated.get("/gate/customer", headers=headers), "missing_token")


@pytest.mark.parametrize(
    "header",
    [
        "Bearer",
        "Bearer ",
        "Bearer x",
        "Bearer a.b",
        "Bearer a.b.c",
        "Bearer a.b.c.d",
        "Bearer ..",
        "Basic dXNlcjpwYXNz",
        "Token a.b.c",
        ",  ,",
        ", Bearer a.b.c",
        "Bearer a.b.c, Bearer a.b.c",
        "Bearer \x00",
        "Bearer é.é.é",
        "Bearer " + "a" * 1_000_000,
        "Bearer " + "a" * 100_000 + "." + "b" * 100_000 + "." + "c" * 100_000,
    ],
)
def test_malformed_header(gated: FlaskClient, header: str) -> None:
    assert_refused(gated.get("/gate/customer", headers={"Authorization": header}), "invalid_token")


@pytest.mark.parametrize(
    "changes",
    [
        {"key": "another-secret-of-sufficient-length-0123456789"},
        {"kid": "unknown"},
        {"kid": None},
        {"algorithm": "HS512"},
        {"exp": None},
        {"exp": "soon"},
        {"jti": None},
        {"jti": "not-a-uuid"},
        {"fam": None},
        {"fam": 7},
        {"sub": None},
        {"sub": "root"},
        {"sub": 1},
        {"type": "ticket"},
        {"iss": None},
        {"iss": "elsewhere"},
        {"aud": None},
        {"aud": "stream"},
        {"iat": 32503680000},
    ],
    ids=str,
)
def test_forged_and_foreign_tokens(gated: FlaskClient, changes: dict[str, Any]) -> None:
    assert_refused(gated.get("/gate/customer", headers=bearer(forge(make_customer(), **changes))), "invalid_token")


def test_token_without_a_signature(gated: FlaskClient) -> None:
    token = forge(make_customer(), key="", algorithm="none")
    assert_refused(gated.get("/gate/customer", headers=bearer(token)), "invalid_token")


def test_token_with_its_algorithm_turned_to_none(gated: FlaskClient) -> None:
    genuine = token_pair(make_customer()).access_token
    header = forge(make_customer(), key="", algorithm="none").split(".")[0]
    _, payload, signature = genuine.split(".")
    assert_refused(gated.get("/gate/customer", headers=bearer(f"{header}.{payload}.{signature}")), "invalid_token")


def test_token_with_a_changed_payload(gated: FlaskClient) -> None:
    admin, customer = make_customer(role="admin"), make_customer()
    header, _, signature = forge(customer).split(".")
    payload = forge(admin).split(".")[1]
    assert_refused(gated.get("/gate/customer", headers=bearer(f"{header}.{payload}.{signature}")), "invalid_token")


def test_expired_token(gated: FlaskClient) -> None:
    an_hour_ago = int((datetime.now(UTC) - timedelta(hours=1)).timestamp())
    token = forge(make_customer(), iat=an_hour_ago, exp=an_hour_ago + 900)
    assert_refused(gated.get("/gate/customer", headers=bearer(token)), "token_expired")


def test_access_and_refresh_tokens_are_not_interchangeable(gated: FlaskClient) -> None:
    pair = token_pair(make_customer())
    assert_refused(gated.get("/gate/customer", headers=bearer(pair.refresh_token)), "invalid_token")
    assert_refused(gated.get("/gate/refresh", headers=bearer(pair.access_token)), "invalid_token")
    assert gated.get("/gate/refresh", headers=bearer(pair.refresh_token)).status_code == 200


def test_deleted_person(gated: FlaskClient, run_sql: Callable[..., Any]) -> None:
    headers = sign_in(make_customer())
    run_sql("DELETE FROM customers")
    assert_refused(gated.get("/gate/customer", headers=headers), "unauthenticated")


def test_deactivated_person(gated: FlaskClient, run_sql: Callable[..., Any]) -> None:
    headers = sign_in(make_customer())
    run_sql("UPDATE customers SET is_active = false")
    assert_refused(gated.get("/gate/customer", headers=headers), "unauthenticated")


@pytest.mark.parametrize("claim", ["jti", "fam"])
def test_blocked_token_and_blocked_family(gated: FlaskClient, run_sql: Callable[..., Any], claim: str) -> None:
    person = make_customer()
    token, other = forge(person), forge(person)
    blocked = pyjwt.decode(token, options={"verify_signature": False})[claim]
    run_sql(
        "INSERT INTO token_blocklist (token_id, customer_id, expires_at) VALUES (:token, :person, now())",
        token=blocked,
        person=person.id,
    )
    assert_refused(gated.get("/gate/customer", headers=bearer(token)), "token_revoked")
    assert gated.get("/gate/customer", headers=bearer(other)).status_code == 200


def test_a_changed_role_takes_effect_on_the_token_in_use(gated: FlaskClient, run_sql: Callable[..., Any]) -> None:
    headers = sign_in(make_customer(role="admin"))
    assert gated.get("/gate/admin", headers=headers).status_code == 200
    run_sql("UPDATE customers SET role = 'staff'")
    assert gated.get("/gate/admin", headers=headers).status_code == 403
    assert gated.get("/gate/staff", headers=headers).status_code == 200


def test_every_key_verifies_and_the_first_one_signs(app: Flask, context: None, settings: Settings) -> None:
    person = make_customer()
    keys = {"new": "a-new-secret-for-tests-only-0123456789", "test": KEY}
    rotated = create_app(replace(settings, jwt_secret_keys=keys))
    rotated.add_url_rule("/gate", view_func=customer_required(lambda: jsonify(id=current_person().id)))
    assert rotated.test_client().get("/gate", headers=bearer(forge(person))).status_code == 200
    with rotated.app_context():
        token = token_pair(person).access_token
    assert pyjwt.get_unverified_header(token)["kid"] == "new"
    assert rotated.test_client().get("/gate", headers=bearer(token)).status_code == 200


def test_an_authenticated_request_costs_one_statement(gated: FlaskClient, statements: list[str]) -> None:
    headers = sign_in(make_customer(role="admin"))
    statements.clear()
    assert gated.get("/gate/admin", headers=headers).status_code == 200
    assert len(statements) == 1
    assert "token_blocklist" in statements[0]
    assert "customers" in statements[0]


def test_a_refused_token_costs_no_statement(gated: FlaskClient, statements: list[str]) -> None:
    person = make_customer()
    statements.clear()
    for token in ("", "a.b.c", forge(person, kid="unknown"), forge(person, exp=1), forge(person, type="refresh")):
        assert gated.get("/gate/customer", headers=bearer(token)).status_code == 401
    assert statements == []


@pytest.mark.parametrize("scheme", ["bearer", "BEARER", "Bearer"])
def test_the_scheme_may_be_written_in_any_letter_case(client: FlaskClient, context: None, scheme: str) -> None:
    token = token_pair(make_customer()).access_token
    assert client.get("/auth/me", headers={"Authorization": f"{scheme}  {token}"}).status_code == 200


def test_an_optional_gate_knows_visitors_and_people_apart(gated: FlaskClient, statements: list[str]) -> None:
    person = make_customer()
    headers = sign_in(person)
    del statements[:]
    visitor = gated.get("/gate/optional")
    assert (visitor.status_code, visitor.json, statements) == (200, {"id": None}, [])
    signed_in = gated.get("/gate/optional", headers=headers)
    assert (signed_in.status_code, signed_in.json, len(statements)) == (200, {"id": person.id}, 1)
    assert {one.headers["Vary"] for one in (visitor, signed_in)} == {"Authorization"}


@pytest.mark.parametrize(
    ("header", "code"),
    [("", "missing_token"), ("Bearer x", "invalid_token"), ("Basic dXNlcjpwYXNz", "invalid_token")],
)
def test_an_optional_gate_refuses_what_is_no_token(gated: FlaskClient, header: str, code: str) -> None:
    assert_refused(gated.get("/gate/optional", headers={"Authorization": header}), code)


def test_an_optional_gate_refuses_expired_refresh_and_revoked_tokens_and_those_of_nobody(
    gated: FlaskClient, run_sql: Callable[..., Any]
) -> None:
    person = make_customer()
    past = int(datetime.now(UTC).timestamp()) - 3600
    expired = forge(person, iat=past, exp=past + 900)
    assert_refused(gated.get("/gate/optional", headers=bearer(expired)), "token_expired")
    pair = token_pair(person)
    assert_refused(gated.get("/gate/optional", headers=bearer(pair.refresh_token)), "invalid_token")
    assert gated.post("/auth/logout", headers=bearer(pair.access_token)).status_code == 204
    assert_refused(gated.get("/gate/optional", headers=bearer(pair.access_token)), "token_revoked")
    left = sign_in(person)
    run_sql("UPDATE customers SET is_active = false")
    assert_refused(gated.get("/gate/optional", headers=left), "unauthenticated")
    run_sql("DELETE FROM customers")
    assert_refused(gated.get("/gate/optional", headers=left), "unauthenticated")


@pytest.mark.parametrize(("role", "status"), [("customer", 403), ("staff", 200), ("admin", 200)])
def test_a_part_for_staff_of_an_optional_gate(gated: FlaskClient, role: str, status: int) -> None:
    assert_refused(gated.get("/gate/part"), "missing_token")
    assert gated.get("/gate/part", headers=sign_in(make_customer(role=role))).status_code == status
