"""Placing an order: prices on the server, stock last, all in the caller's transaction.

The hottest write of the shop, so it costs six round trips whatever is in the order: the beginning, one that claims the
key, locks the customer and reads all that is needed, one that writes the order with all that it takes, one for the
messages, one for the stock, and the commit. Ids come with the reading, so that the answer is made before the writing.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson
from flask import current_app
from psycopg2.errors import CheckViolation, ForeignKeyViolation
from sqlalchemy import TextClause, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from grocery import logs, money
from grocery.auth.people import Person
from grocery.auth.service import ADMIN_EMAILS_SQL
from grocery.errors import GroceryError
from grocery.orders import notices
from grocery.orders.basket import Basket, Source, basket_parameters, basket_statement, parse_basket
from grocery.orders.checks import check_available, check_items, check_minimum
from grocery.orders.errors import (
    CouponError,
    DeliveryError,
    PromotionGoneError,
    SlotClosedError,
    SlotFullError,
    TotalChangedError,
)
from grocery.orders.idempotency import CLAIM_SQL, STORE_SQL, STORED_SQL, Key, claiming, stored_answer
from grocery.orders.numbers import make_number
from grocery.orders.payments.methods import payment_method
from grocery.orders.quoting import PricedBasket, price_basket, quote_json
from grocery.orders.reading import order_json
from grocery.origins import current_origin
from grocery.products.errors import ProductUnavailableError
from grocery.products.stock import take_stock
from grocery.queues import ORDERS, ring_after_commit

# Orders of one customer are placed one after the other, so that limits per customer hold. Nobody else waits for it.
_LOCK_CUSTOMER = "SELECT FROM customers WHERE id = :customer_id FOR NO KEY UPDATE;"

_PLACING = f""",
    nextval(pg_get_serial_sequence('orders', 'id')) AS order_id,
    nextval(pg_get_serial_sequence('order_history', 'id')) AS history_id,
    (SELECT array_agg(nextval(pg_get_serial_sequence('order_lines', 'id'))) FROM wanted) AS line_ids,
    -- A number that an erased customer's order has left in the books cannot stand there a second time.
    (
        SELECT number FROM unnest(CAST(:numbers AS text[])) WITH ORDINALITY AS candidate (number, position)
        WHERE NOT EXISTS (SELECT FROM orders WHERE orders.number = candidate.number)
              AND NOT EXISTS (SELECT FROM sales_ledger WHERE order_number = candidate.number)
        ORDER BY position LIMIT 1
    ) AS number,
    (
        SELECT count(*) FROM orders WHERE customer_id = :customer_id AND paid_cents < total_cents
               AND status IN ('pending', 'confirmed', 'packed', 'shipped')
    ) AS open_unpaid_orders,
    ARRAY({ADMIN_EMAILS_SQL}) AS admin_emails
"""  # noqa: S608  # built from constants only

_ORDER = """
    INSERT INTO orders (id, number, customer_id, subtotal_cents, discount_cents, delivery_fee_cents, vat_cents,
                        total_cents, currency, coupon, delivery_price_cents, free_from_cents, zone_id, slot_id,
                        slot_starts_at, slot_ends_at, delivery_method, address, landmark, phone, delivery_note,
                        payment_method, note, request_id, traceparent)
    VALUES (:id, :number, :customer_id, :subtotal_cents, :discount_cents, :delivery_fee_cents, :vat_cents,
            :total_cents, :currency, :coupon, :delivery_price_cents, :free_from_cents, :zone_id, :slot_id,
            :slot_starts_at, :slot_ends_at, :delivery_method, :address, :landmark, :phone, :delivery_note,
            :payment_method, :note, :request_id, :traceparent);
    INSERT INTO order_history (id, order_id, event, status, actor_id, actor_role)
    VALUES (:history_id, :id, 'placed', 'pending', :customer_id, :actor_role);
