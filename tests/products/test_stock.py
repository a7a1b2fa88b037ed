"""Stock: taken all or nothing, never oversold, always the sum of its ledger."""

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

import pytest
from flask import Flask
from sqlalchemy import text

from grocery.db import db, transaction
from grocery.errors import InvalidError, NotFoundError
from grocery.products.errors import InsufficientStockError, OutOfStockError, ProductUnavailableError
from grocery.products.inventory.correcting import count_stock
from grocery.products.service import change_product
from grocery.products.stock import adjust_stock, return_stock, take_stock
from tests.products.factories import make_order_row, make_product
from tests.products.ledger import movements_of, select_rows, stock_of, unbalanced, wait_for_a_lock

pytestmark = pytest.mark.usefixtures("context")


def in_threads(app: Flask, count: int, work: Callable[[int], object]) -> list[object]:
    """What `work(number)` answered or raised in each of `count` threads with a session of its own."""

    def run(number: int) -> object:
        with app.app_context():
            try:
                return work(number)
            except Exception as error:
                return error
            finally:
                db.session.remove()

    with ThreadPoolExecutor(count) as pool:
        return list(pool.map(run, range(count)))


def test_taking_reduces_the_stock_and_notes_each_product_as_sold() -> None:
    milk, rice = make_product(), make_product(unit="kg", stock=Decimal("2.500"))
    order_id = make_order_row()
    with transaction():
        take_stock({rice: Decimal("0.750"), milk: Decimal(3)}, order_id=order_id, actor_id=None)
    assert (stock_of(milk), stock_of(rice)) == (Decimal(7), Decimal("1.750"))
    assert movements_of(milk) == [(Decimal(10), "opening", None), (Decimal(-3), "sold", order_id)]
    assert movements_of(rice)[1:] == [(Decimal("-0.750"), "sold", order_id)]


def test_the_last_piece_can_be_taken_once() -> None:
    product = make_product(stock=Decimal(1))
    order_id = make_order_row()
    with transaction():
        take_stock({product: Decimal(1)}, order_id=order_id, actor_id=None)
    with pytest.raises(OutOfStockError), transaction():
        take_stock({product: Decimal(1)}, order_id=order_id, actor_id=None)
    assert stock_of(product) == 0
    assert len(movements_of(product)) == 2


def test_more_than_the_stock_takes_nothing_and_says_what_is_missing() -> None:
    plenty, few = make_product(stock=Decimal(100)), make_product(name="Fresh milk", stock=Decimal(2))
    with transaction(), pytest.raises(OutOfStockError) as refusal:
        take_stock({plenty: Decimal(5), few: Decimal(3)}, order_id=make_order_row(), actor_id=None)
    assert refusal.value.code == "out_of_stock"
    assert refusal.value.members == {
        "items": [{"product_id": few, "name": "Fresh milk", "requested": 3, "available": 2}]
    }
    assert (stock_of(plenty), stock_of(few)) == (100, 2)
    assert len(movements_of(plenty)) == 1


def test_withdrawn_and_deleted_products_are_named_and_nothing_is_taken() -> None:
    good, withdrawn, empty = make_product(), make_product(is_active=False), make_product(stock=Decimal(0))
    deleted = empty + 1000
    wanted = {product: Decimal(1) for product in (deleted, good, withdrawn, empty)}
    with transaction(), pytest.raises(ProductUnavailableError) as refusal:
        take_stock(wanted, order_id=make_order_row(), actor_id=None)
    assert refusal.value.code == "product_unavailable"
    assert refusal.value.members == {"product_ids": [withdrawn, deleted]}
    assert stock_of(good) == 10


def test_taking_only_unknown_products_is_refused() -> None:
    with pytest.raises(ProductUnavailableError), transaction():
        take_stock({12345: Decimal(1)}, order_id=make_order_row(), actor_id=None)


def test_taking_nothing_is_fine_and_a_quantity_of_zero_is_a_programming_error() -> None:
    product = make_product()
    with transaction():
        take_stock({}, order_id=make_order_row(), actor_id=None)
        with pytest.raises(ValueError, match="above zero"):
            take_stock({product: Decimal(0)}, order_id=make_order_row(), actor_id=None)
    assert stock_of(product) == 10


