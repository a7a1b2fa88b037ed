"""The copy of one's data: all of it, nobody else's, and nothing to sign in with."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import ForeignKey

from grocery.auth.privacy.schemas import ExportSchema
from grocery.db import Base
from tests.auth.factories import PASSWORD, make_customer, sign_in
from tests.orders.conftest import Caller, caller
from tests.orders.factories import move, place
from tests.products.factories import make_product

Sql = Callable[..., list[tuple[Any, ...]]]

#: Where a column that names a person is found in the copy.
EXPORTED = {
    "addresses.customer_id": "addresses",
    "carts.customer_id": "cart",
    "idempotency_keys.customer_id": "idempotency_keys",
    "inbound_sms.customer_id": "sms_to_the_shop",
    "known_devices.customer_id": "known_devices",
    "notifications.customer_id": "notifications",
    "one_time_codes.customer_id": "codes",
    "orders.customer_id": "orders",
    "product_requests.customer_id": "product_requests",
    "promotions.customer_id": "personal_coupons",
    "recovery_codes.customer_id": "second_factor",
    "second_factors.customer_id": "second_factor",
    "shopping_lists.customer_id": "shopping_lists",
    "stock_alerts.customer_id": "stock_alerts",
    "token_families.customer_id": "sessions",
}

_WORK = "What somebody did as one of the staff, for the shop: a record of the shop, about its goods and orders."
NOT_EXPORTED = {
    "campaigns.created_by": _WORK,
    "delivery_runs.rider_id": _WORK,
    "order_history.actor_id": _WORK,
    "order_lines.picker_id": _WORK,
    "order_returns.actor_id": _WORK,
    "payments.actor_id": _WORK,
    "payments.collector_id": _WORK,
    "price_changes.actor_id": _WORK,
    "price_history.actor_id": _WORK,
    "product_imports.actor_id": _WORK,
    "stock_lots.actor_id": _WORK,
    "stock_movements.actor_id": _WORK,
    "text_overrides.updated_by": _WORK,
    "token_blocklist.customer_id": "Numbers of tokens that are dead, which say nothing about anyone.",
}


def columns_that_name_people() -> set[str]:
    keys: list[ForeignKey] = [key for table in Base.metadata.tables.values() for key in table.foreign_keys]
    return {str(key.parent) for key in keys if key.target_fullname == "customers.id"}


def test_every_column_that_names_a_person_is_in_the_copy_or_has_a_reason_not_to_be() -> None:
    assert columns_that_name_people() == EXPORTED.keys() | NOT_EXPORTED.keys()
    assert set(EXPORTED.values()) <= ExportSchema().fields.keys()


def export(person: Caller) -> dict[str, Any]:
    response = person.get("/auth/me/export")
    assert response.status_code == 200, response.json
    answer: dict[str, Any] = response.json
    return answer


@pytest.fixture
def amina(context: None, client: FlaskClient) -> Caller:
    return caller(client, name="Amina Otieno", email="amina@example.com", phone="+254712345678", is_phone_verified=True)


FILL = """
    INSERT INTO known_devices (token_hash, customer_id) VALUES ('\\xdead', :id);
    INSERT INTO one_time_codes (purpose, target, customer_id, secret_hash, tries_left, expires_at)
    VALUES ('sign_in', '+254712345678', :id, '\\xbeef', 5, now());
    INSERT INTO second_factors (customer_id, secret, confirmed_at) VALUES (:id, '\\xcafe', now());
    INSERT INTO recovery_codes (customer_id, code_hash) VALUES (:id, '\\xf00d'), (:id, '\\xf00e');
    INSERT INTO inbound_sms (provider_id, phone, body, status, customer_id)
    VALUES ('in-1', '+254712345678', 'HELP me', 'answered', :id);
    INSERT INTO notifications (dedupe_key, channel, event, recipient, body, customer_id, priority)
    VALUES ('code', 'sms', 'sign_in_code', '+254712345678', 'Your code is 271828', :id, 0);
    INSERT INTO suppressions (channel, address, reason) VALUES ('sms', '+254712345678', 'stop'),
           ('email', 'amina@example.com', 'bounce');
    INSERT INTO promotions (name, code, kind, value, customer_id) VALUES ('Sorry', 'SORRY', 'percent', 10, :id);
    INSERT INTO product_requests (customer_id, words) VALUES (:id, 'Oat milk');
    INSERT INTO carts (customer_id, draft) VALUES (:id, '{"landmark": "near Shell"}')
    ON CONFLICT (customer_id) DO UPDATE SET draft = excluded.draft;
    INSERT INTO audit_log (actor_id, actor_role, action, subject_type, subject_id, details)
    VALUES (999999, 'admin', 'update_user', 'customer', :id, '{"note": 1}')
