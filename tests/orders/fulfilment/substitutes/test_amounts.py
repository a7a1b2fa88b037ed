"""What substitutes cost: never more than what they stand in for, to the cent."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from tests.orders.conftest import Caller
from tests.orders.factories import amounts
from tests.orders.fulfilment.factories import assert_books_are_right, events, last_changed, pick
from tests.orders.fulfilment.substitutes.factories import place_wish
from tests.orders.promotions.factories import make_promotion
from tests.products.factories import make_product
from tests.products.ledger import movements_of, stock_of

Sql = Callable[..., list[tuple[Any, ...]]]


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
