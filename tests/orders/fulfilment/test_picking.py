"""What is picked is what is paid and what is gone: amounts, stock, ledger and history after each pick."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest

from tests.orders.conftest import Caller
from tests.orders.delivery.factories import make_zone
from tests.orders.factories import amounts, move, place, snapshot
from tests.orders.fulfilment.factories import assert_books_are_right, events, last_changed, pick
from tests.orders.promotions.factories import make_promotion
from tests.products.ledger import movements_of, stock_of, unbalanced

Sql = Callable[..., list[tuple[Any, ...]]]


def test_a_line_picked_in_full_costs_and_takes_what_it_did(
    staff: Caller, order: dict[str, Any], soap: int, run_sql: Sql
) -> None:
    response = pick(staff, order, 3)
    assert response.status_code == 200
    picked = response.json
    assert picked["items"] == [{**order["items"][0], "picked_quantity": 3}, order["items"][1]]
    assert (amounts(picked), picked["version"], picked["status"]) == (amounts(order), 2, "pending")
    assert staff.get(f"/orders/{order['id']}").json == picked
    assert movements_of(soap)[1:] == [(Decimal(-3), "sold", order["id"])]
    assert last_changed(staff, order) == {
        "picked": [{"name": "Soap", "ordered": 3, "picked": 3, "reason": None}],
        "total": {"from": "537.00", "to": "537.00"},
    }
    assert run_sql("SELECT picker_id, picked_at IS NOT NULL FROM order_lines ORDER BY id") == [
        (staff.person.id, True),
        (None, False),
    ]
    assert events(run_sql) == []
    assert_books_are_right(run_sql)


@pytest.mark.parametrize(
    ("reason", "moved", "stock"),
    [
        (None, [], 9),
        ("unwanted", [], 9),
        ("damaged", [(Decimal(-2), "damaged", None)], 7),
        ("not_found", [(Decimal(-9), "counted", None)], 0),
    ],
)
def test_the_rest_of_a_short_pick_goes_where_the_reason_says(
    customer: Caller,
    staff: Caller,
    order: dict[str, Any],
    soap: int,
    run_sql: Sql,
    reason: str | None,
    moved: list[tuple[Any, ...]],
    stock: int,
) -> None:
    picked = pick(staff, order, 1, reason=reason).json
    line = picked["items"][0]
    assert (line["quantity"], line["picked_quantity"], line["short_reason"]) == (3, 1, reason)
    assert (line["unit_price"], line["line_total"]) == ("116.00", "116.00")
    assert amounts(picked) == ("305.00", "0.00", "16.00", "305.00")
    assert picked["vat_classes"] == [
        {"vat_class": "standard", "rate": "16.00", "gross": "116.00", "vat": "16.00"},
        {"vat_class": "zero", "rate": "0.00", "gross": "189.00", "vat": "0.00"},
    ]
    assert movements_of(soap)[1:] == [
        (Decimal(-3), "sold", order["id"]),
        (Decimal(2), "cancelled", order["id"]),
        *moved,
    ]
    assert stock_of(soap) == stock
    assert last_changed(staff, order) == {
        "picked": [{"name": "Soap", "ordered": 3, "picked": 1, "reason": reason}],
        "total": {"from": "537.00", "to": "305.00"},
    }
    assert events(run_sql) == []
    wanted = customer.post("/orders/", json={"items": [{"product_id": soap, "quantity": 1}]})
    assert wanted.status_code == (201 if stock else 409)
    assert_books_are_right(run_sql)


SOLD, RETURNED = (Decimal(-3), "sold"), (Decimal(2), "cancelled")


@pytest.mark.parametrize(
    ("first", "then", "moved", "stock"),
    [
        ((1, None), (3, None), [RETURNED, (Decimal(-2), "sold")], 7),
        ((1, None), (0, None), [RETURNED, (Decimal(1), "cancelled")], 10),
        ((1, None), (1, "damaged"), [RETURNED, (Decimal(-2), "damaged")], 7),
        (
            (1, "damaged"),
            (3, None),
            [RETURNED, (Decimal(-2), "damaged"), (Decimal(2), "counted"), (Decimal(-2), "sold")],
            7,
        ),
        (
            (1, "damaged"),
            (2, "damaged"),
            [RETURNED, (Decimal(-2), "damaged"), (Decimal(1), "counted"), (Decimal(-1), "sold")],
            7,
        ),
        (
            (1, "damaged"),
            (0, "damaged"),
            [RETURNED, (Decimal(-2), "damaged"), (Decimal(1), "cancelled"), (Decimal(-1), "damaged")],
            7,
        ),
        ((1, "damaged"), (1, "unwanted"), [RETURNED, (Decimal(-2), "damaged"), (Decimal(2), "counted")], 9),
        (
            (1, "damaged"),
            (1, "not_found"),
            [RETURNED, (Decimal(-2), "damaged"), (Decimal(2), "counted"), (Decimal(-9), "counted")],
            0,
        ),
        (
            (1, "not_found"),
            (3, None),
            [RETURNED, (Decimal(-9), "counted"), (Decimal(2), "counted"), (Decimal(-2), "sold")],
            0,
        ),
        (
            (1, "not_found"),
            (2, "not_found"),
            [RETURNED, (Decimal(-9), "counted"), (Decimal(1), "counted"), (Decimal(-1), "sold")],
            0,
        ),
        (
            (1, "not_found"),
            (0, "not_found"),
            [RETURNED, (Decimal(-9), "counted"), (Decimal(1), "cancelled"), (Decimal(-1), "counted")],
            0,
        ),
        (
            (1, "not_found"),
            (1, "damaged"),
            [RETURNED, (Decimal(-9), "counted"), (Decimal(2), "counted"), (Decimal(-2), "damaged")],
            0,
        ),
        ((1, "not_found"), (1, "unwanted"), [RETURNED, (Decimal(-9), "counted"), (Decimal(2), "counted")], 2),
    ],
)
def test_another_pick_first_brings_back_into_the_books_what_the_earlier_one_wrote_off(
    staff: Caller,
    order: dict[str, Any],
    soap: int,
    run_sql: Sql,
    first: tuple[int, str | None],
    then: tuple[int, str | None],
    moved: list[tuple[Any, ...]],
    stock: int,
) -> None:
    for quantity, reason in (first, then):
        answer = pick(staff, order, quantity, reason=reason)
        assert answer.status_code == 200, answer.json
    line = answer.json["items"][0]
    assert (line["picked_quantity"], line["short_reason"]) == then
    assert (line["line_total"], answer.json["version"]) == (f"{116 * then[0]}.00", 3)
    assert [row[:2] for row in movements_of(soap)[1:]] == [SOLD, *moved]
    for delta, reason, order_id in movements_of(soap)[1:]:
        assert order_id == (order["id"] if reason in ("sold", "cancelled") else None), delta
    assert stock_of(soap) == stock
    assert_books_are_right(run_sql)


@pytest.mark.parametrize("body", [(3, None), (1, None), (1, "not_found"), (0, "damaged")])
def test_the_same_pick_twice_changes_nothing(
    staff: Caller, order: dict[str, Any], run_sql: Sql, body: tuple[int, str | None]
) -> None:
    quantity, reason = body
    first = pick(staff, order, quantity, reason=reason).json
    before = snapshot(run_sql)
    again = pick(staff, order, quantity, reason=reason)
    assert (again.status_code, again.json) == (200, first)
    assert snapshot(run_sql) == before


def test_what_was_delivered_since_is_not_counted_away_by_the_same_pick(
    staff: Caller, order: dict[str, Any], soap: int, run_sql: Sql
) -> None:
    pick(staff, order, 1, reason="not_found")
    run_sql("UPDATE products SET stock = 5 WHERE id = :id", id=soap)
    run_sql("INSERT INTO stock_movements (product_id, delta, reason) VALUES (:id, 5, 'received')", id=soap)
    pick(staff, order, 1, reason="not_found")
    assert stock_of(soap) == 5
    assert_books_are_right(run_sql)


def test_no_reason_is_noted_for_what_is_picked_in_full(staff: Caller, order: dict[str, Any], soap: int) -> None:
    assert pick(staff, order, 3, reason="not_found").json["items"][0]["short_reason"] is None
    assert stock_of(soap) == 7


def test_a_confirmed_order_is_picked(staff: Caller, order: dict[str, Any], run_sql: Sql) -> None:
    confirmed = move(staff, order, "confirmed")
    picked = pick(staff, order, 2).json
    assert (picked["status"], picked["version"], picked["total"]) == ("confirmed", 3, "421.00")
    assert last_changed(staff, confirmed)["total"] == {"from": "537.00", "to": "421.00"}
    assert_books_are_right(run_sql)


def test_picks_of_the_same_products_for_many_orders_do_not_deadlock(
    customer: Caller, staff: Caller, soap: int, flour: int, run_sql: Sql
) -> None:
    run_sql(
        "UPDATE products SET stock = 100; INSERT INTO stock_movements (product_id, delta, reason)"
        " SELECT id, 90, 'received' FROM products"
    )
    orders = [place(customer, {soap: 3, flour: 3}) for _ in range(6)]

    def pick_some(number: int) -> int:
        chosen = orders[number % 6]
        if number % 4 == 0:
            return pick(staff, chosen, 1, substitute_product_id=flour, approved=True).status_code
        if number % 4 == 1:
            return pick(staff, chosen, 1, index=1, substitute_product_id=soap, approved=True).status_code
        return pick(staff, chosen, number % 3, index=number % 2, reason="damaged").status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(pick_some, range(36))) <= {200, 409, 422}
    assert_books_are_right(run_sql)


def test_a_line_whose_quantity_is_changed_is_to_be_picked_again(
    staff: Caller, order: dict[str, Any], soap: int, run_sql: Sql
) -> None:
    pick(staff, order, 1, reason="damaged")
    path = f"/orders/{order['id']}/lines/{order['items'][0]['id']}"
    changed = staff.patch(path, json={"quantity": 2}).json
    line = changed["items"][0]
    assert (line["quantity"], line["picked_quantity"], line["short_reason"]) == (2, None, None)
    assert (changed["total"], stock_of(soap)) == ("421.00", 6)
    assert_books_are_right(run_sql)


def test_a_cancelled_order_gives_back_what_was_picked_and_no_more(
    customer: Caller, staff: Caller, order: dict[str, Any], soap: int, flour: int, run_sql: Sql
) -> None:
    pick(staff, order, 1, reason="damaged")
    assert customer.post(f"/orders/{order['id']}/cancel").status_code == 200
    assert (stock_of(soap), stock_of(flour)) == (8, 10)
    assert movements_of(soap)[-1] == (Decimal(1), "cancelled", order["id"])
    assert unbalanced() == []


def test_a_promotion_is_worked_out_anew_and_its_minimum_not_asked_for_again(
    customer: Caller, staff: Caller, soap: int, flour: int, run_sql: Sql
) -> None:
    make_promotion(code="TEN", min_basket_cents=500_00, usage_limit=1)
    order = place(customer, {soap: 3, flour: 1}, coupon="TEN")
    assert (order["discounts"][0]["amount"], order["vat"], order["total"]) == ("53.70", "43.20", "483.30")
    run_sql("UPDATE promotions SET is_active = false, value = 90")
    make_promotion(name="Half", value=Decimal(50))
    picked = pick(staff, order, 1).json
    assert picked["discounts"] == [{"code": "TEN", "name": "Ten percent", "amount": "30.50"}]
    assert [line["discount"] for line in picked["items"]] == ["11.60", "18.90"]
    assert amounts(picked) == ("305.00", "0.00", "14.40", "274.50")
    nothing = pick(staff, order, 0).json
    assert [(line["line_total"], line["discount"]) for line in nothing["items"]] == [
        ("0.00", "0.00"),
        ("189.00", "18.90"),
    ]
    assert amounts(nothing) == ("189.00", "0.00", "0.00", "170.10")
    assert run_sql("SELECT used_count FROM promotions ORDER BY id") == [(1,), (0,)]
    assert_books_are_right(run_sql)


def test_a_fixed_discount_is_never_more_than_what_was_picked(
    customer: Caller, staff: Caller, soap: int, run_sql: Sql
) -> None:
    make_promotion(name="200 off", kind="fixed", value=Decimal(200), product_ids=[soap])
    order = place(customer, {soap: 3})
    assert (order["discounts"][0]["amount"], order["total"]) == ("200.00", "148.00")
    picked = pick(staff, order, 1).json
    assert (picked["discounts"][0]["amount"], picked["items"][0]["discount"]) == ("116.00", "116.00")
    assert amounts(picked) == ("116.00", "0.00", "0.00", "0.00")
    assert pick(staff, order, 3).json["total"] == "148.00"
    assert_books_are_right(run_sql)


def test_buy_two_get_one_is_lost_with_the_third_piece_and_comes_back_when_it_is_found(
    customer: Caller, staff: Caller, soap: int, run_sql: Sql
) -> None:
    make_promotion(
        name="2 + 1", kind="buy_x_get_y", value=Decimal(0), buy_quantity=2, get_quantity=1, product_ids=[soap]
    )
    order = place(customer, {soap: 3})
    assert (order["discounts"][0]["amount"], order["total"]) == ("116.00", "232.00")
    short = pick(staff, order, 2, reason="not_found").json
    assert (short["discounts"], short["items"][0]["discount"], amounts(short)) == (
        [],
        "0.00",
        ("232.00", "0.00", "32.00", "232.00"),
    )
    assert_books_are_right(run_sql)
    found = pick(staff, order, 3).json
    assert (found["discounts"][0]["amount"], found["total"]) == ("116.00", "232.00")
    assert_books_are_right(run_sql)


def test_a_delivery_that_was_free_stays_free(customer: Caller, staff: Caller, soap: int, flour: int) -> None:
    make_zone(fee_cents=150_00, min_basket_cents=300_00, free_from_cents=400_00)
    order = place(customer, {soap: 3, flour: 1}, delivery={"address": "Moi Avenue 12"})
    assert amounts(order) == ("537.00", "0.00", "48.00", "537.00")
    assert amounts(pick(staff, order, 0).json) == ("189.00", "0.00", "0.00", "189.00")


def test_a_delivery_that_is_paid_costs_the_same_after_short_picks(
    customer: Caller, staff: Caller, soap: int, flour: int, run_sql: Sql
) -> None:
    make_zone(fee_cents=150_00, min_basket_cents=300_00, free_from_cents=900_00)
    order = place(customer, {soap: 3, flour: 1}, delivery={"address": "Moi Avenue 12"})
    # Of the delivery 20.69 is VAT.
    assert amounts(order) == ("537.00", "150.00", "68.69", "687.00")
    assert amounts(pick(staff, order, 1).json) == ("305.00", "150.00", "36.69", "455.00")
    assert_books_are_right(run_sql)
