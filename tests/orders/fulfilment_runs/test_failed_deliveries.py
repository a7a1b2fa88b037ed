"""What happens at the door: PATCH /orders/{id}/status with `delivered`, or back to the shop with `delivery_failed`."""

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
from tests.problems import assert_problem
from tests.products.factories import make_product
from tests.products.inventory.factories import make_lot, remaining
from tests.products.ledger import movements_of, stock_of

pytestmark = pytest.mark.usefixtures("context")

Sql = Callable[..., list[tuple[Any, ...]]]
Order = dict[str, Any]


@pytest.fixture
def flour(context: None) -> int:
    return make_product(name="Maize Flour")


@pytest.fixture
def beef(context: None) -> int:
    return make_product(name="Beef", unit="kg", quantity_step=Decimal("0.25"), price_cents=400_00)


@pytest.fixture
def slot(context: None) -> int:
    return make_slot(make_zone(fee_cents=150_00))


@pytest.fixture
def shipped(customer: Caller, staff: Caller, flour: int, beef: int, slot: int) -> Order:
    """Three of flour and 1.5 kg of beef for 900.00 less 10 percent, on their way for 150.00."""
    make_promotion(code="TEN", usage_limit=5)
    delivery = {"slot_id": slot, "address": "Moi Avenue 12"}
    order = place(customer, {flour: 3, beef: 1.5}, coupon="TEN", delivery=delivery)
    return move(staff, order, "shipped")


@pytest.fixture
def failed(staff: Caller, shipped: Order) -> Order:
    return move(staff, shipped, "cancelled", reason="delivery_failed", note="Nobody at home")


def patch(staff: Caller, order: Order, **body: Any) -> Any:
    return staff.patch(f"/orders/{order['id']}/status", json=body)


def line_of(order: Order, name: str) -> dict[str, Any]:
    [line] = [line for line in order["items"] if line["name"] == name]
    return line


def item(order: Order, name: str, quantity: float, **more: Any) -> dict[str, Any]:
    return {"line_id": line_of(order, name)["id"], "quantity": quantity, **more}


def check_in(staff: Caller, order: Order, *items: dict[str, Any]) -> Any:
    return staff.post(f"/orders/{order['id']}/check-in", json={"items": list(items)})


def checked_in(run_sql: Sql) -> dict[str, Decimal | None]:
    return dict(run_sql("SELECT name, checked_in_quantity FROM order_lines"))


def held(run_sql: Sql) -> tuple[int, int]:
    """Places of the slot, and uses of the coupon."""
    [(booked,)], [(used,)] = run_sql("SELECT booked FROM delivery_slots"), run_sql("SELECT used_count FROM promotions")
    return booked, used


def counts(run_sql: Sql) -> list[tuple[Any, ...]]:
    return run_sql("""
        SELECT (SELECT json_agg(orders)::text FROM orders), (SELECT json_agg(line ORDER BY id)::text
                FROM order_lines AS line), (SELECT count(*) FROM order_history), (SELECT count(*) FROM notifications),
               (SELECT count(*) FROM stock_movements), (SELECT count(*) FROM payments)
    """)


def told(run_sql: Sql, event: str) -> list[tuple[Any, ...]]:
    return run_sql(
        "SELECT channel, recipient, body LIKE '%Nobody at home%' FROM notifications WHERE event = :event ORDER BY 1, 2",
        event=event,
    )


def test_who_received_the_goods_and_what_was_paid_is_noted(
    staff: Caller, rider: Caller, customer: Caller, shipped: Order
) -> None:
    body = {"received_by": "  Wanjiru,\n the neighbour ", "collected": "900.00", "collected_by": rider.person.id}
    delivered = move(staff, shipped, "delivered", **body)
    assert (delivered["status"], delivered["total"], delivered["paid"]) == ("delivered", "960.00", "900.00")
    assert delivered["delivery"]["received_by"] == "Wanjiru, the neighbour"
    assert customer.get(f"/orders/{shipped['id']}").json["delivery"]["received_by"] == "Wanjiru, the neighbour"
    [payment] = staff.get(f"/orders/{shipped['id']}/payments").json
    assert (payment["kind"], payment["amount"]) == ("capture", "900.00")
    assert (payment["collector_id"], payment["actor_id"]) == (rider.person.id, staff.person.id)


