"""Substitutes: never dearer than what they stand in for, asked for where a customer could mind, refused if unwanted."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from tests.orders.conftest import Caller
from tests.orders.factories import amounts, snapshot
from tests.orders.fulfilment.factories import assert_books_are_right, assert_refused, events, last_changed, pick
from tests.orders.fulfilment.substitutes.factories import place_wish
from tests.products.factories import make_product
from tests.products.ledger import movements_of, stock_of

Sql = Callable[..., list[tuple[Any, ...]]]


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


def test_a_cancelled_order_gives_its_substitutes_back(
    customer: Caller, staff: Caller, order: dict[str, Any], soap: int, cheap: int, run_sql: Sql
) -> None:
    pick(staff, order, 1)
    pick(staff, order, 2, substitute_product_id=cheap)
    customer.post(f"/orders/{order['id']}/cancel")
    assert (stock_of(soap), stock_of(cheap)) == (10, 10)
    assert_books_are_right(run_sql)
