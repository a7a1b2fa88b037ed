"""Changing the lines of an order while it is not packed: what staff do when they talk to the customer.

Totals, VAT, stock and notices are right after each change; promotions, slot and delivery stay those of the order.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from grocery.db import Row
from grocery.errors import InvalidError
from grocery.fields import quantity_number
from grocery.orders import notices, phrases
from grocery.orders.actors import Actor
from grocery.orders.basket import BasketLine, Item, Source, read_basket
from grocery.orders.changing import list_lines, lock_order
from grocery.orders.checks import check_available, check_items, quantity_problem
from grocery.orders.errors import (
    EditConflictError,
    LastLineError,
    LineExistsError,
    LineNotFoundError,
    NotEditableError,
    OrderNotFoundError,
)
from grocery.orders.lines import quantity_of
from grocery.orders.lots import sum_quantities
from grocery.orders.reading import order_json
from grocery.orders.repricing import list_discounts, reprice
from grocery.orders.states import OPEN_STATUSES
from grocery.products.stock import lock_stock, return_stock, take_stock
from grocery.web import check_version

_VERSION = text("SELECT version FROM orders WHERE id = :order_id")

_STEP = text("SELECT unit, quantity_step FROM products WHERE id = :product_id")

_ADD = text("""
    INSERT INTO order_lines (order_id, product_id, sku, name, category, unit, quantity, unit_price_cents,
                             line_total_cents, category_ids, vat_class, vat_rate, vat_cents, if_unavailable,
                             substitute_for)
    VALUES (:order_id, :product_id, :sku, :name, :category, :unit, :quantity, :unit_price_cents,
            0, :category_ids, :vat_class, :vat_rate, 0, :if_unavailable, :substitute_for)
    RETURNING id
""")

# What was picked of another quantity is to be picked again.
_SET_QUANTITY = text("""
    UPDATE order_lines SET quantity = :quantity, picked_quantity = NULL, short_reason = NULL, picked_at = NULL,
           picker_id = NULL
    WHERE id = :line_id
