"""kill -9 of the API while it places an order: there is all of the order or nothing, and the key still works."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask

from grocery.db import Base, db
from tests.e2e.shop import ROOT
from tests.orders.conftest import Caller, wait_until_blocked
from tests.orders.delivery.factories import make_slot
from tests.orders.promotions.factories import make_promotion
from tests.orders.test_held import assert_holdings_are_right, held
from tests.orders.test_races import assert_ledgers_are_right
from tests.products.factories import make_product
from tests.waiting import wait_until

Sql = Callable[..., list[tuple[Any, ...]]]

#: Reading, writing, the messages, the stock.
STATEMENTS = 4

_TRANSACTIONS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()
          AND xact_start IS NOT NULL
"""


class Dying:
    """A process that places orders in children of its own, which die on the way."""

    def __init__(self, environ: dict[str, str]):
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.orders.dying"],
            cwd=ROOT,
            env={"PATH": os.environ["PATH"], **environ},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._read() == "ready"

    def start(self, customer: Caller, body: dict[str, Any], key: str, point: str = "", number: int = 0) -> int:
        """Start placing an order; the child's process id."""
        headers = {**customer.headers, "Idempotency-Key": key}
        task = {"point": point, "number": number, "headers": headers, "body": body}
        assert self._process.stdin
        print(json.dumps(task), file=self._process.stdin, flush=True)
        return int(self._read())

    def outcome(self) -> int:
        """The status of the answer, or minus the signal that has ended the child."""
        return int(self._read())

    def end(self) -> None:
        self._process.communicate(timeout=60)

    def _read(self) -> str:
        assert self._process.stdout
        return self._process.stdout.readline().strip()


@pytest.fixture(scope="module")
def dying(environ: dict[str, str], migrated_app: Flask) -> Iterator[Dying]:
    process = Dying(environ)
    yield process
    process.end()


@pytest.fixture
def body(customer: Caller) -> dict[str, Any]:
    """An order of the cart, which has three products, with coupon and slot."""
    for number in range(3):
        product_id = make_product(name=f"Product {number}", price_cents=100_00)
        customer.put(f"/cart/items/{product_id}", json={"quantity": 2})
    make_promotion(code="TEN", usage_limit=5)
    return {"coupon": "TEN", "delivery": {"slot_id": make_slot(), "address": "Moi Avenue 12"}}


def all_rows(run_sql: Sql) -> dict[str, list[tuple[Any, ...]]]:
    return {table.name: run_sql(f'SELECT * FROM "{table.name}" ORDER BY 1, 2') for table in Base.metadata.sorted_tables}


def wait_until_rolled_back(run_sql: Sql) -> None:
    """Wait until PostgreSQL has noticed that the child is gone."""
    wait_until(lambda: run_sql(_TRANSACTIONS) == [(0,)], "no transaction is open")


def assert_all_is_there(run_sql: Sql, customer: Caller) -> None:
    [order] = customer.get("/orders/").json
    assert (order["status"], order["subtotal"], order["total"]) == ("pending", "600.00", "690.00")
    assert [line["quantity"] for line in order["items"]] == [2, 2, 2]
    assert [(entry["event"], entry["status"]) for entry in customer.get(f"/orders/{order['id']}/history").json] == [
        ("placed", "pending")
    ]
    assert held(run_sql) == ([1], [1])
    assert run_sql("SELECT order_id, amount_cents FROM order_discounts") == [(order["id"], 60_00)]
    assert run_sql("SELECT stock FROM products") == [(Decimal(8),)] * 3
    assert (
        run_sql("SELECT delta, order_id FROM stock_movements WHERE reason = 'sold'") == [(Decimal(-2), order["id"])] * 3
    )
    assert sorted(run_sql("SELECT channel, recipient FROM notifications")) == [
        ("email", "amina@example.com"),
        ("email", "owner@shop.example"),
        ("sms", "+254712345678"),
    ]
    assert run_sql("SELECT count(*) FROM cart_items") == [(0,)]
    assert run_sql("SELECT key, order_id, answer IS NOT NULL FROM idempotency_keys") == [("k-1", order["id"], True)]
    assert_holdings_are_right(run_sql)
    assert_ledgers_are_right(run_sql)


def send_again(customer: Caller, body: dict[str, Any]) -> int:
    """The order that is answered to the same request."""
    response = customer.post("/orders/", json=body, headers={"Idempotency-Key": "k-1"})
    assert response.status_code == 201, response.json
    return response.json["id"]


@pytest.mark.parametrize(
    ("point", "number"), [*(("executed", number) for number in range(1, STATEMENTS + 1)), ("committing", 0)]
)
def test_killed_before_the_commit_it_leaves_nothing(
    dying: Dying, customer: Caller, body: dict[str, Any], run_sql: Sql, point: str, number: int
) -> None:
    before = all_rows(run_sql)
    dying.start(customer, body, "k-1", point, number)
    assert dying.outcome() == -signal.SIGKILL
    wait_until_rolled_back(run_sql)
    assert all_rows(run_sql) == before
    send_again(customer, body)
    assert_all_is_there(run_sql, customer)


def test_killed_in_the_middle_of_a_statement_it_leaves_nothing(
    dying: Dying, customer: Caller, body: dict[str, Any], run_sql: Sql
) -> None:
    before = all_rows(run_sql)
    with db.engine.connect() as holding:
        holding.exec_driver_sql("SELECT FROM products FOR NO KEY UPDATE")
        child = dying.start(customer, body, "k-1")
        wait_until_blocked(run_sql)
        os.kill(child, signal.SIGKILL)
        assert dying.outcome() == -signal.SIGKILL
    wait_until_rolled_back(run_sql)
    assert all_rows(run_sql) == before
    send_again(customer, body)
    assert_all_is_there(run_sql, customer)


def test_killed_after_the_commit_all_of_it_is_there_and_is_not_placed_again(
    dying: Dying, customer: Caller, body: dict[str, Any], run_sql: Sql
) -> None:
    dying.start(customer, body, "k-1", "committed")
    assert dying.outcome() == -signal.SIGKILL
    assert_all_is_there(run_sql, customer)
    before = all_rows(run_sql)
    assert send_again(customer, body) == before["orders"][0][0]
    assert all_rows(run_sql) == before


def test_these_were_all_of_its_statements(dying: Dying, customer: Caller, body: dict[str, Any], run_sql: Sql) -> None:
    dying.start(customer, body, "k-1", "executed", STATEMENTS + 1)
    assert dying.outcome() == 201
    assert_all_is_there(run_sql, customer)
