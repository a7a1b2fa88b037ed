"""Lots are allocated when an order is packed, first expired first, and given back when it is cancelled after that."""

from decimal import Decimal

import pytest
from flask import Flask

from grocery.db import transaction
from grocery.orders.actors import SYSTEM
from grocery.orders.changing import change_status
from tests.orders.conftest import Caller
from tests.orders.factories import move, place
from tests.products.factories import make_product
from tests.products.inventory.factories import broken, make_lot, picks_of, remaining
from tests.products.ledger import select_rows, stock_of
from tests.products.test_stock import in_threads

pytestmark = pytest.mark.usefixtures("context")


def test_packing_takes_the_lots_that_expire_first(customer: Caller, staff: Caller) -> None:
    product = make_product(stock=Decimal(0))
    never, late, soon, today = (make_lot(product, 3, days=days) for days in (None, 30, 2, 0))
    order = place(customer, {product: 8})
    assert remaining(never, late, soon, today) == [3, 3, 3, 3]
    move(staff, order, "confirmed")
    assert remaining(never, late, soon, today) == [3, 3, 3, 3]
    move(staff, order, "packed")
    assert remaining(never, late, soon, today) == [3, 1, 0, 0]
    assert picks_of(order["id"]) == {today: 3, soon: 3, late: 2}
    move(staff, order, "shipped")
    move(staff, order, "delivered")
    assert picks_of(order["id"]) == {today: 3, soon: 3, late: 2}
    assert (stock_of(product), broken()) == (4, [])


@pytest.mark.parametrize("status", ["shipped", "delivered"])
def test_a_jump_over_packed_takes_them_too(customer: Caller, staff: Caller, status: str) -> None:
    product = make_product(stock=Decimal(0))
    lot = make_lot(product, 3, days=1)
    order = place(customer, {product: 2})
    move(staff, order, status)
    assert (remaining(lot), picks_of(order["id"])) == ([1], {lot: 2})


def test_lots_of_equal_date_go_by_age_and_stock_without_a_lot_makes_up_the_rest(
    customer: Caller, staff: Caller
) -> None:
    product = make_product(stock=Decimal(10))
    first, second = make_lot(product, 2, days=5), make_lot(product, 2, days=5)
    order, another = place(customer, {product: 3}), place(customer, {product: 3})
    move(staff, order, "packed")
    assert remaining(first, second) == [0, 1]
    move(staff, another, "packed")
    assert (remaining(first, second), picks_of(another["id"])) == ([0, 0], {second: 1})
    assert broken() == []


def test_products_without_lots_are_packed_as_before(customer: Caller, staff: Caller) -> None:
    milk, rice = make_product(), make_product(unit="kg", quantity_step=Decimal("0.1"))
    order = place(customer, {milk: 2, rice: 0.5})
    move(staff, order, "packed")
    assert picks_of(order["id"]) == {}
    assert (stock_of(milk), stock_of(rice)) == (8, Decimal("9.5"))


def test_expired_lots_are_not_given_to_customers(customer: Caller, staff: Caller) -> None:
    product = make_product(stock=Decimal(2))
    expired, good = make_lot(product, 4, days=-1), make_lot(product, 1, days=1)
    order = place(customer, {product: 3})
    move(staff, order, "packed")
    assert (remaining(expired, good), picks_of(order["id"])) == ([4, 0], {good: 1})
    assert (stock_of(product), broken()) == (4, [])


def test_lots_never_hold_more_than_is_there(customer: Caller, staff: Caller) -> None:
    """Nothing but an expired lot is there on paper: what left the shop came out of it, and no order is noted."""
    product = make_product(stock=Decimal(1))
    expired = make_lot(product, 5, days=-1)
    order, waiting = place(customer, {product: 3}), place(customer, {product: 2})
    move(staff, order, "packed")
    assert (remaining(expired), picks_of(order["id"])) == ([3], {})
    move(staff, order, "cancelled")
    assert (remaining(expired), stock_of(product)) == ([3], 4)
    move(staff, waiting, "packed")
    assert (remaining(expired), broken()) == ([3], [])