"""

# A promotion's row is changed only when its use is limited. By then the order refers to it, so that whoever sets a
# limit waits for this order and counts it.
_DISCOUNTS = """
    INSERT INTO order_discounts (order_id, promotion_id, code, name, kind, amount_cents, terms)
    SELECT :id, promotion_id, code, name, kind, amount_cents, terms
    FROM jsonb_to_recordset(CAST(:discounts AS jsonb)) AS (
        promotion_id bigint, code text, name text, kind text, amount_cents bigint, terms jsonb
    )
    ORDER BY promotion_id;
    SELECT FROM promotions WHERE id = ANY(:promotion_ids) AND usage_limit IS NOT NULL ORDER BY id FOR NO KEY UPDATE;
    UPDATE promotions SET used_count = used_count + 1 WHERE id = ANY(:promotion_ids) AND usage_limit IS NOT NULL;
"""

_SLOT = """
    UPDATE delivery_slots SET booked = booked + 1 WHERE id = :slot_id;
"""

# The lines come as one JSON document: one statement however many there are. They refer to their products, which locks
# those: in the order of their ids, and after promotions and slot, as everyone does.
_LINES = """
    INSERT INTO order_lines (id, order_id, product_id, sku, name, category, unit, quantity, unit_price_cents,
                             line_total_cents, discount_cents, category_ids, vat_class, vat_rate, vat_cents,
                             if_unavailable)
    SELECT id, :id, product_id, sku, name, category, unit, quantity, unit_price_cents, line_total_cents,
           discount_cents, category_ids, vat_class, vat_rate, vat_cents, if_unavailable
    FROM jsonb_to_recordset(CAST(:lines AS jsonb)) AS (
        id bigint, product_id bigint, sku text, name text, category text, unit text, quantity numeric,
        unit_price_cents bigint, line_total_cents bigint, discount_cents bigint, category_ids bigint[], vat_class text,
        vat_rate numeric, vat_cents bigint, if_unavailable text
    )
    ORDER BY product_id;
"""

# The cart is locked before its items, as everywhere.
_EMPTY_CART = """
    DELETE FROM cart_items WHERE cart_id = (SELECT id FROM carts WHERE customer_id = :customer_id FOR UPDATE)
           AND product_id = ANY(:product_ids)
