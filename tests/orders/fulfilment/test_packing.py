"""Packing closes the lines, allocates lots for what was picked, and tells once of all that is different."""

from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask

from tests.orders.conftest import Caller
from tests.orders.factories import amounts, move, place, snapshot
from tests.orders.fulfilment.factories import assert_books_are_right, assert_refused, events, pick
from tests.products.factories import make_product
from tests.products.inventory.factories import broken, make_lot, picks_of, remaining
from tests.products.ledger import movements_of, stock_of

Sql = Callable[..., list[tuple[Any, ...]]]

BY_MAIL, BY_SMS = "amina@example.com", "+254712345678"

TOLD_OF_A_CHANGE = [
    ("order_changed", "email", BY_MAIL),
    ("order_changed", "sms", BY_SMS),
    ("order_updated", "email", "owner@shop.example"),
]


@pytest.fixture
def beef(context: None) -> int:
    return make_product(
        "Meat", name="Beef", unit="kg", quantity_step=Decimal("0.25"), price_cents=119_90, stock=Decimal("5.5")
    )


@pytest.fixture
def require_picking(app: Flask) -> Iterator[None]:
    app.config["REQUIRE_PICKING"] = True
    yield
    app.config["REQUIRE_PICKING"] = False


def try_to(staff: Caller, order: dict[str, Any], status: str) -> Any:
    return staff.patch(f"/orders/{order['id']}/status", json={"status": status})


def texts(run_sql: Sql, event: str) -> dict[str, str]:
    """The customer's messages of an event, by channel."""
    return dict(run_sql("SELECT channel, body FROM notifications WHERE event = :event", event=event))


@pytest.mark.parametrize("status", ["packed", "shipped", "delivered"])
def test_lines_that_nobody_touched_are_picked_in_full(
    staff: Caller, order: dict[str, Any], soap: int, flour: int, run_sql: Sql, status: str
) -> None:
    packed = move(staff, order, status)
    assert [(line["picked_quantity"], line["short_reason"]) for line in packed["items"]] == [(3, None), (1, None)]
    assert amounts(packed) == amounts(order)
    assert staff.get(f"/orders/{order['id']}").json == packed
    assert (stock_of(soap), stock_of(flour)) == (7, 9)
    assert len(movements_of(soap)) == len(movements_of(flour)) == 2
    assert "order_changed" not in {event for event, *_ in events(run_sql)}
    assert_books_are_right(run_sql)


def test_lines_that_were_picked_stay_as_they_were_picked(
    staff: Caller, order: dict[str, Any], soap: int, flour: int, run_sql: Sql
) -> None:
    pick(staff, order, 1, reason="damaged")
    packed = move(staff, order, "packed")
    assert [(line["picked_quantity"], line["short_reason"]) for line in packed["items"]] == [(1, "damaged"), (1, None)]
    assert amounts(packed) == ("305.00", "0.00", "16.00", "305.00")
    assert staff.get(f"/orders/{order['id']}").json == packed
    assert (stock_of(soap), stock_of(flour)) == (7, 9)
    assert_books_are_right(run_sql)


@pytest.mark.usefixtures("require_picking")
@pytest.mark.parametrize("status", ["packed", "shipped", "delivered"])
def test_a_shop_that_wants_every_line_picked_packs_no_open_one(
    staff: Caller, order: dict[str, Any], run_sql: Sql, status: str
) -> None:
    first, second = (line["id"] for line in order["items"])
    before = snapshot(run_sql)
    assert_refused(try_to(staff, order, status), 409, "lines_open", line_ids=[first, second])
    assert snapshot(run_sql) == before
    pick(staff, order, 3)
    before = snapshot(run_sql)
    assert_refused(try_to(staff, order, status), 409, "lines_open", line_ids=[second])
    assert snapshot(run_sql) == before
    assert move(staff, order, "confirmed")["status"] == "confirmed"
    pick(staff, order, 1, index=1)
    assert move(staff, order, status)["status"] == status


@pytest.mark.usefixtures("require_picking")
def test_what_is_not_picked_can_still_be_cancelled(staff: Caller, order: dict[str, Any], soap: int) -> None:
    assert move(staff, order, "cancelled")["status"] == "cancelled"
    assert stock_of(soap) == 10


