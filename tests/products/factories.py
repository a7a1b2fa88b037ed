"""Rows to test with: products with their ledger, categories, orders to hang movements on."""

from decimal import Decimal
from itertools import count
from typing import Any

from sqlalchemy import insert, select

from grocery.auth.models import Customer
from grocery.db import db
from grocery.orders.models import Order
from grocery.products.models import Category, Product, StockMovement

_numbers = count(1)


def make_category(path: str = "Pantry") -> int:
    """The id of the category with this path, made with its parents when it is not there."""
    with db.engine.begin() as connection:
        parent_id = None
        names = path.split("/")
        for depth, name in enumerate(names, start=1):
            here = "/".join(names[:depth])
            found = connection.scalar(select(Category.id).where(Category.path == here))
            values = {"parent_id": parent_id, "name": name, "path": here}
            parent_id = found or connection.scalar(insert(Category).values(values).returning(Category.id))
    return parent_id or 0


def make_product(category: str = "Pantry", **overrides: Any) -> int:
    """The id of a new product, its stock (10 unless told) in the ledger."""
    number = next(_numbers)
    values = {
        "sku": f"SKU-{number}",
        "name": f"Product {number}",
        "price_cents": 100_00,
        "stock": Decimal(10),
        "category_id": make_category(category),
        "category_path": category,
        **overrides,
    }
    with db.engine.begin() as connection:
        product_id: int = connection.scalar(insert(Product).values(values).returning(Product.id)) or 0
        if values["stock"]:
            movement = {"product_id": product_id, "delta": values["stock"], "reason": "opening"}
            connection.execute(insert(StockMovement).values(movement))
    return product_id


def make_order_row() -> int:
    """The id of a bare order, for movements to point at."""
    number = next(_numbers)
    with db.engine.begin() as connection:
        customer_id = connection.scalar(insert(Customer).values(name="Wanjiku").returning(Customer.id))
        values = {
            "number": f"G-{number}",
            "customer_id": customer_id,
            "subtotal_cents": 0,
            "vat_cents": 0,
            "total_cents": 0,
            "currency": "KES",
        }
        return connection.scalar(insert(Order).values(values).returning(Order.id)) or 0
