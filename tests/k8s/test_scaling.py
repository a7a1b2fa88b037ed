"""What KEDA asks PostgreSQL, on the real tables: the queries count what waits, and their user sees nothing else."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any

import psycopg2
import pytest
from flask import Flask
from flask.testing import FlaskClient
from psycopg2.extensions import cursor as Cursor

from grocery.notify.sending.claims import count_due
from grocery.queues import JOBS
from tests.k8s.manifests import K8S, Object, get, of_kind, read
from tests.notify.factories import make_notification
from tests.orders.conftest import caller
from tests.orders.factories import place
from tests.products.factories import make_product

Sql = Callable[..., list[tuple[Any, ...]]]

PROD = K8S / "overlays" / "prod"


def scaled_objects() -> dict[str, Object]:
    """By the queue whose workers they scale."""
    found = of_kind(read(PROD / "scaling.yaml"), "ScaledObject")
    return {one["spec"]["scaleTargetRef"]["name"].removeprefix("worker-"): one["spec"] for one in found}


def trigger_of(queue: str) -> dict[str, str]:
    [trigger] = scaled_objects()[queue]["triggers"]
    assert (trigger["type"], trigger["authenticationRef"]["name"]) == ("postgresql", "scaler")
    metadata: dict[str, str] = trigger["metadata"]
    return metadata


@pytest.fixture
def scaler(app: Flask, settings: Any) -> Iterator[Cursor]:
    """A session of the user that scaler.sql makes; the user is gone afterwards."""
    with closing(psycopg2.connect(settings.database_url.replace("+psycopg2", ""))) as connection:
        with connection.cursor() as cursor:
            cursor.execute((PROD / "scaler.sql").read_text())
            cursor.execute("SET LOCAL ROLE scaler")
            yield cursor
        connection.rollback()


def count(cursor: Cursor, queue: str) -> int:
    cursor.execute(trigger_of(queue)["query"])
    [[found]] = cursor.fetchall()
    assert isinstance(found, int)
    return found


def test_each_queue_has_its_scaling() -> None:
    assert scaled_objects().keys() == JOBS.keys()
    for queue in JOBS:
        assert trigger_of(queue).keys() == {"query", "targetQueryValue"}
        assert int(trigger_of(queue)["targetQueryValue"]) > 0


def test_the_user_is_named_by_values_of_its_own_not_by_an_address() -> None:
    authentication = get(read(PROD / "scaling.yaml"), "TriggerAuthentication", "scaler")
    found = authentication["spec"]["secretTargetRef"]
    assert {one["parameter"] for one in found} == {"host", "port", "userName", "password", "dbName", "sslmode"}
    assert all(one["key"] == one["parameter"] and one["name"] == "scaler" for one in found)


def test_nothing_waits_in_an_empty_shop(scaler: Cursor) -> None:
    assert [count(scaler, queue) for queue in JOBS] == [0, 0, 0]


def test_orders_that_wait_to_be_confirmed_are_counted(
    client: FlaskClient, context: None, run_sql: Sql, scaler: Cursor
) -> None:
    customer = caller(client, phone="+254712345678")
    product = make_product()
    orders = [place(customer, {product: 1})["id"] for _ in range(4)]
    run_sql("UPDATE orders SET process_at = now() + interval '1 hour' WHERE id = :id", id=orders[0])
    run_sql("UPDATE orders SET status = 'confirmed', process_at = NULL WHERE id = :id", id=orders[1])
    assert committed(scaler, "orders") == 2


def test_messages_that_may_go_now_are_counted(app: Flask, context: None, run_sql: Sql, scaler: Cursor) -> None:
    for status in ("pending", "unknown"):
        make_notification(status=status)
    make_notification(channel="email", priority=0)
    for waits in ({"next_attempt_at": "now() + interval '1 hour'"}, {"priority": 2}):
        make_notification(**waits)
    make_notification(status="sending", next_attempt_at=None, leased_until="now() + interval '1 minute'")
    make_notification(status="sent", next_attempt_at=None)
    assert committed(scaler, "notify") == 3
    run_sql("UPDATE notifications SET next_attempt_at = NULL, status = 'failed' WHERE priority = 2")
    assert count_due() == 3  # what the program itself would take
    run_sql(
        "INSERT INTO channels (name, tokens, refilled_at, failures, paused_until) "
        "VALUES ('sms', 1, now(), 1, now() + interval '1 min') ON CONFLICT (name) DO UPDATE "
        "SET paused_until = excluded.paused_until"
    )
    assert committed(scaler, "notify") == 1 == count_due()


def test_imports_count_until_they_are_done(app: Flask, run_sql: Sql, scaler: Cursor) -> None:
    for status in ("waiting", "running", "done", "failed"):
        run_sql(
            "INSERT INTO product_imports (status, dry_run, strict, mapping, delimiter, ignored_columns, size) "
            "VALUES (:status, false, false, '{}', ',', '{}', 1)",
            status=status,
        )
    assert committed(scaler, "bulk") == 2


@pytest.mark.parametrize("queue", JOBS)
def test_counting_reads_an_index_and_not_the_table(queue: str, scaler: Cursor) -> None:
    scaler.execute("SET LOCAL enable_seqscan = off")
    scaler.execute(f"EXPLAIN {trigger_of(queue)['query']}")
    plan = "\n".join(line for [line] in scaler.fetchall())
    table = {"orders": "orders", "notify": "notifications", "bulk": "product_imports"}[queue]
    assert f"Seq Scan on {table}" not in plan, plan
    assert "Index" in plan, plan


@pytest.mark.parametrize("statement", ["SELECT phone FROM orders", "SELECT body FROM notifications", "TABLE customers"])
def test_the_user_sees_nothing_of_customers(statement: str, scaler: Cursor) -> None:
    with pytest.raises(psycopg2.errors.InsufficientPrivilege):
        scaler.execute(statement)


def committed(cursor: Cursor, queue: str) -> int:
    """The count, of what others have committed before: `now()` is when a transaction began."""
    connection = cursor.connection
    connection.rollback()
    cursor.execute((PROD / "scaler.sql").read_text())
    cursor.execute("SET LOCAL ROLE scaler")
    return count(cursor, queue)
