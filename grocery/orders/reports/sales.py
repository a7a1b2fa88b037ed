"""What was sold: delivered orders by the moment of their delivery, and returns by the moment of theirs."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, text

from grocery import money
from grocery.db import Row
from grocery.fields import quantity_number
from grocery.orders.reports.periods import SPANS
from grocery.orders.reports.reading import (
    Report,
    Wanted,
    amount,
    cents,
    fill_spans,
    period_parameters,
    span_parameters,
)

# Stretch by stretch, each from an index that has all the columns: a million orders take a tenth of the time that
# sorting them by day would. Erased customers' orders and returns are in the ledgers, so that no sum ever changes.
_BY_TIME = text("""
    SELECT number, CAST(sum(orders) AS bigint) AS orders, sum(gross_cents) AS gross_cents,
           sum(discounts_cents) AS discounts_cents, sum(delivery_fees_cents) AS delivery_fees_cents,
           sum(vat_cents) AS vat_cents, sum(returns_cents) AS returns_cents, sum(returns_vat_cents) AS returns_vat_cents
    FROM unnest(CAST(:numbers AS int[]), CAST(:starts AS timestamptz[]), CAST(:ends AS timestamptz[]))
         AS span (number, starts_at, ends_at)
    CROSS JOIN LATERAL (
        SELECT count(*), sum(total_cents), sum(discount_cents), sum(delivery_fee_cents), sum(vat_cents), 0, 0
        FROM orders
        WHERE status = 'delivered' AND delivered_at >= span.starts_at AND delivered_at < span.ends_at
        UNION ALL
        SELECT count(*), sum(total_cents), sum(discount_cents), sum(delivery_fee_cents), sum(vat_cents), 0, 0
        FROM sales_ledger
        WHERE coalesce(delivered_at, finished_at) >= span.starts_at
              AND coalesce(delivered_at, finished_at) < span.ends_at
        UNION ALL
        SELECT 0, 0, 0, 0, 0, sum(refund_cents), sum(vat_cents) FROM order_returns
        WHERE created_at >= span.starts_at AND created_at < span.ends_at
        UNION ALL
        SELECT 0, 0, 0, 0, 0, sum(refund_cents), sum(vat_cents) FROM returns_ledger
        WHERE created_at >= span.starts_at AND created_at < span.ends_at
    ) AS part (orders, gross_cents, discounts_cents, delivery_fees_cents, vat_cents, returns_cents, returns_vat_cents)
    GROUP BY number
""")

# Of a line that was picked with nothing, nothing was sold.
_LINES = """
    WITH parts AS (
        SELECT {keys}, count(DISTINCT line.order_id) AS orders, {quantity},
               sum(line.line_total_cents - line.discount_cents) AS gross_cents,
               sum(line.discount_cents) AS discounts_cents, sum(line.vat_cents) AS vat_cents,
               0 AS returns_cents, 0 AS returns_vat_cents
        FROM orders JOIN order_lines AS line ON line.order_id = orders.id
        WHERE orders.status = 'delivered' AND orders.delivered_at >= :starts_at AND orders.delivered_at < :ends_at
              AND coalesce(line.picked_quantity, line.quantity) > 0
        GROUP BY {positions}
        UNION ALL
        SELECT {keys}, 0, 0, 0, 0, 0, sum(back.amount_cents), sum(back.vat_cents)
        FROM order_returns AS document JOIN order_return_lines AS back ON back.return_id = document.id
        JOIN order_lines AS line ON line.id = back.line_id
        WHERE document.created_at >= :starts_at AND document.created_at < :ends_at
        GROUP BY {positions}
    ), sums AS (
        SELECT {names}, CAST(sum(orders) AS bigint) AS orders, sum(quantity) AS quantity,
               sum(gross_cents) AS gross_cents, sum(discounts_cents) AS discounts_cents, sum(vat_cents) AS vat_cents,
               sum(returns_cents) AS returns_cents, sum(returns_vat_cents) AS returns_vat_cents
        FROM parts GROUP BY {positions}
    )
    {answer}
