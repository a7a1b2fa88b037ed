"""The picking screen: one line after the other, replays, replacements, and when the bags may be closed."""

import re
from typing import Any

import brotli  # type: ignore[import-untyped]
import pytest
from werkzeug.test import TestResponse

from tests.orders.conftest import Caller
from tests.products.factories import make_product
from tests.storefront.conftest import Browser, Sql, words_in
from tests.storefront.desk.shop_floor import bag_of, mark_in, ordered, said_in, state_of
from tests.storefront.parts import part_of

PARTS = {"X-Parts": "1"}


def pick(
    desk: Browser, order: dict[str, Any], product_id: int, quantity: str, *, seen: str | None = None, **form: str
) -> TestResponse:
    line_id = order["lines"][product_id]
    seen = mark_in(desk, order, line_id) if seen is None else seen
    return desk.post(f"/admin/picking/{order['id']}/lines/{line_id}", {"quantity": quantity, "seen": seen, **form})


def progress(desk: Browser, order: dict[str, Any]) -> str:
    return words_in(part_of(desk.get(f"/admin/picking/{order['id']}").text, "pick-progress"))


def test_queue_goes_by_slot_and_leads_to_the_screen(desk: Browser, customer: Caller, soap: int) -> None:
    order = ordered(customer, {soap: 1})
    assert "0 of 1 picked" in words_in(desk.get("/admin/picking"))
    answer = desk.post(f"/admin/picking/{order['id']}/start")
    assert answer.location == f"/admin/picking/{order['id']}"
    assert "You pick this" in words_in(desk.get("/admin/picking"))
    assert desk.post("/admin/picking/999999/start").status_code == 404


def test_what_is_cold_comes_last(desk: Browser, customer: Caller, soap: int, beef: int) -> None:
    ice = make_product("Frozen", name="Ice cream")
    order = ordered(customer, {ice: 1, beef: 0.5, soap: 1})
    page = desk.get(f"/admin/picking/{order['id']}").text
    rows = re.findall(r'id="row-(\d+)"', page)
    assert rows == [str(order["lines"][product]) for product in (soap, beef, ice)]
    assert "Chilled" in part_of(page, f"line-{order['lines'][beef]}")
    assert "Frozen" in words_in(part_of(page, f"line-{order['lines'][ice]}"))


def test_found_goes_on_to_the_next_line(desk: Browser, customer: Caller, soap: int, flour: int, run_sql: Sql) -> None:
    order = ordered(customer, {soap: 3, flour: 1})
    assert progress(desk, order) == "0 of 2"
    answer = pick(desk, order, flour, "1")
    assert (answer.status_code, answer.location) == (303, f"/admin/picking/{order['id']}")
    assert progress(desk, order) == "1 of 2"
    assert bag_of(run_sql, order) == [("Soap", None, None), ("Maize Flour", 1, None)]


def test_same_pick_again_changes_nothing(desk: Browser, customer: Caller, soap: int, run_sql: Sql) -> None:
    order = ordered(customer, {soap: 3})
    seen = mark_in(desk, order, order["lines"][soap])
    for _ in range(3):
        pick(desk, order, soap, "1", seen=seen, reason="damaged")
    assert bag_of(run_sql, order) == [("Soap", 1, "damaged")]
    assert run_sql("SELECT stock FROM products") == [(7,)]
    assert state_of(run_sql, order)[1] == order["version"] + 1


def test_late_pick_does_not_undo_what_somebody_else_did(
    desk: Browser, customer: Caller, soap: int, run_sql: Sql
) -> None:
    order = ordered(customer, {soap: 3})
    seen = mark_in(desk, order, order["lines"][soap])
    pick(desk, order, soap, "1", reason="not_found")
    pick(desk, order, soap, "3", seen=seen)
    assert bag_of(run_sql, order) == [("Soap", 1, "not_found")]
    said = said_in(desk.get(f"/admin/picking/{order['id']}").text)
    assert said == "Somebody else has picked this line meanwhile. Look again."


@pytest.mark.parametrize("seen", ["", "x", "3/-", "<script>", "-" * 500])
def test_forged_marks_change_nothing(desk: Browser, customer: Caller, soap: int, run_sql: Sql, seen: str) -> None:
    order = ordered(customer, {soap: 3})
    pick(desk, order, soap, "2", seen=seen)
    assert bag_of(run_sql, order) == [("Soap", None, None)]


