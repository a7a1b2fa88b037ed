"""Every change by staff, admins and commands leaves its entry; what fails, or changes nothing, leaves none."""

import contextvars
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask, g
from flask.testing import FlaskClient
from sqlalchemy import text

from grocery.auth.audit.changes import note_change
from grocery.db import committing, db, name_subject, named_subject, transaction
from tests.auth.factories import PASSWORD, make_customer, sign_in
from tests.products.factories import make_category, make_product
from tests.test_guards import a_path, operations

Sql = Callable[..., list[tuple[Any, ...]]]

ENTRIES = "SELECT actor_id, actor_role, action, subject_type, subject_id, details FROM audit_log ORDER BY id"


def test_a_change_over_http_is_noted_with_who_what_and_to_whom(client: FlaskClient, run_sql: Sql) -> None:
    admin, person = make_customer(role="admin"), make_customer(is_email_verified=True)
    headers = {**sign_in(admin), "X-Request-ID": "request-1"}
    body = {"role": "staff", "name": "Somebody Else"}
    assert client.patch(f"/auth/users/{person.id}", headers=headers, json=body).status_code == 200
    details = {"fields": ["name", "role"], "role": "staff"}
    assert run_sql(ENTRIES) == [(admin.id, "admin", "update_user", "customer", person.id, details)]
    assert run_sql("SELECT request_id FROM audit_log") == [("request-1",)]


def test_what_is_made_is_named(client: FlaskClient, run_sql: Sql) -> None:
    admin = make_customer(role="admin")
    sent = {"name": "Unga", "price": "149.00", "category_id": make_category()}
    made = client.post("/products/", headers=sign_in(admin), json=sent).json
    assert run_sql(ENTRIES) == [
        (
            admin.id,
            "admin",
            "create_product",
            "product",
            made["id"],
            {"fields": ["category_id", "name", "price"]},
        )
    ]


def test_a_refused_change_is_not_noted(client: FlaskClient, run_sql: Sql) -> None:
    admin, staff = make_customer(role="admin"), make_customer(role="staff")
    person = make_customer()
    refusals = [
        client.patch("/auth/users/999999", headers=sign_in(admin), json={"role": "staff"}),
        client.patch(f"/auth/users/{person.id}", headers=sign_in(admin), json={"role": "king"}),
        client.patch(f"/auth/users/{person.id}", headers=sign_in(staff), json={"role": "admin"}),
        client.patch(f"/auth/users/{admin.id}", headers=sign_in(admin), json={"role": "customer"}),
        client.delete(f"/auth/users/{person.id}"),
    ]
    assert [response.status_code for response in refusals] == [404, 422, 403, 409, 401]
    assert run_sql(ENTRIES) == []


def test_a_change_is_lost_with_its_entry(client: FlaskClient, run_sql: Sql) -> None:
    """The entry cannot be written: then the change is not made either."""
    admin, person = make_customer(role="admin"), make_customer(is_email_verified=True)
    run_sql("ALTER TABLE audit_log ADD CONSTRAINT full_disk CHECK (action <> 'update_user') NOT VALID")
    try:
        client.application.testing = False
        response = client.patch(f"/auth/users/{person.id}", headers=sign_in(admin), json={"role": "admin"})
    finally:
        run_sql("ALTER TABLE audit_log DROP CONSTRAINT full_disk")
    assert response.status_code == 500
    assert run_sql("SELECT role FROM customers WHERE id = :id", id=person.id) == [("customer",)]


def test_what_customers_do_and_what_staff_read_is_not_noted(client: FlaskClient, run_sql: Sql) -> None:
    customer, admin = sign_in(make_customer()), sign_in(make_customer(role="admin"))
    assert client.patch("/auth/me", headers=customer, json={"name": "New Name"}).status_code == 200
    assert client.get("/auth/users", headers=admin).status_code == 200
    product_id = make_product(stock=5)
    assert client.put(f"/cart/items/{product_id}", headers=admin, json={"quantity": 1}).status_code == 200
    assert run_sql(ENTRIES) == []


