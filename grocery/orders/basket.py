"""All that pricing an order needs, read in one statement: products, promotions, zone, slot and saved address.

The items are those that were sent, or those of a cart. Cart, quote and placing read the same way, so that they cannot
differ. Nothing is locked here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from functools import cache
from typing import Any

import orjson
from sqlalchemy import Connection, TextClause, text
from sqlalchemy.orm import Session

from grocery.db import Row
from grocery.orders.lines import PricedLine
from grocery.orders.promotions.terms import Terms
from grocery.products.vat import rate_of

_SENT = """
    SELECT product_id, quantity, if_unavailable, CAST(NULL AS bigint) AS seen_price_cents, position
    FROM unnest(CAST(:product_ids AS bigint[]), CAST(:quantities AS numeric[]), CAST(:choices AS text[]))
         WITH ORDINALITY AS item (product_id, quantity, if_unavailable, position)
"""

_IN_CART = """
    SELECT product_id, quantity, if_unavailable, seen_price_cents,
           row_number() OVER (ORDER BY added_at, product_id) AS position
    FROM cart_items WHERE cart_id = (SELECT id FROM carts WHERE {owner})
"""

_SOURCES = {
    "sent": _SENT,
    "customer": _IN_CART.format(owner="customer_id = :customer_id"),
    "visitor": _IN_CART.format(owner="token_hash = :token_hash"),
}

# Quantities and amounts of numeric columns as text: a JSON number would lose digits.
_BASKET = """
    WITH RECURSIVE wanted AS ({source}), lineage AS (
        SELECT DISTINCT category_id AS of_id, category_id AS id
        FROM products WHERE id IN (SELECT product_id FROM wanted)
        UNION ALL
        SELECT lineage.of_id, category.parent_id
        FROM lineage JOIN categories AS category ON category.id = lineage.id WHERE category.parent_id IS NOT NULL
    ), place AS (
        SELECT coalesce(
            :zone_id,
            (SELECT zone_id FROM delivery_slots WHERE id = :slot_id),
            (SELECT zone_id FROM addresses WHERE id = :address_id AND customer_id = :customer_id)
        ) AS zone_id
    )
    SELECT
        now() AS at,
        (
            SELECT json_agg(json_build_object(
                'product_id', wanted.product_id, 'quantity', CAST(wanted.quantity AS text),
                'if_unavailable', wanted.if_unavailable, 'seen_price_cents', wanted.seen_price_cents,
                'sku', product.sku, 'name', product.name, 'unit', product.unit,
                'quantity_step', CAST(product.quantity_step AS text), 'price_cents', product.price_cents,
                'vat_class', product.vat_class, 'stock', CAST(product.stock AS text), 'is_active', product.is_active,
                'category', category.path,
                'category_ids', (SELECT json_agg(id) FROM lineage WHERE of_id = product.category_id)
            ) ORDER BY wanted.position)
            FROM wanted LEFT JOIN products AS product ON product.id = wanted.product_id
            LEFT JOIN categories AS category ON category.id = product.category_id
        )::text AS items,
        (
            SELECT json_agg(json_build_object(
                'id', promotion.id, 'name', promotion.name, 'code', promotion.code, 'kind', promotion.kind,
                'scope', promotion.scope, 'value', CAST(promotion.value AS text),
                'buy_quantity', coalesce(promotion.buy_quantity, 0),
                'get_quantity', coalesce(promotion.get_quantity, 0),
                'min_basket_cents', coalesce(promotion.min_basket_cents, 0),
                'product_ids', (
                    SELECT coalesce(json_agg(product_id), '[]')
                    FROM promotion_products WHERE promotion_id = promotion.id
                ),
                'category_ids', (
                    SELECT coalesce(json_agg(category_id), '[]')
                    FROM promotion_categories WHERE promotion_id = promotion.id
                ),
                'is_off', NOT promotion.is_active, 'is_early', promotion.starts_at > now(),
                'is_over', promotion.ends_at <= now(), 'is_used_up', promotion.used_count >= promotion.usage_limit,
                'is_used_by_customer', promotion.usage_limit_per_customer <= (
                    SELECT count(*) FROM order_discounts AS held JOIN orders ON orders.id = held.order_id
                    WHERE held.promotion_id = promotion.id AND orders.customer_id = :customer_id
                          AND orders.status <> 'cancelled'
                )
            ) ORDER BY promotion.id)
            FROM promotions AS promotion
            WHERE (
                promotion.code IS NULL AND promotion.is_active
                AND (promotion.starts_at IS NULL OR promotion.starts_at <= now())
                AND (promotion.ends_at IS NULL OR promotion.ends_at > now())
                AND (promotion.usage_limit IS NULL OR promotion.used_count < promotion.usage_limit)
                AND (
                    promotion.scope = 'basket'
                    OR EXISTS (
                        SELECT FROM promotion_products
                        WHERE promotion_id = promotion.id AND product_id IN (SELECT product_id FROM wanted)
                    )
                    OR EXISTS (
                        SELECT FROM promotion_categories
                        WHERE promotion_id = promotion.id AND category_id IN (SELECT id FROM lineage)
                    )
                )
            ) OR (
                promotion.code = :coupon AND (promotion.customer_id IS NULL OR promotion.customer_id = :customer_id)
            )
        )::text AS promotions,
        (
            SELECT json_agg(zone) FROM (
                SELECT zone.* FROM delivery_zones AS zone, place
                WHERE :is_delivery AND (place.zone_id IS NULL OR zone.id = place.zone_id) ORDER BY zone.id LIMIT 2
            ) AS zone
        )::text AS zones,
        (
            SELECT json_build_object(
                'id', id, 'zone_id', zone_id, 'starts_at', starts_at, 'ends_at', ends_at, 'fee_cents', fee_cents,
                'is_full', booked >= capacity, 'is_closed', cutoff_at <= now()
            ) FROM delivery_slots WHERE id = :slot_id
        )::text AS slot,
        (
            SELECT row_to_json(saved) FROM addresses AS saved WHERE id = :address_id AND customer_id = :customer_id
        )::text AS address
        {more}
