"""GET, PATCH and DELETE /auth/me."""

from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import event, text
from sqlalchemy.exc import OperationalError
from werkzeug.test import TestResponse

from grocery.auth.hooks import customer_deleting
from grocery.auth.people import Person
from grocery.db import db
from grocery.errors import ConflictError
from tests.auth.conftest import RunSql
from tests.auth.factories import PASSWORD, bearer, find_person, make_customer, sign_in, token_pair


def erase(client: FlaskClient, person: Person, password: str = PASSWORD) -> TestResponse:
    return client.delete("/auth/me", json={"password": password}, headers=sign_in(person))


def test_reading_oneself_costs_one_statement(client: FlaskClient) -> None:
    person = make_customer(phone="+254712345678", is_phone_verified=True)
    headers = sign_in(person)
    seen: list[str] = []
    for engine in (db.engine, client.application.extensions["reads"]):
        event.listen(engine, "before_cursor_execute", lambda *args: seen.append(args[2]))
    response = client.get("/auth/me", headers=headers)
    assert len(seen) == 1
    assert response.json["id"] == person.id
    assert response.json["is_phone_verified"] is True
    assert response.headers["Cache-Control"] == "no-store"
    assert "password" not in response.text


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_visitors_get_401_before_anything_else(client: FlaskClient, method: str) -> None:
    response = client.open("/auth/me", method=method, data="{", content_type="text/plain")
    assert (response.status_code, response.json["code"]) == (401, "missing_token")


def test_changing_the_name_leaves_the_rest(client: FlaskClient) -> None:
    person = make_customer(phone="+254712345678", is_phone_verified=True)
    response = client.patch("/auth/me", json={"name": "Wanjiku Njeri"}, headers=sign_in(person))
    assert (response.status_code, response.json["name"]) == (200, "Wanjiku Njeri")
    changed = find_person(person.id)
    assert changed is not None
    assert (changed.name, changed.phone, changed.email) == ("Wanjiku Njeri", "+254712345678", person.email)
    assert changed.is_phone_verified
    assert changed.updated_at > person.updated_at
    assert changed.created_at == person.created_at


@pytest.mark.parametrize("sent", ["+254722000111", None])
def test_a_phone_that_is_a_contact_is_replaced_at_once(client: FlaskClient, sent: str | None) -> None:
    person = make_customer(phone="+254712345678")
    response = client.patch("/auth/me", json={"phone": sent}, headers=sign_in(person))
    assert response.status_code == 200
    assert (response.json["phone"], response.json["is_phone_verified"]) == (sent, False)
    changed = find_person(person.id)
    assert changed is not None
    assert (changed.phone, changed.is_phone_verified) == (sent, False)


@pytest.mark.parametrize("sent", ["+254722000111", None])
def test_a_stolen_token_does_not_replace_a_verified_phone(
    client: FlaskClient, sent: str | None, run_sql: RunSql
) -> None:
    person = make_customer(phone="+254712345678", is_phone_verified=True)
    response = client.patch("/auth/me", json={"name": "Mallory", "phone": sent}, headers=sign_in(person))
    assert (response.status_code, response.json["code"]) == (409, "phone_verified")
    assert find_person(person.id) == person
    assert run_sql("SELECT count(*) FROM notifications") == [(0,)]


def test_the_verified_phone_may_be_sent_as_it_is(client: FlaskClient) -> None:
    person = make_customer(phone="+254712345678", is_phone_verified=True)
    response = client.patch("/auth/me", json={"phone": "0712 345678", "language": "sw"}, headers=sign_in(person))
    assert (response.status_code, response.json["language"]) == (200, "sw")
    assert response.json["is_phone_verified"] is True


def test_changing_nothing_changes_nothing(client: FlaskClient) -> None:
    person = make_customer()
    response = client.patch("/auth/me", json={}, headers=sign_in(person))
    assert (response.status_code, response.json["id"]) == (200, person.id)
    assert find_person(person.id) == person


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", None),
        ("name", " "),
        ("phone", "12"),
        ("role", "admin"),
        ("is_active", False),
        ("email", "other@example.com"),
        ("password", "another password"),
        ("id", 7),
    ],
)
def test_refused_changes(client: FlaskClient, field: str, value: Any) -> None:
    person = make_customer()
    response = client.patch("/auth/me", json={"name": "Other", field: value}, headers=sign_in(person))
    assert (response.status_code, list(response.json["errors"])) == (422, [field])
    assert find_person(person.id) == person


