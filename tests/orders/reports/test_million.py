"""Reports over a million orders: fast, right, and in bounded memory."""

import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import date
from decimal import Decimal
from typing import Any

import orjson
import pytest
from flask import Flask

from grocery.orders.reports.fulfilment import FULFILMENT, PICKERS, SHORTAGES, TIMES
from grocery.orders.reports.reading import Report
from grocery.orders.reports.sales import SALES
from grocery.orders.reports.service import make_wanted, write_lines

pytestmark = [pytest.mark.prove, pytest.mark.usefixtures("context")]

ORDERS, LINES, PRODUCTS = 1_000_000, 3, 5_000
JUNE = {"first": date(2026, 6, 1), "last": date(2026, 6, 30)}
LIMIT_SECONDS = 2.0
ALLOWED_MB = 64

#: One order every 31 seconds of a year; each third line weighed less than was ordered.
_FILL = f"""
    SET session_replication_role = replica;
    INSERT INTO categories (name, path) SELECT 'Category ' || n, 'Food/Category ' || n FROM generate_series(1, 200) n;
    INSERT INTO products (sku, name, category_id, category_path, price_cents)
    SELECT 'S-' || id || '-' || n, 'Product ' || id || '-' || n, id, path, 10000
    FROM categories CROSS JOIN generate_series(1, {PRODUCTS // 200}) AS n;
    INSERT INTO customers (name) SELECT 'Customer ' || n FROM generate_series(1, 50000) n;
    INSERT INTO orders (number, customer_id, status, subtotal_cents, discount_cents, delivery_fee_cents, vat_cents,
                        total_cents, currency, delivery_method, address, placed_at, delivered_at, process_at)
    SELECT 'G-' || n, (SELECT min(id) FROM customers) + n % 50000, 'delivered', 60000, 300, 15000, 9000, 74700, 'KES',
           'delivery', 'Moi Avenue ' || n, at, at + n % 7 * interval '1 h', NULL
    FROM (SELECT n, timestamptz '2025-11-26' + n * interval '31 s' AS at FROM generate_series(1, {ORDERS}) n) AS placed;
    INSERT INTO order_lines (order_id, product_id, name, category, unit, quantity, unit_price_cents, line_total_cents,
                             discount_cents, vat_class, vat_rate, vat_cents, picked_quantity, picked_at, picker_id)
    SELECT orders.id, product.id, product.name, product.category_path, 'kg', 2, 10000, 20000, 100, 'standard', 16,
           2300, 2 - k % 3 * 0.05, placed_at + interval '1 h', orders.customer_id % 20
    FROM orders CROSS JOIN generate_series(1, {LINES}) AS k
    JOIN products AS product
         ON product.id = (SELECT min(id) FROM products) + (orders.id * 7919 + k * 1049) % {PRODUCTS};
"""

_ALL_IN_JUNE = """
    UPDATE orders SET delivered_at = moved.at, placed_at = moved.at - interval '3 h'
    FROM (SELECT id, timestamptz '2026-06-01 12:00+03' + (placed_at - timestamptz '2025-11-26') / 13 AS at FROM orders)
         AS moved
    WHERE moved.id = orders.id
"""


@pytest.fixture
def million(app: Flask) -> Iterator[Callable[..., None]]:
    """A million delivered orders; runs further statements without a limit of time."""

    def run(*statements: str) -> None:
        with closing(app.extensions["engines"].connect_directly()) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute("SET maintenance_work_mem = '256MB'; SET work_mem = '256MB'")
                for statement in statements:
                    cursor.execute(statement)

    run(_FILL, "VACUUM (ANALYZE)", "CHECKPOINT")
    yield run
    run("TRUNCATE customers, categories CASCADE")


def say(line: str = "") -> None:
    """Shown with `pytest -s`, and beside a failure."""
    sys.stdout.write(f"{line}\n")


def read(report: Report, **arguments: Any) -> tuple[list[dict[str, Any]], float]:
    """The rows, and the seconds that reading and writing them took: the best of three."""
    wanted = make_wanted({"by": report.ways[0], **JUNE, **arguments})
    times = []
    for _ in range(3):
        started = time.perf_counter()
        written = "".join(write_lines(report, wanted, as_csv=False))
        times.append(time.perf_counter() - started)
    say(f"{report.name} by {wanted.by}, {wanted.period.first} to {wanted.period.last}: {min(times):.3f} s")
    return orjson.loads(written), min(times)


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def add_up(rows: list[dict[str, Any]], name: str) -> Decimal:
    return sum((Decimal(str(row[name])) for row in rows), Decimal(0))


def check_sales(run_sql: Any) -> dict[str, float]:
    """June by everything; all rows add up to what the tables have. Answers the seconds by what the rows were by."""
    [(orders, total, quantity)] = run_sql(
        "SELECT count(*), sum(total_cents), (SELECT sum(picked_quantity) FROM order_lines JOIN orders AS o"
        " ON o.id = order_id WHERE o.delivered_at >= '2026-05-31 21:00+00' AND o.delivered_at < '2026-06-30 21:00+00')"
        " FROM orders WHERE delivered_at >= '2026-05-31 21:00+00' AND delivered_at < '2026-06-30 21:00+00'"
    )
    seconds = {}
    for by in SALES.ways:
        rows, seconds[by] = read(SALES, by=by)
        is_of_lines = by in ("category", "product")
        gross = orders * LINES * Decimal(199) if is_of_lines else Decimal(total) / 100
        assert add_up(rows, "gross") == gross
        if by == "product":
            assert add_up(rows, "quantity") == quantity
        if not is_of_lines:
            assert add_up(rows, "orders") == orders
    return seconds


def test_a_month_out_of_a_million_orders_takes_less_than_two_seconds(million: Any, run_sql: Any) -> None:
    before = peak_mb()
    say()
    seconds = check_sales(run_sql)
    for report in (FULFILMENT, SHORTAGES, TIMES, PICKERS):
        seconds[report.name] = read(report)[1]
    assert {name: took for name, took in seconds.items() if took >= LIMIT_SECONDS} == {}

    say("The same with all of the million in one month:")
    million(_ALL_IN_JUNE, "VACUUM (ANALYZE) orders", "CHECKPOINT")
    seconds = check_sales(run_sql)
    by_time = {by: took for by, took in seconds.items() if by not in ("category", "product")}
    assert {by: took for by, took in by_time.items() if took >= LIMIT_SECONDS} == {}
    say(f"more memory than before: {peak_mb() - before:.0f} MB")
    assert peak_mb() - before < ALLOWED_MB