""")

_REMOVE = text("DELETE FROM order_lines WHERE id = :line_id")


def add_line(session: Session, order_id: int, item: Item, actor: Actor, *, version: int | None) -> dict[str, Any]:
    """Add a product at its price of now; the order as JSON-ready data.

    Raises OrderNotFoundError, StaleError, EditConflictError, NotEditableError, LineExistsError, ItemsError,
    ProductUnavailableError, OutOfStockError.
    """
    order, customer, lines = open_order(session, order_id, version)
    if any(line["product_id"] == item.product_id for line in lines):
        raise LineExistsError
    source = Source([item])
    basket = read_basket(session, source)
    check_items(source, basket)
    check_available(basket.lines)
    added = basket.lines[0]
    insert_line(session, order_id, added)
    changed = {"added": [_entry(added.name, item.quantity)]}
    change = phrases.added(item.quantity, added.price.unit, added.name)
    answer = _finish(session, order, customer, actor, changed, change)
    take_stock({item.product_id: item.quantity}, order_id=order_id, actor_id=actor.id)
    return answer


def set_line_quantity(
    session: Session, order_id: int, line_id: int, quantity: Decimal, actor: Actor, *, version: int | None
) -> dict[str, Any]:
    """Set the quantity of a line, at its own price; the order as JSON-ready data. What stood in for it is put back.

    Raises OrderNotFoundError, LineNotFoundError, StaleError, EditConflictError, NotEditableError,
    ProductUnavailableError, OutOfStockError, and InvalidError for a part of a piece and the like.
    """
    order, customer, lines = open_order(session, order_id, version)
    line = find_line(lines, line_id)
    _check_quantity(session, line, quantity)
    more = quantity - quantity_of(line)
    if quantity == line["quantity"]:
        return order_json(order, lines, list_discounts(session, order_id), is_staff=actor.is_staff)
    session.execute(_SET_QUANTITY, {"line_id": line_id, "quantity": quantity})
    dropped = drop_lines(session, substitutes_of(line, lines))
    entry = {
        "name": line["name"],
        "quantity": {"from": quantity_number(line["quantity"]), "to": quantity_number(quantity)},
    }
    change = phrases.resized(line["quantity"], quantity, line["unit"], line["name"])
    answer = _finish(session, order, customer, actor, {"quantities": [entry], **dropped}, change)
    returned = sum_quantities(substitutes_of(line, lines))
    if returned:
        lock_stock([line["product_id"], *returned])
    if more > 0:
        take_stock({line["product_id"]: more}, order_id=order_id, actor_id=actor.id)
    elif more < 0:
        returned[line["product_id"]] = -more
    return_stock(returned, order_id=order_id, actor_id=actor.id)
    return answer


def remove_line(session: Session, order_id: int, line_id: int, actor: Actor, *, version: int | None) -> dict[str, Any]:
    """Take a line out, with what stands in for it; the order as JSON-ready data.

    Raises OrderNotFoundError, LineNotFoundError, StaleError, EditConflictError, NotEditableError, and LastLineError for
    the only line: an order without goods is one to cancel.
    """
    order, customer, lines = open_order(session, order_id, version)
    line = find_line(lines, line_id)
    gone = [line, *substitutes_of(line, lines)]
    if len(lines) == len(gone):
        raise LastLineError
    changed = drop_lines(session, gone)
    answer = _finish(session, order, customer, actor, changed, phrases.removed(line["name"]))
    return_stock(sum_quantities(gone), order_id=order_id, actor_id=actor.id)
    return answer


def check_order_exists(session: Session, order_id: int) -> None:
    """Raise OrderNotFoundError."""
    if session.execute(_VERSION, {"order_id": order_id}).one_or_none() is None:
        raise OrderNotFoundError(order_id)


def check_line_exists(session: Session, order_id: int, line_id: int) -> None:
    """Raise OrderNotFoundError, LineNotFoundError."""
    check_order_exists(session, order_id)
    find_line(list_lines(session, order_id), line_id)


def open_order(session: Session, order_id: int, version: int | None) -> tuple[Row, Row, list[Row]]:
    """Lock an order whose lines may change; its row, its customer's and its lines.

    Of two who change an order at once, one waits here for the other, and has then seen it as it was before.
    """
    seen = session.execute(_VERSION, {"order_id": order_id}).scalar()
    if seen is None:
        raise OrderNotFoundError(order_id)
    check_version(seen, version)
    order, customer = lock_order(session, order_id)
    if order["version"] != seen:
        raise EditConflictError
    if order["status"] not in OPEN_STATUSES:
        raise NotEditableError(order["status"])
    return order, customer, list_lines(session, order_id)


def find_line(lines: Sequence[Row], line_id: int) -> Row:
    for line in lines:
        if line["id"] == line_id:
            return line
    raise LineNotFoundError(line_id)


def substitutes_of(line: Row, lines: Sequence[Row]) -> list[Row]:
    return [one for one in lines if one["substitute_for"] == line["id"]]


def drop_lines(session: Session, lines: Sequence[Row]) -> dict[str, Any]:
    """Delete lines; answers what the history says of it. Their stock is the caller's business."""
    if not lines:
        return {}
    for line in lines:
        session.execute(_REMOVE, {"line_id": line["id"]})
    return {"removed": [_entry(line["name"], line["quantity"]) for line in lines]}


def _check_quantity(session: Session, line: Row, quantity: Decimal) -> None:
    product = session.execute(_STEP, {"product_id": line["product_id"]}).one()
    # Sold by piece then and by weight now, or the other way round: the line stays what it was ordered as.
    step = product.quantity_step if product.unit == line["unit"] else Decimal("0.001")
    if problem := quantity_problem(line["unit"], step, quantity):
        raise InvalidError(problem, errors={"quantity": [problem]})


def insert_line(
    session: Session,
    order_id: int,
    line: BasketLine,
    *,
    unit_price_cents: int | None = None,
    substitute_for: int | None = None,
) -> int:
    """Write a new line, at the product's price unless another one is given; answers its id. `reprice` does the rest."""
    price = line.price.unit_price_cents if unit_price_cents is None else unit_price_cents
    values = {
        "order_id": order_id,
        "product_id": line.item.product_id,
        "sku": line.sku,
        "name": line.name,
        "category": line.category,
        "unit": line.price.unit,
        "quantity": line.item.quantity,
        "unit_price_cents": price,
        "category_ids": sorted(line.price.category_ids),
        "vat_class": line.price.vat_class,
        "vat_rate": line.price.vat_rate,
        "if_unavailable": line.item.if_unavailable,
        "substitute_for": substitute_for,
    }
    return int(session.execute(_ADD, values).scalar_one())


def _finish(
    session: Session, order: Row, customer: Row, actor: Actor, changed: Mapping[str, Any], change: phrases.Phrase
) -> dict[str, Any]:
    """Price the order anew and tell of it. What changes the stock comes last, after this."""
    repriced, lines, discounts = reprice(session, order, list_lines(session, order["id"]), actor, changed)
    notices.tell_changed(repriced, lines, discounts, customer, change)
    return order_json(repriced, lines, discounts, is_staff=actor.is_staff)


def _entry(name: str, quantity: Decimal) -> dict[str, Any]:
    return {"name": name, "quantity": quantity_number(quantity)}
