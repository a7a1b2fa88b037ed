"""Promotions that make no sense: refused by the names of their fields, and nothing is written."""

from typing import Any

import pytest

from tests.orders.conftest import Caller
from tests.orders.promotions.factories import make_promotion
from tests.orders.promotions.stored import body_of, count_promotions, stored
from tests.problems import assert_problem
from tests.products.factories import make_category, make_product

pytestmark = pytest.mark.usefixtures("context")


@pytest.mark.parametrize(
    ("overrides", "field"),
    [
        ({"name": None}, "name"),
        ({"name": "  "}, "name"),
        ({"name": "x" * 201}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"code": ""}, "code"),
        ({"code": "AB"}, "code"),
        ({"code": "A" * 41}, "code"),
        ({"code": "SAVE 10"}, "code"),
        ({"code": "ſave10"}, "code"),
        ({"code": "SÄVE"}, "code"),
        ({"code": "a\x00bc"}, "code"),
        ({"code": 1234}, "code"),
        ({"kind": "half"}, "kind"),
        ({"kind": None}, "kind"),
        ({"kind": 1}, "kind"),
        ({"value": None}, "value"),
        ({"value": "0.00"}, "value"),
        ({"value": "100.01"}, "value"),
        ({"value": "-1"}, "value"),
        ({"value": "1.005"}, "value"),
        ({"value": "Infinity"}, "value"),
        ({"value": 1e300}, "value"),
        ({"value": True}, "value"),
        ({"value": [1]}, "value"),
        ({"kind": "fixed", "value": 0}, "value"),
        ({"kind": "fixed", "value": "10000000.01"}, "value"),
        ({"kind": "free_delivery", "value": "-1"}, "value"),
        ({"kind": "free_delivery", "value": "x"}, "value"),
        ({"buy_quantity": 2}, "buy_quantity"),
        ({"get_quantity": 1}, "get_quantity"),
        ({"kind": "buy_x_get_y", "buy_quantity": 2}, "get_quantity"),
        ({"kind": "buy_x_get_y", "get_quantity": 2, "buy_quantity": None}, "buy_quantity"),
        ({"kind": "buy_x_get_y", "get_quantity": 2, "buy_quantity": 0}, "buy_quantity"),
        ({"kind": "buy_x_get_y", "get_quantity": 1001, "buy_quantity": 1}, "get_quantity"),
        ({"kind": "buy_x_get_y", "get_quantity": 1.5, "buy_quantity": 1}, "get_quantity"),
        ({"product_ids": 5}, "product_ids"),
        ({"product_ids": ["5"]}, "product_ids"),
        ({"product_ids": [0]}, "product_ids"),
        ({"product_ids": [None]}, "product_ids"),
        ({"product_ids": [2**63]}, "product_ids"),
        ({"product_ids": [2**63 - 1]}, "product_ids"),
        ({"product_ids": list(range(1, 1002))}, "product_ids"),
        ({"category_ids": {"1": 1}}, "category_ids"),
        ({"category_ids": [2**63 - 1]}, "category_ids"),
        ({"product_ids": [1], "category_ids": [1]}, "category_ids"),
        ({"kind": "free_delivery", "product_ids": [1]}, "product_ids"),
        ({"kind": "free_delivery", "category_ids": [1]}, "category_ids"),
        ({"kind": "free_delivery", "scope": "products"}, "scope"),
        ({"scope": "shop"}, "scope"),
        ({"scope": 5}, "scope"),
        ({"scope": "basket", "product_ids": [1]}, "scope"),
        ({"scope": "products", "category_ids": [1]}, "scope"),
        ({"scope": "products"}, "scope"),
        ({"scope": "categories", "category_ids": []}, "scope"),
        ({"min_basket": "-1"}, "min_basket"),
        ({"min_basket": "10000000.01"}, "min_basket"),
        ({"usage_limit": 0}, "usage_limit"),
        ({"usage_limit": 1_000_001}, "usage_limit"),
        ({"usage_limit": "5"}, "usage_limit"),
        ({"usage_limit_per_customer": 0}, "usage_limit_per_customer"),
        ({"usage_limit_per_customer": 1e30}, "usage_limit_per_customer"),
        ({"customer_id": 5}, "code"),
        ({"customer_id": 2**63 - 1, "code": "MINE"}, "customer_id"),
        ({"customer_id": 2**63, "code": "MINE"}, "customer_id"),
        ({"starts_at": "2026-12-01"}, "starts_at"),
        ({"starts_at": "1999-12-31T23:59:59Z"}, "starts_at"),
        ({"starts_at": "0001-01-01T00:00:00Z"}, "starts_at"),
        ({"ends_at": "9999-12-31T23:59:59Z"}, "ends_at"),
        ({"ends_at": 1_900_000_000}, "ends_at"),
        ({"starts_at": "2026-12-01T00:00:00Z", "ends_at": "2026-12-01T03:00:00+03:00"}, "ends_at"),
        ({"is_active": "yes"}, "is_active"),
        ({"used": 0}, "used"),
        ({"used_count": 0}, "used_count"),
        ({"id": 1}, "id"),
    ],
)
def test_bad_fields_are_refused_by_name_and_nothing_is_written(
    admin: Caller, overrides: dict[str, Any], field: str
) -> None:
    promotion_id = make_promotion()
    before = stored(promotion_id)
    for answer in (
        admin.post("/promotions/", json=body_of(**overrides)),
        admin.put(f"/promotions/{promotion_id}", json=body_of(**overrides)),
    ):
        assert_problem(answer, 422, "validation_failed")
        assert list(answer.json["errors"]) == [field]
    assert (count_promotions(), stored(promotion_id)) == (1, before)


def test_a_body_that_is_none_is_refused(admin: Caller) -> None:
    assert admin.post("/promotions/").status_code == 422
    assert admin.post("/promotions/", json=[]).status_code == 422
    assert admin.post("/promotions/", data="{", content_type="application/json").status_code == 400
    assert admin.post("/promotions/", data="name=x").status_code == 415
    huge = f'{{"name": "Huge", "kind": "percent", "value": 5, "usage_limit": {10**400}}}'
    assert admin.post("/promotions/", data=huge, content_type="application/json").status_code == 400
    assert count_promotions() == 0


def test_everything_wrong_is_said_at_once(admin: Caller) -> None:
    answer = admin.post("/promotions/", json={"name": "All wrong", "kind": "percent", "customer_id": 1,
                                              "get_quantity": 1, "product_ids": [1], "scope": "basket"})  # fmt: skip
    assert answer.json["errors"] == {
        "value": ["Missing data for required field."],
        "get_quantity": ["Is for buy_x_get_y only."],
        "scope": ["Must be products when product_ids are sent."],
        "code": ["A coupon of one customer needs a code."],
    }


def test_unknown_products_and_categories_are_named(admin: Caller) -> None:
    product, category = make_product(), make_category("Dairy")
    unknown = [product + 2, product + 1]
    answer = admin.post("/promotions/", json=body_of(product_ids=[product, *unknown]))
    assert_problem(answer, 422, "validation_failed")
    assert answer.json["errors"] == {"product_ids": [f"Not found: {product + 1}, {product + 2}."]}
    answer = admin.post("/promotions/", json=body_of(category_ids=[category + 1, category], code="X-X", customer_id=1))
    assert answer.json["errors"] == {
        "customer_id": ["Not found: 1."], "category_ids": [f"Not found: {category + 1}."]
    }  # fmt: skip
    assert count_promotions() == 0
