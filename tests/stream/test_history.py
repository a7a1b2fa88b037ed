"""Reading what happened, from PostgreSQL."""

from collections.abc import Callable, Iterator
from typing import Any

import psycopg2
import pytest

from grocery.embedded import Stack
from grocery.stream.history import History
from tests.orders.conftest import Caller, caller
from tests.orders.factories import move, place
from tests.products.factories import make_product

Sql = Callable[..., list[tuple[Any, ...]]]
LATEST = 2**63 - 1


@pytest.fixture
def history(stack: Stack) -> Iterator[History]:
    made = History(lambda: psycopg2.connect(stack.database_url, application_name="stream under test"))
    yield made
    made.close()


@pytest.fixture
def customer(context: None, client: Any) -> Caller:
    return caller(client)


@pytest.fixture
def staff(context: None, client: Any) -> Caller:
    return caller(client, role="staff")


def test_entries_are_read_from_where_each_order_needs_them(
    history: History, customer: Caller, staff: Caller, run_sql: Sql
) -> None:
    flour = make_product(stock=100)
    first, second, third = (place(customer, {flour: 1}) for _ in range(3))
    move(staff, first, "packed")
    move(staff, second, "confirmed")
    ids = [row[0] for row in run_sql("SELECT id FROM order_history WHERE order_id = :id ORDER BY id", id=first["id"])]
    found = history.read({first["id"]: ids[1], second["id"]: LATEST, third["id"]: 0, 10**17: 0})
    assert {order_id: [entry.status for entry in entries] for order_id, entries in found.items()} == {
        first["id"]: ["confirmed", "packed"],
        second["id"]: ["confirmed"],
        third["id"]: ["pending"],
        10**17: [],
    }
    assert [entry.id for entry in found[first["id"]]] == ids[1:]


def test_a_connection_that_was_lost_costs_no_reading(history: History, customer: Caller, run_sql: Sql) -> None:
    order = place(customer, {make_product(): 1})
    history.read({order["id"]: 0})
    ended = run_sql(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'stream under test'"
    )
    assert ended == [(True,)]
    assert len(history.read({order["id"]: 0})[order["id"]]) == 1


def test_a_database_that_is_away_is_tried_anew_each_time(stack: Stack) -> None:
    urls = ["postgresql://nobody@127.0.0.1:1/none", stack.database_url]
    history = History(lambda: psycopg2.connect(urls.pop(0)))
    with pytest.raises(psycopg2.OperationalError):
        history.read({1: 0})
    assert history.read({1: 0}) == {1: []}
    history.close()
