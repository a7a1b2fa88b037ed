"""Figures for Prometheus: packages answer the signal, `/metrics` writes what they answer.

All are read from PostgreSQL at the moment of the scrape, so that every process answers the same.
"""

from blinker import Namespace
from flask import Flask
from prometheus_client import CollectorRegistry
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import Metric

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4

metrics_asked = Namespace().signal(
    "metrics-asked",
    """Asks for figures. Sent with the app as the sender; a receiver answers a list of `prometheus_client` families:

    GaugeMetricFamily("grocery_notifications_waiting", "Messages that wait to be sent.", labels=["channel"])
    """,
)


class _Answered:
    """A collector of what was answered, once."""

    def __init__(self, families: list[Metric]):
        self._families = families

    def collect(self) -> list[Metric]:
        return self._families

    describe = collect


def write_metrics(app: Flask) -> bytes:
    """All figures in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    families = [family for _receiver, answered in metrics_asked.send(app) for family in answered]
    registry.register(_Answered(families))
    return generate_latest(registry)
