from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest

from grocery.db import db
from tests.orders.conftest import Caller, wait_until_blocked
from tests.orders.factories import move, place
from tests.products.factories import make_product

Sql = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def flour(context: None) -> int:
    return make_product(name="Maize Flour", price_cents=189_00, vat_class="zero")


@pytest.fixture
def soap(context: None) -> int:
    return make_product(name="Soap", price_cents=116_00)


def count(run_sql: Sql, table: str) -> int:
    return run_sql(f"SELECT count(*) FROM {table}")[0][0]


def test_deleting_a_customer_erases_what_is_theirs_and_returns_the_stock(
    customer: Caller, other_customer: Caller, staff: Caller, admin: Caller, flour: int, soap: int, run_sql: Sql
) -> None:
    pending = place(customer, {flour: 2, soap: 1}, note="private note")
    packed = place(customer, {flour: 1})
    move(staff, packed, "packed")
    cancelled = place(customer, {flour: 1})
    move(staff, cancelled, "cancelled")
    delivered = place(customer, {flour: 3, soap: 2})
    move(staff, delivered, "delivered")
    kept = place(other_customer, {flour: 1})
    run_sql("DELETE FROM notifications")

    assert admin.delete(f"/auth/users/{customer.person.id}").status_code == 204

    assert run_sql("SELECT id FROM orders") == [(kept["id"],)]
    assert count(run_sql, "order_lines") == 1
    assert run_sql("SELECT DISTINCT order_id FROM order_history") == [(kept["id"],)]
    assert run_sql("SELECT count(*) FROM customers WHERE id = :id", id=customer.person.id) == [(0,)]
    for table in ("token_families", "token_blocklist", "idempotency_keys", "notifications"):
        assert run_sql(f"SELECT count(*) FROM {table} WHERE customer_id = :id", id=customer.person.id) == [(0,)], table
    # Of ten each: three flour and two soap were delivered, one flour is the other customer's.
    assert run_sql("SELECT stock FROM products ORDER BY id") == [(Decimal(6),), (Decimal(8),)]
    assert run_sql(
        "SELECT product_id, sum(delta) FROM stock_movements WHERE order_id IS NULL GROUP BY 1 ORDER BY 1"
    ) == [(flour, Decimal(7)), (soap, Decimal(8))]
    assert run_sql("SELECT order_number, total_cents, vat_cents, cash_cents, currency, vat FROM sales_ledger") == [
        (
            delivered["number"],
            799_00,
            32_00,
            799_00,
            "KES",
            {
                "zero": {"gross_cents": 567_00, "vat_cents": 0},
                "standard": {"gross_cents": 232_00, "vat_cents": 32_00},
            },
        )
    ]
    told = run_sql("SELECT event, recipient, order_id, subject || body FROM notifications ORDER BY id")
    assert [row[:3] for row in told] == [("order_cancelled", "owner@shop.example", None)] * 2
    assert pending["number"] in told[0][3]
    assert packed["number"] in told[1][3]
    for private in ("Amina", "amina@example.com", "712345678", "private note"):
        assert all(private not in text for *_, text in told), private


def test_a_customer_with_an_order_on_its_way_stays(
    customer: Caller, staff: Caller, admin: Caller, flour: int, run_sql: Sql
) -> None:
    place(customer, {flour: 1})
    move(staff, place(customer, {flour: 1}), "shipped")
    before = [run_sql(f"SELECT * FROM {table}") for table in ("orders", "products", "notifications", "customers")]
    for response in (
        admin.delete(f"/auth/users/{customer.person.id}"),
        customer.delete("/auth/me", json={"password": "correct horse battery"}),
    ):
        assert (response.status_code, response.json["code"]) == (409, "order_in_transit")
    after = [run_sql(f"SELECT * FROM {table}") for table in ("orders", "products", "notifications", "customers")]
    assert after == before
    assert customer.get("/auth/me").status_code == 200


def test_deleting_a_customer_locks_the_products_of_all_orders_by_id(
    customer: Caller, staff: Caller, admin: Caller, flour: int, soap: int, run_sql: Sql
) -> None:
    # An order of both locks flour, then soap. Soap locked first would be a deadlock.
    place(customer, {soap: 1})
    place(customer, {flour: 1})
    move(staff, place(customer, {flour: 1}), "delivered")
    with ThreadPoolExecutor(1) as pool, db.engine.connect() as buying:
        buying.exec_driver_sql("SELECT FROM products WHERE id = %s FOR NO KEY UPDATE", (flour,))
        deletion = pool.submit(admin.delete, f"/auth/users/{customer.person.id}")
        wait_until_blocked(run_sql)
        buying.exec_driver_sql("SELECT FROM products WHERE id = %s FOR NO KEY UPDATE NOWAIT", (soap,))
        buying.commit()
        assert deletion.result().status_code == 204
    assert run_sql("SELECT stock FROM products ORDER BY id") == [(Decimal(9),), (Decimal(10),)]


