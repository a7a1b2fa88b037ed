"""How PostgreSQL is doing, as far as the shop can see it, and whether a relay works."""

from flask import Flask
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from sqlalchemy import Connection, text

from grocery.db import Row
from grocery.metrics import figures_reader
from grocery.relay import LOCK_KEY

STATES = ("active", "idle", "idle in transaction", "other")

_CONNECTIONS = text("""
    SELECT CASE WHEN state IN ('active', 'idle') THEN state
                WHEN state LIKE 'idle in transaction%' THEN 'idle in transaction' ELSE 'other' END AS state,
           count(*) AS number, coalesce(extract(epoch FROM now() - min(xact_start)), 0) AS oldest_seconds
    FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'
    GROUP BY 1
""")

# Of all databases of the server, for they share its limit.
_SERVER = text("""
    SELECT (SELECT sum(numbackends) FROM pg_stat_database) AS used,
           current_setting('max_connections')::integer
           - current_setting('superuser_reserved_connections')::integer AS room,
           pg_database_size(current_database()) AS bytes
""")

# A lock on one 64-bit number; PostgreSQL shows its halves.
_IS_RELAY_AT_WORK = text("""
    SELECT EXISTS (
        SELECT FROM pg_locks
        WHERE locktype = 'advisory' AND granted AND objsubid = 1 AND classid = :high AND objid = :low
          AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
    )
""")


def metric_families(_app: Flask) -> list[Metric]:
    """The answer to the signal `metrics_asked`."""
    with figures_reader() as connection:
        is_leading = connection.execute(
            _IS_RELAY_AT_WORK, {"high": LOCK_KEY >> 32, "low": LOCK_KEY & 0xFFFFFFFF}
        ).scalar()
        return [
            GaugeMetricFamily("grocery_relay_leading", "1 while a relay is at work.", value=bool(is_leading)),
            *_connection_families(connection),
            *_server_families(connection),
        ]


def _connection_families(connection: Connection) -> list[Metric]:
    found = {row["state"]: row for row in connection.execute(_CONNECTIONS).mappings()}
    number = GaugeMetricFamily(
        "grocery_db_connections", "Connections to the shop's database by what they do.", labels=["state"]
    )
    for state in STATES:
        number.add_metric([state], found[state]["number"] if state in found else 0)
    oldest = max((float(row["oldest_seconds"]) for row in found.values()), default=0.0)
    return [
        number,
        GaugeMetricFamily(
            "grocery_db_oldest_transaction_seconds", "Age of the oldest open transaction, in seconds.", value=oldest
        ),
    ]


def _server_families(connection: Connection) -> list[Metric]:
    server: Row = connection.execute(_SERVER).mappings().one()
    return [
        GaugeMetricFamily(
            "grocery_db_server_connections", "Connections to the PostgreSQL server.", value=float(server["used"])
        ),
        GaugeMetricFamily(
            "grocery_db_server_connections_limit", "How many it takes at the most.", value=server["room"]
        ),
        GaugeMetricFamily("grocery_db_bytes", "Size of the shop's database, in bytes.", value=server["bytes"]),
    ]