def test_sixteen_threads_sell_exactly_what_is_there(app: Flask) -> None:
    product = make_product(stock=Decimal(50))
    order_ids = [make_order_row() for _ in range(16)]

    def buy(number: int) -> int:
        sold = 0
        for _ in range(10):
            try:
                with transaction():
                    take_stock({product: Decimal(1)}, order_id=order_ids[number], actor_id=None)
                sold += 1
            except OutOfStockError:
                continue
        return sold

    sold = in_threads(app, 16, buy)
    assert sum(sold) == 50  # type: ignore[arg-type]
    assert stock_of(product) == 0
    assert select_rows("SELECT count(*), sum(delta) FROM stock_movements WHERE reason = 'sold'") == [(50, Decimal(-50))]
    assert unbalanced() == []


def test_sixteen_threads_with_the_same_products_in_any_order_neither_deadlock_nor_oversell(app: Flask) -> None:
    products = [make_product(stock=Decimal(40)) for _ in range(6)]
    order_ids = [make_order_row() for _ in range(16)]

    def buy(number: int) -> int:
        dice = random.Random(number)
        taken = 0
        for _ in range(12):
            chosen = {product: Decimal(dice.randint(1, 3)) for product in dice.sample(products, 3)}
            try:
                with transaction():
                    take_stock(chosen, order_id=order_ids[number], actor_id=None)
                taken += int(sum(chosen.values()))
                if dice.random() < 0.2:
                    with transaction():
                        return_stock(chosen, order_id=order_ids[number], actor_id=None)
                    taken -= int(sum(chosen.values()))
            except OutOfStockError:
                continue
        return taken

    taken = in_threads(app, 16, buy)
    assert all(isinstance(number, int) for number in taken), taken
    assert sum(map(stock_of, products)) == 6 * 40 - sum(taken)  # type: ignore[arg-type]
    assert min(map(stock_of, products)) >= 0
    assert unbalanced() == []


def test_a_waiting_taker_sees_what_the_first_one_left(app: Flask) -> None:
    """The statement's snapshot is older than the first taker's commit: the recheck must use the newest row."""
    product = make_product(stock=Decimal(3))
    order_id = make_order_row()
    outcomes: list[object] = []
    with ThreadPoolExecutor(1) as pool:

        def take_two(_number: int = 0) -> object:
            with transaction():
                return take_stock({product: Decimal(2)}, order_id=order_id, actor_id=None)

        with transaction():
            take_stock({product: Decimal(2)}, order_id=order_id, actor_id=None)
            future = pool.submit(in_threads, app, 1, take_two)
            _wait_for_a_blocked_statement()
        outcomes = future.result()
    assert isinstance(outcomes[0], OutOfStockError)
    assert outcomes[0].shortages[0].available == 1
    assert stock_of(product) == 1


def test_a_waiting_taker_gets_what_the_first_one_returned(app: Flask) -> None:
    product = make_product(stock=Decimal(1))
    order_id = make_order_row()
    with ThreadPoolExecutor(1) as pool:

        def take_three(_number: int) -> None:
            with transaction():
                take_stock({product: Decimal(3)}, order_id=order_id, actor_id=None)

        with transaction():
            return_stock({product: Decimal(4)}, order_id=order_id, actor_id=None)
            future = pool.submit(in_threads, app, 1, take_three)
            _wait_for_a_blocked_statement()
        assert future.result() == [None]
    assert stock_of(product) == 2
    assert unbalanced() == []


def test_a_waiting_taker_sees_that_the_product_was_deleted(app: Flask) -> None:
    product = make_product()
    order_id = make_order_row()
    with ThreadPoolExecutor(1) as pool:

        def take(_number: int) -> None:
            with transaction():
                take_stock({product: Decimal(1)}, order_id=order_id, actor_id=None)

        with db.engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM products")
            future = pool.submit(in_threads, app, 1, take)
            _wait_for_a_blocked_statement()
        outcomes = future.result()
    assert isinstance(outcomes[0], ProductUnavailableError)