"""


@dataclass(frozen=True)
class Wish:
    """What a customer orders: `expected_total` in cents is what they were shown. Without `items`: the cart."""

    source: Source
    coupon: str | None = None
    delivery: Mapping[str, Any] | None = None
    payment_method: str = "cash_on_delivery"
    note: str | None = None
    expected_total: int | None = None


@dataclass(frozen=True)
class Placed:
    """An order that was placed, now or by an earlier request with the same key: the answer as JSON."""

    order_id: int
    answer: str


def place_order(session: Session, customer: Person, wish: Wish, key: Key | None = None) -> Placed:
    """Place an order, once for each `key`.

    Raises RequestInProgressError, KeyReusedError, ItemsError (unknown product, a part of a piece, not a multiple of the
    step), EmptyCartError, ProductUnavailableError, OutOfStockError, DeliveryError, SlotFullError, SlotClosedError,
    BelowMinimumError, UnknownCouponError, CouponError, PromotionGoneError, TotalChangedError, TooManyOpenOrdersError.
    On any error the caller's roll-back leaves nothing.
    """
    basket = _read(session, customer, wish, key)
    if key and (answer := stored_answer(basket.more, key)):
        return Placed(orjson.loads(answer)["id"], answer)
    priced = _price(basket, wish)
    order, lines = _make_rows(priced, customer, wish)
    answer = current_app.json.dumps(order_json(order, lines, _discount_rows(priced), is_staff=False))
    _write(session, order, lines, priced, wish, key, answer)
    notices.tell_placed(order, lines, _discount_rows(priced), customer, basket.more["admin_emails"])
    wanted = {line.item.product_id: line.item.quantity for line in priced.lines}
    take_stock(wanted, order_id=order["id"], actor_id=customer.id)
    ring_after_commit(ORDERS)
    logs.bind(order_id=order["id"])
    return Placed(order["id"], answer)


def _read(session: Session, customer: Person, wish: Wish, key: Key | None) -> Basket:
    parameters = {
        **basket_parameters(wish.source, customer.id, wish.coupon, wish.delivery),
        # Of 148 million numbers, one in thousands of tries is taken.
        "numbers": [make_number() for _ in range(3)],
    }
    if key is None:
        return parse_basket(session.execute(_reading(wish.source.kind, False), parameters).mappings().one())
    with claiming():
        row = session.execute(_reading(wish.source.kind, True), {**parameters, **vars(key)}).mappings().one()
    return parse_basket(row)


def _price(basket: Basket, wish: Wish) -> PricedBasket:
    currency = current_app.config["CURRENCY"]
    check_items(wish.source, basket)
    check_available(basket.lines)
    priced = price_basket(basket, coupon=wish.coupon, delivery=wish.delivery)
    check_minimum(priced.zone, priced.quote, currency)
    payment_method(wish.payment_method).authorize(
        open_unpaid_orders=basket.more["open_unpaid_orders"], limit=current_app.config["MAX_OPEN_UNPAID_ORDERS"]
    )
    if wish.expected_total not in (None, priced.quote.total_cents):
        raise TotalChangedError(money.to_text(wish.expected_total or 0), quote_json(priced, currency))
    return priced


def _make_rows(priced: PricedBasket, customer: Person, wish: Wish) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Order and lines as the rows that they will be."""
    quote, more, at = priced.quote, priced.basket.more, priced.basket.at
    slot = priced.basket.slot if priced.zone else None
    zone = priced.zone or {}
    if more["number"] is None:
        raise RuntimeError("no free order number")
    order = {
        "id": more["order_id"],
        "history_id": more["history_id"],
        "number": more["number"],
        "status": "pending",
        "customer_id": customer.id,
        "actor_role": customer.role,
        **{f"{name}_cents": getattr(quote, f"{name}_cents") for name in _AMOUNTS},
        "paid_cents": 0,
        "currency": current_app.config["CURRENCY"],
        "coupon": priced.coupon,
        "delivery_price_cents": zone.get("fee_cents", 0) + (slot["fee_cents"] if slot else 0),
        "free_from_cents": zone.get("free_from_cents"),
        "zone_id": zone.get("id"),
        "slot_id": slot["id"] if slot else None,
        "slot_starts_at": slot["starts_at"] if slot else None,
        "slot_ends_at": slot["ends_at"] if slot else None,
        **_place(priced, customer),
        "payment_method": wish.payment_method,
        "note": wish.note or None,
        "placed_at": at,
        "updated_at": at,
        "version": 1,
    }
    return order, _line_rows(priced, more["line_ids"])


_AMOUNTS = ("subtotal", "discount", "delivery_fee", "vat", "total")


def _line_rows(priced: PricedBasket, line_ids: list[int]) -> list[dict[str, Any]]:
    return [
        {
            "id": line_id,
            "product_id": line.item.product_id,
            "sku": line.sku,
            "name": line.name,
            "category": line.category,
            "unit": line.price.unit,
            "quantity": line.item.quantity,
            "unit_price_cents": line.price.unit_price_cents,
            "line_total_cents": line.price.total_cents,
            "discount_cents": quoted.discount_cents,
            "category_ids": sorted(line.price.category_ids),
            "vat_class": line.price.vat_class,
            "vat_rate": line.price.vat_rate,
            "vat_cents": quoted.vat_cents,
            "if_unavailable": line.item.if_unavailable,
            "picked_quantity": None,
            "substitute_for": None,
            "short_reason": None,
        }
        for line_id, line, quoted in zip(sorted(line_ids), priced.lines, priced.quote.lines, strict=True)
    ]


def _discount_rows(priced: PricedBasket) -> list[dict[str, Any]]:
    """In the order in which they are written, and read again."""
    return [
        {
            "promotion_id": discount.terms.id,
            "code": discount.terms.code,
            "name": discount.terms.name,
            "kind": discount.terms.kind,
            "amount_cents": discount.amount_cents,
            "terms": discount.terms.to_json(),
        }
        for discount in sorted(priced.quote.discounts, key=lambda discount: discount.terms.id or 0)
    ]


