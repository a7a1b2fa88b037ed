"""Figures for Prometheus.

What processes count (requests) is added up over all processes of the server, see `cells`; what stands in PostgreSQL and
Redis is asked for with a signal that packages answer, see `asking`. So every process answers the same.
"""

from grocery.metrics.asking import CONTENT_TYPE, Figures, init_app, metrics_asked, write_metrics
from grocery.metrics.reading import figures_reader, first_id_since

__all__ = [
    "CONTENT_TYPE",
    "Figures",
    "figures_reader",
    "first_id_since",
    "init_app",
    "metrics_asked",
    "write_metrics",
]