"""


@dataclass(frozen=True)
class Item:
    """What somebody asks for: pieces or kilograms of a product, and what to do when it is not on the shelf."""

    product_id: int
    quantity: Decimal
    if_unavailable: str = "remove"


@dataclass(frozen=True)
class BasketLine:
    """An item with its product as it is now. `seen_price_cents` is what it cost when it was put into the cart."""

    item: Item
    sku: str | None
    name: str
    quantity_step: Decimal
    stock: Decimal
    is_active: bool
    category: str
    seen_price_cents: int | None
    price: PricedLine


@dataclass(frozen=True)
class Candidate:
    """A promotion that may be for this order, and what may be in the way of a coupon."""

    terms: Terms
    is_off: bool
    is_early: bool
    is_over: bool
    is_used_up: bool
    is_used_by_customer: bool

    @property
    def is_open(self) -> bool:
        return not (self.is_off or self.is_early or self.is_over or self.is_used_up or self.is_used_by_customer)


@dataclass(frozen=True)
class Basket:
    """What was read. `unknown_ids` are products that do not exist; `more` has the further columns that were asked."""

    at: datetime
    lines: list[BasketLine]
    unknown_ids: list[int]
    candidates: list[Candidate]
    zones: list[dict[str, Any]]
    slot: dict[str, Any] | None
    address: dict[str, Any] | None
    more: Row


@dataclass(frozen=True)
class Source:
    """Where the items are: sent along, in the customer's cart, or in the cart of a visitor's token."""

    items: Sequence[Item] | None = None
    token_hash: str | None = None

    @property
    def kind(self) -> str:
        if self.items is not None:
            return "sent"
        return "visitor" if self.token_hash else "customer"


def basket_statement(kind: str, before: str = "", more: str = "") -> TextClause:
    """The statement that reads a basket from a source of this kind; for those who lock something `before`.

    `more` are further columns, each with a comma before it. Made once for each use.
    """
    return text(before + _BASKET.format(source=_SOURCES[kind], more=more))


def basket_parameters(
    source: Source, customer_id: int | None, coupon: str | None, delivery: Mapping[str, Any] | None
) -> dict[str, Any]:
    """What the statement needs; `delivery` has `method` and may have `zone_id`, `slot_id`, `address_id`."""
    items = source.items or ()
    chosen = delivery or {}
    return {
        "product_ids": [item.product_id for item in items],
        "quantities": [item.quantity for item in items],
        "choices": [item.if_unavailable for item in items],
        "token_hash": source.token_hash,
        "customer_id": customer_id,
        "coupon": coupon,
        "is_delivery": chosen.get("method") == "delivery",
        "zone_id": chosen.get("zone_id"),
        "slot_id": chosen.get("slot_id"),
        "address_id": chosen.get("address_id"),
    }


def read_basket(
    connection: Connection | Session,
    source: Source,
    *,
    customer_id: int | None = None,
    coupon: str | None = None,
    delivery: Mapping[str, Any] | None = None,
) -> Basket:
    """Read what is asked for as it is now."""
    parameters = basket_parameters(source, customer_id, coupon, delivery)
    return parse_basket(connection.execute(_plain_statement(source.kind), parameters).mappings().one())


def parse_basket(row: Row) -> Basket:
    """The basket in the one row that the statement answers."""
    items = _parse(row["items"]) or []
    return Basket(
        at=row["at"],
        lines=[_make_line(item) for item in items if item["name"] is not None],
        unknown_ids=[item["product_id"] for item in items if item["name"] is None],
        candidates=[_make_candidate(promotion) for promotion in _parse(row["promotions"]) or []],
        zones=_parse(row["zones"]) or [],
        slot=_parse_slot(row["slot"]),
        address=_parse(row["address"]),
        more=row,
    )


def merge_items(items: Sequence[Mapping[str, Any]]) -> list[Item]:
    """One item per product: a product asked for twice is asked for in the sum."""
    merged: dict[int, Item] = {}
    for sent in items:
        item = Item(**sent)
        if known := merged.get(item.product_id):
            item = Item(item.product_id, known.quantity + item.quantity, item.if_unavailable)
        merged[item.product_id] = item
    return list(merged.values())


@cache
def _plain_statement(kind: str) -> TextClause:
    return basket_statement(kind)


def _parse(column: str | None) -> Any:
    return None if column is None else orjson.loads(column)


def _parse_slot(column: str | None) -> dict[str, Any] | None:
    slot: dict[str, Any] | None = _parse(column)
    if slot is None:
        return None
    return {**slot, **{name: datetime.fromisoformat(slot[name]) for name in ("starts_at", "ends_at")}}


def _make_line(row: dict[str, Any]) -> BasketLine:
    item = Item(row["product_id"], Decimal(row["quantity"]), row["if_unavailable"])
    return BasketLine(
        item=item,
        sku=row["sku"],
        name=row["name"],
        quantity_step=Decimal(row["quantity_step"]),
        stock=Decimal(row["stock"]),
        is_active=row["is_active"],
        category=row["category"],
        seen_price_cents=row["seen_price_cents"],
        price=PricedLine(
            unit_price_cents=row["price_cents"],
            quantity=item.quantity,
            vat_class=row["vat_class"],
            vat_rate=rate_of(row["vat_class"]),
            unit=row["unit"],
            product_id=item.product_id,
            category_ids=frozenset(row["category_ids"]),
        ),
    )


def _make_candidate(row: dict[str, Any]) -> Candidate:
    flags = {name: bool(row.pop(name)) for name in list(row) if name.startswith("is_")}
    return Candidate(Terms.from_json(row), **flags)
