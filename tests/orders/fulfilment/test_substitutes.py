"""Substitutes: never dearer than what they stand in for, asked for where a customer could mind, refused if unwanted."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest

from grocery.db import db
from tests.orders.conftest import Caller, wait_until_blocked
from tests.orders.factories import move
from tests.orders.fulfilment.test_picking import (
    assert_books_are_right,
    assert_refused,
    events,
    last_changed,
    pick,
)
from tests.orders.promotions.factories import make_promotion
from tests.orders.test_editing import amounts, snapshot
from tests.products.factories import make_product
from tests.products.inventory.factories import broken, make_lot, picks_of, remaining
from tests.products.ledger import movements_of, stock_of

Sql = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def soap(context: None) -> int:
    return make_product("Home", name="Soap", sku="SOAP", price_cents=116_00, allergens=["nuts"])


@pytest.fixture
def flour(context: None) -> int:
    return make_product("Flour", name="Maize Flour", sku="FLR", price_cents=189_00, vat_class="zero")


@pytest.fixture
def cheap(context: None) -> int:
    return make_product("Home", name="Cheap Soap", sku="CHEAP", price_cents=90_00)


@pytest.fixture
def dear(context: None) -> int:
    return make_product("Home", name="Dear Soap", sku="DEAR", price_cents=300_00)


def place_wish(customer: Caller, product_id: int, quantity: float, wish: str = "substitute") -> dict[str, Any]:
    item = {"product_id": product_id, "quantity": quantity, "if_unavailable": wish}
    response = customer.post("/orders/", json={"items": [item]})
    assert response.status_code == 201, response.json
    return response.json


@pytest.fixture
def order(customer: Caller, soap: int) -> dict[str, Any]:
    """Three soaps, which may be substituted: 348.00, of which 48.00 is VAT."""
    return place_wish(customer, soap, 3)


def refuse(caller: Caller, order: dict[str, Any], *, index: int = 1, **headers: str) -> Any:
    return caller.post(f"/orders/{order['id']}/lines/{order['items'][index]['id']}/refuse", headers=headers)


def test_a_cheaper_one_stays_cheaper(staff: Caller, order: dict[str, Any], soap: int, cheap: int, run_sql: Sql) -> None:
    response = pick(staff, order, 3, substitute_product_id=cheap)
    assert response.status_code == 200
    picked = response.json
    original, substitute = picked["items"]
    assert (original["picked_quantity"], original["line_total"], original["short_reason"]) == (0, "0.00", None)
    assert substitute == {
        "id": substitute["id"],
        "product_id": cheap,
        "sku": "CHEAP",
        "name": "Cheap Soap",
        "quantity": 3,
        "unit": "each",
        "unit_price": "90.00",
        "line_total": "270.00",
        "discount": "0.00",
        "vat_rate": "16.00",
        "if_unavailable": "remove",
        "picked_quantity": 3,
        "substitute_for": original["id"],
        "short_reason": None,
    }
    assert (amounts(picked), picked["version"]) == (("270.00", "0.00", "37.24", "270.00"), 2)
    assert staff.get(f"/orders/{order['id']}").json == picked
    assert movements_of(soap)[1:] == [(Decimal(-3), "sold", order["id"]), (Decimal(3), "cancelled", order["id"])]
    assert movements_of(cheap)[1:] == [(Decimal(-3), "sold", order["id"])]
    assert last_changed(staff, order) == {
        "substituted": [{"name": "Soap", "by": "Cheap Soap", "quantity": 3}],
        "total": {"from": "348.00", "to": "270.00"},
    }
    assert events(run_sql) == []
    assert_books_are_right(run_sql)


@pytest.mark.parametrize(
    ("kept", "quantity", "unit_price", "line_total", "total"),
    [
        (0, 3, "116.00", "348.00", "348.00"),
        (0, 1, "300.00", "300.00", "300.00"),
        (0, 2, "174.00", "348.00", "348.00"),
        (1, 2, "116.00", "232.00", "348.00"),
        (2, 1, "116.00", "116.00", "348.00"),
        # 232.00 for seven is 33.14 each.
        (1, 7, "33.14", "231.98", "347.98"),
    ],
)
def test_a_dearer_one_costs_no_more_than_what_is_missing(
    staff: Caller,
    order: dict[str, Any],
    dear: int,
    run_sql: Sql,
    kept: int,
    quantity: int,
    unit_price: str,
    line_total: str,
    total: str,
) -> None:
    if kept:
        pick(staff, order, kept, reason="not_found")
    picked = pick(staff, order, quantity, substitute_product_id=dear).json
    original, substitute = picked["items"]
    assert (original["picked_quantity"], original["line_total"]) == (kept, f"{116 * kept}.00")
    assert (substitute["unit_price"], substitute["line_total"], picked["total"]) == (unit_price, line_total, total)
    assert stock_of(dear) == 10 - quantity
    assert_books_are_right(run_sql)


def test_kilograms_stand_in_for_pieces_and_pieces_for_kilograms(
    customer: Caller, staff: Caller, order: dict[str, Any], dear: int, run_sql: Sql
) -> None:
    beef = make_product(name="Beef", unit="kg", quantity_step=Decimal("0.25"), price_cents=500_00, stock=Decimal("5.5"))
    picked = pick(staff, order, 1.234, substitute_product_id=beef).json
    # 348.00 / 1.234 is 282.009…
    line = picked["items"][1]
    assert (line["unit"], line["quantity"], line["unit_price"], line["line_total"]) == ("kg", 1.234, "282.00", "347.99")
    assert stock_of(beef) == Decimal("4.266")
    by_weight = place_wish(customer, beef, 0.5)
    assert by_weight["total"] == "250.00"
    pieces = pick(staff, by_weight, 1, substitute_product_id=dear).json
    assert (pieces["items"][1]["unit_price"], pieces["total"]) == ("250.00", "250.00")
    assert_books_are_right(run_sql)


def test_grams_for_kilograms_are_a_slip_for_a_substitute_too(customer: Caller, staff: Caller, run_sql: Sql) -> None:
    beef = make_product(name="Beef", unit="kg", quantity_step=Decimal("0.25"), price_cents=500_00)
    goat = make_product(name="Goat", unit="kg", price_cents=500_00, stock=Decimal(1000))
    order = place_wish(customer, beef, 0.5)
    before = snapshot(run_sql)
    refused = pick(staff, order, 500, substitute_product_id=goat, approved=True)
    assert_refused(refused, 422, "implausible_weight")
    assert snapshot(run_sql) == before


def test_a_substitute_is_not_weighed_or_counted_up_later(customer: Caller, staff: Caller, run_sql: Sql) -> None:
    beef = make_product(name="Beef", unit="kg", quantity_step=Decimal("0.25"), price_cents=500_00)
    goat = make_product(name="Goat", unit="kg", price_cents=800_00)
    picked = pick(staff, place_wish(customer, beef, 1), 1, substitute_product_id=goat).json
    before = snapshot(run_sql)
    for weight in (1.05, 3):
        refused = pick(staff, picked, weight, index=1, approved=True)
        assert_refused(refused, 409, "picked_too_much", ordered=1)
    assert snapshot(run_sql) == before
    assert pick(staff, picked, 0.95, index=1).json["total"] == "475.00"
    assert_books_are_right(run_sql)


def test_another_substitute_replaces_the_first(
    staff: Caller, order: dict[str, Any], cheap: int, dear: int, run_sql: Sql
) -> None:
    pick(staff, order, 1)
    first = pick(staff, order, 2, substitute_product_id=cheap).json
    second = pick(staff, order, 1, substitute_product_id=dear).json
    assert [(line["name"], line["picked_quantity"]) for line in second["items"]] == [("Soap", 1), ("Dear Soap", 1)]
    # 232.00 is what is missing.
    assert (first["total"], second["total"], second["items"][1]["unit_price"]) == ("296.00", "348.00", "232.00")
    assert movements_of(cheap)[1:] == [(Decimal(-2), "sold", order["id"]), (Decimal(2), "cancelled", order["id"])]
    assert (stock_of(cheap), stock_of(dear)) == (10, 9)
    assert_books_are_right(run_sql)


def test_more_of_the_same_substitute_counts_what_is_in_the_bag_already(
    staff: Caller, order: dict[str, Any], run_sql: Sql
) -> None:
    rare = make_product(name="Rare Soap", stock=Decimal(3))
    pick(staff, order, 2, substitute_product_id=rare)
    picked = pick(staff, order, 3, substitute_product_id=rare)
    assert (picked.status_code, picked.json["total"], stock_of(rare)) == (200, "300.00", 0)
    before = snapshot(run_sql)
    missing = [{"product_id": rare, "name": "Rare Soap", "requested": 4, "available": 3}]
    assert_refused(pick(staff, order, 4, substitute_product_id=rare), 409, "out_of_stock", items=missing)
    assert snapshot(run_sql) == before
    assert_books_are_right(run_sql)


def test_the_same_substitute_twice_changes_nothing(
    staff: Caller, order: dict[str, Any], cheap: int, run_sql: Sql
) -> None:
    first = pick(staff, order, 3, substitute_product_id=cheap, reason="not_found").json
    before = snapshot(run_sql)
    for body in ({}, {"reason": "not_found"}):
        again = pick(staff, order, 3, substitute_product_id=cheap, **body)
        assert (again.status_code, again.json) == (200, first)
    assert snapshot(run_sql) == before


@pytest.mark.parametrize(
    ("reason", "moved", "stock"),
    [("damaged", (Decimal(-3), "damaged", None), 7), ("not_found", (Decimal(-10), "counted", None), 0)],
)
def test_what_is_substituted_is_written_off_for_the_reason(
    staff: Caller,
    order: dict[str, Any],
    soap: int,
    cheap: int,
    dear: int,
    run_sql: Sql,
    reason: str,
    moved: tuple[Any, ...],
    stock: int,
) -> None:
    picked = pick(staff, order, 3, substitute_product_id=cheap, reason=reason).json
    assert picked["items"][0]["short_reason"] == reason
    expected = [(Decimal(-3), "sold", order["id"]), (Decimal(3), "cancelled", order["id"]), moved]
    assert movements_of(soap)[1:] == expected
    # Another substitute keeps the reason and writes nothing off again.
    replaced = pick(staff, order, 1, substitute_product_id=dear).json
    assert replaced["items"][0]["short_reason"] == reason
    assert (movements_of(soap)[1:], stock_of(soap)) == (expected, stock)
    assert_books_are_right(run_sql)


def test_when_the_original_is_found_after_all_the_substitute_goes_back(
    staff: Caller, order: dict[str, Any], soap: int, cheap: int, run_sql: Sql
) -> None:
    pick(staff, order, 1)
    pick(staff, order, 2, substitute_product_id=cheap)
    picked = pick(staff, order, 3).json
    assert [(line["name"], line["picked_quantity"]) for line in picked["items"]] == [("Soap", 3)]
    assert (picked["total"], stock_of(soap), stock_of(cheap)) == ("348.00", 7, 10)
    assert last_changed(staff, order) == {
        "picked": [{"name": "Soap", "ordered": 3, "picked": 3, "reason": None}],
        "removed": [{"name": "Cheap Soap", "quantity": 2}],
        "total": {"from": "296.00", "to": "348.00"},
    }
    assert_books_are_right(run_sql)


def test_with_less_of_the_original_the_substitute_stays(
    staff: Caller, order: dict[str, Any], soap: int, cheap: int, run_sql: Sql
) -> None:
    pick(staff, order, 1)
    pick(staff, order, 2, substitute_product_id=cheap)
    picked = pick(staff, order, 0).json
    assert [(line["name"], line["picked_quantity"]) for line in picked["items"]] == [("Soap", 0), ("Cheap Soap", 2)]
    assert (picked["total"], stock_of(soap), stock_of(cheap)) == ("180.00", 10, 8)
    assert_books_are_right(run_sql)


def test_with_another_quantity_of_the_original_the_substitute_goes_back(
    staff: Caller, order: dict[str, Any], soap: int, cheap: int, run_sql: Sql
) -> None:
    pick(staff, order, 1)
    pick(staff, order, 2, substitute_product_id=cheap)
    path = f"/orders/{order['id']}/lines/{order['items'][0]['id']}"
    for quantity, total in ((2, "232.00"), (4, "464.00")):
        changed = staff.patch(path, json={"quantity": quantity}).json
        assert [(line["name"], line["picked_quantity"]) for line in changed["items"]] == [("Soap", None)]
        assert (changed["total"], stock_of(soap), stock_of(cheap)) == (total, 10 - quantity, 10)
        assert_books_are_right(run_sql)
    entry = staff.get(f"/orders/{order['id']}/history").json[-2]
    assert entry["changed"] == {
        "quantities": [{"name": "Soap", "quantity": {"from": 3, "to": 2}}],
        "removed": [{"name": "Cheap Soap", "quantity": 2}],
        "total": {"from": "296.00", "to": "232.00"},
    }


def test_taken_out_the_original_takes_its_substitute_with_it(
    customer: Caller, staff: Caller, soap: int, flour: int, cheap: int, run_sql: Sql
) -> None:
    order = place_wish(customer, soap, 3)
    pick(staff, order, 1)
    pick(staff, order, 2, substitute_product_id=cheap)
    path = f"/orders/{order['id']}/lines/{order['items'][0]['id']}"
    before = snapshot(run_sql)
    assert_refused(staff.delete(path), 409, "last_line")
    assert snapshot(run_sql) == before
    staff.post(f"/orders/{order['id']}/lines", json={"product_id": flour, "quantity": 1})
    left = staff.delete(path).json
    assert ([line["name"] for line in left["items"]], left["total"]) == (["Maize Flour"], "189.00")
    assert (stock_of(soap), stock_of(cheap)) == (10, 10)
    assert_books_are_right(run_sql)


def test_a_substitute_that_is_taken_out_leaves_the_original_short(
    staff: Caller, order: dict[str, Any], soap: int, cheap: int, run_sql: Sql
) -> None:
    pick(staff, order, 1)
    picked = pick(staff, order, 2, substitute_product_id=cheap).json
    left = staff.delete(f"/orders/{order['id']}/lines/{picked['items'][1]['id']}").json
    assert [(line["name"], line["picked_quantity"]) for line in left["items"]] == [("Soap", 1)]
    assert (left["total"], stock_of(soap), stock_of(cheap)) == ("116.00", 9, 10)
    assert_books_are_right(run_sql)


def test_a_substitute_whose_product_is_deleted_leaves_the_original_short(
    staff: Caller, admin: Caller, order: dict[str, Any], soap: int, cheap: int, run_sql: Sql
) -> None:
    pick(staff, order, 1)
    pick(staff, order, 2, substitute_product_id=cheap)
    assert admin.delete(f"/products/{cheap}").status_code == 204
    left = staff.get(f"/orders/{order['id']}").json
    assert [(line["name"], line["picked_quantity"]) for line in left["items"]] == [("Soap", 1)]
    assert (amounts(left), stock_of(soap)) == (("116.00", "0.00", "16.00", "116.00"), 9)
    assert events(run_sql).count(("order_changed", "sms", "+254712345678")) == 1


@pytest.mark.parametrize("wish", ["remove", "call"])
def test_who_did_not_ask_for_a_substitute_is_asked(
    customer: Caller, staff: Caller, soap: int, cheap: int, run_sql: Sql, wish: str
) -> None:
    order = place_wish(customer, soap, 3, wish)
    before = snapshot(run_sql)
    refused = pick(staff, order, 3, substitute_product_id=cheap)
    assert_refused(refused, 409, "needs_approval", reasons=[f"wish_is_{wish}"])
    assert snapshot(run_sql) == before
    assert pick(staff, order, 3, substitute_product_id=cheap, approved=True).json["total"] == "270.00"
    assert_books_are_right(run_sql)


@pytest.mark.parametrize(
    ("product", "wish", "reasons"),
    [
        ({"allergens": ["nuts"]}, "substitute", None),
        ({"allergens": ["milk", "gluten", "nuts"]}, "substitute", ["allergen:gluten", "allergen:milk"]),
        ({"is_age_restricted": True}, "substitute", ["age_restricted"]),
        (
            {"is_age_restricted": True, "allergens": ["milk"]},
            "call",
            ["wish_is_call", "allergen:milk", "age_restricted"],
        ),
    ],
)
def test_new_allergens_and_an_age_limit_need_a_yes(
    customer: Caller,
    staff: Caller,
    soap: int,
    run_sql: Sql,
    product: dict[str, Any],
    wish: str,
    reasons: list[str] | None,
) -> None:
    other = make_product(name="Other", price_cents=50_00, **product)
    order = place_wish(customer, soap, 2, wish)
    if reasons is not None:
        before = snapshot(run_sql)
        refused = pick(staff, order, 2, substitute_product_id=other)
        assert_refused(refused, 409, "needs_approval", reasons=reasons)
        assert snapshot(run_sql) == before
    picked = pick(staff, order, 2, substitute_product_id=other, approved=reasons is not None)
    assert (picked.status_code, picked.json["total"]) == (200, "100.00")


def test_what_the_original_was_restricted_by_is_no_news(customer: Caller, staff: Caller) -> None:
    beer = make_product(name="Beer", allergens=["gluten"], is_age_restricted=True)
    stout = make_product(name="Stout", allergens=["gluten"], is_age_restricted=True)
    assert pick(staff, place_wish(customer, beer, 1), 1, substitute_product_id=stout).status_code == 200


def test_what_cannot_stand_in_is_refused(
    staff: Caller, order: dict[str, Any], soap: int, cheap: int, dear: int, run_sql: Sql
) -> None:
    run_sql("UPDATE products SET is_active = false WHERE id = :id", id=dear)
    before = snapshot(run_sql)
    for product_id, quantity, field in (
        (soap, 1, "substitute_product_id"),
        (999_999_999, 1, "substitute_product_id"),
        (cheap, 0, "picked_quantity"),
        (cheap, 1.5, "picked_quantity"),
    ):
        refused = pick(staff, order, quantity, substitute_product_id=product_id, approved=True)
        assert_refused(refused, 422, "validation_failed")
        assert list(refused.json["errors"]) == [field]
    withdrawn = pick(staff, order, 1, substitute_product_id=dear, approved=True)
    assert_refused(withdrawn, 409, "product_unavailable", product_ids=[dear])
    missing = [{"product_id": cheap, "name": "Cheap Soap", "requested": 11, "available": 10}]
    too_many = pick(staff, order, 11, substitute_product_id=cheap, approved=True)
    assert_refused(too_many, 409, "out_of_stock", items=missing)
    assert snapshot(run_sql) == before


def test_nothing_stands_in_for_what_was_picked_in_full_or_for_a_substitute(
    staff: Caller, order: dict[str, Any], cheap: int, dear: int, run_sql: Sql
) -> None:
    picked = pick(staff, order, 3, substitute_product_id=cheap).json
    before = snapshot(run_sql)
    refused = pick(staff, picked, 1, index=1, substitute_product_id=dear, approved=True)
    assert_refused(refused, 422, "validation_failed")
    assert list(refused.json["errors"]) == ["substitute_product_id"]
    assert snapshot(run_sql) == before
    pick(staff, order, 3)
    full = pick(staff, order, 1, substitute_product_id=dear, approved=True)
    assert_refused(full, 422, "validation_failed")


def test_of_another_vat_class_it_is_taxed_by_its_own(
    staff: Caller, order: dict[str, Any], flour: int, run_sql: Sql
) -> None:
    pick(staff, order, 2)
    picked = pick(staff, order, 1, substitute_product_id=flour).json
    # The flour costs 116.00 instead of 189.00 and is without VAT; of 232.00 for the soap 32.00 is.
    assert picked["items"][1]["vat_rate"] == "0.00"
    assert picked["vat_classes"] == [
        {"vat_class": "standard", "rate": "16.00", "gross": "232.00", "vat": "32.00"},
        {"vat_class": "zero", "rate": "0.00", "gross": "116.00", "vat": "0.00"},
    ]
    assert amounts(picked) == ("348.00", "0.00", "32.00", "348.00")
    assert staff.get(f"/orders/{order['id']}").json == picked
    assert_books_are_right(run_sql)


def test_a_promotion_for_all_takes_its_part_of_the_substitute(
    customer: Caller, staff: Caller, soap: int, cheap: int, run_sql: Sql
) -> None:
    make_promotion(min_basket_cents=340_00)
    order = place_wish(customer, soap, 3)
    assert order["total"] == "313.20"
    picked = pick(staff, order, 3, substitute_product_id=cheap).json
    assert [line["discount"] for line in picked["items"]] == ["0.00", "27.00"]
    assert amounts(picked) == ("270.00", "0.00", "33.52", "243.00")
    assert_books_are_right(run_sql)


def test_refused_by_the_customer_it_goes_back(
    customer: Caller, staff: Caller, order: dict[str, Any], soap: int, cheap: int, run_sql: Sql
) -> None:
    pick(staff, order, 1)
    picked = pick(staff, order, 2, substitute_product_id=cheap).json
    response = refuse(customer, picked)
    assert response.status_code == 200
    refused = response.json
    line = refused["items"][1]
    assert (line["picked_quantity"], line["line_total"], line["short_reason"]) == (0, "0.00", "unwanted")
    assert (amounts(refused), refused["version"]) == (("116.00", "0.00", "16.00", "116.00"), 4)
    assert customer.get(f"/orders/{order['id']}").json == refused
    assert movements_of(cheap)[1:] == [(Decimal(-2), "sold", order["id"]), (Decimal(2), "cancelled", order["id"])]
    assert (stock_of(soap), stock_of(cheap)) == (9, 10)
    entry = staff.get(f"/orders/{order['id']}/history").json[-1]
    assert (entry["actor_id"], entry["actor_role"], entry["changed"]) == (
        customer.person.id,
        "customer",
        {"refused": [{"name": "Cheap Soap"}], "total": {"from": "296.00", "to": "116.00"}},
    )
    assert events(run_sql) == [
        ("order_changed", "email", "amina@example.com"),
        ("order_changed", "sms", "+254712345678"),
        ("order_updated", "email", "owner@shop.example"),
    ]
    for (body,) in run_sql("SELECT body FROM notifications WHERE event <> 'order_placed'"):
        assert "Not taken: Cheap Soap." in body
        assert "KES 116" in body
    assert_books_are_right(run_sql)
    before = snapshot(run_sql)
    again = refuse(customer, picked)
    assert (again.status_code, again.json) == (200, refused)
    assert snapshot(run_sql) == before


def test_after_a_refusal_another_substitute_can_be_chosen(
    customer: Caller, staff: Caller, order: dict[str, Any], cheap: int, dear: int, run_sql: Sql
) -> None:
    picked = pick(staff, order, 3, substitute_product_id=cheap).json
    refuse(customer, picked)
    other = pick(staff, order, 1, substitute_product_id=dear).json
    assert [(line["name"], line["picked_quantity"]) for line in other["items"]] == [("Soap", 0), ("Dear Soap", 1)]
    # The same again is no repetition: the customer has changed their mind.
    refuse(customer, other)
    same = pick(staff, order, 1, substitute_product_id=dear).json
    assert (same["items"][1]["picked_quantity"], same["total"], stock_of(dear)) == (1, "300.00", 9)
    assert stock_of(cheap) == 10
    assert_books_are_right(run_sql)


def test_refused_when_packed_its_lots_are_given_back(
    customer: Caller, staff: Caller, order: dict[str, Any], soap: int, run_sql: Sql
) -> None:
    run_sql("DELETE FROM stock_movements WHERE product_id = :id", id=soap)
    run_sql("UPDATE products SET stock = 0 WHERE id = :id", id=soap)
    run_sql(
        "INSERT INTO stock_movements (product_id, delta, reason, order_id)"
        " VALUES (:id, 3, 'received', NULL), (:id, -3, 'sold', :order_id)",
        id=soap,
        order_id=order["id"],
    )
    soap_lot = make_lot(soap, 5, days=3)
    milk = make_product(name="Milk", price_cents=60_00, stock=Decimal(0))
    soon, late = make_lot(milk, 1, days=1), make_lot(milk, 4, days=9)
    pick(staff, order, 1)
    picked = pick(staff, order, 2, substitute_product_id=milk).json
    move(staff, order, "packed")
    assert picks_of(order["id"]) == {soap_lot: 1, soon: 1, late: 1}
    run_sql("DELETE FROM notifications")
    refused = refuse(customer, picked).json
    assert (refused["status"], refused["total"], refused["vat"]) == ("packed", "116.00", "16.00")
    assert picks_of(order["id"]) == {soap_lot: 1}
    assert (remaining(soap_lot, soon, late), stock_of(milk)) == ([4, 1, 4], 5)
    assert events(run_sql) == [
        ("order_changed", "email", "amina@example.com"),
        ("order_changed", "sms", "+254712345678"),
        ("order_updated", "email", "owner@shop.example"),
    ]
    assert broken() == []
    assert_books_are_right(run_sql)
    before = snapshot(run_sql)
    assert refuse(customer, picked).json == refused
    assert snapshot(run_sql) == before


@pytest.mark.parametrize("status", ["shipped", "delivered", "cancelled"])
def test_once_it_has_left_the_shop_it_is_too_late(
    customer: Caller, staff: Caller, order: dict[str, Any], cheap: int, run_sql: Sql, status: str
) -> None:
    picked = pick(staff, order, 3, substitute_product_id=cheap).json
    move(staff, order, status)
    before = snapshot(run_sql)
    for person in (customer, staff):
        assert_refused(refuse(person, picked), 409, "too_late", current=status)
    assert snapshot(run_sql) == before


def test_only_a_substitute_of_the_own_order_is_refused(
    customer: Caller, other_customer: Caller, staff: Caller, order: dict[str, Any], cheap: int, run_sql: Sql
) -> None:
    picked = pick(staff, order, 2, substitute_product_id=cheap).json
    before = snapshot(run_sql)
    assert_refused(refuse(customer, picked, index=0), 409, "not_a_substitute")
    assert refuse(other_customer, picked).status_code == 404
    assert refuse(other_customer, picked, index=0).status_code == 404
    for path in (
        f"/orders/{order['id']}/lines/999999999/refuse",
        f"/orders/999999999/lines/{picked['items'][1]['id']}/refuse",
    ):
        assert customer.post(path).status_code == 404
        assert staff.post(path).status_code == 404
    assert customer.client.post(f"/orders/{order['id']}/lines/1/refuse").status_code == 401
    stale = {"If-Match": '"1"'}
    assert_refused(refuse(customer, picked, **stale), 412, "stale_version")
    assert snapshot(run_sql) == before
    assert refuse(staff, picked).json["total"] == "0.00"


def test_refused_twice_at_once_it_is_given_back_once(
    customer: Caller, staff: Caller, order: dict[str, Any], cheap: int, run_sql: Sql
) -> None:
    picked = pick(staff, order, 3, substitute_product_id=cheap).json
    with ThreadPoolExecutor(2) as pool, db.engine.connect() as holding:
        holding.exec_driver_sql("SELECT FROM orders FOR UPDATE")
        refusals = [pool.submit(refuse, person, picked) for person in (customer, staff)]
        wait_until_blocked(run_sql, 2)
        holding.commit()
        assert Counter(one.result().status_code for one in refusals) == {200: 2}
    assert stock_of(cheap) == 10
    assert run_sql("SELECT count(*) FROM order_history WHERE changed ? 'refused'") == [(1,)]
    assert_books_are_right(run_sql)


def test_a_refusal_locks_the_products_in_the_order_of_their_ids(
    customer: Caller, staff: Caller, cheap: int, run_sql: Sql
) -> None:
    first, last = make_product(name="Milk", stock=Decimal(0)), make_product(name="Cream", stock=Decimal(0))
    lots = make_lot(first, 5, days=3), make_lot(last, 5, days=3)
    placed = customer.post(
        "/orders/", json={"items": [{"product_id": product_id, "quantity": 1} for product_id in (first, cheap)]}
    ).json
    index = next(number for number, line in enumerate(placed["items"]) if line["product_id"] == cheap)
    picked = pick(staff, placed, 1, index=index, substitute_product_id=last, approved=True).json
    move(staff, placed, "packed")
    with ThreadPoolExecutor(1) as pool, db.engine.connect() as holding:
        lock = "SELECT FROM products WHERE id = %s FOR NO KEY UPDATE NOWAIT"
        holding.exec_driver_sql(lock, (first,))
        refusal = pool.submit(refuse, customer, picked, index=2)
        wait_until_blocked(run_sql)
        # Whoever packs these two has locked the first, and is not kept from the last.
        holding.exec_driver_sql(lock, (last,))
        holding.commit()
        assert refusal.result().status_code == 200
    assert (picks_of(placed["id"]), remaining(*lots)) == ({lots[0]: 1}, [4, 5])
    assert_books_are_right(run_sql)


def test_a_cancelled_order_gives_its_substitutes_back(
    customer: Caller, staff: Caller, order: dict[str, Any], soap: int, cheap: int, run_sql: Sql
) -> None:
    pick(staff, order, 1)
    pick(staff, order, 2, substitute_product_id=cheap)
    customer.post(f"/orders/{order['id']}/cancel")
    assert (stock_of(soap), stock_of(cheap)) == (10, 10)
    assert_books_are_right(run_sql)


def test_a_substitute_for_a_discounted_line_costs_no_more_than_that_line_did(
    customer: Caller, staff: Caller, run_sql: Sql
) -> None:
    original, dear = make_product(price_cents=116_00), make_product(price_cents=200_00)
    make_promotion(kind="percent", value=50, product_ids=[original])
    order = customer.post(
        "/orders/", json={"items": [{"product_id": original, "quantity": 3, "if_unavailable": "substitute"}]}
    ).json
    assert order["total"] == "174.00"
    path = f"/orders/{order['id']}/lines/{order['items'][0]['id']}/pick"
    answer = staff.post(path, json={"picked_quantity": 3, "substitute_product_id": dear})
    assert answer.status_code == 200, answer.json
    assert answer.json["total"] == "174.00"


def test_what_comes_off_the_whole_basket_comes_off_a_substitute_once(customer: Caller, staff: Caller) -> None:
    original, dear = make_product(price_cents=116_00), make_product(price_cents=200_00)
    make_promotion(kind="percent", value=10)
    order = customer.post(
        "/orders/", json={"items": [{"product_id": original, "quantity": 2, "if_unavailable": "substitute"}]}
    ).json
    assert order["total"] == "208.80"
    path = f"/orders/{order['id']}/lines/{order['items'][0]['id']}/pick"
    answer = staff.post(path, json={"picked_quantity": 2, "substitute_product_id": dear}).json
    assert (answer["subtotal"], answer["total"]) == ("232.00", "208.80")