def test_without_a_word_all_that_is_due_was_paid_to_who_says_so(staff: Caller, shipped: Order, run_sql: Sql) -> None:
    assert move(staff, shipped, "delivered")["paid"] == "960.00"
    assert run_sql("SELECT amount_cents, collector_id, actor_id FROM payments") == [
        (960_00, staff.person.id, staff.person.id)
    ]
    assert run_sql("SELECT received_by, delivered_at = updated_at FROM orders") == [(None, True)]


@pytest.mark.parametrize(
    ("name", "value"), [("received_by", "Wanjiru"), ("collected", "1.00"), ("collected_by", 1), ("collected", "0.00")]
)
def test_what_happened_at_the_door_is_said_of_delivered_orders_only(
    staff: Caller, shipped: Order, name: str, value: Any, run_sql: Sql
) -> None:
    before = counts(run_sql)
    for status in ("cancelled", "shipped"):
        answer = patch(staff, shipped, status=status, **{name: value})
        assert_problem(answer, 422, "validation_failed")
        assert list(answer.json["errors"]) == [name]
    assert counts(run_sql) == before


@pytest.mark.parametrize("value", ["", "  ", "x" * 101, 5, ["Wanjiru"]])
def test_a_name_that_is_none_is_refused(staff: Caller, shipped: Order, value: Any, run_sql: Sql) -> None:
    before = counts(run_sql)
    answer = patch(staff, shipped, status="delivered", received_by=value)
    assert_problem(answer, 422, "validation_failed")
    assert list(answer.json["errors"]) == ["received_by"]
    assert counts(run_sql) == before


def test_an_order_on_its_way_is_cancelled_only_when_its_delivery_failed(
    staff: Caller, shipped: Order, run_sql: Sql
) -> None:
    before = counts(run_sql)
    answer = patch(staff, shipped, status="cancelled")
    assert_problem(answer, 409, "illegal_transition")
    assert answer.json["allowed"] == ["delivered"]
    assert_problem(patch(staff, shipped, status="cancelled", reason="lost"), 422, "validation_failed")
    assert counts(run_sql) == before
    assert patch(staff, shipped, status="cancelled", reason="Delivery_Failed").json["status"] == "cancelled"


def test_the_reason_is_for_nothing_but_cancelling(staff: Caller, shipped: Order, run_sql: Sql) -> None:
    before = counts(run_sql)
    for status in ("delivered", "shipped", "packed"):
        answer = patch(staff, shipped, status=status, reason="delivery_failed")
        assert_problem(answer, 422, "validation_failed")
        assert list(answer.json["errors"]) == ["reason"]
    assert counts(run_sql) == before


@pytest.mark.parametrize("status", [None, "confirmed", "packed", "delivered", "cancelled"])
def test_the_delivery_fails_of_no_order_that_is_not_on_its_way(
    staff: Caller, customer: Caller, flour: int, status: str | None, run_sql: Sql
) -> None:
    order = place(customer, {flour: 1})
    if status:
        move(staff, order, status)
    before = counts(run_sql)
    answer = patch(staff, order, status="cancelled", reason="delivery_failed")
    assert_problem(answer, 409, "illegal_transition")
    assert answer.json["allowed"] == []
    assert counts(run_sql) == before


def test_a_failed_delivery_gives_back_slot_and_coupon_and_no_goods(
    staff: Caller, shipped: Order, flour: int, beef: int, run_sql: Sql
) -> None:
    assert held(run_sql) == (1, 1)
    failed = move(staff, shipped, "cancelled", reason="delivery_failed", note="Nobody at home")
    assert (failed["status"], failed["total"], failed["paid"]) == ("cancelled", "960.00", "0.00")
    assert (failed["version"], failed["allowed_statuses"]) == (shipped["version"] + 1, [])
    assert held(run_sql) == (0, 0)
    assert (stock_of(flour), stock_of(beef)) == (Decimal(7), Decimal("8.5"))
    assert movements_of(flour)[1:] == [(Decimal(-3), "sold", failed["id"])]
    last = staff.get(f"/orders/{failed['id']}/history").json[-1]
    assert (last["event"], last["from_status"], last["status"], last["note"]) == (
        "status",
        "shipped",
        "cancelled",
        "Nobody at home",
    )
    assert run_sql("SELECT is_delivery_failed FROM orders") == [(True,)]


