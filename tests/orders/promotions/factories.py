"""Promotions to test with, and orders that hold them."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import insert, text

from grocery.db import db
from grocery.orders.promotions.models import Promotion, PromotionCategory, PromotionProduct
from tests.products.factories import make_order_row

_HOLD = text("""
    INSERT INTO order_discounts (order_id, promotion_id, code, name, kind, amount_cents, terms)
    SELECT :order_id, id, code, name, kind, 0, '{}' FROM promotions WHERE id = :promotion_id
""")
_COUNT = text("UPDATE promotions SET used_count = used_count + 1 WHERE id = :promotion_id AND usage_limit IS NOT NULL")
_SET_STATUS = text("UPDATE orders SET status = :status WHERE id = :order_id")


def make_promotion(*, product_ids: Sequence[int] = (), category_ids: Sequence[int] = (), **overrides: Any) -> int:
    """The id of a new promotion: 10 percent of the whole basket, automatic, unless told.

    `overrides` are columns: `value` a Decimal, `min_basket_cents`, `code` in capital letters.
    """
    scope = "products" if product_ids else "categories" if category_ids else "basket"
    values = {"name": "Ten percent", "kind": "percent", "value": Decimal(10), "scope": scope, **overrides}
    with db.engine.begin() as connection:
        promotion_id: int = connection.scalar(insert(Promotion).values(values).returning(Promotion.id)) or 0
        for product_id in product_ids:
            product = {"promotion_id": promotion_id, "product_id": product_id}
            connection.execute(insert(PromotionProduct).values(product))
        for category_id in category_ids:
            category = {"promotion_id": promotion_id, "category_id": category_id}
            connection.execute(insert(PromotionCategory).values(category))
    return promotion_id


def hold_promotion(promotion_id: int, *, status: str = "pending") -> int:
    """The id of a new bare order that holds the promotion, counted as placing counts it.

    One that is `cancelled` has given its use back.
    """
    order_id = make_order_row()
    with db.engine.begin() as connection:
        connection.execute(_HOLD, {"order_id": order_id, "promotion_id": promotion_id})
        if status != "cancelled":
            connection.execute(_COUNT, {"promotion_id": promotion_id})
        connection.execute(_SET_STATUS, {"status": status, "order_id": order_id})
    return order_id
