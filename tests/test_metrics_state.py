"""The figures of how the shop is doing: read at the scrape, the same from every process, and never in anybody's way."""

import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from flask import Flask
from flask.testing import FlaskClient
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from redis import Redis
from sqlalchemy import text

from grocery.app import create_app
from grocery.config import Settings
from grocery.db import db
from grocery.metrics import figures_reader, first_id_since, metrics_asked, reading
from grocery.orders.models import Order
from grocery.queues import ORDERS, doorbell
from grocery.relay import LOCK_KEY
from tests.auth.factories import make_customer
from tests.valkey_process import ValkeyProcess

RunSql = Callable[..., list[tuple[Any, ...]]]


def figures(client: FlaskClient, *, anew: bool = True) -> dict[str, float]:
    if anew:
        client.application.extensions["metrics"].forget()
    answer = client.get("/metrics")
    assert answer.status_code == 200
    return {
        match[1]: float(match[2]) for match in re.finditer(r"^(\w+(?:\{[^}]*\})?) (\S+)$", answer.text, re.MULTILINE)
    }


@pytest.fixture
def make_orders(context: None, run_sql: RunSql) -> Callable[..., None]:
    """Orders with the statuses, placed some seconds ago, in the order of the calls."""
    customer = make_customer().id

    def make(*statuses: str, seconds_ago: int = 0, process_at: str | None = None, attempts: int = 0) -> None:
        run_sql(
            """
            INSERT INTO orders (number, customer_id, status, subtotal_cents, vat_cents, total_cents, currency,
                                placed_at, process_at, process_attempts)
            SELECT 'G-' || gen_random_uuid(), :customer, status, 100, 0, 100, 'KES',
                   now() - make_interval(secs => :seconds_ago), CAST(:process_at AS timestamptz), :attempts
            FROM unnest(CAST(:statuses AS text[])) WITH ORDINALITY AS given (status, number) ORDER BY number
            """,
            customer=customer,
            statuses=list(statuses),
            seconds_ago=seconds_ago,
            process_at=process_at,
            attempts=attempts,
        )

    return make


def test_orders_of_the_last_day_are_counted_by_status(client: FlaskClient, make_orders: Callable[..., None]) -> None:
    make_orders("delivered", "cancelled", "pending", seconds_ago=86_410)
    make_orders("delivered", "delivered", "cancelled", seconds_ago=86_000)
    make_orders("pending", "shipped")

    seen = figures(client)

    counts = {
        status: seen[f'grocery_orders_last_day{{status="{status}"}}']
        for status in ("pending", "confirmed", "packed", "shipped", "delivered", "cancelled")
    }
    assert counts == {"pending": 1, "confirmed": 0, "packed": 0, "shipped": 1, "delivered": 2, "cancelled": 1}


def test_orders_that_wait_are_counted_with_the_age_of_the_oldest(
    client: FlaskClient, make_orders: Callable[..., None]
) -> None:
    make_orders("pending", seconds_ago=300, process_at="now", attempts=5)
    make_orders("pending", seconds_ago=90, process_at="now", attempts=4)
    make_orders("pending", seconds_ago=900)  # a person has to look at it
    make_orders("confirmed", seconds_ago=900, process_at=None)

    seen = figures(client)

    assert (seen["grocery_orders_waiting"], seen["grocery_orders_stuck"]) == (2, 1)
    assert 300 <= seen["grocery_orders_waiting_oldest_seconds"] < 330


@pytest.mark.parametrize("ages", [[], [5], [500], [500, 400, 300, 200, 50, 5], [500, 400, 300], [50, 40, 30]])
def test_the_first_row_of_a_time_is_found(
    app: Flask, make_orders: Callable[..., None], run_sql: RunSql, ages: list[int]
) -> None:
    for age in ages:
        make_orders("pending", seconds_ago=age)
    run_sql("DELETE FROM orders WHERE id % 5 = 0")  # ids have gaps
    found = run_sql("SELECT min(id) FROM orders WHERE placed_at > now() - interval '100 seconds'")[0][0]
    with app.app_context(), figures_reader() as connection:
        first = first_id_since(connection, Order.id, Order.placed_at, 100)
    highest = run_sql("SELECT coalesce(max(id), -1) FROM orders")[0][0]
    assert run_sql("SELECT min(id) FROM orders WHERE id >= :first", first=first)[0][0] == found
    assert found is not None or first > highest


def test_imports_that_wait_and_those_whose_worker_is_gone(client: FlaskClient, run_sql: RunSql) -> None:
    run_sql("""
        INSERT INTO product_imports (status, dry_run, strict, mapping, delimiter, ignored_columns, size, created_at,
                                     leased_until)
        SELECT status, false, false, '{}', ',', '{}', 1, now() - make_interval(secs => age),
               now() + make_interval(secs => lease)
        FROM (VALUES ('waiting', 120, NULL), ('running', 500, 20), ('running', 900, -70), ('done', 950, -900))
             AS given (status, age, lease)
    """)

    seen = figures(client)

    assert seen["grocery_imports_waiting"] == 2
    assert 120 <= seen["grocery_imports_waiting_oldest_seconds"] < 150


