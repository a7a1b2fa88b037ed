"""Fixtures of the suite: real PostgreSQL and Valkey (the embedded engines), one database, emptied for each test."""

import contextvars
from collections.abc import Callable, Iterator
from contextlib import closing
from functools import cache
from typing import Any

import psycopg2
import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade
from sqlalchemy import text
from werkzeug.test import TestResponse

from grocery.app import create_app
from grocery.config import Settings, load_settings, setting_names
from grocery.db import Base, db
from grocery.embedded import Stack, ensure_stack
from tests.e2e.shop import Shop, running_shop
from tests.scheduling import pytest_collection_modifyitems, pytest_xdist_make_scheduler
from tests.valkey_process import ValkeyProcess

__all__ = ["pytest_collection_modifyitems", "pytest_xdist_make_scheduler"]


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """PostgreSQL and Valkey for this run."""
    running = ensure_stack(tmp_path_factory.mktemp("stack"))
    # No test cuts the power of this server (those that kill one have their own), so none need wait for its disk.
    with closing(psycopg2.connect(running.database_url)) as connection, connection, connection.cursor() as cursor:
        cursor.execute("ALTER ROLE CURRENT_USER SET synchronous_commit = off")
    yield running
    running.stop()


@pytest.fixture(scope="session")
def shop_of_this_run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """The whole shop as processes, once in a run; tests/e2e makes it ready for a test."""
    # All tests register from one address; those of the limit set their own.
    with running_shop(tmp_path_factory.mktemp("shop"), SMS_UNKNOWN_WAIT="1", RATE_LIMIT_REGISTER="none") as shop:
        yield shop


@pytest.fixture(scope="session")
def environ(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The settings of the tests as environment variables; also for the processes that tests start.

    Each has a value, if only an empty one: those that are not set would come from the developer's own `.env`.
    """
    return {
        **dict.fromkeys(setting_names(), ""),
        "DATA_DIR": str(tmp_path_factory.mktemp("data")),
        "DATABASE_URL": stack.database_url,
        "REDIS_URL": stack.redis_url,
        "SECRET_KEY": "secret-for-tests-only-0123456789abcdef",
        "JWT_SECRET_KEYS": "test:secret-for-tests-only-fedcba9876543210",
        "AT_CALLBACK_SECRET": "callback-secret-for-tests",
        "MAIL_CALLBACK_SECRET": "bounce-secret-for-tests",
        # Whatever the time is when the tests run; those of quiet hours set their own.
        "QUIET_HOURS": "none",
        # Tests sign in and order as often as they like; those of the limits set their own.
        **dict.fromkeys([name for name in setting_names() if name.startswith("RATE_LIMIT_")], "none"),
        # Nor are they sent away when many sign in at once.
        "PASSWORDS_WAITING": "100",
        "REQUESTS_AT_ONCE": "100",
        "ADMIN_EMAILS": "owner@shop.example",
        "SHOP_NAME": "Test Grocer",
        "SHOP_URL": "http://shop.example",
        "LOG_LEVEL": "WARNING",
        # Tests write with SQL and read at once; kept answers hear of that a moment later. tests/answers has them on.
        "KEPT_ANSWERS_MB": "0",
        # One customer orders as often as a test likes; those of the limit set their own.
        "MAX_OPEN_UNPAID_ORDERS": "0",
    }


@pytest.fixture(scope="session")
def settings(environ: dict[str, str]) -> Settings:
    return load_settings(environ)


@pytest.fixture(scope="session")
def migrated_app(settings: Settings) -> Flask:
    app = create_app(settings)
    with app.app_context():
        upgrade()
        with db.engine.begin() as connection:
            connection.exec_driver_sql(_EMPTYING)
    return app


# Deleting is faster than TRUNCATE for the few rows of a test, and a function's statements are planned only once for a
# connection. The audit log lets nobody delete but its retention.
_EMPTYING = f"""
    CREATE SCHEMA tests;
    CREATE FUNCTION tests.empty() RETURNS void LANGUAGE plpgsql SET grocery.retention = 'on' AS $$ BEGIN
    {"".join(f'DELETE FROM "{table.name}"; ' for table in reversed(Base.metadata.sorted_tables))}
    END $$
"""


def empty(app: Flask) -> None:
    """Take all out of the database and of Redis."""
    with app.app_context(), db.engine.begin() as connection:
        connection.exec_driver_sql("SELECT tests.empty()")
    app.extensions["vocabulary"].forget()
    app.extensions["metrics"].forget()
    _redis_of(app.extensions["settings"].redis_url).flushall()


@cache
def _redis_of(url: str) -> redis.Redis:
    return redis.Redis.from_url(url)


@pytest.fixture
def app(migrated_app: Flask) -> Flask:
    """The application, on an empty database and an empty Redis."""
    empty(migrated_app)
    return migrated_app


class IsolatedClient(FlaskClient):
    """Gives each request an application context of its own, although the test holds one open for the factories."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        return contextvars.Context().run(super().open, *args, **kwargs)


@pytest.fixture
def client(app: Flask, context: None) -> FlaskClient:
    return IsolatedClient(app, app.response_class)


@pytest.fixture
def context(app: Flask) -> Iterator[None]:
    """An application context, for tests that call services."""
    with app.app_context():
        yield
        db.session.remove()


@pytest.fixture
def valkey() -> Iterator[ValkeyProcess]:
    """One of the test's own, which it may stop, restart or freeze."""
    server = ValkeyProcess()
    server.start()
    yield server
    server.close()


@pytest.fixture
def run_sql(app: Flask) -> Callable[..., list[tuple[Any, ...]]]:
    """Rows of a statement, outside of the session under test."""

    def run(statement: str, **parameters: object) -> list[tuple[Any, ...]]:
        with app.app_context(), db.engine.begin() as connection:
            result = connection.execute(text(statement), parameters)
            return [tuple(row) for row in result] if result.returns_rows else []

    return run
