"""What is sold by weight costs what it really weighs; far more than ordered needs a yes, absurd weights are slips."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from grocery.orders.fulfilment.weights import is_above_ceiling, is_plausible, substitute_price
from tests.orders.conftest import Caller
from tests.orders.factories import amounts, place, snapshot
from tests.orders.fulfilment.factories import assert_books_are_right, assert_refused, events, last_changed, pick
from tests.orders.promotions.factories import make_promotion
from tests.products.ledger import movements_of, stock_of

Sql = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def order(customer: Caller, beef: int) -> dict[str, Any]:
    """A kilogram of beef: 119.90."""
    return place(customer, {beef: 1})


@pytest.mark.parametrize(
    ("weight", "total", "vat", "moved"),
    [
        # 127.094, and 127.154, of which 17.54 is VAT.
        (1.06, "127.09", "17.53", (Decimal("-0.06"), "sold")),
        (1.061, "127.21", "17.55", (Decimal("-0.061"), "sold")),
        (1.1, "131.89", "18.19", (Decimal("-0.1"), "sold")),
        (0.94, "112.71", "15.55", (Decimal("0.06"), "cancelled")),
        (0.001, "0.12", "0.02", (Decimal("0.999"), "cancelled")),
    ],
)
def test_the_line_costs_and_takes_what_it_weighs(
    staff: Caller,
    order: dict[str, Any],
    beef: int,
    run_sql: Sql,
    weight: float,
    total: str,
    vat: str,
    moved: tuple[Any, ...],
) -> None:
    picked = pick(staff, order, weight).json
    assert amounts(picked) == (total, "0.00", vat, total)
    line = picked["items"][0]
    assert (line["quantity"], line["picked_quantity"], line["unit_price"]) == (1, weight, "119.90")
    assert movements_of(beef)[2:] == [(*moved, order["id"])]
    assert stock_of(beef) == Decimal("5.5") - Decimal(str(weight))
    assert last_changed(staff, order) == {
        "picked": [{"name": "Beef", "ordered": 1, "picked": weight, "reason": None}],
        "total": {"from": "119.90", "to": total},
    }
    assert events(run_sql) == []
    assert_books_are_right(run_sql)


def test_a_weight_above_the_ceiling_needs_a_yes(staff: Caller, order: dict[str, Any], beef: int, run_sql: Sql) -> None:
    before = snapshot(run_sql)
    for body in ({}, {"approved": False}):
        assert_refused(pick(staff, order, 1.101, **body), 409, "needs_approval", reasons=["over_ceiling"])
    assert snapshot(run_sql) == before
    approved = pick(staff, order, 1.101, approved=True)
    # 132.0099
    assert (approved.status_code, approved.json["total"]) == (200, "132.01")
    assert stock_of(beef) == Decimal("4.399")
    assert pick(staff, order, 2, approved=True).json["total"] == "239.80"
    assert_books_are_right(run_sql)


@pytest.mark.parametrize("weight", [2.001, 150, 1000])
def test_more_than_twice_the_order_is_a_slip_whoever_says_yes(
    staff: Caller, order: dict[str, Any], run_sql: Sql, weight: float
) -> None:
    before = snapshot(run_sql)
    for body in ({}, {"approved": True}):
        response = pick(staff, order, weight, **body)
        assert_refused(response, 422, "implausible_weight")
        assert list(response.json["errors"]) == ["picked_quantity"]
    assert snapshot(run_sql) == before


def test_weights_are_in_grams_and_not_bound_to_the_steps_of_the_shop(staff: Caller, order: dict[str, Any]) -> None:
    assert_refused(pick(staff, order, 0.9875), 422, "validation_failed")
    assert pick(staff, order, 0.987).json["items"][0]["picked_quantity"] == 0.987


def test_more_weight_than_there_is_left_is_refused(
    customer: Caller, staff: Caller, order: dict[str, Any], beef: int, run_sql: Sql
) -> None:
    place(customer, {beef: 4.5})
    before = snapshot(run_sql)
    missing = [{"product_id": beef, "name": "Beef", "requested": 0.05, "available": 0}]
    assert_refused(pick(staff, order, 1.05), 409, "out_of_stock", items=missing)
    assert snapshot(run_sql) == before
    assert pick(staff, order, 1).status_code == 200


def test_weighed_twice_only_the_difference_moves(staff: Caller, order: dict[str, Any], beef: int, run_sql: Sql) -> None:
    pick(staff, order, 1.05)
    assert pick(staff, order, 0.9).json["total"] == "107.91"
    assert [row[:2] for row in movements_of(beef)[2:]] == [
        (Decimal("-0.05"), "sold"),
        (Decimal("0.15"), "cancelled"),
    ]
    assert stock_of(beef) == Decimal("4.6")
    assert_books_are_right(run_sql)


def test_weights_change_what_a_promotion_takes_off(customer: Caller, staff: Caller, beef: int, run_sql: Sql) -> None:
    make_promotion(code="TEN", min_basket_cents=119_00)
    order = place(customer, {beef: 1}, coupon="TEN")
    assert order["total"] == "107.91"
    lighter = pick(staff, order, 0.95).json
    # 113.905 less 11.391.
    assert (lighter["discounts"][0]["amount"], amounts(lighter)) == ("11.39", ("113.91", "0.00", "14.14", "102.52"))
    heavier = pick(staff, order, 1.06).json
    assert (heavier["discounts"][0]["amount"], heavier["total"]) == ("12.71", "114.38")
    assert_books_are_right(run_sql)


def test_what_is_missing_of_a_weight_can_be_damaged(
    staff: Caller, order: dict[str, Any], beef: int, run_sql: Sql
) -> None:
    picked = pick(staff, order, 0.4, reason="damaged").json
    assert (picked["total"], picked["items"][0]["short_reason"]) == ("47.96", "damaged")
    assert [row[:2] for row in movements_of(beef)[2:]] == [
        (Decimal("0.6"), "cancelled"),
        (Decimal("-0.6"), "damaged"),
    ]
    heavy = pick(staff, order, 1.05).json
    assert (heavy["total"], heavy["items"][0]["short_reason"]) == ("125.90", None)
    assert [row[:2] for row in movements_of(beef)[4:]] == [(Decimal("0.6"), "counted"), (Decimal("-0.65"), "sold")]
    assert stock_of(beef) == Decimal("4.45")
    assert_books_are_right(run_sql)


@pytest.mark.parametrize(("ordered", "limit"), [("1", "1.1"), ("0.25", "0.275"), ("0.005", "0.0055")])
def test_the_ceiling_is_the_estimate_and_ten_percent(ordered: str, limit: str) -> None:
    assert not is_above_ceiling(Decimal(ordered), Decimal(limit))
    assert is_above_ceiling(Decimal(ordered), Decimal(limit) + Decimal("0.0001"))
    assert is_plausible(Decimal(ordered), Decimal(ordered) * 2)
    assert not is_plausible(Decimal(ordered), Decimal(ordered) * 2 + Decimal("0.0001"))


@pytest.mark.parametrize(
    ("price", "quantity", "missing", "expected"),
    [
        (90_00, "2", 200_00, 90_00),
        (100_00, "2", 200_00, 100_00),
        (100_01, "2", 200_00, 100_00),
        (500_00, "3", 200_00, 66_66),
        (119_90, "1.5", 100_00, 66_66),
        (119_90, "0.834", 100_00, 119_90),
        (1_00, "3", 2, 0),
    ],
)
def test_a_substitute_costs_its_own_price_or_what_is_missing(
    price: int, quantity: str, missing: int, expected: int
) -> None:
    assert substitute_price(price, Decimal(quantity), missing) == expected