def test_the_customer_is_told_once_that_it_failed_and_of_nothing_that_comes_back(
    staff: Caller, failed: Order, run_sql: Sql
) -> None:
    expected = [
        ("email", "amina@example.com", True),
        ("email", "owner@shop.example", True),
        ("sms", "+254712345678", True),
    ]
    assert told(run_sql, "order_cancelled") == expected
    before = run_sql("SELECT count(*) FROM notifications")
    assert check_in(staff, failed, item(failed, "Maize Flour", 3)).status_code == 200
    assert run_sql("SELECT count(*) FROM notifications") == before


def test_goods_come_back_in_parts_and_what_is_spoiled_is_written_off(
    staff: Caller, failed: Order, flour: int, beef: int, run_sql: Sql
) -> None:
    answer = check_in(
        staff,
        failed,
        item(failed, "Maize Flour", 1),
        item(failed, "Maize Flour", 1, is_sellable=False),
        item(failed, "Beef", 0.75, is_sellable=False),
    )
    assert answer.status_code == 200
    assert answer.json == staff.get(f"/orders/{failed['id']}").json
    order_id = failed["id"]
    assert movements_of(flour)[2:] == [(Decimal(2), "returned", order_id), (Decimal(-1), "damaged", None)]
    assert movements_of(beef)[2:] == [
        (Decimal("0.75"), "returned", order_id),
        (Decimal("-0.75"), "damaged", None),
    ]
    assert (stock_of(flour), stock_of(beef)) == (Decimal(8), Decimal("8.5"))
    assert checked_in(run_sql) == {"Maize Flour": Decimal(2), "Beef": Decimal("0.75")}

    assert check_in(staff, failed, item(failed, "Beef", 0.75)).status_code == 200
    assert check_in(staff, failed, item(failed, "Maize Flour", 1)).status_code == 200
    assert (stock_of(flour), stock_of(beef)) == (Decimal(9), Decimal("9.25"))
    assert checked_in(run_sql) == {"Maize Flour": Decimal(3), "Beef": Decimal("1.5")}
    entries = [entry for entry in staff.get(f"/orders/{order_id}/history").json if entry["event"] == "checked_in"]
    assert [entry["changed"] for entry in entries] == [
        {
            "checked_in": [
                {"name": "Maize Flour", "quantity": 1, "is_sellable": True},
                {"name": "Maize Flour", "quantity": 1, "is_sellable": False},
                {"name": "Beef", "quantity": 0.75, "is_sellable": False},
            ]
        },
        {"checked_in": [{"name": "Beef", "quantity": 0.75, "is_sellable": True}]},
        {"checked_in": [{"name": "Maize Flour", "quantity": 1, "is_sellable": True}]},
    ]
    assert {(entry["actor_id"], entry["status"]) for entry in entries} == {(staff.person.id, "cancelled")}


def test_what_is_written_off_is_not_taken_from_the_lots_on_the_shelf(staff: Caller, customer: Caller) -> None:
    milk = make_product(stock=0)
    lot = make_lot(milk, 10, days=5)
    order = place(customer, {milk: 4}, delivery={"zone_id": make_zone(), "address": "Moi Avenue 12"})
    move(staff, order, "shipped")
    move(staff, order, "cancelled", reason="delivery_failed")
    assert remaining(lot) == [Decimal(6)]
    [line] = order["items"]
    answer = check_in(staff, order, {"line_id": line["id"], "quantity": 3, "is_sellable": False})
    assert answer.status_code == 200
    assert (remaining(lot), stock_of(milk)) == ([Decimal(6)], Decimal(6))


def test_no_more_comes_back_than_went_out(staff: Caller, failed: Order, run_sql: Sql) -> None:
    assert check_in(staff, failed, item(failed, "Maize Flour", 1)).status_code == 200
    before = counts(run_sql)
    for items in (
        [item(failed, "Beef", 1), item(failed, "Maize Flour", 3)],
        [item(failed, "Beef", 1), item(failed, "Maize Flour", 2, is_sellable=False), item(failed, "Maize Flour", 1)],
        [item(failed, "Beef", 1.501)],
    ):
        answer = check_in(staff, failed, *items)
        assert_problem(answer, 422, "validation_failed")
        assert list(answer.json["errors"]["items"]) == [str(len(items) - 1)]
    assert counts(run_sql) == before


