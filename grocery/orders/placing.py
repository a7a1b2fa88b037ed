"""Placing an order: prices on the server, stock last, all in the caller's transaction.

The statements are few and written by hand, since this is the hottest write of the shop: one reads the products, one
writes order, lines and history, one the notifications, one takes the stock.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import orjson
from psycopg2.errors import ForeignKeyViolation
from sqlalchemy import Row, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from grocery import money
from grocery.auth.people import Person
from grocery.errors import InvalidError
from grocery.orders import notices
from grocery.orders.errors import ItemsError, TotalChangedError
from grocery.orders.numbers import make_number
from grocery.orders.pricing import PricedLine, Totals, total_up
from grocery.orders.reading import order_json
from grocery.products.errors import OutOfStockError, ProductUnavailableError, Shortage
from grocery.products.stock import take_stock
from grocery.products.vat import rate_of
from grocery.queues import ORDERS, ring_after_commit

_PRODUCTS = text("""
    SELECT product.id, product.sku, product.name, product.unit, product.quantity_step, product.price_cents,
           product.vat_class, product.stock, product.is_active, category.path AS category
    FROM products AS product JOIN categories AS category ON category.id = product.category_id
    WHERE product.id = ANY(:ids)
""")

# The lines come as one JSON document: one statement however many there are. Their ids rise in the order of the lines,
# since rows are numbered as they are inserted.
_INSERT = text("""
    WITH placed AS (
        INSERT INTO orders (number, customer_id, subtotal_cents, delivery_fee_cents, vat_cents, total_cents, currency,
                            delivery_method, address, landmark, phone, delivery_note, payment_method, note)
        SELECT :number, :customer_id, :subtotal_cents, :delivery_fee_cents, :vat_cents, :total_cents, :currency,
               :delivery_method, :address, :landmark, :phone, :delivery_note, :payment_method, :note
        -- A number that an erased customer's order has left in the books cannot stand there a second time.
        WHERE NOT EXISTS (SELECT FROM sales_ledger WHERE order_number = :number)
        ON CONFLICT (number) DO NOTHING
        RETURNING *
    ), lines AS (
        INSERT INTO order_lines (order_id, product_id, sku, name, category, unit, quantity, unit_price_cents,
                                 line_total_cents, vat_class, vat_rate, vat_cents, if_unavailable)
        SELECT placed.id, line.product_id, line.sku, line.name, line.category, line.unit, line.quantity,
               line.unit_price_cents, line.line_total_cents, line.vat_class, line.vat_rate, line.vat_cents,
               line.if_unavailable
        FROM placed, ROWS FROM (jsonb_to_recordset(CAST(:lines AS jsonb)) AS (
            product_id bigint, sku text, name text, category text, unit text, quantity numeric, unit_price_cents bigint,
            line_total_cents bigint, vat_class text, vat_rate numeric, vat_cents bigint, if_unavailable text
        )) WITH ORDINALITY AS line
        ORDER BY line.ordinality
        RETURNING id
    ), noted AS (
        INSERT INTO order_history (order_id, event, status, actor_id, actor_role)
        SELECT id, 'placed', status, :actor_id, :actor_role FROM placed
        RETURNING id
    )
    SELECT placed.*, noted.id AS history_id, (SELECT array_agg(id ORDER BY id) FROM lines) AS line_ids
    FROM placed, noted
""")

_ATTEMPTS = 5


@dataclass(frozen=True)
class Item:
    """What the customer asked for: pieces or kilograms of a product, and what to do when it is not on the shelf."""

    product_id: int
    quantity: Decimal
    if_unavailable: str


@dataclass(frozen=True)
class Line:
    """An item with the product's data as they are now, and its price."""

    item: Item
    product: Row[Any]
    price: PricedLine

    def values(self) -> dict[str, Any]:
        """The columns of the line. Decimals as text: a JSON number could lose digits."""
        return {
            "product_id": self.product.id,
            "sku": self.product.sku,
            "name": self.product.name,
            "category": self.product.category,
            "unit": self.product.unit,
            "quantity": str(self.price.quantity),
            "unit_price_cents": self.price.unit_price_cents,
            "line_total_cents": self.price.total_cents,
            "vat_class": self.product.vat_class,
            "vat_rate": str(self.price.vat_rate),
            "vat_cents": self.price.vat_cents,
            "if_unavailable": self.item.if_unavailable,
        }


