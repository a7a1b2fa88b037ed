"""Visitors' carts that nobody touches any more are deleted by the relay."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from grocery.db import db
from grocery.orders.cart.tasks import forget_abandoned_carts
from grocery.queues import periodic_task
from tests.orders.cart.factories import Visitor, carts, items, put, quantities, visit
from tests.orders.conftest import Caller
from tests.products.factories import make_product
from tests.products.ledger import select_rows, wait_for_a_lock

pytestmark = pytest.mark.usefixtures("context")

Sql = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def flour() -> int:
    return make_product(price_cents=189_00)


def grow_old(run_sql: Sql, age: str) -> None:
    run_sql("UPDATE carts SET updated_at = now() - CAST(:age AS interval)", age=age)


def test_the_relay_deletes_a_visitors_cart_after_30_days(
    app: Flask, client: FlaskClient, flour: int, run_sql: Sql
) -> None:
    [task] = [task for _, tasks in periodic_task.send(app) for task in tasks if task.name == "carts.expire"]
    assert task.every_seconds <= 3600
    visitor = visit(client)
    put(visitor, flour, 2)
    grow_old(run_sql, "29 days 23 hours")
    task.run()
    assert items() == [(None, flour, 2, 189_00)]
    grow_old(run_sql, "30 days 1 minute")
    task.run()
    assert (carts(), items()) == ([], [])
    # The token is good for a new one.
    assert quantities(put(visitor, flour, 1)) == {flour: 1}


def test_a_customers_cart_stays(client: FlaskClient, customer: Caller, flour: int, run_sql: Sql) -> None:
    put(customer, flour, 3)
    put(visit(client), flour, 2)
    grow_old(run_sql, "3 years")
    forget_abandoned_carts()
    assert items() == [(customer.person.id, flour, 3, 189_00)]


def test_a_cart_that_is_put_into_lives_on(client: FlaskClient, flour: int, run_sql: Sql) -> None:
    abandoned, used = visit(client), visit(client)
    for visitor in (abandoned, used):
        put(visitor, flour, 1)
    grow_old(run_sql, "31 days")
    put(used, flour, 2)
    forget_abandoned_carts()
    assert items() == [(None, flour, 2, 189_00)]


def test_more_carts_than_a_batch_go_at_once(customer: Caller, flour: int, run_sql: Sql) -> None:
    run_sql(
        "INSERT INTO carts (token_hash, updated_at) SELECT 'old-' || n, now() - interval '31 days'"
        " FROM generate_series(1, 2100) AS n"
    )
    run_sql("INSERT INTO cart_items SELECT id, :product, 1, 'remove', 18900 FROM carts WHERE id % 3 = 0", product=flour)
    run_sql("INSERT INTO carts (token_hash) VALUES ('new')")
    put(customer, flour, 1)
    forget_abandoned_carts()
    assert run_sql("SELECT token_hash FROM carts ORDER BY id") == [("new",), (None,)]
    assert len(items()) == 1


def test_nothing_to_delete_is_no_error() -> None:
    forget_abandoned_carts()
    assert carts() == []


def test_a_cart_that_is_being_changed_is_left_alone(client: FlaskClient, flour: int, run_sql: Sql) -> None:
    visitors = [visit(client) for _ in range(2)]
    for visitor in visitors:
        put(visitor, flour, 1)
    grow_old(run_sql, "31 days")
    [(first,), _] = select_rows("SELECT id FROM carts ORDER BY id")
    with db.engine.begin() as changing:
        changing.execute(text("UPDATE carts SET updated_at = now() WHERE id = :id"), {"id": first})
        forget_abandoned_carts()
        changing.commit()
    assert select_rows("SELECT id FROM carts") == [(first,)]


def test_two_relays_at_once_delete_each_cart_once(app: Flask, run_sql: Sql) -> None:
    run_sql(
        "INSERT INTO carts (token_hash, updated_at) SELECT 'old-' || n, now() - interval '31 days'"
        " FROM generate_series(1, 1500) AS n"
    )
    with ThreadPoolExecutor(2) as pool:
        list(pool.map(lambda _: forget_in(app), range(2)))
    assert carts() == []


def forget_in(app: Flask) -> None:
    """For a thread of its own."""
    with app.app_context():
        try:
            forget_abandoned_carts()
        finally:
            db.session.remove()


def test_a_product_that_is_being_deleted_is_waited_for_before_any_item_is_locked(
    app: Flask, client: FlaskClient, flour: int, run_sql: Sql
) -> None:
    # The deletion takes the product out of all carts, in an order of its own.
    for _ in range(2):
        put(Visitor(client, visit(client).token), flour, 1)
    grow_old(run_sql, "31 days")
    with ThreadPoolExecutor(1) as pool, db.engine.begin() as deleting:
        deleting.execute(text("SELECT FROM products WHERE id = :id FOR UPDATE"), {"id": flour})
        forgetting = pool.submit(forget_in, app)
        wait_for_a_lock()
        deleting.execute(text("SELECT FROM cart_items FOR UPDATE NOWAIT"))
        deleting.execute(text("DELETE FROM products WHERE id = :id"), {"id": flour})
        deleting.commit()
        forgetting.result(60)
    assert carts() == []
