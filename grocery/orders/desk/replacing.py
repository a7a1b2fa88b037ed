"""What can stand in for a line: products like it that are there, and what they would cost the customer."""

from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from grocery import money
from grocery.fields import quantity_number
from grocery.orders.fulfilment.weights import substitute_price
from grocery.products.listing import list_products
from grocery.products.rows import PRODUCTS, select_products
from grocery.products.schemas import ListArgsSchema
from grocery.products.shelves import list_similar

_MOST = 8


def list_replacements(connection: Connection, line: dict[str, Any], q: str) -> list[dict[str, Any]]:
    """Products (by `q`, else like that of the line), each with what it costs on the shelf and in place of the line.

    `line` is one of `read_screen`. `difference` is what the customer pays less; it is never more that is paid.
    """
    if q:
        arguments = ListArgsSchema().load({"q": q, "in_stock": True, "limit": _MOST})
        found = list(list_products(connection, arguments).rows)
    else:
        found = _like(connection, line["product_id"])
    missing = Decimal(str(line["quantity"])) - Decimal(str(line["picked"] or 0))
    return [_json(row, line, missing) for row in found if row.id != line["product_id"]]


def _like(connection: Connection, product_id: int | None) -> list[Any]:
    product = connection.execute(select_products().where(PRODUCTS.c.id == product_id)).one_or_none()
    return list_similar(connection, product, _MOST) if product is not None else []


def _json(row: Any, line: dict[str, Any], missing: Decimal) -> dict[str, Any]:
    # The same amount when both are sold alike; a piece for what is weighed, and the other way round, is for the picker.
    quantity = missing if row.unit == line["unit"] else Decimal(1)
    missing_cents = money.line_total(line["unit_price_cents"], missing)
    price = substitute_price(row.price_cents, quantity, missing_cents) if quantity > 0 else row.price_cents
    charged = money.line_total(price, quantity)
    return {
        "id": row.id,
        "name": row.name,
        "unit": row.unit,
        "quantity": quantity_number(quantity),
        "stock": quantity_number(row.stock),
        "shelf_price": money.to_text(money.line_total(row.price_cents, quantity)),
        "charged": money.to_text(charged),
        "less": money.to_text(missing_cents - charged) if charged < missing_cents else None,
        "allergens": sorted(set(row.allergens) - set(line["allergens"])),
        "is_age_restricted": row.is_age_restricted and not line["is_age_restricted"],
    }