def place_order(
    session: Session,
    customer: Person,
    *,
    items: Sequence[dict[str, Any]],
    delivery: dict[str, Any] | None,
    payment_method: str,
    note: str | None,
    expected_total: int | None,
    currency: str,
) -> dict[str, Any]:
    """Place an order and answer it as JSON-ready data. `expected_total` is in cents.

    Raises ItemsError (unknown product, a part of a piece, not a multiple of the step), ProductUnavailableError,
    OutOfStockError, TotalChangedError. On any error the caller's roll-back leaves nothing.
    """
    lines = _price_lines(session, _merge_items(items))
    totals = total_up([line.price for line in lines])
    if expected_total is not None and expected_total != totals.total_cents:
        raise TotalChangedError(money.to_text(expected_total), money.to_text(totals.total_cents), currency)
    values = {
        **_delivery_values(delivery, customer),
        "payment_method": payment_method,
        "note": note or None,
        "currency": currency,
    }
    order, line_rows = _insert(session, customer, lines, totals, values)
    notices.tell_placed(order, line_rows, customer, order["history_id"])
    wanted = {line.product.id: line.price.quantity for line in lines}
    take_stock(wanted, order_id=order["id"], actor_id=customer.id)
    ring_after_commit(ORDERS)
    return order_json(order, line_rows, is_staff=False)


def _merge_items(items: Sequence[dict[str, Any]]) -> list[Item]:
    """One item per product: a product asked for twice is asked for in the sum."""
    merged: dict[int, Item] = {}
    for sent in items:
        item = Item(**sent)
        if known := merged.get(item.product_id):
            item = Item(item.product_id, known.quantity + item.quantity, item.if_unavailable)
        merged[item.product_id] = item
    return list(merged.values())


def _price_lines(session: Session, items: list[Item]) -> list[Line]:
    rows = session.execute(_PRODUCTS, {"ids": [item.product_id for item in items]})
    products = {row.id: row for row in rows}
    _check_items(items, products)
    return [
        Line(item, product, PricedLine(product.price_cents, item.quantity, rate_of(product.vat_class)))
        for item in items
        for product in (products[item.product_id],)
    ]


def _check_items(items: list[Item], products: dict[int, Row[Any]]) -> None:
    """Refuse what cannot be ordered, before anything is written. `take_stock` has the last word on the stock."""
    if unknown := {
        n: {"product_id": ["Unknown product."]} for n, i in enumerate(items) if i.product_id not in products
    }:
        raise ItemsError(unknown, "unknown_product")
    problems = {
        index: {"quantity": [problem]}
        for index, item in enumerate(items)
        if (problem := _quantity_problem(products[item.product_id], item.quantity))
    }
    if problems:
        raise ItemsError(problems)
    if gone := [item.product_id for item in items if not products[item.product_id].is_active]:
        raise ProductUnavailableError(gone)
    shortages = [
        Shortage(item.product_id, product.name, item.quantity, product.stock)
        for item in items
        if (product := products[item.product_id]).stock < item.quantity
    ]
    if shortages:
        raise OutOfStockError(shortages)


def _quantity_problem(product: Row[Any], quantity: Decimal) -> str | None:
    if product.unit == "each" and quantity % 1:
        return f"{product.name} is sold by piece: a whole number."
    if quantity % product.quantity_step:
        return f"{product.name} is sold in steps of {product.quantity_step.normalize():f} {product.unit}."
    return None


def _delivery_values(delivery: dict[str, Any] | None, customer: Person) -> dict[str, Any]:
    sent = delivery or {"method": "pickup"}
    phone = sent.get("phone") or customer.phone
    if sent["method"] == "delivery" and not phone:
        message = "Needed for a delivery: whom can the rider call?"
        raise InvalidError(message, errors={"delivery": {"phone": [message]}})
    return {
        "delivery_method": sent["method"],
        "address": sent.get("address"),
        "landmark": sent.get("landmark"),
        "phone": phone,
        "delivery_note": sent.get("note") or None,
    }


def _try_insert(session: Session, parameters: dict[str, Any]) -> Mapping[Any, Any] | None:
    """The order's row; None when its number is taken."""
    try:
        return session.execute(_INSERT, {**parameters, "number": make_number()}).mappings().one_or_none()
    except IntegrityError as error:
        if gone := _product_gone(error.orig):
            raise ProductUnavailableError([gone]) from error
        raise


def _product_gone(error: BaseException | None) -> int | None:
    """The product that was deleted while this order waited for the deletion to end."""
    if not isinstance(error, ForeignKeyViolation):
        return None
    product = re.search(r"\(product_id\)=\((\d+)\)", error.diag.message_detail or "")
    return int(product[1]) if product else None


def _insert(
    session: Session, customer: Person, lines: list[Line], totals: Totals, values: dict[str, Any]
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Write order, lines and history; the rows as they are now in the database."""
    parameters = {
        **values,
        **vars(totals),
        "customer_id": customer.id,
        "actor_id": customer.id,
        "actor_role": customer.role,
        "lines": orjson.dumps([line.values() for line in lines]).decode(),
    }
    for _ in range(_ATTEMPTS):
        row = _try_insert(session, parameters)
        if row is not None:
            break
    else:
        raise RuntimeError(f"no free order number in {_ATTEMPTS} attempts")
    line_rows = [
        {
            **line.values(),
            "id": line_id,
            "quantity": line.price.quantity,
            "vat_rate": line.price.vat_rate,
            "picked_quantity": None,
            "substitute_for": None,
        }
        for line_id, line in zip(row["line_ids"], lines, strict=True)
    ]
    return dict(row), line_rows
