"""Probes: alive, and ready to serve."""

from pathlib import Path

from alembic.script import ScriptDirectory
from flask import Flask, Response, current_app, jsonify
from flask.typing import ResponseReturnValue
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from grocery.api import Blueprint, public
from grocery.db import reader
from grocery.draining import is_draining
from grocery.errors import BusyError
from grocery.metrics import CONTENT_TYPE, write_metrics
from grocery.queues import doorbell
from grocery.running import running_app

blp = Blueprint("health", __name__, description="Probes for operators.")

MIGRATIONS = Path(__file__).parent.parent / "migrations"


@blp.route("/healthz")
@public
@blp.response(200, description="The process answers.")
def healthz() -> ResponseReturnValue:
    """Is the process alive?"""
    return jsonify(status="alive")


@blp.route("/readyz")
@public
@blp.response(200, description="PostgreSQL answers and is migrated; `redis` is `ok` or `degraded`.")
@blp.problems(_503="Not now: `draining`, `database_unavailable` or `migration_pending`.")
def readyz() -> ResponseReturnValue:
    """Can this process serve? Without Redis it can: what waits is delivered when Redis is back."""
    if is_draining():
        raise BusyError("This server is about to end.", code="draining")
    check_database()
    redis = "ok" if doorbell().is_reachable() else "degraded"
    return jsonify(status="ready", database="ok", migrations="ok", redis=redis)


@blp.route("/metrics")
@public
@blp.response(
    200, description="Figures in Prometheus' text format, also without PostgreSQL and Redis.", content_type="text/plain"
)
def metrics() -> ResponseReturnValue:
    """Read the figures for Prometheus

    The same whichever process answers. Let the proxy keep strangers out.
    """
    return Response(write_metrics(running_app()), content_type=CONTENT_TYPE)


def check_database() -> None:
    """Raise BusyError unless PostgreSQL answers and its migration is this program's or a newer one."""
    try:
        with reader() as connection:
            applied = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
    except DBAPIError as error:
        if "alembic_version" in str(error.orig):
            raise BusyError("The database has no tables yet.", code="migration_pending", database="ok") from error
        raise BusyError("The database is away.", code="database_unavailable", database="unavailable") from error
    is_head: dict[str, bool] = current_app.extensions["migrations"]
    # A revision that this program does not know was made by a newer one, whose migrations fit the version before.
    if applied is None or not is_head.get(applied, True):
        raise BusyError("The database awaits a migration.", code="migration_pending", database="ok")


def init_app(app: Flask) -> None:
    script = ScriptDirectory(str(MIGRATIONS))
    heads = set(script.get_heads())
    app.extensions["migrations"] = {
        revision.revision: revision.revision in heads for revision in script.walk_revisions()
    }