def test_a_customer_who_goes_is_noted_by_number(client: FlaskClient, run_sql: Sql) -> None:
    person = make_customer()
    assert client.delete("/auth/me", headers=sign_in(person), json={"password": PASSWORD}).status_code == 204
    assert run_sql(ENTRIES) == [
        (person.id, "customer", "delete_me", "customer", person.id, {"fields": ["password"]}),
    ]


def test_addresses_of_people_do_not_come_into_the_log(client: FlaskClient, run_sql: Sql) -> None:
    admin = make_customer(role="admin")
    run_sql("INSERT INTO suppressions (channel, address, reason) VALUES ('sms', '+254712345678', 'stop')")
    response = client.delete("/suppressions/sms/+254712345678?force=true", headers=sign_in(admin))
    assert response.status_code == 204, response.json
    assert run_sql(ENTRIES) == [(admin.id, "admin", "lift_suppression", None, None, {"channel": "sms"})]


def test_what_a_body_has_that_nobody_reads_does_not_come_into_the_log(client: FlaskClient, run_sql: Sql) -> None:
    admin, person = make_customer(role="admin"), make_customer()
    body = {"role": {"deep": "x" * 1000}, "status": "Wanjiku\x00Kamau", "+254712345678": 1, "\x00": 1, "name": "x"}
    response = client.delete(f"/auth/users/{person.id}", headers=sign_in(admin), json=body)
    assert response.status_code == 204
    details = {"fields": ["name", "role", "status"]}
    assert run_sql(ENTRIES) == [(admin.id, "admin", "delete_user", "customer", person.id, details)]


def test_a_body_full_of_made_up_names_leaves_a_short_entry(client: FlaskClient, run_sql: Sql) -> None:
    admin, person = make_customer(role="admin"), make_customer()
    body = {"a" * length + "_" * filler: 1 for length in range(1, 20) for filler in range(20)}
    response = client.delete(f"/auth/users/{person.id}", headers=sign_in(admin), json=body)
    assert response.status_code == 204
    [(details,)] = run_sql("SELECT details FROM audit_log")
    assert len(details["fields"]) == 50


def test_commands_are_noted(app: Flask, context: None, run_sql: Sql) -> None:
    person, other = make_customer(email="njeri@example.com"), make_customer(email="boss@example.com")
    runner = app.test_cli_runner()
    for words in (["set-role", "boss@example.com", "admin"], ["deactivate", "njeri@example.com"], ["list"]):
        assert runner.invoke(args=["auth", *words]).exit_code == 0
    assert runner.invoke(args=["auth", "set-role", "nobody@example.com", "admin"]).exit_code == 1
    assert run_sql(ENTRIES) == [
        (None, "command", "auth set-role", "customer", other.id, {"role": "admin"}),
        (None, "command", "auth deactivate", "customer", person.id, None),
    ]


def test_a_command_with_several_subjects_notes_each(app: Flask, context: None, run_sql: Sql) -> None:
    insert = """
        INSERT INTO notifications (dedupe_key, channel, event, recipient, body, status, next_attempt_at)
        VALUES (:key, 'sms', 'order_placed', '+254712345678', 'Text', 'failed', NULL) RETURNING id
    """
    ids = [run_sql(insert, key=key)[0][0] for key in ("a", "b")]
    assert app.test_cli_runner().invoke(args=["notify", "resend", *map(str, ids)]).exit_code == 0
    assert run_sql("SELECT action, subject_type, subject_id FROM audit_log ORDER BY id") == [
        ("notify resend", "notification", ids[0]),
        ("notify resend", "notification", ids[1]),
    ]


def test_sign_ins_are_noted_and_failures_too(client: FlaskClient, run_sql: Sql) -> None:
    person = make_customer(role="staff")
    for email, password in (
        (person.email, PASSWORD),
        (person.email, "wrong horse battery"),
        ("nobody@example.com", PASSWORD),
    ):
        client.post("/auth/login", json={"email": email, "password": password})
    assert run_sql(ENTRIES) == [
        (person.id, "staff", "signed_in", "customer", person.id, None),
        (None, "visitor", "sign_in_failed", "customer", person.id, None),
        (None, "visitor", "sign_in_failed", None, None, None),
    ]


