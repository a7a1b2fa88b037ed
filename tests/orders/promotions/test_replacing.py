"""Promotions that are changed: all fields, versions, what they are for, limits while orders count."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from psycopg2.errors import CheckViolation
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from grocery.db import db
from tests.orders.conftest import Caller
from tests.orders.promotions.factories import hold_promotion, make_promotion
from tests.orders.promotions.stored import body_of, count_promotions, stored, used_count_of
from tests.problems import assert_problem
from tests.products.factories import make_category, make_order_row, make_product
from tests.products.ledger import select_rows, wait_for_a_lock

pytestmark = pytest.mark.usefixtures("context")

Sql = Callable[..., list[tuple[Any, ...]]]

_HOLD = text("""
    INSERT INTO order_discounts (order_id, promotion_id, name, kind, amount_cents, terms)
    VALUES (:order_id, :promotion_id, 'Ten percent', 'percent', 0, '{}')
""")
_COUNT = text("UPDATE promotions SET used_count = used_count + 1 WHERE id = :promotion_id AND usage_limit IS NOT NULL")


def test_a_put_sets_every_field_and_what_is_missing_gets_its_default(admin: Caller, customer: Caller) -> None:
    product, category = make_product(), make_category("Dairy")
    promotion = make_promotion(
        code="SAVE10", product_ids=[product], usage_limit=5, usage_limit_per_customer=1, min_basket_cents=500_00,
        customer_id=customer.person.id, is_active=False,
    )  # fmt: skip
    before = admin.get(f"/promotions/{promotion}").json
    sent = {"name": "Buy two", "kind": "buy_x_get_y", "buy_quantity": 2, "get_quantity": 1, "category_ids": [category]}
    answer = admin.put(f"/promotions/{promotion}", json=sent)
    assert answer.status_code == 200, answer.json
    assert answer.json == {
        **before,
        **sent,
        "code": None,
        "value": "0.00",
        "scope": "categories",
        "product_ids": [],
        "min_basket": None,
        "usage_limit": None,
        "usage_limit_per_customer": None,
        "customer_id": None,
        "is_active": True,
        "state": "active",
        "updated_at": answer.json["updated_at"],
        "version": 2,
    }
    assert answer.json["updated_at"] > before["updated_at"]
    assert answer.headers["ETag"].startswith('"2-')
    assert admin.get(f"/promotions/{promotion}").json == answer.json
    assert select_rows("SELECT promotion_id, category_id FROM promotion_categories") == [(promotion, category)]
    assert select_rows("SELECT 1 FROM promotion_products") == []


def test_products_that_stay_stay_and_others_come_and_go(admin: Caller) -> None:
    first, second, third = make_product(), make_product(), make_product()
    promotion, other = make_promotion(product_ids=[first, second]), make_promotion(product_ids=[first])
    answer = admin.put(f"/promotions/{promotion}", json=body_of(product_ids=[third, second]))
    assert (answer.status_code, answer.json["product_ids"]) == (200, [second, third])
    assert admin.get(f"/promotions/{other}").json["product_ids"] == [first]


def test_unknown_products_change_nothing(admin: Caller) -> None:
    product = make_product()
    promotion = make_promotion(product_ids=[product])
    before = stored(promotion)
    answer = admin.put(f"/promotions/{promotion}", json=body_of(name="New", product_ids=[product, product + 1]))
    assert_problem(answer, 422, "validation_failed")
    assert answer.json["errors"] == {"product_ids": [f"Not found: {product + 1}."]}
    assert stored(promotion) == before


def test_orders_keep_what_they_hold_when_the_promotion_changes(admin: Caller) -> None:
    promotion = make_promotion(code="SAVE10")
    hold_promotion(promotion)
    before = select_rows("SELECT * FROM order_discounts")
    answer = admin.put(f"/promotions/{promotion}", json=body_of(kind="fixed", code="OTHER"))
    assert (answer.status_code, answer.json["used"]) == (200, 1)
    assert select_rows("SELECT * FROM order_discounts") == before


# What it is for


@pytest.mark.parametrize("nothing", [{}, {"product_ids": []}, {"product_ids": None, "category_ids": []}])
@pytest.mark.parametrize("scope", ["products", "categories"])
def test_it_is_never_for_the_whole_basket_by_omission(admin: Caller, scope: str, nothing: dict[str, Any]) -> None:
    named = {"product_ids": [make_product()]} if scope == "products" else {"category_ids": [make_category("Dairy")]}
    promotion = make_promotion(**named)
    before = stored(promotion)
    answer = admin.put(f"/promotions/{promotion}", json=body_of(**nothing))
    assert_problem(answer, 422, "validation_failed")
    message = f'It was for {scope}, and none are named. For the whole basket, send "basket"; else "{scope}".'
    assert answer.json["errors"] == {"scope": [message]}
    free = admin.put(f"/promotions/{promotion}", json={"name": "Free", "kind": "free_delivery"})
    assert list(free.json["errors"]) == ["scope"]
    assert stored(promotion) == before


def test_it_is_for_the_whole_basket_when_that_is_said(admin: Caller) -> None:
    promotion = make_promotion(product_ids=[make_product()])
    answer = admin.put(f"/promotions/{promotion}", json=body_of(scope="BASKET"))
    assert (answer.status_code, answer.json["scope"], answer.json["product_ids"]) == (200, "basket", [])
    assert admin.put(f"/promotions/{promotion}", json=body_of()).status_code == 200


def test_one_whose_products_were_all_deleted_can_be_edited_without_getting_wider(admin: Caller) -> None:
    product = make_product()
    promotion = make_promotion(product_ids=[product])
    admin.delete(f"/products/{product}")
    answer = admin.put(f"/promotions/{promotion}", json=body_of(name="Over", scope="products", product_ids=[]))
    assert (answer.status_code, answer.json["name"]) == (200, "Over")
    assert (answer.json["scope"], answer.json["product_ids"]) == ("products", [])
    wrong = admin.put(f"/promotions/{promotion}", json=body_of(scope="categories"))
    assert wrong.json["errors"] == {"scope": ["Name the categories that it is for."]}


# Versions


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
def test_a_stale_if_match_changes_nothing(admin: Caller, method: str) -> None:
    promotion = make_promotion()
    address = f"/promotions/{promotion}"
    tag = admin.get(address).headers["ETag"]
    admin.put(address, json=body_of(name="Meanwhile"))
    before = stored(promotion)
    body = {"json": body_of(name="Late")} if method == "PUT" else {}
    answer = admin.open(address, method=method, headers={"If-Match": tag}, **body)
    assert_problem(answer, 412, "stale_version")
    assert answer.json["current_version"] == 2
    for never_given in ('"99"', "nonsense", ""):
        assert admin.open(address, method=method, headers={"If-Match": never_given}, **body).status_code == 412
    assert stored(promotion) == before


def test_the_current_if_match_and_a_star_are_accepted(admin: Caller) -> None:
    promotion = make_promotion()
    address = f"/promotions/{promotion}"
    tag = admin.get(address).headers["ETag"]
    hold_promotion(promotion)  # an order with it does not make an edit stale
    answer = admin.put(address, json=body_of(), headers={"If-Match": tag})
    assert (answer.status_code, answer.json["version"]) == (200, 2)
    answer = admin.put(address, json=body_of(), headers={"If-Match": answer.headers["ETag"]})
    assert (answer.status_code, answer.json["version"]) == (200, 3)
    assert admin.delete(address, headers={"If-Match": "*"}).status_code == 204


def test_an_answer_is_read_again_only_when_something_changed(admin: Caller) -> None:
    promotion = make_promotion()
    address = f"/promotions/{promotion}"
    tag = {"If-None-Match": admin.get(address).headers["ETag"]}
    assert admin.get(address, headers=tag).status_code == 304
    hold_promotion(promotion)
    answer = admin.get(address, headers=tag)
    assert (answer.status_code, answer.json["used"]) == (200, 1)


def test_of_eight_editors_with_the_same_tag_one_is_told(admin: Caller) -> None:
    promotion = make_promotion()
    headers = {"If-Match": admin.get(f"/promotions/{promotion}").headers["ETag"]}

    def edit(number: int) -> int:
        return admin.put(f"/promotions/{promotion}", json=body_of(name=f"Editor {number}"), headers=headers).status_code

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(edit, range(8))) == [200] + [412] * 7
    assert select_rows("SELECT version FROM promotions") == [(2,)]


# Limits


def test_a_limit_below_what_orders_use_is_a_conflict(admin: Caller) -> None:
    promotion = make_promotion(code="SAVE10", product_ids=[make_product()])
    for status in ("pending", "shipped", "cancelled", "delivered"):
        hold_promotion(promotion, status=status)
    before = stored(promotion)
    answer = admin.put(f"/promotions/{promotion}", json=body_of(name="New", usage_limit=2, scope="basket"))
    assert_problem(answer, 409, "limit_below_use")
    assert (answer.json["used"], stored(promotion)) == (3, before)
    answer = admin.put(f"/promotions/{promotion}", json=body_of(usage_limit=3, scope="basket"))
    assert (answer.status_code, answer.json["used"], answer.json["state"]) == (200, 3, "used_up")
    assert used_count_of(promotion) == 3


def test_a_limit_that_is_set_counts_the_orders_before_it(admin: Caller, run_sql: Sql) -> None:
    promotion = make_promotion()
    hold_promotion(promotion)
    hold_promotion(promotion)
    assert used_count_of(promotion) == 0
    admin.put(f"/promotions/{promotion}", json=body_of(usage_limit=3))
    assert used_count_of(promotion) == 2
    hold_promotion(promotion)
    assert used_count_of(promotion) == 3
    with pytest.raises(IntegrityError) as refused:
        hold_promotion(promotion)
    assert isinstance(refused.value.orig, CheckViolation)
    admin.put(f"/promotions/{promotion}", json=body_of())
    assert used_count_of(promotion) == 0
    hold_promotion(promotion)
    assert admin.get(f"/promotions/{promotion}").json["used"] == 4


@pytest.mark.parametrize(("limit", "status", "count"), [(1, 409, 0), (2, 200, 2)])
def test_a_limit_waits_for_the_order_that_is_being_placed(admin: Caller, limit: int, status: int, count: int) -> None:
    promotion = make_promotion()
    hold_promotion(promotion)
    order_id = make_order_row()
    with ThreadPoolExecutor(1) as pool, db.engine.begin() as placing:
        placing.execute(_HOLD, {"order_id": order_id, "promotion_id": promotion})
        answer = pool.submit(admin.put, f"/promotions/{promotion}", json=body_of(usage_limit=limit))
        wait_for_a_lock()
        placing.execute(_COUNT, {"promotion_id": promotion})
        placing.commit()
        assert answer.result().status_code == status, answer.result().json
    assert answer.result().json["used"] == 2
    assert used_count_of(promotion) == count


def test_limits_that_come_and_go_while_orders_are_placed_end_with_the_right_count(app: Flask, admin: Caller) -> None:
    promotion = make_promotion()

    def place(_: int) -> int:
        with app.app_context():
            return hold_promotion(promotion)

    def change(number: int) -> int:
        limit = 100 if number % 2 else None
        return admin.put(f"/promotions/{promotion}", json=body_of(usage_limit=limit)).status_code

    with ThreadPoolExecutor(4) as pool:
        orders = pool.map(place, range(30))
        changes = [change(number) for number in range(8)]
        assert len(set(orders)) == 30
    assert changes == [200] * 8
    assert used_count_of(promotion) == 30
    assert admin.get(f"/promotions/{promotion}").json["used"] == 30


def test_a_deletion_waits_for_the_order_that_is_being_placed(admin: Caller) -> None:
    promotion = make_promotion()
    order_id = make_order_row()
    with ThreadPoolExecutor(1) as pool, db.engine.begin() as placing:
        placing.execute(_HOLD, {"order_id": order_id, "promotion_id": promotion})
        answer = pool.submit(admin.delete, f"/promotions/{promotion}")
        wait_for_a_lock()
        placing.commit()
        assert answer.result().status_code == 204
    assert select_rows("SELECT order_id, promotion_id FROM order_discounts") == [(order_id, None)]


# Others at the same time


@pytest.mark.parametrize("method", ["PUT", "POST"])
def test_a_product_that_is_being_deleted_is_not_found(admin: Caller, method: str) -> None:
    product = make_product(stock=Decimal(0))
    promotion = make_promotion()
    before = stored(promotion)
    path = f"/promotions/{promotion}" if method == "PUT" else "/promotions/"
    with ThreadPoolExecutor(1) as pool, db.engine.begin() as deleting:
        deleting.execute(text("DELETE FROM products WHERE id = :id"), {"id": product})
        answer = pool.submit(admin.open, path, method=method, json=body_of(product_ids=[product]))
        wait_for_a_lock()
        deleting.commit()
        assert_problem(answer.result(), 422, "validation_failed")
    assert answer.result().json["errors"] == {"product_ids": [f"Not found: {product}."]}
    assert (count_promotions(), stored(promotion)) == (1, before)


def test_an_edit_that_waits_for_its_promotion_is_not_in_the_way_of_a_deletion(admin: Caller) -> None:
    """Who deletes a product locks the promotions of its orders before the product itself."""
    product = make_product(stock=Decimal(0))
    promotion = make_promotion(product_ids=[product])
    sent = body_of(name="New", product_ids=[product])
    with ThreadPoolExecutor(1) as pool, db.engine.begin() as deleting:
        deleting.execute(text("SELECT FROM promotions WHERE id = :id FOR KEY SHARE"), {"id": promotion})
        answer = pool.submit(admin.put, f"/promotions/{promotion}", json=sent)
        wait_for_a_lock()
        deleting.execute(text("DELETE FROM products WHERE id = :id"), {"id": product})
        deleting.commit()
        assert_problem(answer.result(), 422, "validation_failed")
    assert select_rows("SELECT name, scope, version FROM promotions") == [("Ten percent", "products", 1)]


def test_a_customer_who_is_being_erased_gets_no_coupon(admin: Caller, customer: Caller) -> None:
    with ThreadPoolExecutor(1) as pool, db.engine.begin() as erasing:
        erasing.execute(text("DELETE FROM customers WHERE id = :id"), {"id": customer.person.id})
        sent = body_of(code="MINE", customer_id=customer.person.id)
        answer = pool.submit(admin.post, "/promotions/", json=sent)
        wait_for_a_lock()
        erasing.commit()
        assert_problem(answer.result(), 422, "validation_failed")
    assert list(answer.result().json["errors"]) == ["customer_id"]
    assert count_promotions() == 0


def test_a_promotion_that_is_being_deleted_cannot_be_changed(admin: Caller) -> None:
    promotion = make_promotion()
    with ThreadPoolExecutor(1) as pool, db.engine.begin() as deleting:
        deleting.execute(text("DELETE FROM promotions WHERE id = :id"), {"id": promotion})
        answer = pool.submit(admin.put, f"/promotions/{promotion}", json=body_of(product_ids=[5]))
        wait_for_a_lock()
        deleting.commit()
        assert_problem(answer.result(), 404, "not_found")
    assert count_promotions() == 0