@pytest.mark.parametrize("status", ["packed", "shipped", "delivered"])
def test_an_empty_bag_is_not_packed(staff: Caller, order: dict[str, Any], run_sql: Sql, status: str) -> None:
    pick(staff, order, 0)
    pick(staff, order, 0, index=1, reason="not_found")
    before = snapshot(run_sql)
    assert_refused(try_to(staff, order, status), 409, "nothing_picked")
    assert snapshot(run_sql) == before
    assert move(staff, order, "cancelled")["total"] == "0.00"


def test_as_ordered_the_customer_gets_an_e_mail_that_it_is_packed(
    staff: Caller, order: dict[str, Any], run_sql: Sql
) -> None:
    pick(staff, order, 3)
    move(staff, order, "packed")
    assert events(run_sql) == [("order_packed", "email", BY_MAIL), ("order_updated", "email", "owner@shop.example")]


def test_all_that_is_different_is_told_in_one_message(
    customer: Caller, staff: Caller, soap: int, flour: int, beef: int, run_sql: Sql
) -> None:
    matches = make_product(name="Matches", price_cents=20_00)
    bread = make_product(name="Bread", price_cents=65_00)
    roll = make_product(name="Rolls", price_cents=30_00)
    order = place(customer, {soap: 3, flour: 1, beef: 1, matches: 1, bread: 1})
    pick(staff, order, 1)
    pick(staff, order, 0, index=1, reason="not_found")
    pick(staff, order, 0.5, index=2)
    pick(staff, order, 2, index=4, substitute_product_id=roll, approved=True)
    assert events(run_sql) == []
    packed = move(staff, order, "packed")
    # 116.00, 59.95, 20.00 and 60.00.
    assert packed["total"] == "255.95"
    assert events(run_sql) == TOLD_OF_A_CHANGE
    told = texts(run_sql, "order_changed")
    change = "Only 1 x Soap. Not available: Maize Flour. Only 0.5 kg Beef. 2 x Rolls instead of Bread."
    assert change in " ".join(told["email"].split())
    assert "KES 255.95" in told["email"]
    # What was not picked is not in the bag.
    assert "Maize Flour\n" not in told["email"]
    assert "Only 1 x Soap. Not available: Maize Flour." in told["sms"]
    assert "New total: KES 255.95." in told["sms"]
    assert_books_are_right(run_sql)


def test_an_sms_names_the_one_thing_that_is_different(staff: Caller, order: dict[str, Any], run_sql: Sql) -> None:
    pick(staff, order, 2)
    move(staff, order, "packed")
    expected = f"Test Grocer: order {order['number']} has changed. Only 2 x Soap. New total: KES 421."
    assert texts(run_sql, "order_changed")["sms"] == expected


@pytest.mark.parametrize(
    ("weight", "approved", "change"),
    [
        (0.9, False, None),
        (1.1, False, None),
        (0.899, False, "Only 0.899 kg Beef."),
        (1.5, True, None),
    ],
)
def test_that_weights_differ_a_little_is_no_news(
    customer: Caller, staff: Caller, beef: int, run_sql: Sql, weight: float, approved: bool, change: str | None
) -> None:
    order = place(customer, {beef: 1})
    picked = pick(staff, order, weight, approved=approved).json
    packed = move(staff, order, "packed")
    assert packed["total"] == picked["total"] != order["total"]
    if change is None:
        assert events(run_sql) == [
            ("order_packed", "email", BY_MAIL),
            ("order_updated", "email", "owner@shop.example"),
        ]
    else:
        assert events(run_sql) == TOLD_OF_A_CHANGE
        assert change in texts(run_sql, "order_changed")["sms"]


def test_a_refused_substitute_is_told_as_what_is_not_available(
    customer: Caller, staff: Caller, order: dict[str, Any], run_sql: Sql
) -> None:
    other = make_product(name="Other Soap", price_cents=90_00)
    picked = pick(staff, order, 3, substitute_product_id=other, approved=True).json
    customer.post(f"/orders/{order['id']}/lines/{picked['items'][2]['id']}/refuse")
    run_sql("DELETE FROM notifications")
    assert move(staff, order, "packed")["total"] == "189.00"
    told = texts(run_sql, "order_changed")
    assert told["sms"].endswith("has changed. Not available: Soap. New total: KES 189.")
    assert "Other Soap" not in told["email"]


