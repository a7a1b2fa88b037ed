"""What `/metrics` says of the replica, as the process sees it that answers."""

from flask import Flask
from prometheus_client.metrics_core import GaugeMetricFamily, Metric

from grocery.replica.monitor import Monitor


def read_figures(app: Flask) -> list[Metric]:
    monitor: Monitor | None = app.extensions.get("replica_monitor")
    if monitor is None:
        return []
    up = GaugeMetricFamily("grocery_replica_up", "1 while catalogue reads may go to the replica, else 0.")
    up.add_metric([], int(monitor.is_fresh))
    lag = GaugeMetricFamily("grocery_replica_lag_seconds", "How far the replica is behind; none while it is away.")
    if monitor.lag_seconds is not None:
        lag.add_metric([], monitor.lag_seconds)
    return [up, lag]
