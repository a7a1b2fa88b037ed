"""What became of orders: how many came to the door and how fast, what was short, who picked how much."""

from collections.abc import Iterator
from typing import Any

from sqlalchemy import Connection, text

from grocery.db import Row
from grocery.fields import quantity_number
from grocery.orders.reports.periods import SPANS
from grocery.orders.reports.reading import (
    Report,
    Wanted,
    amount,
    fill_spans,
    period_parameters,
    span_parameters,
)
from grocery.orders.reports.stock import PRODUCT

# The row of a moment: that of the last stretch that began before it.
_NUMBER = "(CAST(:numbers AS int[]))[width_bucket({at}, CAST(:starts AS timestamptz[]))]"

# What is weighed never weighs what was ordered: it is short when the picker said so, or when a tenth is missing. A
# substitute is no line of its own here.
_IS_SHORT = """(
    line.picked_quantity < line.quantity
    AND (line.unit <> 'kg' OR line.short_reason IS NOT NULL OR line.picked_quantity < line.quantity * 0.9)
)"""
_IS_SUBSTITUTED = "EXISTS (SELECT FROM order_lines AS other WHERE other.substitute_for = line.id)"

_FULFILMENT = text(f"""
    WITH placed AS MATERIALIZED (
        SELECT id, status, is_delivery_failed, {_NUMBER.format(at="placed_at")} AS number
        FROM orders WHERE placed_at >= :starts_at AND placed_at < :ends_at
    ), counted AS (
        SELECT number, count(*) AS placed, count(*) FILTER (WHERE status = 'delivered') AS delivered,
               count(*) FILTER (WHERE status = 'cancelled' AND NOT is_delivery_failed) AS cancelled,
               count(*) FILTER (WHERE status = 'cancelled' AND is_delivery_failed) AS failed,
               count(*) FILTER (WHERE status NOT IN ('delivered', 'cancelled')) AS open
        FROM placed GROUP BY number
    ), picked AS (
        SELECT number, count(*) AS lines, count(*) FILTER (WHERE {_IS_SHORT}) AS short,
               count(*) FILTER (WHERE {_IS_SHORT} AND {_IS_SUBSTITUTED}) AS substituted,
               count(*) FILTER (WHERE unit = 'kg' AND picked_quantity > quantity) AS weighed_over,
               count(*) FILTER (WHERE unit = 'kg' AND picked_quantity < quantity AND NOT {_IS_SHORT}) AS weighed_under
        FROM placed JOIN order_lines AS line ON line.order_id = placed.id
        WHERE substitute_for IS NULL AND picked_quantity IS NOT NULL
        GROUP BY number
    )
    SELECT * FROM counted LEFT JOIN picked USING (number)
""")  # noqa: S608  # made of constants

_SHORTAGES = """
    WITH short AS (
        SELECT line.*, line.quantity - line.picked_quantity AS missing, {is_substituted} AS is_substituted
        FROM orders JOIN order_lines AS line ON line.order_id = orders.id
        WHERE orders.placed_at >= :starts_at AND orders.placed_at < :ends_at AND line.substitute_for IS NULL
              AND {is_short}
    ), sums AS (
        SELECT {keys}, count(*) AS lines, sum(missing) AS missing,
               sum(round(missing * unit_price_cents)) AS value_cents,
               count(*) FILTER (WHERE short_reason = 'not_found') AS not_found,
               count(*) FILTER (WHERE short_reason = 'damaged') AS damaged,
               count(*) FILTER (WHERE short_reason = 'unwanted') AS unwanted,
               count(*) FILTER (WHERE short_reason IS NULL) AS other,
               count(*) FILTER (WHERE is_substituted) AS substituted
        FROM short GROUP BY {groups}
    )
    {answer} LIMIT :limit
"""
_SHORTAGE_STATEMENTS = {
    "product": text(
        _SHORTAGES.format(
            is_short=_IS_SHORT,
            is_substituted=_IS_SUBSTITUTED,
            keys="product_id, CASE WHEN product_id IS NULL THEN sku END AS old_sku, "
            "CASE WHEN product_id IS NULL THEN name END AS old_name, unit",
            groups="1, 2, 3, 4",
            answer="""
                SELECT sums.*, coalesce(product.sku, old_sku) AS sku, coalesce(product.name, old_name) AS name,
                       category.path AS category
                FROM sums LEFT JOIN products AS product ON product.id = sums.product_id
                LEFT JOIN categories AS category ON category.id = product.category_id
                ORDER BY value_cents DESC, sums.product_id NULLS LAST, old_sku, old_name, sums.unit
            """,
        )
    ),
    "category": text(
        _SHORTAGES.format(
            is_short=_IS_SHORT,
            is_substituted=_IS_SUBSTITUTED,
            keys="category",
            groups="1",
            answer="SELECT * FROM sums ORDER BY value_cents DESC, category",
        )
    ),
}

_DURATION = """
    count(*) AS deliveries, percentile_cont(0.5) WITHIN GROUP (ORDER BY delivered_at - placed_at) AS median,
    percentile_cont(0.9) WITHIN GROUP (ORDER BY delivered_at - placed_at) AS p90
"""
_TO_THE_DOOR = """
    status = 'delivered' AND delivered_at >= :starts_at AND delivered_at < :ends_at AND delivery_method = 'delivery'
"""
_TIMES = text(f"""
    SELECT {_NUMBER.format(at="delivered_at")} AS number, {_DURATION} FROM orders WHERE {_TO_THE_DOOR} GROUP BY 1
""")  # noqa: S608  # made of constants
_TIMES_BY_ZONE = text(f"""
    SELECT zone_id, zone.name AS zone, {_DURATION}
    FROM orders LEFT JOIN delivery_zones AS zone ON zone.id = zone_id
    WHERE {_TO_THE_DOOR} GROUP BY zone_id, zone.name ORDER BY lower(zone.name) NULLS LAST, zone_id
""")  # noqa: S608  # made of constants