def test_deleting_a_customer_waits_for_a_product_of_a_finished_order(
    customer: Caller, staff: Caller, admin: Caller, flour: int, run_sql: Sql
) -> None:
    # The deletion of the product writes to the lines and movements of that order, in an order of its own.
    delivered = place(customer, {flour: 1})
    move(staff, delivered, "delivered")
    with ThreadPoolExecutor(1) as pool, db.engine.connect() as deleting:
        deleting.exec_driver_sql("SELECT FROM products WHERE id = %s FOR UPDATE", (flour,))
        deletion = pool.submit(admin.delete, f"/auth/users/{customer.person.id}")
        wait_until_blocked(run_sql)
        deleting.exec_driver_sql("SELECT FROM order_lines WHERE order_id = %s FOR UPDATE NOWAIT", (delivered["id"],))
        deleting.commit()
        assert deletion.result().status_code == 204


def test_customers_can_erase_themselves(customer: Caller, flour: int, run_sql: Sql) -> None:
    place(customer, {flour: 4})
    assert customer.delete("/auth/me", json={"password": "correct horse battery"}).status_code == 204
    assert (count(run_sql, "orders"), count(run_sql, "customers")) == (0, 0)
    assert run_sql("SELECT stock FROM products") == [(Decimal(10),)]
    assert customer.get("/auth/me").status_code == 401


def test_deleting_a_product_takes_it_out_of_open_orders(
    customer: Caller, staff: Caller, admin: Caller, flour: int, soap: int, run_sql: Sql
) -> None:
    pending = place(customer, {flour: 2, soap: 1})
    confirmed = place(customer, {flour: 1, soap: 2})
    move(staff, confirmed, "confirmed")
    only = place(customer, {flour: 1})
    packed = place(customer, {flour: 3, soap: 1})
    move(staff, packed, "packed")
    run_sql("DELETE FROM notifications")

    assert admin.delete(f"/products/{flour}").status_code == 204
    assert admin.get(f"/products/{flour}").status_code == 404

    def read(order: dict[str, Any]) -> dict[str, Any]:
        return customer.get(f"/orders/{order['id']}").json

    assert [line["product_id"] for line in read(pending)["items"]] == [soap]
    assert (read(pending)["total"], read(pending)["vat"], read(pending)["status"]) == ("116.00", "16.00", "pending")
    assert (read(confirmed)["total"], read(confirmed)["vat"]) == ("232.00", "32.00")
    assert read(pending)["version"] == pending["version"] + 1
    assert (read(only)["status"], read(only)["items"], read(only)["total"]) == ("cancelled", [], "0.00")
    kept = read(packed)
    assert [(line["product_id"], line["name"]) for line in kept["items"]] == [(None, "Maize Flour"), (soap, "Soap")]
    assert kept["total"] == packed["total"]

    assert run_sql("SELECT count(*) FROM products WHERE id = :id", id=flour) == [(0,)]
    assert run_sql("SELECT count(*) FROM stock_movements WHERE product_id = :id", id=flour) == [(0,)]
    assert run_sql("SELECT stock FROM products") == [(Decimal(6),)]
    assert run_sql(
        "SELECT event, order_id, channel, recipient FROM notifications ORDER BY order_id, channel, recipient"
    ) == [
        row
        for order, to_customer, to_admin in (
            (pending, "order_changed", "order_updated"),
            (confirmed, "order_changed", "order_updated"),
            (only, "order_cancelled", "order_cancelled"),
        )
        for row in (
            (to_customer, order["id"], "email", "amina@example.com"),
            (to_admin, order["id"], "email", "owner@shop.example"),
            (to_customer, order["id"], "sms", "+254712345678"),
        )
    ]
    history = customer.get(f"/orders/{pending['id']}/history").json
    assert (history[-1]["event"], history[-1]["changed"]) == (
        "lines",
        {"removed": [{"name": "Maize Flour", "quantity": 2}], "total": {"from": "494.00", "to": "116.00"}},
    )


def test_a_packed_order_of_a_deleted_product_can_still_be_cancelled(
    customer: Caller, staff: Caller, admin: Caller, flour: int, soap: int, run_sql: Sql
) -> None:
    order = place(customer, {flour: 3, soap: 1})
    move(staff, order, "packed")
    admin.delete(f"/products/{flour}")
    assert move(staff, order, "cancelled")["status"] == "cancelled"
    assert run_sql("SELECT stock FROM products") == [(Decimal(10),)]