"""

_BY_CATEGORY = text(
    _LINES.format(
        keys="line.category",
        names="category",
        positions="1",
        quantity="0 AS quantity",
        answer="SELECT * FROM sums ORDER BY category",
    )
)

# A product that is still there is known by its id, and has the name of today; one that was deleted by what its lines
# have. The unit belongs to it, since kilograms and pieces do not add up.
_BY_PRODUCT = text(
    _LINES.format(
        keys="line.product_id, CASE WHEN line.product_id IS NULL THEN line.sku END AS sku, "
        "CASE WHEN line.product_id IS NULL THEN line.name END AS name, line.unit",
        names="product_id, sku, name, unit",
        positions="1, 2, 3, 4",
        quantity="sum(coalesce(line.picked_quantity, line.quantity)) AS quantity",
        answer="""
            SELECT sums.*, coalesce(product.name, sums.name) AS product_name,
                   coalesce(product.sku, sums.sku) AS product_sku, category.path AS category
            FROM sums LEFT JOIN products AS product ON product.id = sums.product_id
            LEFT JOIN categories AS category ON category.id = product.category_id
            ORDER BY gross_cents DESC, product_id NULLS LAST, sums.sku, sums.name, unit
        """,
    )
)

_LINE_VALUES = ("gross", "discounts", "vat", "net", "returns", "returns_vat", "revenue", "currency")
_ORDER_VALUES = ("orders", "gross", "discounts", "delivery_fees", *_LINE_VALUES[2:])
_PRODUCT = ("product_id", "sku", "name", "category", "unit")


def _read(connection: Connection, wanted: Wanted) -> Iterator[dict[str, Any]]:
    if wanted.by in SPANS:
        spans = wanted.period.spans(wanted.by)
        rows = connection.execute(_BY_TIME, span_parameters(spans)).mappings()
        return fill_spans(spans, wanted, {row["number"]: row for row in rows}, lambda row: _order_values(row, wanted))
    statement, to_json = {"category": (_BY_CATEGORY, _category_json), "product": (_BY_PRODUCT, _product_json)}[
        wanted.by
    ]
    return (to_json(row, wanted) for row in connection.execute(statement, period_parameters(wanted)).mappings())


def _order_values(row: Row | None, wanted: Wanted) -> dict[str, Any]:
    values = _line_values(row, wanted)
    before = {name: values.pop(name) for name in ("gross", "discounts")}
    orders = row["orders"] if row else 0
    return {"orders": orders, **before, "delivery_fees": amount(row, "delivery_fees"), **values}


def _category_json(row: Row, wanted: Wanted) -> dict[str, Any]:
    return {"category": row["category"], "orders": row["orders"], **_line_values(row, wanted)}


def _product_json(row: Row, wanted: Wanted) -> dict[str, Any]:
    return {
        "product_id": row["product_id"],
        "sku": row["product_sku"],
        "name": row["product_name"],
        "category": row["category"],
        "unit": row["unit"],
        "orders": row["orders"],
        "quantity": quantity_number(row["quantity"]),
        **_line_values(row, wanted),
    }


def _line_values(row: Row | None, wanted: Wanted) -> dict[str, Any]:
    net = cents(row, "gross_cents") - cents(row, "vat_cents")
    returned = cents(row, "returns_cents") - cents(row, "returns_vat_cents")
    return {
        "gross": amount(row, "gross"),
        "discounts": amount(row, "discounts"),
        "vat": amount(row, "vat"),
        "net": money.to_text(net),
        "returns": amount(row, "returns"),
        "returns_vat": amount(row, "returns_vat"),
        "revenue": money.to_text(net - returned),
        "currency": wanted.currency,
    }


SALES = Report(
    "sales",
    {
        "day": ("day", *_ORDER_VALUES),
        "month": ("month", *_ORDER_VALUES),
        "weekday": ("weekday", *_ORDER_VALUES),
        "hour": ("hour", *_ORDER_VALUES),
        "category": ("category", "orders", *_LINE_VALUES),
        "product": (*_PRODUCT, "orders", "quantity", *_LINE_VALUES),
        "total": ("from", "until", *_ORDER_VALUES),
    },
    _read,
)