def _place(priced: PricedBasket, customer: Person) -> dict[str, Any]:
    """Where it goes and whom the rider calls; what was sent comes before what was saved."""
    sent, saved = priced.delivery, priced.basket.address or {}
    place = {name: sent.get(name) or saved.get(name) for name in ("address", "landmark", "phone", "note")}
    phone = place["phone"] or customer.phone
    if sent["method"] == "delivery":
        if not phone:
            raise DeliveryError("phone", "Needed for a delivery: whom can the rider call?")
        if not (place["address"] or place["landmark"]):
            raise DeliveryError("address", "Needed for a delivery: an address or a landmark.")
    return {
        "delivery_method": sent["method"],
        "address": place["address"],
        "landmark": place["landmark"],
        "phone": phone,
        "delivery_note": place["note"],
        "received_by": None,
    }


def _write(
    session: Session,
    order: dict[str, Any],
    lines: list[dict[str, Any]],
    priced: PricedBasket,
    wish: Wish,
    key: Key | None,
    answer: str,
) -> None:
    """Write the order and take what it needs of promotions, slot and cart, in one round trip."""
    discounts = _discount_rows(priced)
    is_cart = wish.source.items is None
    origin = current_origin()
    statement = _writing(bool(discounts), order["slot_id"] is not None, is_cart, key is not None)
    parameters = {
        **order,
        "lines": orjson.dumps(lines, default=str).decode(),
        "discounts": orjson.dumps(discounts, default=str).decode(),
        "promotion_ids": [discount["promotion_id"] for discount in discounts],
        "product_ids": [line["product_id"] for line in lines],
        "answer": answer,
        "order_id": order["id"],
        "key": key.key if key else None,
        "request_id": origin.request_id,
        "traceparent": origin.traceparent,
    }
    try:
        session.execute(statement, parameters)
    except IntegrityError as error:
        if refusal := _refusal(error.orig, priced):
            raise refusal from error
        raise


def _refusal(error: BaseException | None, priced: PricedBasket) -> GroceryError | None:
    """What others have taken away while this order was priced."""
    if isinstance(error, CheckViolation):
        return {
            "ck_delivery_slots_booked": SlotFullError(),
            "ck_promotions_usage_limit": CouponError("This coupon has been used up.", code="coupon_used_up")
            if _is_about_coupon(error, priced)
            else PromotionGoneError(),
        }.get(error.diag.constraint_name or "")
    if not isinstance(error, ForeignKeyViolation):
        return None
    product = re.search(r"\(product_id\)=\((\d+)\)", error.diag.message_detail or "")
    if product:
        return ProductUnavailableError([int(product[1])])
    return {
        "fk_orders_zone_id_delivery_zones": DeliveryError("zone_id", "This zone has just been taken away."),
        "fk_orders_slot_id_delivery_slots": SlotClosedError(),
        "fk_order_discounts_promotion_id_promotions": PromotionGoneError(),
    }.get(error.diag.constraint_name or "")


def _is_about_coupon(error: CheckViolation, priced: PricedBasket) -> bool:
    """Whether the promotion that was refused is the order's coupon; its row is in the message, led by the id."""
    refused = re.search(r"\((\d+),", error.diag.message_detail or "")
    coupons = {discount.terms.id for discount in priced.quote.discounts if discount.terms.code}
    return refused is not None and int(refused[1]) in coupons


@cache
def _reading(kind: str, has_key: bool) -> TextClause:
    before = (CLAIM_SQL if has_key else "") + _LOCK_CUSTOMER
    return basket_statement(kind, before, _PLACING + (STORED_SQL if has_key else ""))


@cache
def _writing(has_discounts: bool, has_slot: bool, is_cart: bool, has_key: bool) -> TextClause:
    parts = [_ORDER] + [STORE_SQL] * has_key + [_DISCOUNTS] * has_discounts + [_SLOT] * has_slot
    parts += [_LINES] + [_EMPTY_CART] * is_cart
    return text("".join(parts))
