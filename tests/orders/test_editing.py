"""Staff change the lines of an order: every amount, the stock and the notices are right after each change."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from flask.testing import FlaskClient

from grocery.db import db
from tests.orders.conftest import Caller, wait_until_blocked
from tests.orders.delivery.factories import make_slot, make_zone
from tests.orders.factories import move, place
from tests.orders.promotions.factories import make_promotion
from tests.orders.test_held import assert_holdings_are_right, held
from tests.orders.test_races import assert_ledgers_are_right
from tests.products.factories import make_product
from tests.products.ledger import movements_of, stock_of

Sql = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def order(customer: Caller, flour: int, soap: int) -> dict[str, Any]:
    """Two of flour and one soap: 494.00, of which 16.00 is VAT."""
    return place(customer, {flour: 2, soap: 1})


def add(staff: Caller, order: dict[str, Any], product_id: int, quantity: float, **headers: str) -> Any:
    body = {"product_id": product_id, "quantity": quantity}
    return staff.post(f"/orders/{order['id']}/lines", json=body, headers=headers)


def set_quantity(staff: Caller, order: dict[str, Any], quantity: Any, *, index: int = 0, **headers: str) -> Any:
    path = f"/orders/{order['id']}/lines/{order['items'][index]['id']}"
    return staff.patch(path, json={"quantity": quantity}, headers=headers)


def remove(staff: Caller, order: dict[str, Any], *, index: int = 0, **headers: str) -> Any:
    return staff.delete(f"/orders/{order['id']}/lines/{order['items'][index]['id']}", headers=headers)


def amounts(order: dict[str, Any]) -> tuple[str, ...]:
    return tuple(order[name] for name in ("subtotal", "delivery_fee", "vat", "total"))


def snapshot(run_sql: Sql) -> list[list[tuple[Any, ...]]]:
    """All that a change may write to."""
    tables = (
        "orders",
        "order_lines",
        "order_discounts",
        "order_history",
        "notifications",
        "products",
        "stock_movements",
        "promotions",
        "delivery_slots",
    )
    return [run_sql(f"SELECT * FROM {table} ORDER BY id") for table in tables]


def assert_told_of_a_change(run_sql: Sql, order: dict[str, Any], change: str) -> None:
    """The customer by SMS and e-mail, the admin by e-mail, each once, of the order as it is now."""
    told = run_sql(
        "SELECT channel, event, recipient, customer_id, order_id, body FROM notifications"
        " WHERE event <> 'order_placed' ORDER BY channel, recipient"
    )
    assert [row[:5] for row in told] == [
        ("email", "order_changed", "amina@example.com", order["customer_id"], order["id"]),
        ("email", "order_updated", "owner@shop.example", None, order["id"]),
        ("sms", "order_changed", "+254712345678", order["customer_id"], order["id"]),
    ]
    total = f"KES {order['total'].removesuffix('.00')}"
    for *_, body in told:
        assert change in body, body
        assert total in body, body


def assert_last_entry(staff: Caller, order: dict[str, Any], changed: dict[str, Any]) -> None:
    entry = staff.get(f"/orders/{order['id']}/history").json[-1]
    assert {name: entry[name] for name in ("event", "from_status", "status", "note")} == {
        "event": "lines",
        "from_status": "pending",
        "status": "pending",
        "note": None,
    }
    assert (entry["actor_id"], entry["actor_role"]) == (staff.person.id, "staff")
    assert entry["changed"] == changed


def test_a_product_is_added(
    customer: Caller, staff: Caller, order: dict[str, Any], beef: int, flour: int, soap: int, run_sql: Sql
) -> None:
    response = add(staff, order, beef, 0.75)
    assert response.status_code == 201
    changed = response.json
    # 89.925 is rounded up once, and has 12.40 of VAT inside.
    assert amounts(changed) == ("583.93", "0.00", "28.40", "583.93")
    assert changed["vat_classes"] == [
        {"vat_class": "standard", "rate": "16.00", "gross": "205.93", "vat": "28.40"},
        {"vat_class": "zero", "rate": "0.00", "gross": "378.00", "vat": "0.00"},
    ]
    assert changed["items"][:2] == order["items"]
    added = changed["items"][2]
    assert added == {
        "id": added["id"],
        "product_id": beef,
        "sku": "BEEF",
        "name": "Beef",
        "quantity": 0.75,
        "unit": "kg",
        "unit_price": "119.90",
        "line_total": "89.93",
        "discount": "0.00",
        "vat_rate": "16.00",
        "if_unavailable": "remove",
        "picked_quantity": None,
        "substitute_for": None,
        "short_reason": None,
    }
    assert (changed["version"], changed["status"]) == (2, "pending")
    assert staff.get(f"/orders/{order['id']}").json == changed
    assert movements_of(beef)[1:] == [(Decimal("-0.75"), "sold", order["id"])]
    assert (stock_of(flour), stock_of(soap), stock_of(beef)) == (Decimal(8), Decimal(9), Decimal("4.75"))
    assert_last_entry(
        staff,
        order,
        {"added": [{"name": "Beef", "quantity": 0.75}], "total": {"from": "494.00", "to": "583.93"}},
    )
    assert_told_of_a_change(run_sql, changed, "Added: 0.75 kg Beef.")
    assert_ledgers_are_right(run_sql)


def test_more_of_a_line_is_taken_from_the_stock(
    staff: Caller, order: dict[str, Any], flour: int, soap: int, run_sql: Sql
) -> None:
    response = set_quantity(staff, order, 5)
    assert response.status_code == 200
    changed = response.json
    assert amounts(changed) == ("1061.00", "0.00", "16.00", "1061.00")
    assert [(line["quantity"], line["line_total"]) for line in changed["items"]] == [(5, "945.00"), (1, "116.00")]
    assert movements_of(flour)[1:] == [(Decimal(-2), "sold", order["id"]), (Decimal(-3), "sold", order["id"])]
    assert (stock_of(flour), stock_of(soap)) == (Decimal(5), Decimal(9))
    assert staff.get(f"/orders/{order['id']}").json == changed
    entry = {"name": "Maize Flour", "quantity": {"from": 2, "to": 5}}
    assert_last_entry(staff, order, {"quantities": [entry], "total": {"from": "494.00", "to": "1061.00"}})
    assert_told_of_a_change(run_sql, {**changed, "total": "1,061.00"}, "Now 5 x Maize Flour instead of 2.")
    assert_ledgers_are_right(run_sql)


def test_less_of_a_line_goes_back_on_the_shelf(
    staff: Caller, order: dict[str, Any], flour: int, soap: int, run_sql: Sql
) -> None:
    changed = set_quantity(staff, order, 1).json
    assert amounts(changed) == ("305.00", "0.00", "16.00", "305.00")
    assert movements_of(flour)[1:] == [(Decimal(-2), "sold", order["id"]), (Decimal(1), "cancelled", order["id"])]
    assert (stock_of(flour), stock_of(soap)) == (Decimal(9), Decimal(9))
    entry = {"name": "Maize Flour", "quantity": {"from": 2, "to": 1}}
    assert_last_entry(staff, order, {"quantities": [entry], "total": {"from": "494.00", "to": "305.00"}})
    assert_told_of_a_change(run_sql, changed, "Now 1 x Maize Flour instead of 2.")
    assert_ledgers_are_right(run_sql)


def test_a_line_is_taken_out(staff: Caller, order: dict[str, Any], flour: int, soap: int, run_sql: Sql) -> None:
    response = remove(staff, order, index=1)
    assert response.status_code == 200
    changed = response.json
    assert changed["items"] == order["items"][:1]
    assert amounts(changed) == ("378.00", "0.00", "0.00", "378.00")
    assert movements_of(soap)[1:] == [(Decimal(-1), "sold", order["id"]), (Decimal(1), "cancelled", order["id"])]
    assert (stock_of(flour), stock_of(soap)) == (Decimal(8), Decimal(10))
    assert_last_entry(
        staff, order, {"removed": [{"name": "Soap", "quantity": 1}], "total": {"from": "494.00", "to": "378.00"}}
    )
    assert_told_of_a_change(run_sql, changed, "Taken out: Soap.")
    assert_ledgers_are_right(run_sql)


def test_lines_keep_their_prices_and_what_is_added_costs_what_it_costs_now(
    staff: Caller, order: dict[str, Any], beef: int, run_sql: Sql
) -> None:
    run_sql("UPDATE products SET price_cents = price_cents * 2, name = 'New ' || name, vat_class = 'exempt'")
    set_quantity(staff, order, 3)
    changed = add(staff, order, beef, 0.5).json
    assert [(line["name"], line["unit_price"], line["line_total"]) for line in changed["items"]] == [
        ("Maize Flour", "189.00", "567.00"),
        ("Soap", "116.00", "116.00"),
        ("New Beef", "239.80", "119.90"),
    ]
    assert amounts(changed) == ("802.90", "0.00", "16.00", "802.90")


def test_a_coupon_is_worked_out_anew_and_its_minimum_not_asked_for_again(
    customer: Caller, staff: Caller, flour: int, soap: int, run_sql: Sql
) -> None:
    make_promotion(code="TEN", min_basket_cents=400_00, usage_limit=1)
    order = place(customer, {flour: 2, soap: 1}, coupon="TEN")
    assert (order["discounts"][0]["amount"], order["vat"], order["total"]) == ("49.40", "14.40", "444.60")
    # Whatever becomes of the promotion, and for whom else there are better ones now.
    run_sql("UPDATE promotions SET is_active = false, value = 90")
    make_promotion(name="Half", value=Decimal(50))
    changed = remove(staff, order, index=1).json
    assert changed["discounts"] == [{"code": "TEN", "name": "Ten percent", "amount": "37.80"}]
    assert [line["discount"] for line in changed["items"]] == ["37.80"]
    assert (changed["coupon"], amounts(changed)) == ("TEN", ("378.00", "0.00", "0.00", "340.20"))
    assert held(run_sql)[1] == [1, 0]
    assert_holdings_are_right(run_sql)


def test_buy_two_get_one_is_lost_with_the_third_piece_and_comes_back_with_it(
    customer: Caller, staff: Caller, flour: int, run_sql: Sql
) -> None:
    make_promotion(
        name="2 + 1", kind="buy_x_get_y", value=Decimal(0), buy_quantity=2, get_quantity=1, product_ids=[flour]
    )
    order = place(customer, {flour: 3})
    assert (order["discounts"][0]["amount"], order["total"]) == ("189.00", "378.00")
    fewer = set_quantity(staff, order, 2).json
    assert (fewer["discounts"], fewer["total"]) == ([], "378.00")
    assert staff.get(f"/orders/{order['id']}").json == fewer
    assert run_sql("SELECT amount_cents FROM order_discounts") == [(0,)]
    more = set_quantity(staff, order, 6).json
    assert (more["discounts"][0]["amount"], more["total"]) == ("378.00", "756.00")


def test_a_delivery_that_was_free_stays_free(customer: Caller, staff: Caller, flour: int, soap: int) -> None:
    make_zone(fee_cents=150_00, free_from_cents=400_00)
    order = place(customer, {flour: 2, soap: 1}, delivery={"address": "Moi Avenue 12"})
    assert amounts(order) == ("494.00", "0.00", "16.00", "494.00")
    assert amounts(remove(staff, order, index=1).json) == ("378.00", "0.00", "0.00", "378.00")


def test_a_delivery_costs_what_it_did_until_enough_is_added(
    customer: Caller, staff: Caller, flour: int, soap: int, run_sql: Sql
) -> None:
    slot = make_slot(make_zone(fee_cents=150_00, min_basket_cents=200_00, free_from_cents=400_00), fee_cents=50_00)
    order = place(customer, {flour: 1, soap: 1}, delivery={"slot_id": slot, "address": "Moi Avenue 12"})
    # Of the delivery 27.59 is VAT.
    assert amounts(order) == ("305.00", "200.00", "43.59", "505.00")
    run_sql("UPDATE delivery_zones SET fee_cents = 900_00, free_from_cents = NULL, min_basket_cents = 5000_00")
    run_sql("UPDATE delivery_slots SET fee_cents = 900_00, cutoff_at = now() - interval '1 hour'")
    assert amounts(remove(staff, order).json) == ("116.00", "200.00", "43.59", "316.00")
    changed = set_quantity(staff, order, 4, index=1).json
    assert amounts(changed) == ("464.00", "0.00", "64.00", "464.00")
    assert changed["delivery"] == order["delivery"]
    assert held(run_sql)[0] == [1]


def test_the_only_line_is_not_taken_out(customer: Caller, staff: Caller, flour: int, run_sql: Sql) -> None:
    order = place(customer, {flour: 2})
    before = snapshot(run_sql)
    response = remove(staff, order)
    assert (response.status_code, response.json["code"]) == (409, "last_line")
    assert snapshot(run_sql) == before


def test_a_product_that_is_in_the_order_is_not_added_twice(
    staff: Caller, order: dict[str, Any], flour: int, run_sql: Sql
) -> None:
    before = snapshot(run_sql)
    response = add(staff, order, flour, 1)
    assert (response.status_code, response.json["code"]) == (409, "line_exists")
    assert snapshot(run_sql) == before


@pytest.mark.parametrize("status", ["packed", "shipped", "delivered", "cancelled"])
def test_what_is_packed_or_over_is_not_changed(
    staff: Caller, order: dict[str, Any], beef: int, run_sql: Sql, status: str
) -> None:
    move(staff, order, status)
    before = snapshot(run_sql)
    for response in (add(staff, order, beef, 0.5), set_quantity(staff, order, 1), remove(staff, order)):
        assert (response.status_code, response.json["code"]) == (409, "not_editable")
        assert response.json["current"] == status
    assert snapshot(run_sql) == before


def test_a_confirmed_order_can_still_be_changed(staff: Caller, order: dict[str, Any]) -> None:
    move(staff, order, "confirmed")
    changed = set_quantity(staff, order, 1).json
    assert (changed["status"], changed["total"], changed["version"]) == ("confirmed", "305.00", 3)
    entry = staff.get(f"/orders/{order['id']}/history").json[-1]
    assert (entry["event"], entry["from_status"], entry["status"]) == ("lines", "confirmed", "confirmed")


@pytest.mark.parametrize("body", [{"quantity": 1}, {"quantity": "nonsense"}, [], {"product_id": 1, "quantity": 1}])
def test_what_is_not_there_is_not_found_whatever_is_sent(
    customer: Caller, staff: Caller, order: dict[str, Any], flour: int, run_sql: Sql, body: Any
) -> None:
    other = place(customer, {flour: 1})
    before = snapshot(run_sql)
    unknown, strange = f"/orders/{order['id']}/lines/999999999", other["items"][0]["id"]
    for path in (
        "/orders/999999999/lines/1",
        unknown,
        f"/orders/{order['id']}/lines/{strange}",
        f"/orders/{order['id']}/lines/99999999999999999999",
    ):
        assert staff.patch(path, json=body).status_code == 404, path
        assert staff.delete(path).status_code == 404, path
    assert staff.post("/orders/999999999/lines", json=body).status_code == 404
    assert snapshot(run_sql) == before


def test_the_checks_come_in_order(client: FlaskClient, customer: Caller, staff: Caller, order: dict[str, Any]) -> None:
    path = f"/orders/{order['id']}/lines"
    line = f"{path}/{order['items'][0]['id']}"
    for method, address in (("POST", path), ("PATCH", line), ("DELETE", line)):
        assert client.open(address, method=method, data="x").status_code == 401
        assert customer.open(address, method=method, data="x").status_code == 403
        assert customer.open("/orders/999999999/lines/1", method="DELETE").status_code == 403
    for method, address in (("POST", path), ("PATCH", line)):
        assert staff.open(address, method=method, data="x", content_type="text/plain").status_code == 415
        assert staff.open(address, method=method, data="{", content_type="application/json").status_code == 400
    assert staff.get(f"/orders/{order['id']}").json["version"] == 1


def test_more_than_there_is_changes_nothing(
    staff: Caller, order: dict[str, Any], flour: int, beef: int, run_sql: Sql
) -> None:
    before = snapshot(run_sql)
    # Eight are left beside the two that the order has.
    more = set_quantity(staff, order, 11)
    assert (more.status_code, more.json["code"]) == (409, "out_of_stock")
    assert more.json["items"] == [{"product_id": flour, "name": "Maize Flour", "requested": 9, "available": 8}]
    added = add(staff, order, beef, 5.75)
    assert (added.status_code, added.json["code"]) == (409, "out_of_stock")
    assert added.json["items"] == [{"product_id": beef, "name": "Beef", "requested": 5.75, "available": 5.5}]
    assert snapshot(run_sql) == before
    assert set_quantity(staff, order, 10).status_code == 200
    assert stock_of(flour) == 0


def test_of_what_is_withdrawn_there_can_be_less_but_not_more(
    staff: Caller, order: dict[str, Any], flour: int, beef: int, run_sql: Sql
) -> None:
    run_sql("UPDATE products SET is_active = false")
    before = snapshot(run_sql)
    for response, product_id in ((set_quantity(staff, order, 3), flour), (add(staff, order, beef, 0.5), beef)):
        assert (response.status_code, response.json["code"]) == (409, "product_unavailable")
        assert response.json["product_ids"] == [product_id]
    assert snapshot(run_sql) == before
    assert set_quantity(staff, order, 1).status_code == 200
    assert remove(staff, order).status_code == 200
    assert stock_of(flour) == Decimal(10)


def test_an_unknown_product_is_not_added(staff: Caller, order: dict[str, Any], run_sql: Sql) -> None:
    before = snapshot(run_sql)
    response = add(staff, order, 999_999_999, 1)
    assert (response.status_code, response.json["code"]) == (422, "unknown_product")
    assert snapshot(run_sql) == before


@pytest.mark.parametrize("quantity", [0, -1, 1.5, 0.0001, 10**9, "2", True, None, [1]])
def test_a_quantity_that_makes_no_sense_is_refused(
    staff: Caller, order: dict[str, Any], run_sql: Sql, quantity: Any
) -> None:
    candle = make_product(name="Candle")
    before = snapshot(run_sql)
    for response in (set_quantity(staff, order, quantity), add(staff, order, candle, quantity)):
        assert (response.status_code, response.json["code"]) == (422, "validation_failed")
        assert "quantity" in str(response.json["errors"])
    assert snapshot(run_sql) == before


def test_what_is_sold_by_weight_stays_in_its_steps(
    customer: Caller, staff: Caller, beef: int, soap: int, run_sql: Sql
) -> None:
    order = place(customer, {beef: 0.5, soap: 1})
    before = snapshot(run_sql)
    response = set_quantity(staff, order, 0.6)
    assert (response.status_code, list(response.json["errors"])) == (422, ["quantity"])
    assert snapshot(run_sql) == before
    # 149.875, and the soap.
    assert set_quantity(staff, order, 1.25).json["total"] == "265.88"


def test_fields_that_a_line_does_not_have_are_refused(staff: Caller, order: dict[str, Any], run_sql: Sql) -> None:
    before = snapshot(run_sql)
    path = f"/orders/{order['id']}/lines"
    line = f"{path}/{order['items'][0]['id']}"
    assert staff.patch(line, json={"quantity": 1, "unit_price": "0.01"}).status_code == 422
    assert staff.patch(line, json={}).status_code == 422
    assert staff.post(path, json={"product_id": 1, "quantity": 1, "unit_price": "0.01"}).status_code == 422
    assert snapshot(run_sql) == before


def test_a_stale_version_is_refused(staff: Caller, order: dict[str, Any], beef: int, run_sql: Sql) -> None:
    stale = {"If-Match": staff.get(f"/orders/{order['id']}").headers["ETag"]}
    assert set_quantity(staff, order, 3, **stale).status_code == 200
    before = snapshot(run_sql)
    for headers in (stale, {"If-Match": "x"}):
        for response in (
            add(staff, order, beef, 0.5, **headers),
            set_quantity(staff, order, 1, **headers),
            remove(staff, order, **headers),
        ):
            assert (response.status_code, response.json["code"]) == (412, "stale_version")
    assert snapshot(run_sql) == before
    fresh = {"If-Match": staff.get(f"/orders/{order['id']}").headers["ETag"]}
    assert remove(staff, order, **fresh).status_code == 200


def test_of_two_who_change_an_order_at_once_one_wins_and_the_other_is_told(
    staff: Caller, admin: Caller, order: dict[str, Any], flour: int, soap: int, run_sql: Sql
) -> None:
    with ThreadPoolExecutor(2) as pool, db.engine.connect() as holding:
        holding.exec_driver_sql("SELECT FROM orders FOR UPDATE")
        changes = [
            pool.submit(set_quantity, staff, order, 5),
            pool.submit(set_quantity, admin, order, 3, index=1),
        ]
        wait_until_blocked(run_sql, 2)
        holding.commit()
        answers = [change.result() for change in changes]
    assert Counter((answer.status_code, answer.json.get("code")) for answer in answers) == {
        (200, None): 1,
        (409, "order_changed"): 1,
    }
    [won] = [answer.json for answer in answers if answer.status_code == 200]
    assert staff.get(f"/orders/{order['id']}").json == won
    assert won["version"] == 2
    assert {(won["total"], stock_of(flour), stock_of(soap))} <= {
        ("1061.00", Decimal(5), Decimal(9)),
        ("726.00", Decimal(8), Decimal(7)),
    }
    assert run_sql("SELECT count(*) FROM order_history WHERE event = 'lines'") == [(1,)]
    assert run_sql("SELECT count(*) FROM notifications WHERE event = 'order_changed'") == [(2,)]
    assert_ledgers_are_right(run_sql)


@pytest.mark.parametrize("first", ["packed", "cancelled"])
def test_a_change_that_comes_after_a_move_of_the_order_is_refused(
    staff: Caller, admin: Caller, order: dict[str, Any], run_sql: Sql, first: str
) -> None:
    with ThreadPoolExecutor(2) as pool, db.engine.connect() as holding:
        holding.exec_driver_sql("SELECT FROM orders FOR UPDATE")
        moved = pool.submit(move, admin, order, first)
        wait_until_blocked(run_sql)
        change = pool.submit(set_quantity, staff, order, 1)
        wait_until_blocked(run_sql, 2)
        holding.commit()
        assert moved.result()["status"] == first
        response = change.result()
    assert (response.status_code, response.json["code"]) == (409, "order_changed")
    assert run_sql("SELECT status, total_cents FROM orders") == [(first, 494_00)]
    assert_ledgers_are_right(run_sql)


def test_the_same_quantity_again_changes_nothing_and_tells_nobody(
    staff: Caller, order: dict[str, Any], run_sql: Sql
) -> None:
    before = snapshot(run_sql)
    response = set_quantity(staff, order, 2)
    assert response.status_code == 200
    assert response.json == staff.get(f"/orders/{order['id']}").json
    assert snapshot(run_sql) == before


def test_changes_from_many_sides_leave_the_books_right(
    customer: Caller, staff: Caller, order: dict[str, Any], beef: int, run_sql: Sql
) -> None:
    def change(number: int) -> int:
        if number % 4 == 0:
            return add(staff, order, beef, 0.25).status_code
        if number == 15:
            return customer.post(f"/orders/{order['id']}/cancel").status_code
        return set_quantity(staff, order, 1 + number % 3, index=number % 2).status_code

    with ThreadPoolExecutor(8) as pool:
        seen = Counter(pool.map(change, range(24)))
    assert set(seen) <= {200, 201, 409}
    assert staff.get(f"/orders/{order['id']}").json["status"] == "cancelled"
    assert [row[0] for row in run_sql("SELECT stock FROM products ORDER BY id")] == [
        Decimal(10),
        Decimal(10),
        Decimal("5.5"),
    ]
    assert_ledgers_are_right(run_sql)