def test_cancelling_gives_the_lots_back_once(customer: Caller, staff: Caller) -> None:
    product = make_product(stock=Decimal(0))
    first, second = make_lot(product, 2, days=1), make_lot(product, 5, days=2)
    order = place(customer, {product: 3})
    move(staff, order, "packed")
    move(staff, order, "cancelled")
    assert (remaining(first, second), picks_of(order["id"]), stock_of(product)) == ([2, 5], {}, 7)
    assert staff.patch(f"/orders/{order['id']}/status", json={"status": "cancelled"}).status_code == 409
    assert (remaining(first, second), stock_of(product)) == ([2, 5], 7)


def test_cancelling_before_packing_leaves_the_lots_alone(customer: Caller, staff: Caller) -> None:
    product = make_product(stock=Decimal(0))
    lot = make_lot(product, 5, days=2)
    order = place(customer, {product: 3})
    customer.post(f"/orders/{order['id']}/cancel", json={})
    assert (remaining(lot), stock_of(product)) == ([5], 5)


def test_deleting_a_customer_gives_back_what_was_packed(customer: Caller, staff: Caller, admin: Caller) -> None:
    product, other = make_product(stock=Decimal(0)), make_product(stock=Decimal(0))
    lots = [make_lot(other, 5, days=2), make_lot(product, 5, days=2)]
    packed, delivered, open_order = (place(customer, {product: 1, other: 1}) for _ in range(3))
    move(staff, packed, "packed")
    move(staff, delivered, "delivered")
    assert remaining(*lots) == [3, 3]
    assert admin.delete(f"/auth/users/{customer.person.id}").status_code == 204
    assert remaining(*lots) == [4, 4]
    assert (stock_of(product), stock_of(other)) == (4, 4)
    assert select_rows("SELECT * FROM lot_picks") == []
    assert open_order["status"] == "pending"
    assert broken() == []


def test_deleting_a_product_takes_its_lots_with_it(customer: Caller, staff: Caller, admin: Caller) -> None:
    gone, stays = make_product(stock=Decimal(0)), make_product(stock=Decimal(0))
    make_lot(gone, 5)
    kept = make_lot(stays, 5)
    order = place(customer, {gone: 1, stays: 1})
    move(staff, order, "packed")
    assert admin.delete(f"/products/{gone}").status_code == 204
    assert picks_of(order["id"]) == {kept: 1}
    move(staff, order, "cancelled")
    assert (remaining(kept), select_rows("SELECT count(*) FROM stock_lots")) == ([5], [(1,)])


def test_eight_threads_with_orders_of_the_same_products_neither_over_allocate_nor_deadlock(
    app: Flask, customer: Caller
) -> None:
    products = [make_product(stock=Decimal(4)) for _ in range(3)]
    lots = [make_lot(product, 10, days=day) for product in products for day in (3, 1)]
    turns = [products[number % 3 :] + products[: number % 3] for number in range(24)]
    order_ids = [place(customer, dict.fromkeys(turn, 1))["id"] for turn in turns]

    def move_all(status: str) -> list[object]:
        def work(number: int) -> None:
            for order_id in order_ids[number::8]:
                with transaction() as session:
                    change_status(session, order_id, status, SYSTEM)

        return in_threads(app, 8, work)

    assert move_all("packed") == [None] * 8
    assert remaining(*lots) == [0] * 6
    picked = "SELECT sum(quantity) FROM lot_picks GROUP BY lot_id"
    assert select_rows(picked) == [(10,)] * 6
    assert move_all("cancelled") == [None] * 8
    assert remaining(*lots) == [10] * 6
    assert select_rows(picked) == []
    assert [stock_of(product) for product in products] == [24] * 3
    assert broken() == []
