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
    return make_product(name="Maize Flour 2 kg", price_cents=189_00)


@pytest.fixture
def order(customer: Caller, flour: int) -> dict[str, Any]:
    return place(customer, {flour: 2})


def notices(run_sql: Sql, *events: str) -> list[tuple[Any, ...]]:
    """Channel, event and recipient of what was queued after the placing."""
    return run_sql(
        "SELECT channel, event, recipient FROM notifications WHERE event <> 'order_placed' ORDER BY id, channel"
    )


def test_staff_move_an_order_step_by_step(staff: Caller, customer: Caller, order: dict[str, Any], run_sql: Sql) -> None:
    for version, status in enumerate(("confirmed", "packed", "shipped", "delivered"), start=2):
        moved = move(staff, order, status)
        assert (moved["status"], moved["version"]) == (status, version)
    assert moved["allowed_statuses"] == []
    history = staff.get(f"/orders/{order['id']}/history").json
    assert [(entry["from_status"], entry["status"], entry["actor_id"]) for entry in history] == [
        (None, "pending", customer.person.id),
        ("pending", "confirmed", staff.person.id),
        ("confirmed", "packed", staff.person.id),
        ("packed", "shipped", staff.person.id),
        ("shipped", "delivered", staff.person.id),
    ]
    assert run_sql("SELECT stock FROM products") == [(Decimal(8),)]


def test_a_jump_writes_the_steps_and_tells_the_customer_once(
    staff: Caller, order: dict[str, Any], run_sql: Sql
) -> None:
    moved = move(staff, order, "Shipped", note="Rider: Otieno")
    assert (moved["status"], moved["version"]) == ("shipped", 2)
    assert run_sql("SELECT from_status, status, note FROM order_history WHERE event = 'status' ORDER BY id") == [
        ("pending", "confirmed", None),
        ("confirmed", "packed", None),
        ("packed", "shipped", "Rider: Otieno"),
    ]
    assert sorted(notices(run_sql)) == [
        ("email", "order_shipped", "amina@example.com"),
        ("email", "order_updated", "owner@shop.example"),
        ("sms", "order_shipped", "+254712345678"),
    ]


@pytest.mark.parametrize(("status", "channels"), [("confirmed", ["email"]), ("packed", ["email"])])
def test_sms_are_not_spent_on_steps_inside_the_shop(
    staff: Caller, order: dict[str, Any], run_sql: Sql, status: str, channels: list[str]
) -> None:
    move(staff, order, status)
    told = [channel for channel, event, _ in notices(run_sql) if event == f"order_{status}"]
    assert told == channels


def test_a_status_that_cannot_be_reached_is_refused_with_those_that_can(
    staff: Caller, order: dict[str, Any], run_sql: Sql
) -> None:
    move(staff, order, "packed")
    before = (run_sql("SELECT * FROM orders"), run_sql("SELECT * FROM order_history"), notices(run_sql))
    for status in ("pending", "confirmed", "packed"):
        response = staff.patch(f"/orders/{order['id']}/status", json={"status": status})
        assert (response.status_code, response.json["code"]) == (409, "illegal_transition")
        assert response.json["allowed"] == ["shipped", "delivered", "cancelled"]
        assert response.json["current"] == "packed"
    assert (run_sql("SELECT * FROM orders"), run_sql("SELECT * FROM order_history"), notices(run_sql)) == before


@pytest.mark.parametrize("final", ["delivered", "cancelled"])
def test_nothing_leaves_a_final_status(staff: Caller, order: dict[str, Any], final: str) -> None:
    move(staff, order, final)
    for status in ("pending", "confirmed", "packed", "shipped", "delivered", "cancelled"):
        response = staff.patch(f"/orders/{order['id']}/status", json={"status": status})
        assert (response.status_code, response.json["allowed"]) == (409, [])


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"status": "sent"}, 422),
        ({"status": 5}, 422),
        ({"status": None}, 422),
        ({}, 422),
        ({"status": "shipped", "stauts": 1}, 422),
        ({"status": "shipped", "note": "x" * 501}, 422),
        ([], 422),
    ],
)
def test_a_change_that_makes_no_sense_is_refused(
    staff: Caller, order: dict[str, Any], run_sql: Sql, body: Any, status: int
) -> None:
    assert staff.patch(f"/orders/{order['id']}/status", json=body).status_code == status
    assert run_sql("SELECT status, version FROM orders") == [("pending", 1)]


def test_the_checks_come_in_order(customer: Caller, staff: Caller, client: Any, order: dict[str, Any]) -> None:
    path, missing = f"/orders/{order['id']}/status", "/orders/999999999/status"
    assert client.patch(path, data="x").status_code == 401
    assert customer.patch(path, data="x").status_code == 403
    assert staff.patch(missing, data="x").status_code == 404
    assert staff.patch(missing, json={"status": "nonsense"}).status_code == 404
    assert staff.patch(missing, json={"status": "shipped"}).status_code == 404
    assert staff.patch(path, data="x", content_type="text/plain").status_code == 415
    assert staff.patch(path, json={"status": "nonsense"}).status_code == 422
    assert staff.patch("/orders/99999999999999999999/status", json={"status": "shipped"}).status_code == 404