_PICKERS = text(f"""
    SELECT picker_id, picker.name AS picker, {_NUMBER.format(at="picked_at")} AS number, count(*) AS lines,
           count(DISTINCT order_id) AS orders, count(DISTINCT date_trunc('hour', picked_at)) AS hours
    FROM order_lines LEFT JOIN customers AS picker ON picker.id = picker_id
    WHERE picked_at >= :starts_at AND picked_at < :ends_at
    GROUP BY 1, 2, 3 ORDER BY lower(picker.name) NULLS LAST, picker_id, number
""")  # noqa: S608  # made of constants

_COUNTS = ("placed", "open", "delivered", "cancelled", "failed")
_LINE_COUNTS = ("lines", "short", "substituted", "weighed_over", "weighed_under")
_REASONS = ("not_found", "damaged", "unwanted", "other", "substituted")
_TIMED = ("deliveries", "median_hours", "p90_hours")


def _read_fulfilment(connection: Connection, wanted: Wanted) -> Iterator[dict[str, Any]]:
    spans = wanted.period.spans(wanted.by)
    parameters = {**period_parameters(wanted), **span_parameters(spans)}
    rows = {row["number"]: row for row in connection.execute(_FULFILMENT, parameters).mappings()}
    return fill_spans(spans, wanted, rows, lambda row: _counts(row, (*_COUNTS, *_LINE_COUNTS)))


def _counts(row: Row | None, names: tuple[str, ...]) -> dict[str, int]:
    return {name: (row[name] or 0) if row else 0 for name in names}


def _read_shortages(connection: Connection, wanted: Wanted) -> Iterator[dict[str, Any]]:
    parameters = {**period_parameters(wanted), "limit": wanted.limit}
    keys = PRODUCT if wanted.by == "product" else ("category",)
    for row in connection.execute(_SHORTAGE_STATEMENTS[wanted.by], parameters).mappings():
        quantity = {"missing": quantity_number(row["missing"])} if wanted.by == "product" else {}
        yield {
            **{key: row[key] for key in keys},
            "lines": row["lines"],
            **quantity,
            "value": amount(row, "value"),
            "currency": wanted.currency,
            **_counts(row, _REASONS),
        }


def _read_times(connection: Connection, wanted: Wanted) -> Iterator[dict[str, Any]]:
    if wanted.by in SPANS:
        spans = wanted.period.spans(wanted.by)
        parameters = {**period_parameters(wanted), **span_parameters(spans)}
        rows = {row["number"]: row for row in connection.execute(_TIMES, parameters).mappings()}
        return fill_spans(spans, wanted, rows, _duration_json)
    found = connection.execute(_TIMES_BY_ZONE, period_parameters(wanted)).mappings()
    return ({"zone_id": row["zone_id"], "zone": row["zone"], **_duration_json(row)} for row in found)


def _duration_json(row: Row | None) -> dict[str, Any]:
    if row is None:
        return {"deliveries": 0, "median_hours": None, "p90_hours": None}
    hours = {f"{name}_hours": round(row[name].total_seconds() / 3600, 2) for name in ("median", "p90")}
    return {"deliveries": row["deliveries"], **hours}


def _read_pickers(connection: Connection, wanted: Wanted) -> Iterator[dict[str, Any]]:
    spans = wanted.period.spans("hour" if wanted.by == "hour" else "total")
    parameters = {**period_parameters(wanted), **span_parameters(spans)}
    for row in connection.execute(_PICKERS, parameters).mappings():
        hour = {"hour": spans.keys[row["number"]]} if wanted.by == "hour" else {}
        yield {
            "picker_id": row["picker_id"],
            "picker": row["picker"],
            **hour,
            "lines": row["lines"],
            "orders": row["orders"],
            "hours": row["hours"],
            "lines_per_hour": round(row["lines"] / row["hours"], 1),
        }


FULFILMENT = Report(
    "fulfilment",
    {
        "day": ("day", *_COUNTS, *_LINE_COUNTS),
        "month": ("month", *_COUNTS, *_LINE_COUNTS),
        "weekday": ("weekday", *_COUNTS, *_LINE_COUNTS),
        "hour": ("hour", *_COUNTS, *_LINE_COUNTS),
        "total": ("from", "until", *_COUNTS, *_LINE_COUNTS),
    },
    _read_fulfilment,
)
SHORTAGES = Report(
    "shortages",
    {
        "product": (*PRODUCT, "lines", "missing", "value", "currency", *_REASONS),
        "category": ("category", "lines", "value", "currency", *_REASONS),
    },
    _read_shortages,
)
TIMES = Report(
    "times",
    {
        "day": ("day", *_TIMED),
        "month": ("month", *_TIMED),
        "weekday": ("weekday", *_TIMED),
        "hour": ("hour", *_TIMED),
        "zone": ("zone_id", "zone", *_TIMED),
        "total": ("from", "until", *_TIMED),
    },
    _read_times,
)
_WORKED = ("lines", "orders", "hours", "lines_per_hour")
PICKERS = Report(
    "pickers",
    {"picker": ("picker_id", "picker", *_WORKED), "hour": ("picker_id", "picker", "hour", *_WORKED)},
    _read_pickers,
)
