"""Many at once: nothing is oversold, nothing deadlocks, and the ledger says what happened."""

import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from random import Random
from threading import Event
from typing import Any

from flask.testing import FlaskClient

from tests.orders.conftest import Caller, caller
from tests.products.factories import make_product

Sql = Callable[..., list[tuple[Any, ...]]]


def assert_ledgers_are_right(run_sql: Sql) -> None:
    """Stock is the sum of its movements, and orders hold what was sold and not given back."""
    assert (
        run_sql("""
        SELECT product.id FROM products AS product
        LEFT JOIN (SELECT product_id, sum(delta) AS sum FROM stock_movements GROUP BY 1) AS moved
             ON moved.product_id = product.id
        WHERE product.stock <> coalesce(moved.sum, 0)
    """)
        == []
    )
    assert (
        run_sql("""
        SELECT line.product_id FROM order_lines AS line JOIN orders ON orders.id = line.order_id
        WHERE orders.status <> 'cancelled' GROUP BY 1
        HAVING sum(line.quantity) <> (
            SELECT -sum(delta) FROM stock_movements WHERE product_id = line.product_id AND order_id IS NOT NULL
        )
    """)
        == []
    )


def test_two_hundred_buyers_of_fifty_units_make_fifty_orders(customer: Caller, run_sql: Sql) -> None:
    product_id = make_product(stock=50)
    body = {"items": [{"product_id": product_id, "quantity": 1}]}
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: customer.post("/orders/", json=body), range(200)))
    assert Counter(answer.status_code for answer in answers) == {201: 50, 409: 150}
    assert {answer.json["code"] for answer in answers if answer.status_code == 409} == {"out_of_stock"}
    assert run_sql("SELECT stock FROM products") == [(Decimal(0),)]
    assert run_sql("SELECT count(*) FROM orders") == [(50,)]
    assert_ledgers_are_right(run_sql)


def test_buyers_of_the_same_products_in_any_order_do_not_deadlock(customer: Caller, run_sql: Sql) -> None:
    products = [make_product(stock=60) for _ in range(6)]

    def buy(seed: int) -> int:
        chosen = Random(seed).sample(products, 4)
        items = [{"product_id": product_id, "quantity": 1} for product_id in chosen]
        return customer.post("/orders/", json={"items": items}).status_code

    with ThreadPoolExecutor(12) as pool:
        statuses = Counter(pool.map(buy, range(150)))
    assert set(statuses) == {201, 409}
    assert_ledgers_are_right(run_sql)


def test_orders_placed_and_cancelled_at_once_leave_the_ledger_right(
    customer: Caller, staff: Caller, run_sql: Sql
) -> None:
    products = [make_product(stock=30) for _ in range(3)]

    def live(seed: int) -> set[int]:
        random = Random(seed)
        items = [{"product_id": product_id, "quantity": random.randint(1, 3)} for product_id in products]
        placed = customer.post("/orders/", json={"items": random.sample(items, 2)})
        seen = {placed.status_code}
        if placed.status_code == 201 and random.random() < 0.7:
            path = f"/orders/{placed.json['id']}"
            seen.add(staff.patch(f"{path}/status", json={"status": "packed"}).status_code)
            seen.add(staff.patch(f"{path}/status", json={"status": "cancelled"}).status_code)
        return seen

    with ThreadPoolExecutor(12) as pool:
        seen = set().union(*pool.map(live, range(120)))
    assert seen <= {200, 201, 409}
    assert_ledgers_are_right(run_sql)


def test_two_who_move_one_order_at_once_do_not_both_succeed(customer: Caller, staff: Caller, run_sql: Sql) -> None:
    product_id = make_product(stock=10)
    order = customer.post("/orders/", json={"items": [{"product_id": product_id, "quantity": 4}]}).json

    def cancel(_: int) -> int:
        return staff.patch(f"/orders/{order['id']}/status", json={"status": "cancelled"}).status_code

    with ThreadPoolExecutor(8) as pool:
        assert Counter(pool.map(cancel, range(8))) == {200: 1, 409: 7}
    assert run_sql("SELECT stock FROM products") == [(Decimal(10),)]


def test_a_customer_who_goes_while_ordering_leaves_nothing_half_done(
    context: None, client: FlaskClient, admin: Caller, run_sql: Sql
) -> None:
    product_id = make_product(stock=1000)
    people = [caller(client, name=f"Leaver {number}") for number in range(6)]
    body = {"items": [{"product_id": product_id, "quantity": 1}]}

    def order(number: int) -> int:
        return people[number % 6].post("/orders/", json=body).status_code

    def leave(number: int) -> int:
        return admin.delete(f"/auth/users/{people[number].person.id}").status_code

    with ThreadPoolExecutor(12) as pool:
        orders = [pool.submit(order, number) for number in range(90)]
        leaves = [pool.submit(leave, number) for number in range(6)]
        assert {future.result() for future in orders} <= {
            201,
            401,
            404,
            503,
        }  # 503: waited for too long, and wrote nothing
        assert {future.result() for future in leaves} == {204}
    assert run_sql("SELECT count(*) FROM orders") == [(0,)]
    assert run_sql("SELECT stock FROM products") == [(Decimal(1000),)]
    assert_ledgers_are_right(run_sql)


def test_a_product_that_everybody_is_buying_can_be_deleted(
    context: None, client: FlaskClient, admin: Caller, run_sql: Sql
) -> None:
    product_id = make_product(stock=100_000)
    people = [caller(client, name=f"Buyer {number}") for number in range(10)]
    body = {"items": [{"product_id": product_id, "quantity": 1}]}
    is_gone = Event()

    def buy(buyer: Caller) -> set[int]:
        seen = set()
        while not is_gone.is_set():
            seen.add(buyer.post("/orders/", json=body).status_code)
        return seen

    with ThreadPoolExecutor(10) as pool:
        buyers = [pool.submit(buy, person) for person in people]
        try:
            time.sleep(0.5)
            response = admin.delete(f"/products/{product_id}")
        finally:
            is_gone.set()
        seen = set().union(*(buyer.result() for buyer in buyers))
    assert response.status_code == 204
    assert 201 in seen
    assert seen <= {201, 409, 422}
    assert run_sql("SELECT DISTINCT status FROM orders") == [("cancelled",)]


def test_a_product_that_goes_while_it_is_ordered_is_in_no_open_order(
    customer: Caller, admin: Caller, run_sql: Sql
) -> None:
    going, staying = make_product(stock=1000), make_product(stock=1000)
    items = [{"product_id": product_id, "quantity": 1} for product_id in (going, staying)]

    def order(number: int) -> int:
        return customer.post("/orders/", json={"items": items}).status_code

    with ThreadPoolExecutor(12) as pool:
        orders = [pool.submit(order, number) for number in range(40)]
        deleted = pool.submit(admin.delete, f"/products/{going}")
        orders += [pool.submit(order, number) for number in range(20)]
        assert deleted.result().status_code == 204
        assert {future.result() for future in orders} <= {201, 409, 422}
    assert run_sql("SELECT count(*) FROM order_lines WHERE product_id IS NULL") == [(0,)]
    assert run_sql("SELECT count(*) FROM orders WHERE total_cents <> 10000") == [(0,)]
    assert_ledgers_are_right(run_sql)
