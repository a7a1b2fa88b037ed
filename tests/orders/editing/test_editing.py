"""Staff change the lines of an order: every amount, the stock and the notices are right after each change."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

from tests.orders.conftest import Caller
from tests.orders.delivery.factories import make_slot, make_zone
from tests.orders.editing.factories import add, remove, set_quantity
from tests.orders.factories import amounts, move, place, snapshot
from tests.orders.promotions.factories import make_promotion
from tests.orders.test_held import assert_holdings_are_right, held
from tests.orders.test_races import assert_ledgers_are_right
from tests.products.ledger import movements_of, stock_of

Sql = Callable[..., list[tuple[Any, ...]]]


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


def test_a_confirmed_order_can_still_be_changed(staff: Caller, order: dict[str, Any]) -> None:
    move(staff, order, "confirmed")
    changed = set_quantity(staff, order, 1).json
    assert (changed["status"], changed["total"], changed["version"]) == ("confirmed", "305.00", 3)
    entry = staff.get(f"/orders/{order['id']}/history").json[-1]
    assert (entry["event"], entry["from_status"], entry["status"]) == ("lines", "confirmed", "confirmed")


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
