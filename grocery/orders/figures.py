"""How the orders are doing, for `/metrics`."""

from flask import Flask
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from sqlalchemy import Connection, text

from grocery.db import Row
from grocery.metrics import figures_reader, first_id_since
from grocery.orders.models import Order
from grocery.orders.processing import TELL_AFTER_ATTEMPTS
from grocery.orders.states import STATUSES

_DAY = 86_400

# Few, by their own index.
_WAITING = text("""
    SELECT count(*) AS number, coalesce(extract(epoch FROM now() - min(placed_at)), 0) AS oldest_seconds,
           count(*) FILTER (WHERE process_attempts >= :attempts) AS stuck
    FROM orders WHERE process_at IS NOT NULL AND status = 'pending'
""")

# Each from the index on status and id alone: a million orders a day are counted, not read.
_LAST_DAY = text("""
    SELECT status, (SELECT count(*) FROM orders WHERE orders.status = statuses.status AND id >= :first_id) AS number
    FROM unnest(CAST(:statuses AS text[])) AS statuses (status)
""")


def metric_families(_app: Flask) -> list[Metric]:
    """The answer to the signal `metrics_asked`."""
    with figures_reader() as connection:
        waiting: Row = connection.execute(_WAITING, {"attempts": TELL_AFTER_ATTEMPTS}).mappings().one()
        last_day = _count_last_day(connection)
    return [
        GaugeMetricFamily("grocery_orders_waiting", "Orders that are to be confirmed yet.", value=waiting["number"]),
        GaugeMetricFamily(
            "grocery_orders_waiting_oldest_seconds",
            "Age of the oldest order that is to be confirmed yet, in seconds.",
            value=float(waiting["oldest_seconds"]),
        ),
        GaugeMetricFamily(
            "grocery_orders_stuck", "Orders that could not be confirmed several times.", value=waiting["stuck"]
        ),
        last_day,
    ]


def _count_last_day(connection: Connection) -> Metric:
    first_id = first_id_since(connection, Order.id, Order.placed_at, _DAY)
    counts = connection.execute(_LAST_DAY, {"first_id": first_id, "statuses": list(STATUSES)})
    family = GaugeMetricFamily("grocery_orders_last_day", "Orders of the last 24 hours by status.", labels=["status"])
    for status, number in counts:
        family.add_metric([status], number)
    return family
