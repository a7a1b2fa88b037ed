"""A menu must answer within 5 seconds, however big the shop is and however many dial at once."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from tests.fakes.africastalking import UssdPhone
from tests.notify.ussd.phones import phone_of
from tests.orders.conftest import Caller
from tests.orders.delivery.factories import make_slot, make_zone
from tests.orders.factories import place
from tests.orders.ussd.walking import MAIN_EN, dial, times
from tests.products.factories import make_category
from tests.waiting import stopwatch

Sql = Callable[..., list[tuple[Any, ...]]]

SECONDS = 1.0


@pytest.fixture
def big_shop(context: None, run_sql: Sql) -> None:
    """10,000 products, every tenth on offer, and 1,000 orders of 5 lines."""
    run_sql(
        """
        INSERT INTO products (name, category_id, category_path, price_cents, compare_at_price_cents, stock)
        SELECT 'Product ' || n, :category_id, 'Pantry', 100 + n, CASE WHEN n % 10 = 0 THEN 200 + n END, 10
        FROM generate_series(1, 10000) AS n
        """,
        category_id=make_category(),
    )
    run_sql("""
        WITH customer AS (INSERT INTO customers (name) VALUES ('Wanjiku') RETURNING id), made AS (
            INSERT INTO orders (number, customer_id, subtotal_cents, vat_cents, total_cents, currency)
            SELECT 'G-' || n, customer.id, 0, 0, 0, 'KES' FROM customer, generate_series(1, 1000) AS n RETURNING id
        ), numbered AS (
            SELECT id, name, row_number() OVER (ORDER BY id) AS place FROM products
        )
        INSERT INTO order_lines (order_id, product_id, name, category, unit, quantity, unit_price_cents,
                                 line_total_cents, vat_class, vat_rate, vat_cents)
        SELECT made.id, product.id, product.name, 'Pantry', 'each', 1, 100, 100, 'zero', 0, 0
        FROM made CROSS JOIN generate_series(1, 5) AS n
        JOIN numbered AS product ON product.place = 1 + (made.id * n * 7919) % 10000
    """)
    run_sql("UPDATE orders SET process_at = NULL")
    # As autovacuum has done in a shop that has grown: the planner may take fresh tables for empty ones.
    run_sql("ANALYZE products, orders, order_lines")


def test_every_step_is_quick_in_a_big_shop(
    app: Flask, phone: UssdPhone, customer: Caller, big_shop: None, flour: int
) -> None:
    zone = make_zone()
    slot = make_slot(zone, **times(3, 10))
    place(customer, {flour: 1}, delivery={"zone_id": zone, "slot_id": slot, "address": "Moi 1"})
    took = {}
    for keys in (["1", "1", "1"], ["3", "98", "98"], ["4", "98"], ["5"], ["2", "1", "1"]):
        phone.dial()
        for number, key in enumerate(keys, start=1):
            with stopwatch() as watch:
                phone.press(key)
            took["*".join(keys[:number])] = watch.seconds
    assert {way: seconds for way, seconds in took.items() if seconds >= SECONDS} == {}
    assert phone.screen.startswith("Thank you!")


# More of them than connections wait for each other, for a time that a machine that stands still may use up.
@pytest.mark.parametrize("number", [10, pytest.param(50, marks=pytest.mark.prove)])
def test_sessions_at_once_all_get_their_screens(app: Flask, customer: Caller, flour: int, number: int) -> None:
    order = place(customer, {flour: 1})
    phones = [phone_of(app) for _ in range(number)]
    failures = []

    def walk(phone: UssdPhone) -> None:
        try:
            assert dial(phone, "1", "1", "00") == MAIN_EN
            assert phone.press("1") == f"Your orders:\n1 {order['number']}: received\n0 Back"
        except AssertionError as error:
            failures.append(error)

    threads = [threading.Thread(target=walk, args=(phone,)) for phone in phones]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
