"""Random histories of a shop, step by step against a simple model of its lots."""

import random
from dataclasses import dataclass, field
from decimal import Decimal

import pytest

from grocery.auth.people import Person
from grocery.auth.service import delete_customer
from grocery.db import db, transaction
from grocery.errors import ConflictError
from grocery.orders.actors import SYSTEM
from grocery.orders.basket import Item, Source
from grocery.orders.changing import change_status
from grocery.orders.placing import Wish, place_order
from grocery.products.inventory.correcting import correct_stock, count_stock
from tests.auth.factories import make_customer
from tests.products.factories import make_product
from tests.products.inventory.factories import broken, make_lot
from tests.products.ledger import select_rows, stock_of

pytestmark = pytest.mark.usefixtures("context")


@dataclass
class Model:
    """What the shop should hold: `lots` maps ids to [day of expiry or 999, what is left]."""

    stock: int = 0
    lots: dict[int, list[int]] = field(default_factory=dict)
    open: dict[int, int] = field(default_factory=dict)
    packed: dict[int, tuple[int, dict[int, int]]] = field(default_factory=dict)

    def take(self, quantity: int, *, first_day: int = -99) -> dict[int, int]:
        """Take from lots that expire on `first_day` or later, the first first; what was taken of which."""
        taken = {}
        for lot_id, lot in sorted(self.lots.items(), key=lambda item: (item[1][0], item[0])):
            part = max(0, min(lot[1], quantity)) if lot[0] >= first_day else 0
            if part:
                lot[1] -= part
                quantity -= part
                taken[lot_id] = part
        return taken

    def pack(self, order_id: int) -> None:
        quantity = self.open.pop(order_id)
        self.packed[order_id] = (quantity, self.take(quantity, first_day=0))
        there = self.stock + sum(self.open.values())
        self.take(sum(lot[1] for lot in self.lots.values()) - there)

    def cancel(self, order_id: int) -> None:
        quantity, taken = self.packed.pop(order_id, None) or (self.open.pop(order_id, 0), {})
        self.stock += quantity
        for lot_id, part in taken.items():
            self.lots[lot_id][1] += part


class History:
    """One product, its customers and what happens to it."""

    def __init__(self, seed: int):
        self.dice = random.Random(seed)
        self.model = Model(stock=self.dice.randint(0, 8))
        self.product = make_product(stock=Decimal(self.model.stock))
        self.owners: dict[int, Person] = {}

    def step(self) -> None:
        usual = (self.receive, self.place, self.pack)
        act = self.dice.choice((*usual, *usual, self.cancel, self.correct, self.write_off, self.count, self.erase))
        act()
        db.session.remove()

    def receive(self) -> None:
        days = self.dice.choice((None, -3, -1, -1, 0, 5))
        quantity = self.dice.randint(1, 6)
        lot_id = make_lot(self.product, quantity, days=days)
        self.model.lots[lot_id] = [999 if days is None else days, quantity]
        self.model.stock += quantity

    def place(self) -> None:
        quantity = self.dice.randint(1, 5)
        customer = make_customer(password=None)
        if quantity > self.model.stock:
            with pytest.raises(ConflictError):
                self._place(customer, quantity)
            return
        order_id = self._place(customer, quantity)
        self.owners[order_id] = customer
        self.model.open[order_id] = quantity
        self.model.stock -= quantity

    def _place(self, customer: Person, quantity: int) -> int:
        wish = Wish(Source([Item(self.product, Decimal(quantity))]))
        with transaction() as session:
            return place_order(session, customer, wish).order_id

    def pack(self) -> None:
        for order_id in self._one_of(self.model.open):
            self._move(order_id, self.dice.choice(("packed", "shipped", "delivered")))
            self.model.pack(order_id)

    def cancel(self) -> None:
        for order_id in self._one_of([*self.model.open, *self.model.packed]):
            try:
                self._move(order_id, "cancelled")
            except ConflictError:  # shipped or delivered already
                continue
            self.model.cancel(order_id)

    def erase(self) -> None:
        """The customer's account is deleted, with the order."""
        for order_id in self._one_of([*self.model.open, *self.model.packed]):
            [(status,)] = select_rows("SELECT status FROM orders WHERE id = :id", id=order_id)
            if status == "shipped":
                continue
            with transaction():
                delete_customer(self.owners[order_id].id, None)
            if status == "delivered":
                del self.model.packed[order_id]
            else:
                self.model.cancel(order_id)

    def correct(self) -> None:
        delta = self.dice.randint(-6, 4)
        if delta == 0:
            return
        if self.model.stock + delta < 0:
            with pytest.raises(ConflictError):
                self._correct(delta)
            return
        self._correct(delta)
        self.model.take(-delta)
        self.model.stock += delta

    def write_off(self) -> None:
        for lot_id in self._one_of(self.model.lots):
            quantity = self.dice.randint(1, 4)
            lot = self.model.lots[lot_id]
            if quantity > min(lot[1], self.model.stock):
                with pytest.raises(ConflictError):
                    self._correct(-quantity, lot_id)
                continue
            self._correct(-quantity, lot_id)
            lot[1] -= quantity
            self.model.stock -= quantity

    def count(self) -> None:
        counted = max(0, self.model.stock + self.dice.randint(-3, 3))
        with transaction():
            count_stock(self.product, Decimal(counted), actor_id=None)
        self.model.take(self.model.stock - counted)
        self.model.stock = counted

    def check(self) -> None:
        assert stock_of(self.product) == self.model.stock
        lots = select_rows("SELECT id, remaining FROM stock_lots WHERE product_id = :id", id=self.product)
        assert dict(lots) == {lot_id: lot[1] for lot_id, lot in self.model.lots.items()}
        picks = select_rows("SELECT order_id, lot_id, quantity FROM lot_picks")
        expected = {
            (order_id, lot_id): part
            for order_id, (_, taken) in self.model.packed.items()
            for lot_id, part in taken.items()
        }
        assert {(order_id, lot_id): part for order_id, lot_id, part in picks} == expected
        assert broken() == []

    def _move(self, order_id: int, status: str) -> None:
        with transaction() as session:
            change_status(session, order_id, status, SYSTEM)

    def _correct(self, delta: int, lot_id: int | None = None) -> None:
        with transaction():
            correct_stock(self.product, Decimal(delta), reason="damaged", actor_id=None, lot_id=lot_id)

    def _one_of(self, things: object) -> list[int]:
        known = list(things)  # type: ignore[call-overload]
        return [self.dice.choice(known)] if known else []


def run(seed: int, steps: int) -> None:
    history = History(seed)
    for _ in range(steps):
        history.step()
        history.check()


@pytest.mark.parametrize("seed", range(12))
def test_lots_stock_and_ledger_fit_together_through_a_random_history(seed: int) -> None:
    run(seed, 25)


@pytest.mark.prove
@pytest.mark.parametrize("block", range(40))
def test_they_fit_together_through_a_thousand_random_histories(block: int) -> None:
    """With 40 steps each; the seed of one that fails stands in the assertion's traceback."""
    for seed in range(1000 + block * 25, 1025 + block * 25):
        with db.engine.begin() as connection:
            connection.exec_driver_sql("DELETE FROM lot_picks; DELETE FROM orders; DELETE FROM products")
        run(seed, 40)