def test_a_stale_version_is_refused(staff: Caller, order: dict[str, Any], run_sql: Sql) -> None:
    path = f"/orders/{order['id']}"
    etag = staff.get(path).headers["ETag"]
    move(staff, order, "confirmed")
    response = staff.patch(f"{path}/status", json={"status": "packed"}, headers={"If-Match": etag})
    assert (response.status_code, response.json["code"]) == (412, "stale_version")
    assert staff.patch(f"{path}/status", json={"status": "packed"}, headers={"If-Match": "x"}).status_code == 412
    assert run_sql("SELECT status FROM orders") == [("confirmed",)]
    fresh = staff.get(path).headers["ETag"]
    assert staff.patch(f"{path}/status", json={"status": "packed"}, headers={"If-Match": fresh}).status_code == 200


def test_the_customer_cancels_and_the_stock_goes_back_once(
    customer: Caller, order: dict[str, Any], flour: int, run_sql: Sql
) -> None:
    cancelled = customer.post(f"/orders/{order['id']}/cancel", json={"note": "By mistake"})
    assert (cancelled.status_code, cancelled.json["status"]) == (200, "cancelled")
    again = customer.post(f"/orders/{order['id']}/cancel")
    assert (again.status_code, again.json["code"], again.json["allowed"]) == (409, "illegal_transition", [])
    assert run_sql("SELECT stock FROM products") == [(Decimal(10),)]
    assert run_sql("SELECT delta, reason, order_id FROM stock_movements ORDER BY id") == [
        (Decimal(10), "opening", None),
        (Decimal(-2), "sold", order["id"]),
        (Decimal(2), "cancelled", order["id"]),
    ]
    assert sorted(notices(run_sql)) == [
        ("email", "order_cancelled", "amina@example.com"),
        ("email", "order_cancelled", "owner@shop.example"),
        ("sms", "order_cancelled", "+254712345678"),
    ]
    assert run_sql("SELECT process_at FROM orders") == [(None,)]


def test_a_customers_own_note_is_told_to_admins_only(customer: Caller, flour: int, run_sql: Sql) -> None:
    order = place(customer, {flour: 1}, delivery={"address": "Moi Avenue 12", "phone": "+254799000001"})
    customer.post(f"/orders/{order['id']}/cancel", json={"note": "You have won, call 0700 000000"})
    told = run_sql(
        "SELECT recipient, body LIKE '%You have won%' FROM notifications WHERE event = 'order_cancelled' ORDER BY 1"
    )
    assert told == [("+254799000001", False), ("amina@example.com", False), ("owner@shop.example", True)]


@pytest.mark.parametrize("status", ["confirmed", "packed", "shipped", "delivered", "cancelled"])
def test_the_note_of_staff_is_told_to_the_customer(
    customer: Caller, staff: Caller, order: dict[str, Any], run_sql: Sql, status: str
) -> None:
    move(staff, order, status, note="Ask for Otieno")
    assert run_sql(
        "SELECT body LIKE '%Ask for Otieno.%' FROM notifications WHERE event = :event AND recipient = :recipient",
        event=f"order_{status}",
        recipient="amina@example.com",
    ) == [(True,)]


def test_a_change_by_somebody_who_is_being_deleted_is_refused(
    customer: Caller, staff: Caller, order: dict[str, Any], run_sql: Sql
) -> None:
    with ThreadPoolExecutor(1) as pool, db.engine.connect() as deleting:
        deleting.exec_driver_sql("DELETE FROM customers WHERE id = %s", (staff.person.id,))
        answer = pool.submit(staff.patch, f"/orders/{order['id']}/status", json={"status": "packed"})
        wait_until_blocked(run_sql)
        deleting.commit()
        response = answer.result()
    assert (response.status_code, response.json["detail"]) == (401, "This account is gone.")
    assert run_sql("SELECT status FROM orders") == [("pending",)]


def test_a_cancellation_needs_no_body(customer: Caller, order: dict[str, Any]) -> None:
    assert customer.post(f"/orders/{order['id']}/cancel").status_code == 200


@pytest.mark.parametrize("status", ["packed", "shipped", "delivered"])
def test_the_customer_cannot_cancel_what_is_packed(
    customer: Caller, staff: Caller, order: dict[str, Any], run_sql: Sql, status: str
) -> None:
    move(staff, order, status)
    response = customer.post(f"/orders/{order['id']}/cancel")
    assert (response.status_code, response.json["code"]) == (409, "illegal_transition")
    assert run_sql("SELECT status FROM orders") == [(status,)]
    assert run_sql("SELECT stock FROM products") == [(Decimal(8),)]


def test_an_order_of_somebody_else_is_not_found(
    customer: Caller, other_customer: Caller, order: dict[str, Any], run_sql: Sql
) -> None:
    order_id = order["id"]
    assert other_customer.get(f"/orders/{order_id}").status_code == 404
    assert other_customer.get(f"/orders/{order_id}/history").status_code == 404
    assert other_customer.post(f"/orders/{order_id}/cancel").status_code == 404
    assert other_customer.get("/orders/").json == []
    assert other_customer.get(f"/orders/?customer_id={customer.person.id}").json == []
    assert other_customer.patch(f"/orders/{order_id}/status", json={"status": "cancelled"}).status_code == 403
    assert run_sql("SELECT status FROM orders") == [("pending",)]


def test_staff_do_not_cancel_through_the_customers_door(staff: Caller, order: dict[str, Any]) -> None:
    assert staff.post(f"/orders/{order['id']}/cancel").status_code == 404


def test_the_customer_sees_who_in_roles_only(customer: Caller, staff: Caller, order: dict[str, Any]) -> None:
    move(staff, order, "confirmed")
    history = customer.get(f"/orders/{order['id']}/history").json
    assert [(entry["actor_role"], entry["actor_id"]) for entry in history] == [
        ("customer", customer.person.id),
        ("staff", None),
    ]