def _wait_for_a_blocked_statement() -> None:
    for _ in range(500):
        if select_rows(
            "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        ):
            return
        select_rows("SELECT pg_sleep(0.01)")
    raise AssertionError("nobody waits for the lock")


def test_a_new_sku_waits_for_an_order_that_is_being_placed_and_does_not_deadlock_with_it(app: Flask) -> None:
    product, order_id = make_product(sku="OLD"), make_order_row()

    def rename(_number: int) -> object:
        with transaction():
            return change_product(product, {"sku": "NEW"}, version=None, actor_id=None).sku

    with ThreadPoolExecutor(1) as pool, transaction() as session:
        # What the foreign key of an order's line does.
        session.execute(text("SELECT FROM products WHERE id = :id FOR KEY SHARE"), {"id": product})
        renamed = pool.submit(in_threads, app, 1, rename)
        wait_for_a_lock()
        take_stock({product: Decimal(1)}, order_id=order_id, actor_id=None)
        session.commit()
        assert renamed.result() == ["NEW"]
    assert stock_of(product) == 9


def test_returning_puts_back_and_skips_deleted_products() -> None:
    product, withdrawn = make_product(), make_product(is_active=False)
    order_id = make_order_row()
    with transaction():
        quantities = {product: Decimal(2), withdrawn: Decimal(1), withdrawn + 1000: Decimal(5)}
        return_stock(quantities, order_id=order_id, actor_id=None)
        return_stock({}, order_id=order_id, actor_id=None)
    assert (stock_of(product), stock_of(withdrawn)) == (12, 11)
    assert movements_of(product)[1:] == [(Decimal(2), "cancelled", order_id)]
    assert unbalanced() == []


def test_adjusting_notes_the_reason_and_answers_the_new_stock() -> None:
    product = make_product()
    with transaction():
        assert adjust_stock(product, Decimal(-4), reason="damaged", actor_id=None, note="Fell") == 6
        assert adjust_stock(product, Decimal(24), reason="received", actor_id=None) == 30
    assert select_rows("SELECT delta, reason, note FROM stock_movements WHERE reason <> 'opening' ORDER BY id") == [
        (Decimal(-4), "damaged", "Fell"),
        (Decimal(24), "received", None),
    ]
    assert unbalanced() == []


def test_adjusting_never_goes_below_zero() -> None:
    product = make_product()
    with transaction():
        with pytest.raises(InsufficientStockError) as refusal:
            adjust_stock(product, Decimal(-11), reason="damaged", actor_id=None)
        assert adjust_stock(product, Decimal(-10), reason="damaged", actor_id=None) == 0
    assert refusal.value.members == {"available": 10}
    assert stock_of(product) == 0


def test_adjusting_refuses_what_cannot_be() -> None:
    piece, weighed = make_product(), make_product(unit="kg")
    with transaction():
        with pytest.raises(NotFoundError):
            adjust_stock(weighed + 1000, Decimal(1), reason="received", actor_id=None)
        with pytest.raises(InvalidError, match="by piece"):
            adjust_stock(piece, Decimal("0.5"), reason="received", actor_id=None)
        with pytest.raises(InvalidError, match="Too much"):
            adjust_stock(piece, Decimal(10_000_000), reason="received", actor_id=None)
        assert adjust_stock(weighed, Decimal("0.255"), reason="received", actor_id=None) == Decimal("10.255")
    assert stock_of(piece) == 10


def test_a_part_of_a_piece_that_a_cancelled_order_brought_back_can_be_corrected() -> None:
    counted, adjusted = make_product(stock=Decimal("1.500")), make_product(stock=Decimal("1.500"))
    with transaction():
        with pytest.raises(InvalidError, match="by piece"):
            adjust_stock(adjusted, Decimal(1), reason="received", actor_id=None)
        assert adjust_stock(adjusted, Decimal("-0.5"), reason="damaged", actor_id=None) == 1
        assert count_stock(counted, Decimal(2), actor_id=None) == Decimal("1.5")
    assert (stock_of(counted), stock_of(adjusted)) == (2, 1)
    assert unbalanced() == []


def test_counting_notes_the_difference_only() -> None:
    product = make_product()
    with transaction():
        assert count_stock(product, Decimal(7), actor_id=None) == 10
        assert count_stock(product, Decimal(7), actor_id=None) == 7
    assert movements_of(product)[1:] == [(Decimal(-3), "counted", None)]
    assert stock_of(product) == 7


def test_counting_refuses_what_cannot_be() -> None:
    product = make_product()
    with transaction():
        with pytest.raises(NotFoundError):
            count_stock(product + 1000, Decimal(1), actor_id=None)
        with pytest.raises(InvalidError, match="by piece"):
            count_stock(product, Decimal("1.5"), actor_id=None)
    assert stock_of(product) == 10


def test_counting_while_others_buy_keeps_the_ledger_right(app: Flask) -> None:
    product = make_product(stock=Decimal(1000))
    order_id = make_order_row()

    def work(number: int) -> None:
        for turn in range(10):
            with transaction():
                if number % 4 == 0:
                    count_stock(product, Decimal(900 + turn), actor_id=None)
                elif number % 4 == 1:
                    adjust_stock(product, Decimal(5), reason="received", actor_id=None)
                else:
                    take_stock({product: Decimal(1)}, order_id=order_id, actor_id=None)

    assert in_threads(app, 12, work) == [None] * 12
    assert unbalanced() == []