@pytest.mark.parametrize("quantity", ["4", "-1", "1.5", "NaN", "Infinity", "1e1", "", "9999999999", "2 kg"])
def test_quantities_that_make_no_sense_change_nothing(
    desk: Browser, customer: Caller, soap: int, run_sql: Sql, quantity: str
) -> None:
    order = ordered(customer, {soap: 3})
    assert pick(desk, order, soap, quantity).status_code == 303
    assert bag_of(run_sql, order) == [("Soap", None, None)]


@pytest.mark.parametrize("reason", ["eaten", "<b>"])
def test_unknown_reasons_change_nothing(desk: Browser, customer: Caller, soap: int, run_sql: Sql, reason: str) -> None:
    order = ordered(customer, {soap: 3})
    pick(desk, order, soap, "1", reason=reason)
    assert bag_of(run_sql, order) == [("Soap", None, None)]


@pytest.mark.parametrize(
    ("quantity", "scale", "weight"),
    [("0.98", "kg", "0.980"), ("980", "g", "0.980"), ("980 g", "kg", "0.980"), ("1,02", "kg", "1.020")],
)
def test_weights_are_taken_in_kg_and_g(
    desk: Browser, customer: Caller, beef: int, run_sql: Sql, quantity: str, scale: str, weight: str
) -> None:
    order = ordered(customer, {beef: 1})
    pick(desk, order, beef, quantity, scale=scale)
    assert [str(row[1]) for row in bag_of(run_sql, order)] == [weight]


def test_grams_for_kilograms_are_noticed(desk: Browser, customer: Caller, beef: int, run_sql: Sql) -> None:
    order = ordered(customer, {beef: 1})
    pick(desk, order, beef, "980", scale="kg")
    assert bag_of(run_sql, order) == [("Beef", None, None)]
    said = said_in(desk.get(f"/admin/picking/{order['id']}").text)
    assert said == "More than twice what was ordered. Was it in grams, not kilograms?"


def test_overweight_needs_the_customers_yes(desk: Browser, customer: Caller, beef: int, run_sql: Sql) -> None:
    order = ordered(customer, {beef: 1})
    answer = pick(desk, order, beef, "1.2")
    assert answer.status_code == 409
    ask = part_of(answer.text, "ask")
    assert "It weighs over a tenth more" in ask
    assert 'name="quantity" value="1.2"' in ask
    assert bag_of(run_sql, order) == [("Beef", None, None)]
    pick(desk, order, beef, "1.2", approved="1")
    assert [str(row[1]) for row in bag_of(run_sql, order)] == ["1.200"]


def test_script_gets_parts_with_the_next_line_up(desk: Browser, customer: Caller, soap: int, flour: int) -> None:
    order = ordered(customer, {soap: 3, flour: 1})
    line_id = order["lines"][flour]
    form = {"quantity": "1", "seen": mark_in(desk, order, line_id)}
    answer = desk.post(f"/admin/picking/{order['id']}/lines/{line_id}", form, headers=PARTS)
    assert answer.headers["X-Parts"] == "1"
    assert "1 of 2" in words_in(part_of(answer.text, "pick-progress"))
    assert " hidden" not in part_of(answer.text, f"line-{order['lines'][soap]}").partition(">")[0]
    assert " hidden" in part_of(answer.text, f"line-{line_id}").partition(">")[0]


def test_replacement_never_costs_more(desk: Browser, customer: Caller, soap: int, run_sql: Sql) -> None:
    dear = make_product("Home", name="Fine soap", price_cents=150_00)
    cheap = make_product("Home", name="Plain soap", price_cents=80_00)
    body = {"items": [{"product_id": soap, "quantity": 2, "if_unavailable": "substitute"}]}
    order: dict[str, Any] = customer.post("/orders/", json=body).json or {}
    line = order["items"][0]
    path = f"/admin/picking/{order['id']}/lines/{line['id']}/replace"
    page = words_in(desk.get(path))
    assert "If missing: replace it" in page
    assert "Fine soap Same price for the customer on the shelf KSh 300" in page
    assert "Plain soap KSh 72 cheaper" in page
    desk.post(path, {"product_id": str(dear), "quantity": "2", "unit": "each", "seen": "-/-"})
    assert run_sql("SELECT total_cents FROM orders") == [(232_00,)]
    desk.post(path, {"product_id": str(cheap), "quantity": "2", "unit": "each", "seen": "-/-"})
    assert run_sql("SELECT total_cents FROM orders") == [(232_00,)]
    assert "Somebody else has picked" in words_in(desk.get(path))


