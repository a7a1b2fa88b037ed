"""Which program this is, and whether the database is that of this program."""

import platform

from flask import Flask
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError

from grocery import __version__
from grocery.metrics import figures_reader

_APPLIED = text("SELECT version_num FROM alembic_version")


def metric_families(app: Flask) -> list[Metric]:
    """The answer to the signal `metrics_asked`."""
    build = GaugeMetricFamily("grocery_build_info", "1; the version of the program.", labels=["version", "python"])
    build.add_metric([__version__, platform.python_version()], 1)
    return [build, *_migration_families(app.extensions["migrations"])]


def _migration_families(is_head: dict[str, bool]) -> list[Metric]:
    try:
        with figures_reader() as connection:
            applied = connection.execute(_APPLIED).scalar()
    except ProgrammingError:  # there are no tables yet
        applied = None
    head = next(revision for revision, is_it in is_head.items() if is_it)
    info = GaugeMetricFamily(
        "grocery_migration_info",
        "1; migrations of the database and the program.",
        labels=["applied", "program"],
    )
    info.add_metric([applied or "none", head], 1)
    # One that this program does not know was made by a newer one.
    is_pending = applied is None or not is_head.get(applied, True)
    return [
        info,
        GaugeMetricFamily("grocery_migration_pending", "1 while the database awaits a migration.", value=is_pending),
    ]
