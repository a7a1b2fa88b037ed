"""Which imports wait for a worker, for `/metrics`."""

from flask import Flask
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from sqlalchemy import text

from grocery.metrics import figures_reader

# A lease that is over belongs to a worker that is gone; what it had begun waits as well. By an index of their own.
_OPEN = text("""
    SELECT count(*) AS number, coalesce(extract(epoch FROM now() - min(since)), 0) AS waited_seconds
    FROM product_imports,
         LATERAL (SELECT CASE status WHEN 'waiting' THEN created_at ELSE leased_until END AS since) AS waiting
    WHERE status IN ('waiting', 'running') AND (status = 'waiting' OR leased_until < now())
""")


def metric_families(_app: Flask) -> list[Metric]:
    """The answer to the signal `metrics_asked`."""
    with figures_reader() as connection:
        waiting = connection.execute(_OPEN).mappings().one()
    return [
        GaugeMetricFamily("grocery_imports_waiting", "Imports that no worker is busy with.", value=waiting["number"]),
        GaugeMetricFamily(
            "grocery_imports_waiting_oldest_seconds",
            "For how long the first of them has waited, in seconds.",
            value=float(waiting["waited_seconds"]),
        ),
    ]