def test_replacing_against_the_wish_asks_first(desk: Browser, customer: Caller, soap: int, run_sql: Sql) -> None:
    other = make_product("Home", name="Other soap", price_cents=100_00, allergens=["milk"])
    order = ordered(customer, {soap: 1})
    path = f"/admin/picking/{order['id']}/lines/{order['lines'][soap]}/replace"
    form = {"product_id": str(other), "quantity": "1", "unit": "each", "seen": "-/-"}
    answer = desk.post(path, form)
    assert answer.status_code == 409
    assert "The customer wants it left out, not replaced." in words_in(answer)
    assert "It contains milk, which the ordered product does not." in words_in(answer)
    assert bag_of(run_sql, order) == [("Soap", None, None)]
    desk.post(path, {**form, "approved": "1"})
    assert bag_of(run_sql, order) == [("Soap", 0, "not_found"), ("Other soap", 1, None)]


def test_packing_waits_for_open_lines_only(
    desk: Browser, customer: Caller, soap: int, flour: int, run_sql: Sql
) -> None:
    order = ordered(customer, {soap: 1, flour: 1})
    pick(desk, order, soap, "1")
    version = state_of(run_sql, order)[1]
    answer = desk.post(f"/admin/picking/{order['id']}/pack", {"version": str(version)})
    assert answer.location == f"/admin/picking/{order['id']}?line={order['lines'][flour]}"
    assert said_in(desk.get(answer.location).text) == "1 line is not picked yet."
    assert state_of(run_sql, order) == ("pending", version)
    pick(desk, order, flour, "1")
    form = {"version": str(state_of(run_sql, order)[1])}
    for _ in range(2):
        assert desk.post(f"/admin/picking/{order['id']}/pack", form).location == "/admin/picking"
    assert state_of(run_sql, order)[0] == "packed"
    assert run_sql("SELECT count(*) FROM order_history WHERE status = 'packed'") == [(1,)]


def test_packed_orders_cannot_be_picked(desk: Browser, customer: Caller, soap: int, run_sql: Sql) -> None:
    order = ordered(customer, {soap: 2})
    seen = mark_in(desk, order, order["lines"][soap])
    desk.post(f"/admin/orders/{order['id']}/move", {"status": "packed", "version": str(order["version"])})
    pick(desk, order, soap, "1", seen="2/-")
    pick(desk, order, soap, "1", seen=seen)
    assert bag_of(run_sql, order) == [("Soap", 2, None)]
    assert "nothing is to be picked" in words_in(desk.get(f"/admin/picking/{order['id']}"))


def test_lines_of_other_orders_are_not_there(desk: Browser, customer: Caller, soap: int, flour: int) -> None:
    one, two = ordered(customer, {soap: 1}), ordered(customer, {flour: 1})
    path = f"/admin/picking/{one['id']}/lines/{two['lines'][flour]}"
    assert desk.post(path, {"quantity": "1", "seen": "-/-"}).status_code == 404
    assert desk.get(f"{path}/replace").status_code == 404


def test_picking_page_is_light(desk: Browser, customer: Caller) -> None:
    products = [make_product("Pantry", name=f"Thing number {number} of the shop") for number in range(30)]
    order = ordered(customer, dict.fromkeys(products, 2))
    page = desk.get(f"/admin/picking/{order['id']}").text
    assets = re.findall(r'(?:href|src)="(/static/[^"]+\.(?:css|js))"', page)
    sizes = [len(brotli.compress(text.encode(), quality=5)) for text in (page, *(desk.get(one).text for one in assets))]
    assert len(sizes) <= 6
    assert sum(sizes) <= 40_000, sizes