def test_a_subject_belongs_to_its_transaction(context: None) -> None:
    with pytest.raises(RuntimeError, match="outside"):
        name_subject("product", 1)
    with transaction():
        name_subject("customer", 7)
        name_subject("order", 8)
        assert named_subject() == ("customer", 7)
    assert named_subject() is None


def test_the_receiver_is_connected_once_for_however_many_apps(app: Flask) -> None:
    assert list(committing.receivers_for(None)).count(note_change) == 1


def test_every_route_that_changes_something_for_staff_and_admins_leaves_an_entry(
    app: Flask, context: None, run_sql: Sql
) -> None:
    """All of them commit by `transaction()`, which tells the log."""
    admin = make_customer(role="admin")

    def commit_in_request(method: str, path: str) -> None:
        with app.test_request_context(a_path(path), method=method):
            g.person = admin
            with transaction():
                assert db.session.scalar(text("SELECT 1")) == 1

    expected = []
    for method, path, operation in operations(app):
        if method == "GET" or operation["x-access"] not in ("staff", "admin"):
            continue
        contextvars.Context().run(commit_in_request, method, path)
        expected.append(operation["operationId"])
    assert len(expected) > 50
    assert [action for (action,) in run_sql("SELECT action FROM audit_log ORDER BY id")] == expected


@pytest.fixture
def shop(client: FlaskClient) -> dict[str, Any]:
    admin = make_customer(role="admin")
    category_id = make_category()
    return {
        "admin": sign_in(admin),
        "person": make_customer().id,
        "category": category_id,
        "product": make_product(stock=5, category_id=category_id),
    }


ZONE = {"name": "Town", "fee": "100.00"}
CAMPAIGN = {"name": "Offers", "channel": "sms", "texts": {"en": {"body": "Unga is cheap."}}}
PROMOTION = {"name": "Ten off", "kind": "percent", "value": "10", "code": "TEN"}

#: Method, path, body: one of each kind of change, by those who may make it.
CHANGES = [
    ("PATCH", "/auth/users/{person}", {"is_active": False}, "update_user", "customer"),
    ("DELETE", "/auth/users/{person}", None, "delete_user", "customer"),
    ("POST", "/categories/", {"name": "Spices"}, "create_category", "category"),
    ("PUT", "/categories/{category}", {"name": "Other"}, "replace_category", "category"),
    ("PATCH", "/products/{product}", {"price": "99.00"}, "change_product", "product"),
    ("DELETE", "/products/{product}", None, "delete_product", "product"),
    ("POST", "/products/{product}/stock", {"delta": 3, "reason": "received"}, "change_stock", "product"),
    ("POST", "/delivery/zones", ZONE, "create_zone", "zone"),
    ("POST", "/promotions/", PROMOTION, "create_promotion", "promotion"),
    ("POST", "/campaigns/", CAMPAIGN, "create_campaign", "campaign"),
]


@pytest.mark.parametrize(("method", "path", "body", "action", "subject"), CHANGES, ids=[one[3] for one in CHANGES])
def test_each_kind_of_change_leaves_one_entry_with_its_subject(
    shop: dict[str, Any],
    client: FlaskClient,
    run_sql: Sql,
    method: str,
    path: str,
    body: dict[str, Any] | None,
    action: str,
    subject: str,
) -> None:
    headers = shop["admin"]
    response = client.open(path.format(**shop), method=method, headers=headers, json=body)
    assert response.status_code < 300, response.json
    subject_id = response.json["id"] if method == "POST" and "{" not in path else None
    named = path.partition("{")[2].partition("}")[0]
    expected = subject_id if subject_id is not None else shop[named]
    assert run_sql("SELECT action, subject_type, subject_id FROM audit_log") == [(action, subject, expected)]
