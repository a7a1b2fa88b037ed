"""/auth/users: admins look after people."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from grocery.auth.hooks import customer_deleting
from grocery.auth.people import Person
from grocery.auth.service import ADMINS_LOCK_KEY
from grocery.db import db
from tests.auth.conftest import RunSql
from tests.auth.factories import bearer, find_person, make_customer, sign_in, token_pair
from tests.waiting import wait_until


@pytest.fixture
def admin(context: None) -> Person:
    return make_customer(name="Amina", email="amina@shop.example", role="admin")


@pytest.fixture
def as_admin(admin: Person) -> dict[str, str]:
    return sign_in(admin)


def ids(client: FlaskClient, as_admin: dict[str, str], query: str = "") -> list[int]:
    response = client.get(f"/auth/users{query}", headers=as_admin)
    assert response.status_code == 200
    return [person["id"] for person in response.json]


@pytest.mark.parametrize("role", ["customer", "staff"])
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", "/auth/users"), ("GET", "/auth/users/1"), ("PATCH", "/auth/users/1"), ("DELETE", "/auth/users/1")],
)
def test_others_are_refused(client: FlaskClient, role: str, method: str, path: str) -> None:
    headers = sign_in(make_customer(role=role))
    assert client.open(path, method=method).status_code == 401
    assert client.open(path, method=method, headers=headers).status_code == 403


def test_list_is_the_newest_first_with_links_to_the_end(
    client: FlaskClient, admin: Person, as_admin: dict[str, str]
) -> None:
    made = [admin.id, *(make_customer().id for _ in range(4))]
    seen, path, pages = [], "/auth/users?limit=2", 0
    while path:
        response = client.get(path, headers=as_admin)
        seen += [person["id"] for person in response.json]
        pages += 1
        make_customer()  # newcomers do not disturb the pages after
        link = response.headers.get("Link", "")
        path = link.partition("<http://localhost")[2].partition(">")[0]
    assert seen == sorted(made, reverse=True)
    assert pages == 3


def test_list_does_not_show_passwords(client: FlaskClient, as_admin: dict[str, str]) -> None:
    assert "argon2" not in client.get("/auth/users", headers=as_admin).text


@pytest.mark.parametrize(
    ("q", "names"),
    [
        ("kamau", ["Wanjiku Kamau"]),
        ("KAMAU", ["Wanjiku Kamau"]),
        ("otieno@", ["Otieno"]),
        ("Otieno@EXAMPLE", ["Otieno"]),
        ("0712 345678", ["Wanjiku Kamau"]),
        ("+254 (712) 345-678", ["Wanjiku Kamau"]),
        ("2345", ["Wanjiku Kamau"]),
        ("100%", ["100% Fresh Ltd"]),
        ("%", ["100% Fresh Ltd"]),
        ("_", []),
        ("\\", []),
        ("0", ["100% Fresh Ltd"]),
        ("nobody", []),
    ],
)
def test_search_by_name_email_and_phone(
    client: FlaskClient, as_admin: dict[str, str], q: str, names: list[str]
) -> None:
    make_customer("Wanjiku Kamau", "w@example.com", phone="+254712345678")
    make_customer("Otieno", "otieno@example.com")
    make_customer("100% Fresh Ltd", "fresh@example.com")
    response = client.get("/auth/users", query_string={"q": q}, headers=as_admin)
    assert [person["name"] for person in response.json] == names


def test_filters(client: FlaskClient, admin: Person, as_admin: dict[str, str]) -> None:
    staff, gone = make_customer(role="staff"), make_customer(is_active=False)
    assert ids(client, as_admin, "?role=staff") == [staff.id]
    assert ids(client, as_admin, "?role=admin") == [admin.id]
    assert ids(client, as_admin, "?is_active=false") == [gone.id]
    assert ids(client, as_admin, "?is_active=true") == [staff.id, admin.id]
    assert ids(client, as_admin, "?is_active=false&role=staff") == []


@pytest.mark.parametrize(
    "query",
    ["role=owner", "is_active=maybe", "limit=0", "limit=101", "limit=x", "cursor=x", "cursor=WyJhIl0", "rolle=staff"],
)
def test_refused_filters(client: FlaskClient, as_admin: dict[str, str], query: str) -> None:
    response = client.get(f"/auth/users?{query}", headers=as_admin)
    assert (response.status_code, list(response.json["errors"])) == (422, [query.split("=")[0]])


def test_search_for_nul_is_refused(client: FlaskClient, as_admin: dict[str, str]) -> None:
    assert client.get("/auth/users?q=%00", headers=as_admin).status_code == 422


def test_read(client: FlaskClient, as_admin: dict[str, str]) -> None:
    person = make_customer()
    response = client.get(f"/auth/users/{person.id}", headers=as_admin)
    assert (response.status_code, response.json["email"]) == (200, person.email)


@pytest.mark.parametrize("missing", ["0", "999999", "9223372036854775807", "x"])
@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_unknown_person(client: FlaskClient, as_admin: dict[str, str], method: str, missing: str) -> None:
    response = client.open(f"/auth/users/{missing}", method=method, headers=as_admin, json={"role": "staff"})
    assert (response.status_code, response.json["code"]) == (404, "not_found")


def test_unknown_person_is_told_before_a_wrong_body(client: FlaskClient, as_admin: dict[str, str]) -> None:
    assert client.patch("/auth/users/999999", json={"role": "owner"}, headers=as_admin).status_code == 404
    assert client.patch("/auth/users/999999", data="x", headers=as_admin).status_code == 404


@pytest.mark.parametrize("change", [{"role": "staff"}, {"role": "admin"}, {"is_active": False}])
def test_role_and_deactivation_end_all_sign_ins(
    client: FlaskClient, as_admin: dict[str, str], change: dict[str, Any]
) -> None:
    person, other = make_customer(is_email_verified=True), make_customer()
    pairs = [token_pair(person), token_pair(person)]
    other_headers = sign_in(other)
    response = client.patch(f"/auth/users/{person.id}", json=change, headers=as_admin)
    assert response.status_code == 200
    assert response.json.items() >= change.items()
    for pair in pairs:
        assert client.get("/auth/me", headers=bearer(pair.access_token)).json["code"] == "token_revoked"
        assert client.post("/auth/refresh", headers=bearer(pair.refresh_token)).json["code"] == "token_revoked"
    assert client.get("/auth/me", headers=other_headers).status_code == 200


@pytest.mark.parametrize("change", [{}, {"name": "Njeri"}, {"role": "customer"}, {"is_active": True}])
def test_other_changes_sign_nobody_out(client: FlaskClient, as_admin: dict[str, str], change: dict[str, Any]) -> None:
    person = make_customer()
    headers = sign_in(person)
    assert client.patch(f"/auth/users/{person.id}", json=change, headers=as_admin).status_code == 200
    assert client.get("/auth/me", headers=headers).json.items() >= change.items()


def test_deactivated_person_cannot_sign_in_and_can_after_activation(
    client: FlaskClient, as_admin: dict[str, str]
) -> None:
    person = make_customer()
    credentials = {"email": person.email, "password": "correct horse battery"}
    client.patch(f"/auth/users/{person.id}", json={"is_active": False}, headers=as_admin)
    assert client.post("/auth/login", json=credentials).json["code"] == "invalid_credentials"
    client.patch(f"/auth/users/{person.id}", json={"is_active": True}, headers=as_admin)
    assert client.post("/auth/login", json=credentials).status_code == 200


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("role", "owner"),
        ("role", None),
        ("role", "Admin"),
        ("is_active", None),
        ("is_active", 0),
        ("is_active", "false"),
        ("name", ""),
        ("email", "x@example.com"),
        ("phone", "0712345678"),
        ("password", "another password"),
    ],
)
def test_refused_changes(client: FlaskClient, as_admin: dict[str, str], field: str, value: Any) -> None:
    person = make_customer()
    response = client.patch(f"/auth/users/{person.id}", json={field: value}, headers=as_admin)
    assert (response.status_code, list(response.json["errors"])) == (422, [field])
    assert find_person(person.id) == person


def test_delete(client: FlaskClient, admin: Person, as_admin: dict[str, str]) -> None:
    person = make_customer()
    headers = sign_in(person)
    told: list[tuple[int, int]] = []

    def note(_sender: object, *, customer_id: int, actor: Person) -> None:
        told.append((customer_id, actor.id))

    with customer_deleting.connected_to(note):
        response = client.delete(f"/auth/users/{person.id}", headers=as_admin)
    assert (response.status_code, response.data) == (204, b"")
    assert told == [(person.id, admin.id)]
    assert find_person(person.id) is None
    assert client.get("/auth/me", headers=headers).status_code == 401
    assert client.delete(f"/auth/users/{person.id}", headers=as_admin).status_code == 404


@pytest.mark.parametrize(
    "request_",
    [
        {"method": "PATCH", "json": {"role": "staff"}},
        {"method": "PATCH", "json": {"is_active": False}},
        {"method": "DELETE"},
    ],
    ids=str,
)
def test_the_last_active_admin_stays(
    client: FlaskClient, admin: Person, as_admin: dict[str, str], request_: dict[str, Any]
) -> None:
    make_customer(role="admin", is_active=False)
    make_customer(role="staff")
    response = client.open(f"/auth/users/{admin.id}", headers=as_admin, **request_)
    assert (response.status_code, response.json["code"]) == (409, "last_admin")
    assert find_person(admin.id) == admin
    assert client.get("/auth/me", headers=as_admin).status_code == 200


def test_one_of_two_admins_may_go(client: FlaskClient, admin: Person, as_admin: dict[str, str]) -> None:
    make_customer(role="admin")
    assert client.patch(f"/auth/users/{admin.id}", json={"role": "staff"}, headers=as_admin).status_code == 200


def test_deactivated_admins_may_go(client: FlaskClient, as_admin: dict[str, str]) -> None:
    former = make_customer(role="admin", is_active=False)
    assert client.patch(f"/auth/users/{former.id}", json={"role": "staff"}, headers=as_admin).status_code == 200


@pytest.mark.parametrize("verb", ["demote", "deactivate", "delete"])
def test_two_admins_who_remove_each_other_at_once_leave_one(
    app: Flask, admin: Person, run_sql: RunSql, verb: str
) -> None:
    other = make_customer(role="admin")
    request = {
        "demote": {"method": "PATCH", "json": {"role": "customer"}},
        "deactivate": {"method": "PATCH", "json": {"is_active": False}},
        "delete": {"method": "DELETE"},
    }[verb]
    pairs = [(sign_in(admin), other), (sign_in(other), admin)]

    def send(headers: dict[str, str], target: Person) -> int:
        return app.test_client().open(f"/auth/users/{target.id}", headers=headers, **request).status_code

    def both_wait() -> bool:
        return run_sql("SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted") == [(2,)]

    with ThreadPoolExecutor(2) as pool, db.engine.connect() as holder:
        # Both have passed every check but the last before either may go on.
        holder.execute(text(f"SELECT pg_advisory_lock({ADMINS_LOCK_KEY})"))
        answers = [pool.submit(send, headers, target) for headers, target in pairs]
        wait_until(both_wait)
        holder.execute(text(f"SELECT pg_advisory_unlock({ADMINS_LOCK_KEY})"))
        holder.commit()
        statuses = sorted(answer.result(timeout=60) for answer in answers)
    assert statuses == [204 if verb == "delete" else 200, 409]
    assert run_sql("SELECT count(*) FROM customers WHERE role = 'admin' AND is_active") == [(1,)]
