"""The shop behind a real PgBouncer in transaction mode. All share two sessions: whatever one kept would show."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests
from flask import Flask

from grocery.app import create_app
from grocery.config import Settings
from grocery.db import db, reader, transaction
from grocery.embedded import Stack, ensure_stack
from grocery.engines import Engines
from grocery.orders.reports.reading import report_connection
from tests.data.pgbouncer import CONFIGURATION, PgBouncer, needs_pgbouncer
from tests.data.trade import Trade, crowd, start_all
from tests.e2e.shop import Shop, running_shop
from tests.waiting import wait_until

pytestmark = needs_pgbouncer

_SETTINGS = ("timezone", "statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")


def server_of(url: str) -> str:
    """The part of an embedded PostgreSQL's address that PgBouncer wants."""
    query = parse_qs(urlsplit(url).query)
    return f"host={query['host'][0]} port={query['port'][0]}"


@pytest.fixture(scope="module")
def pgbouncer(stack: Stack) -> Iterator[PgBouncer]:
    running = PgBouncer(server_of(stack.database_url))
    running.start()
    yield running
    running.close()


@pytest.fixture
def pooled_app(pgbouncer: PgBouncer, settings: Settings, app: Flask) -> Iterator[Flask]:
    pooled = create_app(replace(settings, database_url=pgbouncer.url))
    with pooled.app_context():
        yield pooled
        db.session.remove()
        db.engine.dispose()
    for engine in ("reads", "replica_reads"):
        pooled.extensions[engine].dispose()


def read_settings(cursor: Any) -> list[str]:
    found = []
    for name in _SETTINGS:
        cursor.execute(f"SHOW {name}")
        found.append(cursor.fetchone()[0])
    return found


def test_sessions_have_the_settings_that_the_program_asks_for(pgbouncer: PgBouncer, settings: Settings) -> None:
    pooled, direct = Engines(replace(settings, database_url=pgbouncer.url)), Engines(settings)
    with closing(pooled.connect()) as one, closing(direct.connect()) as other:
        assert read_settings(one.cursor()) == read_settings(other.cursor()) == ["UTC", "15s", "10s", "1min"]


def test_what_a_report_sets_stays_in_its_transaction(pooled_app: Flask) -> None:
    for _ in range(3):
        with report_connection() as connection:
            assert connection.exec_driver_sql("SHOW work_mem").scalar() == "64MB"
            assert connection.exec_driver_sql("SHOW transaction_isolation").scalar() == "repeatable read"
        with reader() as connection:
            assert connection.exec_driver_sql("SHOW work_mem").scalar() == "4MB"
            assert connection.exec_driver_sql("SHOW default_transaction_isolation").scalar() == "read committed"
            assert connection.exec_driver_sql("SHOW default_transaction_read_only").scalar() == "off"
        with transaction() as session:
            assert session.connection().exec_driver_sql("SHOW transaction_isolation").scalar() == "read committed"


def test_many_connections_share_two_sessions(pgbouncer: PgBouncer, settings: Settings) -> None:
    engines, pids = Engines(replace(settings, database_url=pgbouncer.url)), set()
    connections = [engines.connect() for _ in range(8)]
    for connection in connections * 2:
        with closing(connection.cursor()) as cursor:
            cursor.execute("SELECT pg_backend_pid()")
            pids.add(cursor.fetchone()[0])
        connection.commit()
    for connection in connections:
        connection.close()
    assert len(pids) <= 2


def test_a_host_that_vanishes_is_noticed_as_soon_as_without_a_pooler(pgbouncer: PgBouncer, settings: Settings) -> None:
    with closing(Engines(replace(settings, database_url=pgbouncer.url)).connect()) as connection:
        asked = parse_options(connection.info.options)
    lines = CONFIGURATION.read_text().splitlines()
    set_here = dict(line.split(" = ") for line in lines if line.startswith("tcp_"))
    names = ("tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count", "tcp_user_timeout")
    own_names = ("tcp_keepidle", "tcp_keepintvl", "tcp_keepcnt", "tcp_user_timeout")
    assert [asked[name] for name in names] == [set_here[name] for name in own_names]