"""


def test_the_copy_has_all_that_the_shop_knows(amina: Caller, client: FlaskClient, context: None, run_sql: Sql) -> None:
    staff = caller(client, name="Njeri Staff", role="staff")
    unga, milk, eggs = make_product(name="Unga"), make_product(name="Milk"), make_product(name="Eggs", stock=0)
    order = place(amina, {unga: 2}, note="Ring twice")
    move(staff, order, "delivered")
    line_id = order["items"][0]["id"]
    back = {"items": [{"line_id": line_id, "quantity": 1, "is_restocked": False}], "reason": "damaged"}
    assert staff.post(f"/orders/{order['id']}/returns", json=back).status_code == 201
    assert amina.post("/addresses/", json={"label": "Home", "address": "Moi Avenue 5"}).status_code == 201
    assert amina.put(f"/cart/items/{milk}", json={"quantity": 3}).status_code == 200
    weekly = amina.post("/lists/", json={"name": "Every week", "order_id": order["id"]})
    assert (weekly.status_code, weekly.json["item_count"]) == (201, 1)
    assert amina.post("/lists/", json={"name": "Empty"}).status_code == 201
    assert amina.put(f"/products/{eggs}/alert").status_code in (200, 201, 204)
    keyed = amina.post(
        "/orders/", json={"items": [{"product_id": milk, "quantity": 1}]}, headers={"Idempotency-Key": "key-1"}
    )
    run_sql(FILL, id=amina.person.id)

    copy = export(amina)

    assert copy.keys() == ExportSchema().fields.keys()
    assert [section for section, rows in copy.items() if not rows] == []
    assert copy["account"]["email"] == "amina@example.com"
    assert copy["account"]["has_password"] is True
    assert [one["id"] for one in copy["orders"]] == [keyed.json["id"], order["id"]]
    exported = copy["orders"][1]
    assert exported["note"] == "Ring twice"
    assert exported["items"][0]["name"] == "Unga"
    assert [entry["status"] for entry in exported["history"]][:2] == ["pending", "confirmed"]
    assert {entry["actor_id"] for entry in exported["history"]} == {None, amina.person.id}
    assert [(payment["kind"], payment["amount"]) for payment in exported["payments"]] == [("capture", "200.00")]
    assert exported["payments"][0].keys().isdisjoint({"collector_id", "actor_id"})
    assert [(one["reason"], one["refund"]) for one in exported["returns"]] == [("damaged", "100.00")]
    assert [one["label"] for one in copy["addresses"]] == ["Home"]
    assert [(one["name"], one["quantity"]) for one in copy["cart"]] == [("Milk", 3)]
    assert [one["draft"] for one in copy["checkout_draft"]] == [{"landmark": "near Shell"}]
    assert [(one["name"], [item["name"] for item in one["items"]]) for one in copy["shopping_lists"]] == [
        ("Every week", ["Unga"]),
        ("Empty", []),
    ]
    assert [one["name"] for one in copy["stock_alerts"]] == ["Eggs"]
    assert [one["words"] for one in copy["product_requests"]] == ["Oat milk"]
    assert [one["key"] for one in copy["idempotency_keys"]] == ["key-1"]
    assert [one["code"] for one in copy["personal_coupons"]] == ["SORRY"]
    assert [one["body"] for one in copy["sms_to_the_shop"]] == ["HELP me"]
    assert copy["second_factor"][0]["recovery_codes_left"] == 2
    assert [one["target"] for one in copy["codes"]] == ["+254712345678"]
    # The e-mail address was never proved to be hers: whether it is on the list is its holder's affair.
    assert [(one["channel"], one["reason"]) for one in copy["suppressions"]] == [("sms", "stop")]
    assert {"order_placed", "sign_in_code"} <= {message["event"] for message in copy["notifications"]}
    assert ("update_user", "admin", None) in [
        (entry["action"], entry["actor_role"], entry["subject_id"]) for entry in copy["audit_log"]
    ]


def test_nobody_can_sign_in_with_what_is_in_the_copy(amina: Caller, run_sql: Sql) -> None:
    run_sql(FILL, id=amina.person.id)
    text = amina.get("/auth/me/export").get_data(as_text=True)
    secrets = run_sql("SELECT password_hash FROM customers WHERE id = :id", id=amina.person.id)[0]
    for secret in (*secrets, "271828", "dead", "beef", "cafe", "f00d", PASSWORD, amina.headers["Authorization"][7:]):
        assert secret not in text
    tokens = run_sql("SELECT id::text, access_jti::text, refresh_jti::text FROM token_families")
    assert [token for token in tokens[0] if token in text] == []
    assert re.search(r"argon2|hash|999999", text) is None


def test_the_copy_has_nothing_of_anybody_else(amina: Caller, client: FlaskClient, run_sql: Sql) -> None:
    brian = caller(client, name="Brian Kiprop", email="brian@example.com")
    place(brian, {make_product(): 1}, note="For Brian")
    assert brian.post("/addresses/", json={"address": "Kenyatta Road 7"}).status_code == 201
    assert brian.post("/lists/", json={"name": "Brian's"}).status_code == 201
    copy = export(amina)
    assert {section for section, rows in copy.items() if rows} == {"account", "sessions"}
    text = amina.get("/auth/me/export").get_data(as_text=True)
    assert [word for word in ("Brian", "brian@", "Kenyatta") if word in text] == []


def test_more_orders_than_a_page_are_all_there(amina: Caller, run_sql: Sql) -> None:
    run_sql(
        """
        INSERT INTO orders (number, customer_id, subtotal_cents, vat_cents, total_cents, currency)
        SELECT 'G-' || n, :id, 0, 0, 0, 'KES' FROM generate_series(1, 201) AS n
        """,
        id=amina.person.id,
    )
    assert len({order["number"] for order in export(amina)["orders"]}) == 201


def test_the_copy_is_a_file_that_nobody_keeps_on_the_way_and_is_noted(amina: Caller, run_sql: Sql) -> None:
    response = amina.get("/auth/me/export")
    assert re.fullmatch(
        r'attachment; filename="my-data-\d{4}-\d\d-\d\d\.json"', response.headers["Content-Disposition"]
    )
    assert response.headers["Cache-Control"] == "no-store"
    assert run_sql("SELECT actor_id, action, subject_id FROM audit_log") == [
        (amina.person.id, "data_exported", amina.person.id)
    ]


def test_visitors_have_no_copy(client: FlaskClient) -> None:
    assert client.get("/auth/me/export").status_code == 401


def test_staff_get_their_own_copy_only(client: FlaskClient) -> None:
    admin = make_customer(role="admin")
    answer = client.get("/auth/me/export", headers=sign_in(admin), query_string={"customer_id": 1})
    assert answer.json["account"]["id"] == admin.id


def test_who_writes_a_strangers_number_into_their_account_gets_none_of_the_strangers_sms(
    client: FlaskClient, context: None, run_sql: Sql
) -> None:
    thief = caller(client, phone="+254712345678")
    run_sql(
        "INSERT INTO inbound_sms (provider_id, phone, body, status, customer_id)"
        " VALUES ('in-1', '+254712345678', 'My gate code is 4711', 'ignored', :id)",
        id=thief.person.id,
    )
    assert export(thief)["sms_to_the_shop"] == []
