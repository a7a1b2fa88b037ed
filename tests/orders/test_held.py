"""What an order holds besides its goods, a place in a slot and the use of a coupon, and who gives it back when."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest

from tests.orders.conftest import Caller
from tests.orders.delivery.factories import make_slot, make_zone
from tests.orders.factories import move, place
from tests.orders.promotions.factories import make_promotion
from tests.orders.test_races import assert_ledgers_are_right
from tests.products.factories import make_product

Sql = Callable[..., list[tuple[Any, ...]]]


def assert_holdings_are_right(run_sql: Sql) -> None:
    """Slots and limited promotions count the orders that hold them; those that were cancelled do not."""
    assert (
        run_sql("""
        SELECT id, booked FROM delivery_slots WHERE booked <> (
            SELECT count(*) FROM orders WHERE slot_id = delivery_slots.id AND status <> 'cancelled'
        )
    """)
        == []
    )
    assert (
        run_sql("""
        SELECT id, used_count FROM promotions WHERE usage_limit IS NOT NULL AND used_count <> (
            SELECT count(*) FROM order_discounts AS held JOIN orders ON orders.id = held.order_id
            WHERE held.promotion_id = promotions.id AND orders.status <> 'cancelled'
        )
    """)
        == []
    )


def held(run_sql: Sql) -> tuple[list[int], list[int]]:
    """What slots and promotions count, by id."""
    slots = run_sql("SELECT booked FROM delivery_slots ORDER BY id")
    promotions = run_sql("SELECT used_count FROM promotions ORDER BY id")
    return [row[0] for row in slots], [row[0] for row in promotions]


@pytest.fixture
def flour(context: None) -> int:
    return make_product(name="Maize Flour", price_cents=189_00, vat_class="zero")


@pytest.fixture
def soap(context: None) -> int:
    return make_product(name="Soap", price_cents=116_00)


@pytest.fixture
def slot(context: None) -> int:
    return make_slot(make_zone(fee_cents=150_00), capacity=3, fee_cents=50_00)


@pytest.fixture
def coupon(context: None) -> int:
    return make_promotion(code="TEN", usage_limit=3)


def place_whole(customer: Caller, items: dict[int, float], slot: int) -> dict[str, Any]:
    """An order that holds a place in the slot and the coupon."""
    delivery = {"slot_id": slot, "address": "Moi Avenue 12", "phone": "+254733000001"}
    return place(customer, items, coupon="TEN", delivery=delivery)


def test_a_cancelled_order_gives_back_slot_coupon_and_stock_once(
    customer: Caller, other_customer: Caller, flour: int, slot: int, coupon: int, run_sql: Sql
) -> None:
    order = place_whole(customer, {flour: 2}, slot)
    kept = place_whole(other_customer, {flour: 1}, slot)
    assert held(run_sql) == ([2], [2])
    cancelled = customer.post(f"/orders/{order['id']}/cancel").json
    assert (cancelled["status"], cancelled["total"], cancelled["coupon"]) == ("cancelled", order["total"], "TEN")
    assert held(run_sql) == ([1], [1])
    again = customer.post(f"/orders/{order['id']}/cancel")
    assert (again.status_code, again.json["code"]) == (409, "illegal_transition")
    assert held(run_sql) == ([1], [1])
    assert run_sql("SELECT stock FROM products") == [(Decimal(9),)]
    assert run_sql("SELECT delta, reason, order_id FROM stock_movements ORDER BY id") == [
        (Decimal(10), "opening", None),
        (Decimal(-2), "sold", order["id"]),
        (Decimal(-1), "sold", kept["id"]),
        (Decimal(2), "cancelled", order["id"]),
    ]
    assert_holdings_are_right(run_sql)


@pytest.mark.parametrize("status", ["confirmed", "packed"])
def test_staff_who_cancel_later_give_back_the_same(
    customer: Caller, staff: Caller, flour: int, slot: int, coupon: int, run_sql: Sql, status: str
) -> None:
    order = place_whole(customer, {flour: 2}, slot)
    move(staff, order, status)
    assert held(run_sql) == ([1], [1])
    move(staff, order, "cancelled")
    assert held(run_sql) == ([0], [0])
    assert run_sql("SELECT stock FROM products") == [(Decimal(10),)]


def test_cancelled_by_eight_at_once_it_is_given_back_once(
    customer: Caller, other_customer: Caller, staff: Caller, flour: int, slot: int, coupon: int, run_sql: Sql
) -> None:
    order = place_whole(customer, {flour: 2}, slot)
    place_whole(other_customer, {flour: 1}, slot)

    def cancel(number: int) -> int:
        if number % 2:
            return customer.post(f"/orders/{order['id']}/cancel").status_code
        return staff.patch(f"/orders/{order['id']}/status", json={"status": "cancelled"}).status_code

    with ThreadPoolExecutor(8) as pool:
        assert Counter(pool.map(cancel, range(8))) == {200: 1, 409: 7}
    assert held(run_sql) == ([1], [1])
    assert run_sql("SELECT stock FROM products") == [(Decimal(9),)]


def test_what_was_given_back_can_be_taken_again(
    customer: Caller, other_customer: Caller, flour: int, run_sql: Sql
) -> None:
    slot = make_slot(capacity=1)
    make_promotion(code="TEN", usage_limit=1, usage_limit_per_customer=1)
    first = place_whole(customer, {flour: 1}, slot)
    body = {
        "items": [{"product_id": flour, "quantity": 1}],
        "coupon": "TEN",
        "delivery": {"slot_id": slot, "address": "Moi Avenue 12", "phone": "+254733000001"},
    }
    assert other_customer.post("/orders/", json=body).json["code"] == "slot_full"
    assert other_customer.post("/orders/", json={**body, "delivery": None}).json["code"] == "coupon_used_up"
    customer.post(f"/orders/{first['id']}/cancel")
    assert customer.post("/orders/", json=body).status_code == 201
    assert held(run_sql) == ([1], [1])


def test_what_is_delivered_stays_taken(
    customer: Caller, staff: Caller, flour: int, slot: int, coupon: int, run_sql: Sql
) -> None:
    move(staff, place_whole(customer, {flour: 2}, slot), "delivered")
    assert held(run_sql) == ([1], [1])
    assert_holdings_are_right(run_sql)


def test_a_promotion_without_a_limit_is_not_counted(customer: Caller, flour: int, run_sql: Sql) -> None:
    make_promotion(code="TEN")
    order = place(customer, {flour: 1}, coupon="TEN")
    assert held(run_sql) == ([], [0])
    customer.post(f"/orders/{order['id']}/cancel")
    assert held(run_sql) == ([], [0])


def test_deleting_a_product_prices_orders_anew_with_their_discounts(
    customer: Caller, admin: Caller, flour: int, soap: int, slot: int, coupon: int, run_sql: Sql
) -> None:
    order = place_whole(customer, {flour: 2, soap: 1}, slot)
    assert (order["subtotal"], order["discounts"][0]["amount"], order["total"]) == ("494.00", "49.40", "644.60")
    assert admin.delete(f"/products/{flour}").status_code == 204
    left = customer.get(f"/orders/{order['id']}").json
    assert [(line["product_id"], line["discount"]) for line in left["items"]] == [(soap, "11.60")]
    assert left["subtotal"] == "116.00"
    assert left["discounts"] == [{"code": "TEN", "name": "Ten percent", "amount": "11.60"}]
    assert (left["delivery_fee"], left["total"]) == ("200.00", "304.40")
    # Of 104.40 for the soap 14.40, of 200.00 for the delivery 27.59.
    assert left["vat"] == "41.99"
    assert left["vat_classes"] == [{"vat_class": "standard", "rate": "16.00", "gross": "304.40", "vat": "41.99"}]
    assert held(run_sql) == ([1], [1])
    assert_holdings_are_right(run_sql)


def test_an_order_that_is_emptied_by_a_deletion_gives_back_slot_and_coupon(
    customer: Caller, other_customer: Caller, admin: Caller, flour: int, soap: int, slot: int, coupon: int, run_sql: Sql
) -> None:
    emptied = place_whole(customer, {flour: 2}, slot)
    kept = place_whole(other_customer, {flour: 1, soap: 1}, slot)
    assert admin.delete(f"/products/{flour}").status_code == 204
    read = customer.get(f"/orders/{emptied['id']}").json
    assert (read["status"], read["items"], read["subtotal"], read["total"]) == ("cancelled", [], "0.00", "0.00")
    assert (read["delivery_fee"], read["vat"], read["discounts"]) == ("0.00", "0.00", [])
    assert other_customer.get(f"/orders/{kept['id']}").json["status"] == "pending"
    assert held(run_sql) == ([1], [1])
    assert_holdings_are_right(run_sql)


def test_an_erased_customer_gives_back_the_slots_of_all_orders_and_the_coupons_of_open_ones(
    customer: Caller,
    other_customer: Caller,
    staff: Caller,
    admin: Caller,
    flour: int,
    soap: int,
    slot: int,
    run_sql: Sql,
) -> None:
    make_promotion(code="TEN", usage_limit=9)
    place_whole(customer, {flour: 1}, slot)
    move(staff, place_whole(customer, {flour: 1, soap: 1}, slot), "delivered")
    kept = place_whole(other_customer, {soap: 1}, slot)
    cancelled = place_whole(customer, {flour: 1}, make_slot())
    customer.post(f"/orders/{cancelled['id']}/cancel")
    assert held(run_sql) == ([3, 0], [3])

    assert admin.delete(f"/auth/users/{customer.person.id}").status_code == 204

    assert run_sql("SELECT id FROM orders") == [(kept["id"],)]
    # What was delivered has used its coupon up for good, though nobody holds it any more.
    assert held(run_sql) == ([1, 0], [2])
    assert run_sql("SELECT stock FROM products ORDER BY id") == [(Decimal(9),), (Decimal(8),)]
    assert_ledgers_are_right(run_sql)


def test_of_an_erased_customer_the_books_add_up_and_the_payments_stay(
    customer: Caller, staff: Caller, admin: Caller, flour: int, soap: int, slot: int, coupon: int, run_sql: Sql
) -> None:
    make_promotion(name="Free delivery", kind="free_delivery", value=Decimal(0), min_basket_cents=500_00)
    bread = make_product(name="Bread", price_cents=65_00, vat_class="exempt")
    small = place_whole(customer, {flour: 1, soap: 1, bread: 1}, slot)
    big = place_whole(customer, {flour: 2, soap: 3}, slot)
    assert [discount["name"] for discount in big["discounts"]] == ["Ten percent", "Free delivery"]
    move(staff, small, "delivered", collected="500.00")
    move(staff, big, "delivered")
    place(customer, {soap: 1})

    assert customer.delete("/auth/me", json={"password": "correct horse battery"}).status_code == 204

    ledger = run_sql(
        "SELECT order_number, delivery_fee_cents, total_cents, vat_cents, cash_cents, vat FROM sales_ledger ORDER BY id"
    )
    assert ledger == [
        (
            small["number"],
            200_00,
            # 370.00 less a tenth, and the delivery.
            533_00,
            41_99,
            500_00,
            {
                "standard": {"gross_cents": 304_40, "vat_cents": 41_99},
                "zero": {"gross_cents": 170_10, "vat_cents": 0},
                "exempt": {"gross_cents": 58_50, "vat_cents": 0},
            },
        ),
        (
            big["number"],
            200_00,
            # 726.00 less a tenth; the delivery was paid by the promotion.
            653_40,
            43_20,
            653_40,
            {
                "standard": {"gross_cents": 313_20, "vat_cents": 43_20},
                "zero": {"gross_cents": 340_20, "vat_cents": 0},
            },
        ),
    ]
    for _, _, total, vat, _, by_class in ledger:
        assert sum(entry["gross_cents"] for entry in by_class.values()) == total
        assert sum(entry["vat_cents"] for entry in by_class.values()) == vat
    assert run_sql("SELECT order_id, order_number, kind, amount_cents, collector_id FROM payments ORDER BY id") == [
        (None, small["number"], "capture", 500_00, staff.person.id),
        (None, big["number"], "capture", 653_40, staff.person.id),
    ]
    assert run_sql("SELECT count(*) FROM orders") == [(0,)]
