"""Substitutes that the customer refuses: they go back, and the order costs what it did without them."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest

from grocery.db import db
from tests.orders.conftest import Caller, wait_until_blocked
from tests.orders.factories import amounts, move, snapshot
from tests.orders.fulfilment.factories import assert_books_are_right, assert_refused, events, pick
from tests.products.factories import make_product
from tests.products.inventory.factories import broken, make_lot, picks_of, remaining
from tests.products.ledger import movements_of, stock_of

Sql = Callable[..., list[tuple[Any, ...]]]


def refuse(caller: Caller, order: dict[str, Any], *, index: int = 1, **headers: str) -> Any:
    return caller.post(f"/orders/{order['id']}/lines/{order['items'][index]['id']}/refuse", headers=headers)


def test_refused_by_the_customer_it_goes_back(
    customer: Caller, staff: Caller, order: dict[str, Any], soap: int, cheap: int, run_sql: Sql
) -> None:
    pick(staff, order, 1)
    picked = pick(staff, order, 2, substitute_product_id=cheap).json
    response = refuse(customer, picked)
    assert response.status_code == 200
    refused = response.json
    line = refused["items"][1]
    assert (line["picked_quantity"], line["line_total"], line["short_reason"]) == (0, "0.00", "unwanted")
    assert (amounts(refused), refused["version"]) == (("116.00", "0.00", "16.00", "116.00"), 4)
    assert customer.get(f"/orders/{order['id']}").json == refused
    assert movements_of(cheap)[1:] == [(Decimal(-2), "sold", order["id"]), (Decimal(2), "cancelled", order["id"])]
    assert (stock_of(soap), stock_of(cheap)) == (9, 10)
    entry = staff.get(f"/orders/{order['id']}/history").json[-1]
    assert (entry["actor_id"], entry["actor_role"], entry["changed"]) == (
        customer.person.id,
        "customer",
        {"refused": [{"name": "Cheap Soap"}], "total": {"from": "296.00", "to": "116.00"}},
    )
    assert events(run_sql) == [
        ("order_changed", "email", "amina@example.com"),
        ("order_changed", "sms", "+254712345678"),
        ("order_updated", "email", "owner@shop.example"),
    ]
    for (body,) in run_sql("SELECT body FROM notifications WHERE event <> 'order_placed'"):
        assert "Not taken: Cheap Soap." in body
        assert "KES 116" in body
    assert_books_are_right(run_sql)
    before = snapshot(run_sql)
    again = refuse(customer, picked)
    assert (again.status_code, again.json) == (200, refused)
    assert snapshot(run_sql) == before


def test_after_a_refusal_another_substitute_can_be_chosen(
    customer: Caller, staff: Caller, order: dict[str, Any], cheap: int, dear: int, run_sql: Sql
) -> None:
    picked = pick(staff, order, 3, substitute_product_id=cheap).json
    refuse(customer, picked)
    other = pick(staff, order, 1, substitute_product_id=dear).json
    assert [(line["name"], line["picked_quantity"]) for line in other["items"]] == [("Soap", 0), ("Dear Soap", 1)]
    # The same again is no repetition: the customer has changed their mind.
    refuse(customer, other)
    same = pick(staff, order, 1, substitute_product_id=dear).json
    assert (same["items"][1]["picked_quantity"], same["total"], stock_of(dear)) == (1, "300.00", 9)
    assert stock_of(cheap) == 10
    assert_books_are_right(run_sql)


def test_refused_when_packed_its_lots_are_given_back(
    customer: Caller, staff: Caller, order: dict[str, Any], soap: int, run_sql: Sql
) -> None:
    run_sql("DELETE FROM stock_movements WHERE product_id = :id", id=soap)
    run_sql("UPDATE products SET stock = 0 WHERE id = :id", id=soap)
    run_sql(
        "INSERT INTO stock_movements (product_id, delta, reason, order_id)"
        " VALUES (:id, 3, 'received', NULL), (:id, -3, 'sold', :order_id)",
        id=soap,
        order_id=order["id"],
    )
    soap_lot = make_lot(soap, 5, days=3)
    milk = make_product(name="Milk", price_cents=60_00, stock=Decimal(0))
    soon, late = make_lot(milk, 1, days=1), make_lot(milk, 4, days=9)
    pick(staff, order, 1)
    picked = pick(staff, order, 2, substitute_product_id=milk).json
    move(staff, order, "packed")
    assert picks_of(order["id"]) == {soap_lot: 1, soon: 1, late: 1}
    run_sql("DELETE FROM notifications")
    refused = refuse(customer, picked).json
    assert (refused["status"], refused["total"], refused["vat"]) == ("packed", "116.00", "16.00")
    assert picks_of(order["id"]) == {soap_lot: 1}
    assert (remaining(soap_lot, soon, late), stock_of(milk)) == ([4, 1, 4], 5)
    assert events(run_sql) == [
        ("order_changed", "email", "amina@example.com"),
        ("order_changed", "sms", "+254712345678"),
        ("order_updated", "email", "owner@shop.example"),
    ]
    assert broken() == []
    assert_books_are_right(run_sql)
    before = snapshot(run_sql)
    assert refuse(customer, picked).json == refused
    assert snapshot(run_sql) == before


@pytest.mark.parametrize("status", ["shipped", "delivered", "cancelled"])
def test_once_it_has_left_the_shop_it_is_too_late(
    customer: Caller, staff: Caller, order: dict[str, Any], cheap: int, run_sql: Sql, status: str
) -> None:
    picked = pick(staff, order, 3, substitute_product_id=cheap).json
    move(staff, order, status)
    before = snapshot(run_sql)
    for person in (customer, staff):
        assert_refused(refuse(person, picked), 409, "too_late", current=status)
    assert snapshot(run_sql) == before


def test_only_a_substitute_of_the_own_order_is_refused(
    customer: Caller, other_customer: Caller, staff: Caller, order: dict[str, Any], cheap: int, run_sql: Sql
) -> None:
    picked = pick(staff, order, 2, substitute_product_id=cheap).json
    before = snapshot(run_sql)
    assert_refused(refuse(customer, picked, index=0), 409, "not_a_substitute")
    assert refuse(other_customer, picked).status_code == 404
    assert refuse(other_customer, picked, index=0).status_code == 404
    for path in (
        f"/orders/{order['id']}/lines/999999999/refuse",
        f"/orders/999999999/lines/{picked['items'][1]['id']}/refuse",
    ):
        assert customer.post(path).status_code == 404
        assert staff.post(path).status_code == 404
    assert customer.client.post(f"/orders/{order['id']}/lines/1/refuse").status_code == 401
    stale = {"If-Match": '"1"'}
    assert_refused(refuse(customer, picked, **stale), 412, "stale_version")
    assert snapshot(run_sql) == before
    assert refuse(staff, picked).json["total"] == "0.00"


def test_refused_twice_at_once_it_is_given_back_once(
    customer: Caller, staff: Caller, order: dict[str, Any], cheap: int, run_sql: Sql
) -> None:
    picked = pick(staff, order, 3, substitute_product_id=cheap).json
    with ThreadPoolExecutor(2) as pool, db.engine.connect() as holding:
        holding.exec_driver_sql("SELECT FROM orders FOR UPDATE")
        refusals = [pool.submit(refuse, person, picked) for person in (customer, staff)]
        wait_until_blocked(run_sql, 2)
        holding.commit()
        assert Counter(one.result().status_code for one in refusals) == {200: 2}
    assert stock_of(cheap) == 10
    assert run_sql("SELECT count(*) FROM order_history WHERE changed ? 'refused'") == [(1,)]
    assert_books_are_right(run_sql)


def test_a_refusal_locks_the_products_in_the_order_of_their_ids(
    customer: Caller, staff: Caller, cheap: int, run_sql: Sql
) -> None:
    first, last = make_product(name="Milk", stock=Decimal(0)), make_product(name="Cream", stock=Decimal(0))
    lots = make_lot(first, 5, days=3), make_lot(last, 5, days=3)
    placed = customer.post(
        "/orders/", json={"items": [{"product_id": product_id, "quantity": 1} for product_id in (first, cheap)]}
    ).json
    index = next(number for number, line in enumerate(placed["items"]) if line["product_id"] == cheap)
    picked = pick(staff, placed, 1, index=index, substitute_product_id=last, approved=True).json
    move(staff, placed, "packed")
    with ThreadPoolExecutor(1) as pool, db.engine.connect() as holding:
        lock = "SELECT FROM products WHERE id = %s FOR NO KEY UPDATE NOWAIT"
        holding.exec_driver_sql(lock, (first,))
        refusal = pool.submit(refuse, customer, picked, index=2)
        wait_until_blocked(run_sql)
        # Whoever packs these two has locked the first, and is not kept from the last.
        holding.exec_driver_sql(lock, (last,))
        holding.commit()
        assert refusal.result().status_code == 200
    assert (picks_of(placed["id"]), remaining(*lots)) == ({lots[0]: 1}, [4, 5])
    assert_books_are_right(run_sql)
