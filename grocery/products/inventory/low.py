"""What runs low: products at their threshold or below it."""

from typing import Any

from sqlalchemy import Connection, text

from grocery.db import Row
from grocery.fields import quantity_number
from grocery.paging import Page, cut_page, decode_cursor, encode_cursor

# `level` is what is left of the threshold: a product that is out comes before one that is just low, in whatever unit.
_LOW = """
    SELECT id, sku, name, unit, stock, low_stock_threshold,
           coalesce(stock / nullif(low_stock_threshold, 0), 0)::double precision AS level
    FROM products
    WHERE is_active AND stock <= low_stock_threshold
"""
_OUT = """
    UNION ALL
    SELECT id, sku, name, unit, stock, low_stock_threshold, 0::double precision AS level
    FROM products
    WHERE is_active AND low_stock_threshold IS NULL AND NOT in_stock
"""
_PAGE = """
    SELECT * FROM ({rows}) AS low
    WHERE (level, id) > (:level, :id)
    ORDER BY level, id LIMIT :limit
"""
_PAGE_OF_LOW = text(_PAGE.format(rows=_LOW))
_PAGE_WITH_OUT = text(_PAGE.format(rows=_LOW + _OUT))
_ALL_LOW = text(f"SELECT * FROM ({_LOW}) AS low ORDER BY level, id")  # noqa: S608  # made of constants


def list_low(connection: Connection, *, limit: int, cursor: str | None = None, with_out: bool = False) -> Page:
    """Products for sale whose stock is at the threshold or below it, the worst first.

    Products without a threshold are not watched; `with_out` adds those of them that are out of stock. Raises
    InvalidError for a cursor of another list.
    """
    level, product_id = decode_cursor(cursor, float, int) if cursor else (-1.0, 0)
    statement = _PAGE_WITH_OUT if with_out else _PAGE_OF_LOW
    found = connection.execute(statement, {"level": level, "id": product_id, "limit": limit + 1}).mappings().all()
    rows, next_cursor = cut_page(found, limit, lambda row: encode_cursor(row["level"], row["id"]))
    return Page([_low_json(row) for row in rows], next_cursor)


def find_all_low(connection: Connection) -> list[Row]:
    """The rows of all products that are low, the worst first."""
    return list(connection.execute(_ALL_LOW).mappings())


def _low_json(row: Row) -> dict[str, Any]:
    threshold = row["low_stock_threshold"]
    return {
        "product_id": row["id"],
        "sku": row["sku"],
        "name": row["name"],
        "unit": row["unit"],
        "stock": quantity_number(row["stock"]),
        "low_stock_threshold": None if threshold is None else quantity_number(threshold),
    }
