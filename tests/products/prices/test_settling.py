"""The relay carries out what is due, on the real tables: exactly, once, however late and however many at once."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from threading import Barrier

import pytest
from flask import Flask
from sqlalchemy import text

from grocery.db import db, transaction
from grocery.products.prices.jobs import BATCH, apply_due_prices, periodic_tasks
from grocery.products.prices.service import cancel_price_change
from grocery.products.prices.settling import settle_prices
from grocery.products.service import change_product, delete_product, set_price
from grocery.products.stock import take_stock
from grocery.queues import periodic_task
from tests.products.factories import make_order_row, make_product
from tests.products.ledger import select_rows, wait_for_a_lock
from tests.products.prices.conftest import HOUR, NOW, Schedule, history_of, price_of, statuses_of

pytestmark = pytest.mark.usefixtures("context")


def apply_at(hours: float) -> int:
    return apply_due_prices(NOW + hours * HOUR, work_seconds=60)


def times_of(product_id: int) -> list[tuple]:
    return select_rows(
        "SELECT started_at, ended_at FROM price_changes WHERE product_id = :id ORDER BY id", id=product_id
    )


def test_an_offer_starts_and_ends_to_the_second(schedule: Schedule) -> None:
    product, other = make_product(price_cents=100_00), make_product(price_cents=50_00)
    schedule(product, 80_00, 1, 3)
    assert apply_at(1 - 1 / 3600) == 0
    assert price_of(product) == (100_00, None, 1)
    assert apply_at(1) == 1
    assert price_of(product) == (80_00, 100_00, 2)
    assert apply_at(3 - 1 / 3600) == 0
    assert price_of(product) == (80_00, 100_00, 2)
    assert apply_at(3) == 1
    assert price_of(product) == (100_00, None, 3)
    assert apply_at(4) == 0
    assert history_of(product) == [(80_00, 100_00, "offer_started"), (100_00, None, "offer_ended")]
    assert times_of(product) == [(NOW + HOUR, NOW + 3 * HOUR)]
    moments = select_rows("SELECT changed_at FROM price_history ORDER BY id")
    assert moments == [(NOW + HOUR,), (NOW + 3 * HOUR,)]
    assert (price_of(other), history_of(other)) == ((50_00, None, 1), [])


def test_a_change_of_a_price_shows_in_the_product(schedule: Schedule) -> None:
    product = make_product(price_cents=100_00)
    [(before,)] = select_rows("SELECT updated_at FROM products")
    schedule(product, 110_00, 1)
    assert price_of(product) == (100_00, None, 1)
    apply_at(1)
    assert price_of(product) == (110_00, None, 2)
    assert select_rows("SELECT updated_at > :before FROM products", before=before) == [(True,)]
    assert (history_of(product), statuses_of(product)) == ([(110_00, None, "scheduled")], ["applied"])


def test_a_price_that_is_the_same_touches_nothing(schedule: Schedule) -> None:
    product = make_product(price_cents=100_00)
    schedule(product, 100_00, 1)
    assert apply_at(1) == 1
    assert (price_of(product), history_of(product)) == ((100_00, None, 1), [])
    assert statuses_of(product) == ["applied"]


def test_an_offer_that_came_and_went_while_the_relay_was_away_leaves_the_price(schedule: Schedule) -> None:
    product = make_product(price_cents=100_00)
    schedule(product, 80_00, 1, 2)
    assert apply_at(5) == 1
    assert (price_of(product), history_of(product)) == ((100_00, None, 1), [])
    assert statuses_of(product) == ["missed"]
    assert times_of(product) == [(None, None)]


def test_a_relay_that_comes_late_writes_one_change_for_all_that_was_due(schedule: Schedule) -> None:
    product = make_product(price_cents=100_00)
    schedule(product, 120_00, 1)
    schedule(product, 90_00, 2, 4)
    schedule(product, 80_00, 4, 8)
    schedule(product, 130_00, 5)
    assert apply_at(6) == 1
    assert price_of(product) == (80_00, 130_00, 2)
    assert history_of(product) == [(80_00, 130_00, "offer_started")]
    assert statuses_of(product) == ["applied", "missed", "active", "applied"]
    apply_at(8)
    assert price_of(product) == (130_00, None, 3)


def test_another_price_during_an_offer_returns_after_it(schedule: Schedule) -> None:
    product = make_product(price_cents=100_00)
    schedule(product, 80_00, 0, 4)
    schedule(product, 110_00, 2, compare_at_price_cents=150_00)
    apply_at(2)
    assert price_of(product) == (80_00, 100_00, 2)
    apply_at(4)
    assert price_of(product) == (110_00, 150_00, 3)
    assert [price for price, _, _ in history_of(product)] == [80_00, 110_00]


def test_an_offer_is_skipped_when_the_price_has_fallen_to_it(schedule: Schedule) -> None:
    product = make_product(price_cents=100_00)
    schedule(product, 80_00, 1, 2)
    with transaction():
        change_product(product, {"price_cents": 80_00}, version=None, actor_id=None)
    apply_at(1)
    assert (price_of(product), statuses_of(product)) == ((80_00, None, 2), ["missed"])


def test_withdrawn_products_keep_their_schedule(schedule: Schedule) -> None:
    product = make_product(price_cents=100_00, is_active=False)
    schedule(product, 80_00, 1)
    apply_at(1)
    assert price_of(product)[0] == 80_00


def test_more_products_than_a_transaction_takes(schedule: Schedule) -> None:
    count = BATCH + 5
    with db.engine.begin() as connection:
        category = connection.scalar(text("INSERT INTO categories (name, path) VALUES ('A', 'A') RETURNING id"))
        connection.execute(
            text(
                "INSERT INTO products (name, category_id, price_cents)"
                " SELECT 'P' || n, :category, 10000 FROM generate_series(1, :count) n"
            ),
            {"category": category, "count": count},
        )
        connection.execute(
            text(
                "INSERT INTO price_changes (product_id, price_cents, starts_at, ends_at)"
                " SELECT id, 9000, :now, :end FROM products"
            ),
            {"now": NOW, "end": NOW + HOUR},
        )
    assert apply_due_prices(NOW, work_seconds=0) == BATCH
    assert apply_at(0) == count - BATCH
    assert select_rows("SELECT price_cents, version, count(*) FROM products GROUP BY 1, 2") == [(90_00, 2, count)]
    assert apply_at(1) == count
    assert select_rows("SELECT price_cents, version, count(*) FROM products GROUP BY 1, 2") == [(100_00, 3, count)]
    assert select_rows("SELECT count(*) FROM price_history") == [(2 * count,)]


def test_statements_do_not_grow_with_the_number_of_products(schedule: Schedule, statements: list[str]) -> None:
    def count_statements(products: int) -> int:
        for _ in range(products):
            schedule(make_product(price_cents=100_00), 80_00, 1, 2)
        del statements[:]
        assert apply_at(1) == products
        return len(statements)

    assert count_statements(1) == count_statements(7)


def test_the_relay_knows_the_task(app: Flask) -> None:
    tasks = {task.name: task for _, tasks in periodic_task.send(app) for task in tasks}
    assert tasks["prices.apply_due"].every_seconds == 1
    tasks["prices.apply_due"].run()
    assert [task.name for task in periodic_tasks(app)] == ["prices.apply_due"]


# Edits by hand


def test_a_price_set_by_hand_ends_the_offer_and_stays(schedule: Schedule) -> None:
    product = make_product(price_cents=100_00)
    schedule(product, 80_00, 0, 4)
    with transaction():
        change_product(product, {"price_cents": 85_00}, version=None, actor_id=None)
    assert price_of(product) == (85_00, 100_00, 3)
    assert statuses_of(product) == ["ended"]
    assert apply_at(5) == 0
    assert price_of(product) == (85_00, 100_00, 3)
    assert history_of(product)[1:] == [(85_00, 100_00, "edited")]


def test_set_price_ends_the_offer_too(schedule: Schedule) -> None:
    product = make_product(sku="A", price_cents=100_00)
    schedule(product, 80_00, 0, 4)
    with transaction():
        set_price("A", 120_00)
    assert (price_of(product)[:2], statuses_of(product)) == ((120_00, None), ["ended"])


def test_an_edit_of_something_else_leaves_the_offer(schedule: Schedule) -> None:
    product = make_product(price_cents=100_00)
    schedule(product, 80_00, 0, 4)
    with transaction():
        change_product(product, {"name": "New", "price_cents": 80_00}, version=None, actor_id=None)
    assert (statuses_of(product), len(history_of(product))) == (["active"], 1)
    apply_at(4)
    assert price_of(product)[0] == 100_00


def test_an_offer_to_come_survives_an_edit(schedule: Schedule) -> None:
    product = make_product(price_cents=100_00)
    schedule(product, 80_00, 2, 4)
    with transaction():
        change_product(product, {"price_cents": 95_00}, version=None, actor_id=None)
    apply_at(2)
    assert price_of(product)[:2] == (80_00, 95_00)
    apply_at(4)
    assert price_of(product)[:2] == (95_00, None)


# Several at once


def test_two_relays_at_once_do_it_once(app: Flask, schedule: Schedule) -> None:
    products = [make_product(price_cents=100_00) for _ in range(8)]
    for product in products:
        schedule(product, 80_00, 1, 2)
    start = Barrier(4)

    def run(_: int) -> int:
        with app.app_context():
            start.wait()
            return apply_at(1)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(run, range(4)))
    assert {price_of(product) for product in products} == {(80_00, 100_00, 2)}
    assert select_rows("SELECT count(*) FROM price_history") == [(8,)]


def test_an_edit_while_the_offer_starts_waits_and_ends_it(app: Flask, schedule: Schedule) -> None:
    product = make_product(price_cents=100_00)
    schedule(product, 80_00, 1, 2)

    def edit() -> None:
        with app.app_context(), transaction():
            change_product(product, {"price_cents": 90_00}, version=None, actor_id=None)

    with ThreadPoolExecutor(1) as pool:
        with transaction():
            settle_prices([product], NOW + HOUR)
            editing = pool.submit(edit)
            wait_for_a_lock()
        editing.result(60)
    assert (price_of(product), statuses_of(product)) == ((90_00, 100_00, 3), ["ended"])
    assert apply_at(2) == 0


def test_an_offer_that_starts_while_an_edit_is_written_begins_from_the_new_price(
    app: Flask, schedule: Schedule
) -> None:
    product = make_product(price_cents=100_00)
    schedule(product, 80_00, 1, 2)

    def relay() -> int:
        with app.app_context():
            return apply_at(1)

    with ThreadPoolExecutor(1) as pool:
        with transaction():
            change_product(product, {"price_cents": 120_00}, version=None, actor_id=None)
            working = pool.submit(relay)
            wait_for_a_lock()
        working.result(60)
    assert price_of(product) == (80_00, 120_00, 3)
    apply_at(2)
    assert price_of(product)[0] == 120_00


def test_an_offer_that_is_called_off_while_the_relay_waits_does_not_start(app: Flask, schedule: Schedule) -> None:
    product = make_product(price_cents=100_00)
    change = schedule(product, 80_00, 1, 2)

    def relay() -> int:
        with app.app_context():
            return apply_at(1)

    with ThreadPoolExecutor(1) as pool:
        with transaction():
            cancel_price_change(product, change.id, actor_id=None, now=NOW)
            working = pool.submit(relay)
            wait_for_a_lock()
        working.result(60)
    assert (price_of(product), statuses_of(product)) == ((100_00, None, 1), ["cancelled"])


def test_a_sale_and_the_start_of_an_offer_do_not_disturb_each_other(app: Flask, schedule: Schedule) -> None:
    product = make_product(price_cents=100_00)
    schedule(product, 80_00, 1, 2)

    def relay() -> int:
        with app.app_context():
            return apply_at(1)

    with ThreadPoolExecutor(1) as pool:
        order = make_order_row()
        with transaction():
            take_stock({product: Decimal(3)}, order_id=order, actor_id=None)
            working = pool.submit(relay)
            wait_for_a_lock()
        working.result(60)
    assert price_of(product) == (80_00, 100_00, 2)
    assert select_rows("SELECT stock FROM products") == [(7,)]


# What hangs on what


def test_a_product_that_is_deleted_takes_its_prices_along(schedule: Schedule) -> None:
    product, other = make_product(price_cents=100_00), make_product(price_cents=100_00)
    for one in (product, other):
        schedule(one, 80_00, 0, 2)
        schedule(one, 70_00, 3, 4)
    with transaction():
        delete_product(product, version=None, actor_id=None)
    assert select_rows("SELECT DISTINCT product_id FROM price_changes") == [(other,)]
    assert select_rows("SELECT DISTINCT product_id FROM price_history") == [(other,)]
    assert apply_at(3) == 1


def test_a_failure_in_the_middle_leaves_everything_as_it_was(schedule: Schedule) -> None:
    product = make_product(price_cents=100_00)
    schedule(product, 80_00, 1, 2)
    settle_prices([product], NOW + HOUR)
    db.session.rollback()
    assert (price_of(product), statuses_of(product), history_of(product)) == ((100_00, None, 1), ["scheduled"], [])
    assert apply_at(1) == 1