def test_a_relay_at_work_is_seen_by_its_lock(client: FlaskClient, app: Flask) -> None:
    assert figures(client)["grocery_relay_leading"] == 0
    with closing(app.extensions["engines"].connect_directly()) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", (LOCK_KEY + 1,))
        connection.commit()
        assert figures(client)["grocery_relay_leading"] == 0
        cursor.execute("SELECT pg_try_advisory_lock(%s)", (LOCK_KEY,))
        connection.commit()
        assert figures(client)["grocery_relay_leading"] == 1


def test_connections_are_counted_by_what_they_do(client: FlaskClient, app: Flask) -> None:
    before = figures(client)
    with closing(app.extensions["engines"].connect()) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        time.sleep(0.2)
        seen = figures(client)
    idle = 'grocery_db_connections{state="idle in transaction"}'
    assert seen[idle] - before[idle] == 1
    assert 0.2 <= seen["grocery_db_oldest_transaction_seconds"] < 30
    assert 0 < seen["grocery_db_server_connections"] < seen["grocery_db_server_connections_limit"] < 1000
    assert seen["grocery_db_bytes"] > 1_000_000


def test_the_migration_is_told(client: FlaskClient, run_sql: RunSql) -> None:
    [(head,)] = run_sql("SELECT version_num FROM alembic_version")
    seen = figures(client)
    assert seen[f'grocery_migration_info{{applied="{head}",program="{head}"}}'] == 1
    assert seen["grocery_migration_pending"] == 0
    try:
        run_sql("UPDATE alembic_version SET version_num = '0001'")
        assert figures(client)["grocery_migration_pending"] == 1
        run_sql("UPDATE alembic_version SET version_num = 'of a newer program'")
        assert figures(client)["grocery_migration_pending"] == 0
        run_sql("DELETE FROM alembic_version")
        assert figures(client)["grocery_migration_pending"] == 1
    finally:
        run_sql("DELETE FROM alembic_version; INSERT INTO alembic_version VALUES (:head)", head=head)


def test_queues_their_age_and_their_workers(client: FlaskClient, app: Flask, context: None) -> None:
    redis = Redis.from_url(app.extensions["settings"].redis_url)
    doorbell().ring(ORDERS)
    redis.sadd("rq:workers:orders", "rq:worker:alive", "rq:worker:killed")
    redis.hset("rq:worker:alive", "state", "idle")
    redis.zadd("rq:failed:orders", {"forgotten soon": time.time() + 300, "forgotten": time.time() - 1})
    redis.zadd("rq:wip:orders", {"running": time.time() + 50})
    [job] = redis.lrange("rq:queue:orders", 0, 0)
    rung_at = time.gmtime(time.time() - 75)
    redis.hset(b"rq:job:" + job, "enqueued_at", time.strftime("%Y-%m-%dT%H:%M:%S.000000Z", rung_at))

    seen = figures(client)

    assert seen["grocery_redis_up"] == 1
    assert seen['grocery_queue_jobs{queue="orders"}'] == 1
    assert 75 <= seen['grocery_queue_jobs_oldest_seconds{queue="orders"}'] < 110
    assert seen['grocery_queue_jobs_running{queue="orders"}'] == 1
    assert seen['grocery_queue_jobs_failed{queue="orders"}'] == 1
    assert seen['grocery_queue_workers{queue="orders"}'] == 1
    for name in ("jobs", "jobs_oldest_seconds", "jobs_running", "jobs_failed", "workers"):
        assert seen[f'grocery_queue_{name}{{queue="bulk"}}'] == 0


def test_without_redis_the_rest_is_told(app: Flask, settings: Settings, valkey: ValkeyProcess) -> None:
    client = create_app(replace(settings, redis_url=valkey.url)).test_client()
    assert figures(client)["grocery_redis_up"] == 1
    valkey.stop()

    seen = figures(client)

    assert seen["grocery_redis_up"] == 0
    assert not [name for name in seen if name.startswith("grocery_queue_")]
    assert seen["grocery_orders_waiting"] == 0
    assert seen['grocery_figures_missing{source="figures.queues"}'] == 0


