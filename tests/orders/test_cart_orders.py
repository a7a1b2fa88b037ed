"""Placing an order of what is in the cart."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from grocery.db import db
from tests.orders.cart.factories import (
    HEADER,
    cart_of,
    carts,
    change_products,
    fill,
    items,
    put,
    quantities,
    visit,
)
from tests.orders.conftest import Caller
from tests.orders.delivery.factories import book, in_hours, make_slot, make_zone
from tests.orders.factories import place
from tests.orders.promotions.factories import make_promotion
from tests.problems import assert_problem
from tests.products.factories import make_category, make_product
from tests.products.ledger import select_rows, stock_of, unbalanced, wait_for_a_lock

pytestmark = pytest.mark.usefixtures("context")

Sql = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def flour() -> int:
    return make_product("Flour", name="Maize Flour 2 kg", price_cents=189_00, vat_class="zero")


@pytest.fixture
def beef() -> int:
    kilograms = {"unit": "kg", "quantity_step": Decimal("0.25"), "stock": Decimal("5.5")}
    return make_product("Meat", name="Beef", price_cents=119_90, **kilograms)


@pytest.fixture
def full_cart(customer: Caller, flour: int, beef: int) -> list[tuple]:
    """Two of flour and 750 g of beef in the customer's cart; all that is in carts then."""
    put(customer, flour, 2, if_unavailable="substitute")
    put(customer, beef, 0.75)
    return items()


def order(customer: Caller, key: str | None = None, **body: Any) -> TestResponse:
    headers = {} if key is None else {"Idempotency-Key": key}
    return customer.post("/orders/", json=body, headers=headers)


def assert_nothing_was_placed(cart: list[tuple]) -> None:
    """No order, nothing taken, nobody told, and the cart as it was."""
    for table in ("orders", "order_lines", "order_history", "order_discounts", "notifications", "idempotency_keys"):
        assert select_rows(f"SELECT count(*) FROM {table}") == [(0,)], table
    assert select_rows("SELECT FROM stock_movements WHERE reason <> 'opening'") == []
    assert select_rows("SELECT sum(booked) FROM delivery_slots WHERE capacity > 0") in ([(None,)], [(0,)])
    assert items() == cart


def test_the_cart_is_ordered_and_is_empty_then(customer: Caller, full_cart: list[tuple], flour: int, beef: int) -> None:
    response = order(customer)
    assert response.status_code == 201
    lines = [(line["product_id"], line["quantity"], line["if_unavailable"]) for line in response.json["items"]]
    assert lines == [(flour, 2, "substitute"), (beef, 0.75, "remove")]
    assert (response.json["subtotal"], response.json["total"]) == ("467.93", "467.93")
    assert (cart_of(customer)["items"], items(), carts()) == ([], [], [(customer.person.id,)])
    assert (stock_of(flour), stock_of(beef), unbalanced()) == (8, Decimal("4.75"), [])


def test_an_order_of_items_leaves_the_cart(customer: Caller, full_cart: list[tuple], flour: int) -> None:
    assert quantities(place(customer, {flour: 1})) == {flour: 1}
    assert items() == full_cart


def test_an_order_leaves_the_carts_of_others(
    customer: Caller, other_customer: Caller, client: FlaskClient, full_cart: list[tuple], flour: int
) -> None:
    put(other_customer, flour, 1)
    put(visit(client), flour, 3)
    assert order(customer).status_code == 201
    assert items() == [(other_customer.person.id, flour, 1, 189_00), (None, flour, 3, 189_00)]


@pytest.mark.parametrize("body", [{}, {"items": None}, {"note": "Ring twice"}])
def test_an_empty_cart_is_no_order(customer: Caller, flour: int, body: dict[str, Any]) -> None:
    for _ in range(2):
        response = order(customer, **body)
        assert_problem(response, 422, "empty_cart")
        assert list(response.json["errors"]) == ["items"]
        assert_nothing_was_placed([])
        # A cart that was emptied is one too.
        put(customer, flour, 1)
        customer.delete("/cart")


