"""A primary and its streaming replica, and an application that reads the catalogue from the replica."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

import psycopg2
import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade

from grocery.app import create_app
from grocery.auth.audit.models import AuditEntry
from grocery.config import Settings
from grocery.db import Base, db
from grocery.replica.monitor import Monitor
from tests.conftest import IsolatedClient
from tests.data.postgres import Cluster, clusters
from tests.waiting import wait_until


@dataclass
class Pair:
    """Two servers; nothing of `primary` comes to `replica` while it is paused."""

    primary: Cluster
    replica: Cluster

    def pause(self) -> None:
        self.wait()
        self.replica.execute("SELECT pg_wal_replay_pause()")
        wait_until(lambda: self._state() == "paused", "the replica is paused")

    def resume(self) -> None:
        with suppress(psycopg2.Error):  # it is not paused, or no replica any more
            self.replica.execute("SELECT pg_wal_replay_resume()")

    def wait(self) -> None:
        """Wait until the replica has all that is written now."""
        position = self.primary.execute("SELECT pg_current_wal_lsn()")[0][0]
        is_there = f"SELECT pg_last_wal_replay_lsn() >= '{position}'::pg_lsn"
        wait_until(lambda: self.replica.execute(is_there) == [(True,)], "the replica has caught up")

    def _state(self) -> str:
        state: str = self.replica.execute("SELECT pg_get_wal_replay_pause_state()")[0][0]
        return state


@contextmanager
def replicating() -> Iterator[Pair]:
    """A primary, and a replica that follows it."""
    with clusters() as making:
        primary, replica = making.new("primary"), making.new("replica")
        primary.create()
        replica.copy_of(primary, "-R")
        replica.start()
        yield Pair(primary, replica)


@pytest.fixture(scope="session")
def servers() -> Iterator[Pair]:
    with replicating() as pair:
        yield pair


@pytest.fixture(scope="session")
def replicated_app(servers: Pair, settings: Settings) -> Iterator[Flask]:
    urls = {"database_url": servers.primary.url, "database_direct_url": servers.primary.url}
    app = create_app(replace(settings, **urls, database_replica_url=servers.replica.url))
    with app.app_context():
        upgrade()
    yield app
    app.extensions["replica_monitor"].stop()
    app.extensions["replica"].close()
    with app.app_context():
        db.engine.dispose()
    for engine in ("reads", "replica_reads"):
        app.extensions[engine].dispose()


@pytest.fixture
def pair(servers: Pair, replicated_app: Flask) -> Iterator[Pair]:
    """The servers, at one, with an empty shop."""
    _empty(replicated_app, servers.primary)
    servers.wait()
    yield servers
    servers.resume()


def _empty(app: Flask, primary: Cluster) -> None:
    # The audit log lets nobody empty it.
    primary.execute(f"TRUNCATE {', '.join(Base.metadata.tables.keys() - {AuditEntry.__tablename__})}")
    app.extensions["vocabulary"].forget()
    with closing(redis.Redis.from_url(app.extensions["settings"].redis_url)) as marks:
        marks.flushall()


@pytest.fixture
def shopper(replicated_app: Flask, pair: Pair) -> Iterator[FlaskClient]:
    """A client of the application, whose replica is in use."""
    with replicated_app.app_context():
        monitor: Monitor = replicated_app.extensions["replica_monitor"]
        wait_until(lambda: monitor.is_fresh, "the replica is read")
        yield IsolatedClient(replicated_app, replicated_app.response_class)
        db.session.remove()


@pytest.fixture
def change_price(pair: Pair) -> Callable[[int, int], Any]:
    """Change a price in the primary alone, from now on: the replica stays where it is until the test ends."""

    def change(product_id: int, cents: int) -> None:
        pair.pause()
        pair.primary.execute(f"UPDATE products SET price_cents = {cents} WHERE id = {product_id}")

    return change
