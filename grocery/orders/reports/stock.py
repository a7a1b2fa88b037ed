"""What is on the shelves, how it came and went, and what was wasted. Values are at today's prices, VAT included."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, text

from grocery import money
from grocery.db import Row
from grocery.fields import quantity_number
from grocery.orders.reports.reading import Report, Wanted, amount, period_parameters

# `low` is what can still be sold; what cannot is `out`. Nobody misses what is withdrawn from sale.
_SHELVES = """
    WITH shelves AS (
        SELECT product.*, category.path, round(stock * price_cents) AS value_cents,
               is_active AND NOT in_stock AS is_out,
               is_active AND in_stock AND coalesce(stock <= low_stock_threshold, false) AS is_low
        FROM products AS product JOIN categories AS category ON category.id = product.category_id
    )
"""
_SUMS = """
    count(*) AS products, count(*) FILTER (WHERE is_low) AS low, count(*) FILTER (WHERE is_out) AS out,
    sum(value_cents) AS value_cents
"""
_STATEMENTS = {
    "category": text(f"{_SHELVES} SELECT path, {_SUMS} FROM shelves GROUP BY path ORDER BY path"),  # noqa: S608
    "product": text(f"{_SHELVES} SELECT * FROM shelves ORDER BY path, lower(name), id"),  # noqa: S608
    "total": text(f"{_SHELVES} SELECT {_SUMS} FROM shelves"),  # noqa: S608  # all made of constants
}

_MOVEMENTS = """
    SELECT {columns}, reason, product.unit, count(*) AS movements, sum(delta) AS quantity,
           round(sum(delta * price_cents)) AS value_cents
    FROM stock_movements AS movement JOIN products AS product ON product.id = movement.product_id
    JOIN categories AS category ON category.id = product.category_id
    WHERE movement.created_at >= :starts_at AND movement.created_at < :ends_at
    GROUP BY {groups}, reason, product.unit ORDER BY {order}, reason, product.unit
"""
_MOVEMENT_STATEMENTS = {
    "reason": text(_MOVEMENTS.format(columns="NULL", groups="1", order="1")),
    "category": text(_MOVEMENTS.format(columns="category.path AS category", groups="category.path", order="1")),
    "product": text(
        _MOVEMENTS.format(
            columns="product.id AS product_id, product.sku, product.name, category.path AS category",
            groups="product.id, category.path",
            order="category.path, lower(product.name), product.id",
        )
    ),
}

# What came back and is not for sale again was never put on the shelf, so no movement tells of it.
_WASTE = text("""
    WITH parts AS (
        SELECT product_id, NULL AS sku, NULL AS name, product.unit,
               -coalesce(sum(delta) FILTER (WHERE reason = 'damaged'), 0) AS damaged,
               -coalesce(sum(delta) FILTER (WHERE reason = 'expired'), 0) AS expired, 0 AS returned, 0 AS written_off,
               round(-sum(delta * price_cents)) AS value_cents, 0 AS refunded_cents
        FROM stock_movements AS movement JOIN products AS product ON product.id = movement.product_id
        WHERE movement.created_at >= :starts_at AND movement.created_at < :ends_at AND reason IN ('damaged', 'expired')
        GROUP BY product_id, product.unit
        UNION ALL
        SELECT line.product_id, CASE WHEN line.product_id IS NULL THEN line.sku END,
               CASE WHEN line.product_id IS NULL THEN line.name END, line.unit, 0, 0, sum(back.quantity),
               coalesce(sum(back.quantity) FILTER (WHERE NOT back.is_restocked), 0), 0, sum(back.amount_cents)
        FROM order_returns AS document JOIN order_return_lines AS back ON back.return_id = document.id
        JOIN order_lines AS line ON line.id = back.line_id
        WHERE document.created_at >= :starts_at AND document.created_at < :ends_at
        GROUP BY 1, 2, 3, 4
    )
    SELECT parts.product_id, coalesce(product.sku, parts.sku) AS sku, coalesce(product.name, parts.name) AS name,
           category.path AS category, parts.unit, sum(damaged) AS damaged, sum(expired) AS expired,
           sum(returned) AS returned, sum(written_off) AS written_off, sum(value_cents) AS value_cents,
           sum(refunded_cents) AS refunded_cents
    FROM parts LEFT JOIN products AS product ON product.id = parts.product_id
    LEFT JOIN categories AS category ON category.id = product.category_id
    GROUP BY 1, 2, 3, 4, 5
    ORDER BY sum(value_cents) + sum(refunded_cents) DESC, 1 NULLS LAST, 2, 3, 5 LIMIT :limit
""")

PRODUCT = ("product_id", "sku", "name", "category", "unit")
_COUNTS = ("products", "low", "out", "value", "currency")
_MOVED = ("reason", "unit", "movements", "quantity", "value", "currency")
_WASTED = ("damaged", "expired", "returned", "written_off")


def _read_stock(connection: Connection, wanted: Wanted) -> Iterator[dict[str, Any]]:
    for row in connection.execute(_STATEMENTS[wanted.by]).mappings():
        value = {"value": amount(row, "value"), "currency": wanted.currency}
        if wanted.by == "product":
            yield {**_shelf_json(row), **value}
        else:
            keys = {"category": row["path"]} if wanted.by == "category" else {}
            yield {**keys, "products": row["products"], "low": row["low"], "out": row["out"], **value}


def _shelf_json(row: Row) -> dict[str, Any]:
    return {
        "product_id": row["id"],
        "sku": row["sku"],
        "name": row["name"],
        "category": row["path"],
        "unit": row["unit"],
        "quantity": quantity_number(row["stock"]),
        "price": money.to_text(row["price_cents"]),
        "level": "out" if row["is_out"] else "low" if row["is_low"] else "ok",
    }


def _read_movements(connection: Connection, wanted: Wanted) -> Iterator[dict[str, Any]]:
    keys = MOVEMENTS.columns[wanted.by][: -len(_MOVED)]
    for row in connection.execute(_MOVEMENT_STATEMENTS[wanted.by], period_parameters(wanted)).mappings():
        yield {
            **{key: row[key] for key in keys},
            "reason": row["reason"],
            "unit": row["unit"],
            "movements": row["movements"],
            "quantity": quantity_number(row["quantity"]),
            "value": amount(row, "value"),
            "currency": wanted.currency,
        }


def _read_waste(connection: Connection, wanted: Wanted) -> Iterator[dict[str, Any]]:
    parameters = {**period_parameters(wanted), "limit": wanted.limit}
    for row in connection.execute(_WASTE, parameters).mappings():
        yield {
            **{name: row[name] for name in PRODUCT},
            **{name: quantity_number(row[name]) for name in _WASTED},
            "value": amount(row, "value"),
            "refunded": amount(row, "refunded"),
            "currency": wanted.currency,
        }


STOCK = Report(
    "stock",
    {
        "category": ("category", *_COUNTS),
        "product": (*PRODUCT, "quantity", "price", "level", "value", "currency"),
        "total": _COUNTS,
    },
    _read_stock,
)
MOVEMENTS = Report(
    "movements",
    {"reason": _MOVED, "category": ("category", *_MOVED), "product": (*PRODUCT[:-1], *_MOVED)},
    _read_movements,
)
WASTE = Report("waste", {"product": (*PRODUCT, *_WASTED, "value", "refunded", "currency")}, _read_waste)