def test_without_postgresql_processes_tell_what_they_count(
    app: Flask, settings: Settings, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    away = f"postgresql://nobody@/none?host={tmp_path}"
    client = create_app(replace(settings, database_url=away, database_direct_url=away)).test_client()
    client.get("/nowhere")

    with caplog.at_level(logging.WARNING, logger="grocery.metrics"):
        seen = figures(client)
        again = figures(client, anew=False)

    assert seen["grocery_database_up"] == again["grocery_database_up"] == 0
    assert seen['grocery_http_requests_total{method="GET",route="none",status="404"}'] == 1
    assert seen["grocery_redis_up"] == 1
    assert "grocery_orders_waiting" not in seen
    assert seen['grocery_figures_missing{source="orders"}'] == 1
    assert [record.message for record in caplog.records if " orders " in record.message] == [
        "figures of orders are left out: the database is away"
    ]


def test_a_database_that_does_not_answer_is_asked_once(app: Flask, settings: Settings) -> None:
    """Each try may take the seconds of a connection that hangs; a scrape has ten in all."""
    tries = []

    def connect() -> Any:
        tries.append(1)
        raise psycopg2.OperationalError("timeout expired")

    asking = create_app(settings)
    asking.extensions["metrics"].engine = reading.figures_engine(connect)
    assert figures(asking.test_client())["grocery_database_up"] == 0
    assert len(tries) == 1


@pytest.fixture
def receiver() -> Iterator[Callable[[Callable[[], list[Metric]]], None]]:
    """Connects a receiver for the length of the test."""
    connected = []

    def connect(answer: Callable[[], list[Metric]]) -> None:
        def receive(_app: Flask) -> list[Metric]:
            return answer()

        connected.append(receive)
        metrics_asked.connect(receive)

    yield connect
    for receive in connected:
        metrics_asked.disconnect(receive)


def test_figures_are_remembered_for_a_while(client: FlaskClient, receiver: Callable[..., None]) -> None:
    asked = []

    def answer() -> list[Metric]:
        asked.append(1)
        return [GaugeMetricFamily("times", "How often it was asked.", value=len(asked))]

    receiver(answer)
    assert figures(client)["times"] == 1
    assert figures(client, anew=False)["times"] == 1
    assert figures(client)["times"] == 2


def test_what_takes_long_to_read_is_read_rarely(
    client: FlaskClient, receiver: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1000.0]
    monkeypatch.setattr("grocery.metrics.asking.monotonic", lambda: clock[0])
    asked = []

    def answer() -> list[Metric]:
        asked.append(clock[0])
        clock[0] += 2.0  # two seconds of work: a twentieth of forty
        return []

    receiver(answer)
    figures(client)
    for _ in range(20):
        clock[0] += 5.0
        figures(client, anew=False)
    assert len(asked) == 3
    assert asked[1] - asked[0] >= 42


def test_a_part_that_fails_leaves_out_its_own_figures_only(
    client: FlaskClient, receiver: Callable[..., None], caplog: pytest.LogCaptureFixture
) -> None:
    failing = [True]

    def answer() -> list[Metric]:
        if failing:
            raise RuntimeError("not now")
        return [GaugeMetricFamily("fine", "Fine.", value=1)]

    receiver(answer)
    source = 'grocery_figures_missing{source="test_metrics_state"}'
    with caplog.at_level(logging.WARNING, logger="grocery.metrics"):
        seen = figures(client)
        failing.clear()
        after = figures(client)

    assert (seen[source], "fine" in seen, seen["grocery_database_up"]) == (1, False, 1)
    assert (after[source], after["fine"]) == (0, 1)
    assert [record.exc_info is not None for record in caplog.records if "not now" in record.message] == [True]


def test_a_statement_that_takes_too_long_is_ended(app: Flask, context: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "STATEMENT_SECONDS", 0.1)
    with pytest.raises(Exception, match="statement timeout"), figures_reader() as connection:
        connection.execute(text("SELECT pg_sleep(20)"))
    with pytest.raises(Exception, match="read-only"), figures_reader() as connection:
        connection.execute(text("DELETE FROM orders"))


def test_figures_are_told_while_requests_have_all_connections(client: FlaskClient, app: Flask, context: None) -> None:
    connections = [db.engine.connect() for _ in range(10)]
    try:
        done = []
        asking = threading.Thread(target=lambda: done.append(figures(app.test_client())))
        asking.start()
        asking.join(60)
        assert done[0]["grocery_database_up"] == 1
        assert done[0]['grocery_figures_missing{source="orders"}'] == 0
    finally:
        for connection in connections:
            connection.close()


def test_a_scrape_does_not_wait_for_one_that_hangs(
    client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Prometheus comes again and again: each would take a thread from those who want to buy."""
    assert figures(client)["grocery_orders_waiting"] == 0
    monkeypatch.setattr("grocery.metrics.asking.PATIENCE_SECONDS", 0.05)
    with app.extensions["metrics"]._lock:
        assert figures(client, anew=False)["grocery_orders_waiting"] == 0


def test_a_database_that_hung_for_a_moment_is_soon_seen_again(
    client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [1000.0]
    monkeypatch.setattr("grocery.metrics.asking.monotonic", lambda: clock[0])

    def hang() -> Any:
        clock[0] += 3.0
        raise psycopg2.OperationalError("timeout expired")

    working, app.extensions["metrics"].engine = app.extensions["metrics"].engine, reading.figures_engine(hang)
    assert figures(client)["grocery_database_up"] == 0
    app.extensions["metrics"].engine = working
    clock[0] += 11.0
    assert figures(client, anew=False)["grocery_database_up"] == 1
