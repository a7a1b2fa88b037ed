"""Coupons in quotes: which are taken, and why others are not."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from flask.testing import FlaskClient

from grocery.db import db
from tests.orders.cart.factories import change_products
from tests.orders.conftest import Caller
from tests.orders.delivery.factories import in_hours
from tests.orders.promotions.factories import hold_promotion, make_promotion
from tests.orders.quoting.factories import ask, items, quote
from tests.problems import assert_problem

pytestmark = pytest.mark.usefixtures("context")

Sql = Callable[..., list[tuple[Any, ...]]]


def refused_coupon(who: Any, wanted: dict[int, float], code: str = "KARIBU") -> tuple[int, str]:
    response = ask(who, wanted, coupon=code)
    assert response.mimetype == "application/problem+json"
    return response.status_code, response.json["code"]


def test_a_coupon_of_somebody_else_is_as_unknown_as_one_that_is_not_there(
    client: FlaskClient, customer: Caller, other_customer: Caller, flour: int
) -> None:
    make_promotion(code="AMINA", customer_id=customer.person.id)

    def answer(who: Any, code: str) -> dict[str, Any]:
        response = ask(who, {flour: 1}, coupon=code)
        assert response.status_code == 422
        return response.json

    unknown = answer(customer, "NONE")
    assert (unknown["code"], unknown["errors"]) == ("unknown_coupon", {"coupon": ["There is no such coupon."]})
    assert answer(other_customer, "AMINA") == answer(client, "AMINA") == unknown
    assert quote(customer, {flour: 1}, coupon="amina")["coupon"] == "AMINA"


@pytest.mark.parametrize(
    ("columns", "code"),
    [
        ({"ends_at": in_hours(-1)}, "coupon_expired"),
        ({"starts_at": in_hours(1)}, "coupon_not_started"),
        ({"is_active": False}, "coupon_inactive"),
        ({"usage_limit": 0}, "coupon_used_up"),
        ({"usage_limit": 3, "used_count": 3}, "coupon_used_up"),
        ({"min_basket_cents": 189_01}, "coupon_below_minimum"),
        ({"is_active": False, "ends_at": in_hours(-1)}, "coupon_inactive"),
    ],
)
def test_a_coupon_that_is_not_for_now_says_why(
    client: FlaskClient, customer: Caller, flour: int, columns: dict[str, Any], code: str
) -> None:
    make_promotion(code="KARIBU", **columns)
    for who in (client, customer):
        assert refused_coupon(who, {flour: 1}) == (409, code)
    placed = customer.post("/orders/", json={"items": items({flour: 1}), "coupon": "KARIBU"})
    assert (placed.status_code, placed.json["code"]) == (409, code)


@pytest.mark.parametrize(
    "columns",
    [
        {"starts_at": in_hours(-1), "ends_at": in_hours(1)},
        {"usage_limit": 3, "used_count": 2},
        {"min_basket_cents": 189_00},
        {"usage_limit_per_customer": 1},
    ],
)
def test_a_coupon_that_is_for_now_is_taken(client: FlaskClient, flour: int, columns: dict[str, Any]) -> None:
    make_promotion(code="KARIBU", **columns)
    quoted = quote(client, {flour: 1}, coupon="  KaRiBu ")
    assert quoted["discounts"] == [{"code": "KARIBU", "name": "Ten percent", "amount": "18.90"}]
    assert (quoted["coupon"], quoted["total"], quoted["notices"]) == ("KARIBU", "170.10", [])


def test_the_minimum_of_a_coupon_is_said(client: FlaskClient, flour: int) -> None:
    make_promotion(code="KARIBU", min_basket_cents=500_00)
    assert ask(client, {flour: 1}, coupon="KARIBU").json["min_basket"] == "500.00"


def test_a_customer_has_used_a_coupon_as_often_as_it_allows(
    client: FlaskClient, customer: Caller, other_customer: Caller, flour: int
) -> None:
    make_promotion(code="KARIBU", usage_limit_per_customer=1)
    placed = customer.post("/orders/", json={"items": items({flour: 1}), "coupon": "KARIBU"}).json
    assert refused_coupon(customer, {flour: 1}) == (409, "coupon_already_used")
    for who in (client, other_customer):
        assert quote(who, {flour: 1}, coupon="KARIBU")["coupon"] == "KARIBU"
    assert customer.post(f"/orders/{placed['id']}/cancel", json={}).status_code == 200
    assert quote(customer, {flour: 1}, coupon="KARIBU")["coupon"] == "KARIBU"


def test_an_order_that_was_cancelled_gives_a_limited_coupon_back(client: FlaskClient, flour: int) -> None:
    coupon = make_promotion(code="KARIBU", usage_limit=1)
    hold_promotion(coupon, status="cancelled")
    assert quote(client, {flour: 1}, coupon="KARIBU")["coupon"] == "KARIBU"
    hold_promotion(coupon)
    assert refused_coupon(client, {flour: 1}) == (409, "coupon_used_up")


def test_a_coupon_for_other_goods_is_not_applicable(client: FlaskClient, flour: int, soap: int, beef: int) -> None:
    make_promotion(code="SOAP", product_ids=[soap])
    make_promotion(code="THREE", kind="buy_x_get_y", buy_quantity=2, get_quantity=1, product_ids=[beef])
    make_promotion(code="RIDE", kind="free_delivery")
    assert refused_coupon(client, {flour: 1}, "SOAP") == (409, "coupon_not_applicable")
    assert refused_coupon(client, {beef: 3}, "THREE") == (409, "coupon_not_applicable")
    assert refused_coupon(client, {flour: 1}, "RIDE") == (409, "coupon_not_applicable")
    change_products("is_active = false", [soap])
    assert refused_coupon(client, {flour: 1, soap: 1}, "SOAP") == (409, "coupon_not_applicable")


def test_a_coupon_for_a_category_is_for_all_below_it(client: FlaskClient, flour: int, soap: int, run_sql: Sql) -> None:
    [(pantry,)] = run_sql("SELECT id FROM categories WHERE path = 'Pantry'")
    make_promotion(code="PANTRY", category_ids=[pantry])
    assert quote(client, {flour: 1, soap: 1}, coupon="PANTRY")["discounts"][0]["amount"] == "18.90"


def test_a_coupon_that_saves_no_more_than_an_offer_is_not_needed(customer: Caller, flour: int) -> None:
    make_promotion(name="For all", value=Decimal(10))
    coupon = make_promotion(name="Mine", code="KARIBU", value=Decimal(10), usage_limit=1)
    quoted = quote(customer, {flour: 1}, coupon="KARIBU")
    assert quoted["notices"] == [{"code": "coupon_not_needed", "coupon": "KARIBU"}]
    assert (quoted["coupon"], quoted["total"], quoted["is_orderable"]) == (None, "170.10", True)
    assert quoted["discounts"] == [{"code": None, "name": "For all", "amount": "18.90"}]
    placed = customer.post("/orders/", json={"items": items({flour: 1}), "coupon": "KARIBU"}).json
    assert (placed["coupon"], placed["total"]) == (None, "170.10")
    with db.engine.connect() as connection:
        used = connection.exec_driver_sql("SELECT used_count FROM promotions WHERE id = %s", (coupon,)).scalar()
    assert used == 0


def test_a_coupon_for_an_empty_cart_is_not_applicable(client: FlaskClient) -> None:
    make_promotion(code="KARIBU")
    response = ask(client, coupon="KARIBU")
    assert_problem(response, 409, "coupon_not_applicable")