def test_every_setting_that_the_program_asks_for_is_ignored_by_its_name(settings: Settings) -> None:
    """PgBouncer 1.20 and newer look into the options, and refuse a client with one that they do not know."""
    with closing(Engines(settings).connect()) as connection:
        asked = parse_options(connection.info.options)
    [line] = [line for line in CONFIGURATION.read_text().splitlines() if line.startswith("ignore_startup_parameters")]
    assert asked.keys() - set(line.partition(" = ")[2].split(", ")) == {"timezone"}  # that one it keeps track of


def parse_options(options: str) -> dict[str, str]:
    return dict(part.split("=") for part in options.split() if part != "-c")


def test_the_replica_has_the_same_settings_as_its_primary() -> None:
    lines = CONFIGURATION.read_text().splitlines()
    [primary] = [line for line in lines if line.startswith("grocery = ")]
    [replica] = [line for line in lines if line.startswith("; grocery_replica = ")]
    assert replica.removeprefix("; grocery_replica = ") == primary.removeprefix("grocery = ").replace(
        "host=postgres ", "host=postgres-replica "
    )


@pytest.fixture(scope="module")
def pooled_shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Shop, PgBouncer]]:
    directory = tmp_path_factory.mktemp("shop")
    stack = ensure_stack(directory / "engines")
    pgbouncer = PgBouncer(server_of(stack.database_url))
    pgbouncer.start()
    urls = {"DATABASE_URL": pgbouncer.url, "DATABASE_DIRECT_URL": stack.database_url, "RATE_LIMIT_ORDERS": "none"}
    try:
        with running_shop(directory, **urls) as shop:
            start_all(shop)
            yield shop, pgbouncer
    finally:
        pgbouncer.close()
        stack.stop()


@pytest.fixture(scope="module")
def trade(pooled_shop: tuple[Shop, PgBouncer]) -> Trade:
    return Trade(pooled_shop[0])


@pytest.mark.prove
@pytest.mark.e2e
def test_the_whole_job_goes_through_it(pooled_shop: tuple[Shop, PgBouncer], trade: Trade) -> None:
    shop, pgbouncer = pooled_shop
    assert shop.get("/products/?q=flour").json()[0]["name"] == "Maize Flour 2 kg"
    wait_until(lambda: shop.get("/products/?q=flour").headers["X-Cache"] == "hit", "answers are kept")
    address = f"{shop.url}/cart/items/{trade.product_id}"
    cart = requests.put(address, json={"quantity": 2}, headers=trade.customer, timeout=20)
    assert cart.status_code == 200, cart.text
    placed = shop.post("/orders/", json={}, headers={**trade.customer, "Idempotency-Key": "once"})
    again = shop.post("/orders/", json={}, headers={**trade.customer, "Idempotency-Key": "once"})
    assert (placed.status_code, again.status_code, again.text) == (201, 201, placed.text)
    trade.place()
    _import(shop, trade)
    exported = shop.get("/products/export", headers=trade.owner)
    assert (exported.status_code, len(exported.text.splitlines())) == (200, 1 + 1 + 1500)
    report = shop.get("/reports/stock", headers=trade.owner)
    assert report.status_code == 200, report.text
    assert "ERROR" not in pgbouncer.log


def _import(shop: Shop, trade: Trade) -> None:
    rows = "".join(f"S-{number},Thing {number},Flour,10.00,5\n" for number in range(1500))
    headers = {**trade.owner, "Content-Type": "text/csv"}
    started = shop.post("/products/import", data=f"sku,name,category,price,stock\n{rows}", headers=headers)
    assert started.status_code == 202, started.text
    path = started.headers["Location"]

    def is_done() -> bool:
        state = shop.get(path, headers=trade.owner).json()
        assert state["status"] != "failed", state
        return bool(state["status"] == "done")

    wait_until(is_done, "the import is done")
    assert shop.sql("SELECT count(*) FROM products") == [(1501,)]


@pytest.mark.prove
@pytest.mark.e2e
def test_a_restart_of_pgbouncer_is_recovered_from(pooled_shop: tuple[Shop, PgBouncer], trade: Trade) -> None:
    _, pgbouncer = pooled_shop
    with crowd(trade) as people:
        wait_until(lambda: people.count(200) > 50, "people look")
        pgbouncer.stop()
        pgbouncer.start()
        before = people.count(200)
        wait_until(lambda: people.count(200) > before + 100, "people look again")
        settled = dict(people.failed)
        before = people.count(200)
        wait_until(lambda: people.count(200) > before + 200, "they go on looking")
        assert people.failed == settled  # once it is back, nothing fails any more
    assert {status for _, status in people.failed} <= {503}