def test_a_visitor_cannot_order(client: FlaskClient, flour: int) -> None:
    visitor = visit(client)
    put(visitor, flour, 1)
    assert_problem(visitor.post("/orders/", json={}), 401, "missing_token")
    assert_nothing_was_placed([(None, flour, 1, 189_00)])


def test_what_is_short_leaves_the_cart(customer: Caller, full_cart: list[tuple], beef: int) -> None:
    change_products("stock = 0.5", [beef])
    response = order(customer)
    assert_problem(response, 409, "out_of_stock")
    assert response.json["items"] == [{"product_id": beef, "name": "Beef", "requested": 0.75, "available": 0.5}]
    assert_nothing_was_placed(full_cart)


def test_what_was_withdrawn_leaves_the_cart(customer: Caller, full_cart: list[tuple], flour: int) -> None:
    change_products("is_active = false", [flour])
    response = order(customer)
    assert_problem(response, 409, "product_unavailable")
    assert response.json["product_ids"] == [flour]
    assert_nothing_was_placed(full_cart)
    customer.delete(f"/cart/items/{flour}")
    assert order(customer).status_code == 201


def test_what_is_not_sold_in_such_quantities_any_more_leaves_the_cart(
    customer: Caller, full_cart: list[tuple], beef: int
) -> None:
    change_products("quantity_step = 0.5", [beef])
    response = order(customer)
    assert_problem(response, 422, "validation_failed")
    assert response.json["errors"] == {"items": {"1": {"quantity": ["Must be a multiple of 0.5."]}}}
    assert_nothing_was_placed(full_cart)


@pytest.mark.parametrize(
    ("slot", "code"),
    [({"capacity": 0}, "slot_full"), ({"hours": 3, "cutoff_at": in_hours(-1)}, "slot_closed")],
)
def test_a_slot_that_takes_no_order_leaves_the_cart(
    customer: Caller, full_cart: list[tuple], slot: dict[str, Any], code: str
) -> None:
    response = order(customer, delivery={"slot_id": make_slot(**slot), "address": "Moi Avenue 12"})
    assert_problem(response, 409, code)
    assert_nothing_was_placed(full_cart)


def test_a_coupon_that_is_none_leaves_the_cart(customer: Caller, full_cart: list[tuple]) -> None:
    assert_problem(order(customer, coupon="NONE"), 422, "unknown_coupon")
    make_promotion(code="OLD", ends_at=in_hours(-1))
    assert_problem(order(customer, coupon="OLD"), 409, "coupon_expired")
    assert_nothing_was_placed(full_cart)


def test_a_cart_below_the_zones_minimum_stays(customer: Caller, full_cart: list[tuple]) -> None:
    make_zone(min_basket_cents=500_00)
    response = order(customer, delivery={"address": "Moi Avenue 12"})
    assert_problem(response, 409, "below_minimum_basket")
    assert (response.json["min_basket"], response.json["missing"]) == ("500.00", "32.07")
    assert_nothing_was_placed(full_cart)


def test_the_whole_of_an_order_of_the_cart(customer: Caller, full_cart: list[tuple]) -> None:
    zone = make_zone(fee_cents=100_00)
    slot = make_slot(zone, fee_cents=16_00)
    coupon = make_promotion(name="Welcome", code="KARIBU", usage_limit=1)
    response = order(
        customer,
        coupon="karibu",
        delivery={"slot_id": slot, "landmark": "near Shell"},
        expected_total="537.14",
    )
    assert response.status_code == 201, response.json
    placed = response.json
    assert (placed["subtotal"], placed["delivery_fee"], placed["total"]) == ("467.93", "116.00", "537.14")
    assert placed["discounts"] == [{"code": "KARIBU", "name": "Welcome", "amount": "46.79"}]
    assert (placed["delivery"]["zone_id"], placed["delivery"]["slot_id"]) == (zone, slot)
    assert select_rows("SELECT booked FROM delivery_slots") == [(1,)]
    assert select_rows("SELECT used_count FROM promotions WHERE id = :id", id=coupon) == [(1,)]
    assert items() == []


