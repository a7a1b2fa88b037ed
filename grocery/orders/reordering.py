"""Ordering again: what was ordered goes into the cart, as far as it can be bought now."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from grocery import money
from grocery.db import Row
from grocery.fields import quantity_number
from grocery.orders.cart.service import CartOwner, find_quantities, put_item
from grocery.orders.changing import list_lines
from grocery.orders.lots import sum_quantities

# Kept from being deleted before they are in the cart.
_PRODUCTS = text("""
    SELECT id, unit, quantity_step, stock, price_cents, is_active FROM products WHERE id = ANY(:ids)
    ORDER BY id FOR KEY SHARE
""")


def reorder(session: Session, order_id: int, customer_id: int) -> dict[str, Any]:
    """Put what an order had into the customer's cart, as `fill_cart`. The caller has made sure that it is their own."""
    return fill_cart(session, customer_id, as_ordered(list_lines(session, order_id)))


def fill_cart(session: Session, customer_id: int, lines: Sequence[Row]) -> dict[str, Any]:
    """Fill the customer's cart; what is `missing`, `reduced` and `repriced`, as JSON-ready data.

    The cart then has at least as much of each product as the lines (of an order, or as those of one), so that asking
    twice doubles nothing. Raises CartFullError.
    """
    wanted, owner = sum_quantities(lines), CartOwner(customer_id)
    products = {row.id: row for row in session.execute(_PRODUCTS, {"ids": list(wanted)})}
    there = find_quantities(session, owner)
    missing, reduced, repriced = [], [], []
    for line in lines:
        product = products.get(line["product_id"])
        entry = {"product_id": line["product_id"], "name": line["name"]}
        if product is None or not product.is_active:
            missing.append({**entry, "reason": "withdrawn"})
            continue
        asked = wanted.pop(product.id, None)
        if asked is None:  # its other line was dealt with
            continue
        quantity = orderable(asked, product.stock, product.unit, product.quantity_step)
        if not quantity:
            missing.append({**entry, "reason": "out_of_stock"})
            continue
        if quantity < asked:
            amounts = {"from": quantity_number(asked), "to": quantity_number(quantity)}
            reduced.append({**entry, "quantity": amounts})
        if product.price_cents != line["unit_price_cents"]:
            prices = {"from": money.to_text(line["unit_price_cents"]), "to": money.to_text(product.price_cents)}
            repriced.append({**entry, "unit_price": prices})
        if quantity > there.get(product.id, 0):
            put_item(session, owner, product.id, quantity=quantity, if_unavailable=line["if_unavailable"])
    return {"missing": missing, "reduced": reduced, "repriced": repriced}


def as_ordered(lines: Sequence[Row]) -> list[Row]:
    """The lines as the customer ordered them. What was picked of 2 kg is 1.9 kg, and would be less each time."""
    return [{**line, "picked_quantity": None} for line in lines if line["substitute_for"] is None]


def orderable(quantity: Decimal, stock: Decimal, unit: str, quantity_step: Decimal) -> Decimal:
    """As much of a quantity as is in stock, in what the product is sold in now."""
    there = min(quantity, stock)
    step = max(quantity_step, Decimal(1)) if unit == "each" else quantity_step
    return Decimal(there - there % step)