def test_a_jump_to_shipped_tells_of_the_picking_in_its_own_message(
    staff: Caller, order: dict[str, Any], run_sql: Sql
) -> None:
    pick(staff, order, 1)
    shipped = move(staff, order, "shipped")
    assert (shipped["status"], shipped["total"]) == ("shipped", "305.00")
    assert events(run_sql) == [
        ("order_shipped", "email", BY_MAIL),
        ("order_shipped", "sms", BY_SMS),
        ("order_updated", "email", "owner@shop.example"),
    ]
    for body in texts(run_sql, "order_shipped").values():
        assert "Only 1 x Soap." in body
        assert "KES 305" in body


def test_what_was_told_when_packed_is_not_told_again(staff: Caller, order: dict[str, Any], run_sql: Sql) -> None:
    pick(staff, order, 1)
    move(staff, order, "packed")
    run_sql("DELETE FROM notifications")
    move(staff, order, "shipped")
    told = texts(run_sql, "order_shipped")
    assert sorted(told) == ["email", "sms"]
    assert "Only" not in told["sms"] + told["email"]


def test_lots_are_given_for_what_was_picked_first_expired_first_and_come_back_when_it_is_cancelled(
    customer: Caller, staff: Caller, soap: int, run_sql: Sql
) -> None:
    milk = make_product(name="Milk", stock=Decimal(0))
    cream = make_product(name="Cream", price_cents=50_00, stock=Decimal(0))
    late, soon = make_lot(milk, 4, days=9), make_lot(milk, 2, days=1)
    other = make_lot(cream, 5, days=3)
    order = place(customer, {milk: 5, soap: 1})
    pick(staff, order, 3)
    pick(staff, order, 2, substitute_product_id=cream, approved=True)
    assert picks_of(order["id"]) == {}
    move(staff, order, "packed")
    assert picks_of(order["id"]) == {soon: 2, late: 1, other: 2}
    assert remaining(late, soon, other) == [3, 0, 3]
    assert (stock_of(milk), stock_of(cream)) == (3, 3)
    move(staff, order, "cancelled")
    assert remaining(late, soon, other) == [4, 2, 5]
    assert (stock_of(milk), stock_of(cream), stock_of(soap)) == (6, 5, 10)
    assert movements_of(milk)[2:] == [
        (Decimal(-5), "sold", order["id"]),
        (Decimal(2), "cancelled", order["id"]),
        (Decimal(3), "cancelled", order["id"]),
    ]
    assert broken() == []
    assert_books_are_right(run_sql)


def test_a_lot_loses_what_is_damaged_and_what_is_not_found(customer: Caller, staff: Caller, run_sql: Sql) -> None:
    milk = make_product(name="Milk", stock=Decimal(0))
    late, soon = make_lot(milk, 4, days=9), make_lot(milk, 4, days=1)
    order = place(customer, {milk: 5})
    pick(staff, order, 2, reason="damaged")
    assert (remaining(late, soon), stock_of(milk)) == ([4, 1], 3)
    move(staff, order, "packed")
    assert picks_of(order["id"]) == {soon: 1, late: 1}
    assert (remaining(late, soon), stock_of(milk), broken()) == ([3, 0], 3, [])
    another = place(customer, {milk: 2})
    pick(staff, another, 1, reason="not_found")
    move(staff, another, "packed")
    assert (stock_of(milk), broken()) == (0, [])
    assert remaining(late, soon) == [0, 0]
    assert_books_are_right(run_sql)


def test_a_packed_order_that_is_cancelled_does_not_bring_back_what_was_written_off(
    staff: Caller, order: dict[str, Any], soap: int, run_sql: Sql
) -> None:
    pick(staff, order, 1, reason="damaged")
    move(staff, order, "packed")
    cancelled = move(staff, order, "cancelled")
    assert cancelled["total"] == "305.00"
    assert stock_of(soap) == 8
    assert_books_are_right(run_sql)