# The same order sent again.


def test_an_order_of_the_cart_sent_again_is_answered_the_same(
    customer: Caller, full_cart: list[tuple], flour: int
) -> None:
    first = order(customer, "k-1")
    assert (first.status_code, items()) == (201, [])
    again = order(customer, "k-1")
    assert (again.status_code, again.data) == (201, first.data)
    assert again.headers["Location"] == first.headers["Location"]
    # What has been put in since is not ordered, and stays.
    put(customer, flour, 1)
    assert order(customer, "k-1").data == first.data
    assert items() == [(customer.person.id, flour, 1, 189_00)]
    assert select_rows("SELECT count(*) FROM orders") == [(1,)]
    assert stock_of(flour) == 8
    # With another key, it is.
    assert quantities(order(customer, "k-2").json) == {flour: 1}


def test_an_order_of_an_empty_cart_frees_its_key(customer: Caller, flour: int) -> None:
    assert_problem(order(customer, "k-1"), 422, "empty_cart")
    put(customer, flour, 1)
    assert order(customer, "k-1").status_code == 201


def test_a_visitors_token_sent_again_with_the_order_changes_nothing(
    customer: Caller, client: FlaskClient, flour: int
) -> None:
    visitor = visit(client)
    put(visitor, flour, 2)
    headers = {"Idempotency-Key": "k-1", HEADER: visitor.token}
    first = customer.post("/orders/", json={}, headers=headers)
    assert (first.status_code, quantities(first.json)) == (201, {flour: 2})
    assert customer.post("/orders/", json={}, headers=headers).data == first.data
    assert (items(), stock_of(flour)) == ([], 8)


@pytest.mark.parametrize("keys", [["k-1"] * 8, [None] * 8, [f"k-{number}" for number in range(8)]])
def test_a_cart_ordered_many_times_at_once_is_ordered_once(
    customer: Caller, full_cart: list[tuple], flour: int, keys: list[str | None]
) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda key: order(customer, key), keys))
    placed = [answer.data for answer in answers if answer.status_code == 201]
    refused = {(answer.status_code, answer.json["code"]) for answer in answers if answer.status_code != 201}
    assert len(set(placed)) == 1
    assert refused <= {(409, "request_in_progress"), (422, "empty_cart")}
    assert (select_rows("SELECT count(*) FROM orders"), stock_of(flour), items()) == ([(1,)], 8, [])


# The total that was shown.


def test_another_total_than_the_one_shown_is_answered_with_the_new_quote(
    customer: Caller, full_cart: list[tuple], flour: int, beef: int
) -> None:
    make_zone(fee_cents=100_00)
    body = {"delivery": {"address": "Moi Avenue 12"}}
    shown = cart_of(customer)["total"]
    assert shown == "467.93"
    change_products("price_cents = 200_00", [flour])
    response = order(customer, "k-1", **body, expected_total="567.93")
    assert_problem(response, 409, "total_changed")
    assert (response.json["expected_total"], response.json["total"], response.json["currency"]) == (
        "567.93",
        "589.93",
        "KES",
    )
    quote = response.json["quote"]
    assert (quote["subtotal"], quote["delivery_fee"], quote["total"]) == ("489.93", "100.00", "589.93")
    assert quantities(quote) == {flour: 2, beef: 0.75}
    assert quote["items"][0]["notices"] == [{"code": "price_changed", "from": "189.00", "to": "200.00"}]
    assert quote["is_orderable"] is True
    assert quote == customer.post("/orders/quote", json={"delivery": {}}).json
    assert_nothing_was_placed(full_cart)
    again = order(customer, "k-1", **body, expected_total=quote["total"])
    assert (again.status_code, again.json["total"]) == (201, "589.93")