def test_erasing_takes_the_person_and_their_sign_ins(client: FlaskClient, run_sql: RunSql) -> None:
    person, other = make_customer(), make_customer()
    pair, other_headers = token_pair(person), sign_in(other)
    client.post("/auth/logout", headers=sign_in(person))
    response = erase(client, person)
    assert (response.status_code, response.data) == (204, b"")
    assert find_person(person.id) is None
    assert run_sql("SELECT customer_id FROM token_families") == [(other.id,)]
    assert run_sql("SELECT count(*) FROM token_blocklist") == [(0,)]
    for path, method, token in (
        ("/auth/me", "GET", pair.access_token),
        ("/auth/refresh", "POST", pair.refresh_token),
    ):
        assert client.open(path, method=method, headers=bearer(token)).status_code == 401
    login = client.post("/auth/login", json={"email": person.email, "password": PASSWORD})
    assert (login.status_code, login.json["code"]) == (401, "invalid_credentials")
    assert client.get("/auth/me", headers=other_headers).status_code == 200


def test_email_of_an_erased_account_is_free_again(client: FlaskClient) -> None:
    person = make_customer()
    erase(client, person)
    body = {"name": "Again", "email": person.email, "password": PASSWORD}
    assert client.post("/auth/register", json=body).status_code == 201


@pytest.mark.parametrize(("password", "status"), [("wrong password", 403), ("", 422), (None, 422)])
def test_erasing_needs_the_password(client: FlaskClient, password: Any, status: int) -> None:
    person = make_customer()
    response = erase(client, person, password)
    assert response.status_code == status
    assert response.json["code"] == ("wrong_password" if status == 403 else "validation_failed")
    assert find_person(person.id) == person


def test_the_only_admin_cannot_erase_themselves(client: FlaskClient) -> None:
    admin = make_customer(role="admin")
    make_customer(role="admin", is_active=False)
    response = erase(client, admin)
    assert (response.status_code, response.json["code"]) == (409, "last_admin")
    assert find_person(admin.id) == admin


def test_hook_is_told_who_goes_and_who_does_it_before_the_row_is_gone(client: FlaskClient) -> None:
    person = make_customer()
    told: list[tuple[int, int, bool]] = []

    def note(_sender: object, *, customer_id: int, actor: Person) -> None:
        is_there = db.session.execute(text("SELECT true FROM customers WHERE id = :id"), {"id": customer_id}).scalar()
        told.append((customer_id, actor.id, bool(is_there)))

    with customer_deleting.connected_to(note):
        assert erase(client, person).status_code == 204
    assert told == [(person.id, person.id, True)]


def test_hook_that_refuses_keeps_the_person_and_what_it_wrote_is_undone(client: FlaskClient) -> None:
    person = make_customer()

    def refuse(_sender: object, *, customer_id: int, actor: Person) -> None:
        db.session.execute(text("UPDATE customers SET name = 'half done' WHERE id = :id"), {"id": customer_id})
        raise ConflictError("Order G-7K3M9Q is on its way.", code="order_in_transit")

    with customer_deleting.connected_to(refuse):
        response = erase(client, person)
    assert (response.status_code, response.json["code"]) == (409, "order_in_transit")
    assert find_person(person.id) == person


def test_nothing_of_the_person_can_be_added_while_the_hook_runs(client: FlaskClient, run_sql: RunSql) -> None:
    person = make_customer()
    outcomes: list[str] = []

    def try_to_add(_sender: object, *, customer_id: int, actor: Person) -> None:
        try:
            with db.engine.begin() as other:
                other.execute(text("SET LOCAL lock_timeout = '100ms'"))
                other.execute(
                    text("INSERT INTO token_blocklist VALUES (gen_random_uuid(), :id, now())"), {"id": customer_id}
                )
            outcomes.append("added")
        except OperationalError as error:
            outcomes.append(type(error.orig).__name__)

    with customer_deleting.connected_to(try_to_add):
        assert erase(client, person).status_code == 204
    assert outcomes == ["LockNotAvailable"]