def test_only_what_was_picked_went_out(staff: Caller, customer: Caller, flour: int, beef: int) -> None:
    order = place(customer, {flour: 3, beef: 1})
    for name, quantity in (("Maize Flour", 1), ("Beef", 1.05)):
        path = f"/orders/{order['id']}/lines/{line_of(order, name)['id']}/pick"
        assert staff.post(path, json={"picked_quantity": quantity}).status_code == 200
    move(staff, order, "shipped")
    move(staff, order, "cancelled", reason="delivery_failed")
    assert check_in(staff, order, item(order, "Maize Flour", 2)).status_code == 422
    assert check_in(staff, order, item(order, "Beef", 1.051)).status_code == 422
    assert check_in(staff, order, item(order, "Maize Flour", 1), item(order, "Beef", 1.05)).status_code == 200
    assert (stock_of(flour), stock_of(beef)) == (Decimal(10), Decimal(10))


def test_lines_of_other_orders_and_parts_of_pieces_do_not_come_back(
    staff: Caller, customer: Caller, failed: Order, flour: int, run_sql: Sql
) -> None:
    other = place(customer, {flour: 1})
    before = counts(run_sql)
    for sent in (
        item(other, "Maize Flour", 1),
        item(failed, "Maize Flour", 0.5),
        {"line_id": 2**63 - 1, "quantity": 1},
    ):
        answer = check_in(staff, failed, sent)
        assert_problem(answer, 422, "validation_failed")
        assert list(answer.json["errors"]["items"]) == ["0"]
    assert counts(run_sql) == before


@pytest.mark.parametrize(
    "body", [{}, {"items": []}, {"items": [{"line_id": 1}]}, {"items": [{"line_id": 1, "quantity": 0}]}, {"item": 1}]
)
def test_a_check_in_of_nothing_is_refused(staff: Caller, failed: Order, body: dict[str, Any], run_sql: Sql) -> None:
    before = counts(run_sql)
    assert_problem(staff.post(f"/orders/{failed['id']}/check-in", json=body), 422, "validation_failed")
    assert counts(run_sql) == before


@pytest.mark.parametrize("status", ["packed", "shipped", "delivered", "cancelled"])
def test_nothing_is_checked_in_of_an_order_whose_delivery_did_not_fail(
    staff: Caller, customer: Caller, flour: int, status: str, run_sql: Sql
) -> None:
    order = place(customer, {flour: 1})
    move(staff, order, status)
    before = counts(run_sql)
    assert_problem(check_in(staff, order, item(order, "Maize Flour", 1)), 409, "not_failed")
    assert counts(run_sql) == before


def test_goods_of_a_product_that_was_deleted_come_back_to_no_stock(
    staff: Caller, admin: Caller, failed: Order, flour: int, run_sql: Sql
) -> None:
    assert admin.delete(f"/products/{flour}").status_code == 204
    items = [item(failed, "Maize Flour", 2, is_sellable=False), item(failed, "Beef", 1)]
    assert check_in(staff, failed, *items).status_code == 200
    assert checked_in(run_sql) == {"Maize Flour": Decimal(2), "Beef": Decimal(1)}


def test_an_unknown_order_is_not_found_whatever_is_sent_and_customers_check_nothing_in(
    staff: Caller, customer: Caller, failed: Order
) -> None:
    assert_problem(staff.post(f"/orders/{2**63 - 1}/check-in", json={"x": 1}), 404, "not_found")
    assert check_in(customer, failed, item(failed, "Maize Flour", 1)).status_code == 403


def test_of_many_who_check_the_same_goods_in_at_once_one_does(
    staff: Caller, failed: Order, flour: int, run_sql: Sql
) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = pool.map(lambda _: check_in(staff, failed, item(failed, "Maize Flour", 2)).status_code, range(4))
        assert Counter(answers) == {200: 1, 422: 3}
    assert (stock_of(flour), checked_in(run_sql)["Maize Flour"]) == (Decimal(9), Decimal(2))