@pytest.mark.parametrize("expected", ["467.92", "467.94", "0.00", 467, "10000000.00"])
def test_a_total_is_compared_to_the_cent(customer: Caller, full_cart: list[tuple], expected: Any) -> None:
    assert_problem(order(customer, expected_total=expected), 409, "total_changed")
    assert_nothing_was_placed(full_cart)
    assert order(customer, expected_total=467.93).status_code == 201


def test_an_offer_that_has_begun_changes_the_total(customer: Caller, full_cart: list[tuple], flour: int) -> None:
    make_promotion(product_ids=[flour])
    response = order(customer, expected_total="467.93")
    assert_problem(response, 409, "total_changed")
    assert (response.json["quote"]["total"], len(response.json["quote"]["discounts"])) == ("430.13", 1)
    assert_nothing_was_placed(full_cart)


# Many at once.


def test_what_is_put_in_while_an_order_is_placed_stays(customer: Caller, full_cart: list[tuple], flour: int) -> None:
    other = make_product(price_cents=50_00)
    # The order waits where its cart has been read: for the place in its slot.
    slot = make_slot()
    with ThreadPoolExecutor(1) as pool, db.engine.begin() as booking:
        booking.execute(text("SELECT FROM delivery_slots FOR UPDATE"))
        answer = pool.submit(order, customer, delivery={"slot_id": slot, "address": "Moi Avenue 12"})
        wait_for_a_lock()
        put(customer, other, 1)
        booking.commit()
        response = answer.result(60)
    assert response.status_code == 201
    assert other not in quantities(response.json)
    assert items() == [(customer.person.id, other, 1, 50_00)]


def test_an_order_waits_for_the_cart_before_it_locks_what_is_in_it(customer: Caller, full_cart: list[tuple]) -> None:
    # A visitor's cart that joins locks the items in the order of their products.
    with ThreadPoolExecutor(1) as pool, db.engine.begin() as joining:
        joining.execute(text("UPDATE carts SET updated_at = now()"))
        answer = pool.submit(order, customer)
        wait_for_a_lock()
        joining.execute(text("SELECT FROM cart_items FOR UPDATE NOWAIT"))
        joining.commit()
        assert answer.result(60).status_code == 201
    assert items() == []


def test_a_product_that_is_deleted_while_the_cart_is_ordered_is_in_no_order(
    customer: Caller, full_cart: list[tuple], flour: int, beef: int
) -> None:
    with ThreadPoolExecutor(1) as pool, db.engine.begin() as deleting:
        deleting.execute(text("DELETE FROM products WHERE id = :id"), {"id": flour})
        answer = pool.submit(order, customer)
        wait_for_a_lock()
        deleting.commit()
        response = answer.result(60)
    assert_problem(response, 409, "product_unavailable")
    assert response.json["product_ids"] == [flour]
    assert_nothing_was_placed([(customer.person.id, beef, Decimal("0.75"), 119_90)])


def test_a_slot_that_fills_up_while_the_cart_is_ordered_leaves_the_cart(
    customer: Caller, full_cart: list[tuple]
) -> None:
    slot = make_slot(capacity=1)
    with ThreadPoolExecutor(1) as pool, db.engine.begin() as booking:
        booking.execute(text("UPDATE delivery_slots SET booked = 1"))
        answer = pool.submit(order, customer, delivery={"slot_id": slot, "address": "Moi Avenue 12"})
        wait_for_a_lock()
        booking.commit()
        assert_problem(answer.result(60), 409, "slot_full")
    book(slot, 0)
    assert_nothing_was_placed(full_cart)


def test_a_cart_of_200_products_can_be_ordered(customer: Caller, flour: int, run_sql: Sql) -> None:
    put(customer, flour, 1)
    fill(customer.person.id, 199, make_category())
    run_sql(
        "WITH filled AS (UPDATE products SET stock = 1 WHERE stock = 0 RETURNING id)"
        " INSERT INTO stock_movements (product_id, delta, reason) SELECT id, 1, 'opening' FROM filled"
    )
    response = order(customer)
    assert (response.status_code, len(response.json["items"])) == (201, 200)
    assert (response.json["total"], items(), unbalanced()) == ("388.00", [], [])
