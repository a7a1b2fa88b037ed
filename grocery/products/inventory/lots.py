"""Lots: received, picked first-expired-first-out, given back.

Whoever changes lots of a product holds the lock of its row, so that lots and stock fit together; locks are taken in the
order products, lots, each by id.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from sqlalchemy import text

from grocery.db import db
from grocery.products.stock import lock_stock

_RECEIVE = text("""
    INSERT INTO stock_lots (product_id, code, expires_on, received_quantity, remaining, actor_id)
    VALUES (:product_id, :code, :expires_on, :quantity, :quantity, :actor_id)
    RETURNING id
""")

_WITH_LOTS = text("SELECT DISTINCT product_id FROM stock_lots WHERE product_id = ANY(:product_ids) AND remaining > 0")

_LOCK = text("""
    SELECT id, product_id, expires_on, remaining FROM stock_lots
    WHERE product_id = ANY(:product_ids) AND remaining > 0 ORDER BY id FOR UPDATE
""")

_LOCK_ONE = text("SELECT remaining FROM stock_lots WHERE id = :lot_id AND product_id = :product_id FOR UPDATE")

_CHANGE = text("""
    UPDATE stock_lots AS lot SET remaining = lot.remaining + wanted.delta
    FROM unnest(CAST(:ids AS bigint[]), CAST(:deltas AS numeric[])) AS wanted (id, delta)
    WHERE lot.id = wanted.id
""")

_NOTE_PICKS = text("""
    INSERT INTO lot_picks (order_id, lot_id, quantity)
    SELECT :order_id, * FROM unnest(CAST(:ids AS bigint[]), CAST(:quantities AS numeric[]))
""")

_PICKED_PRODUCTS = text("""
    SELECT DISTINCT lot.product_id FROM lot_picks AS pick JOIN stock_lots AS lot ON lot.id = pick.lot_id
    WHERE pick.order_id = :order_id
""")

_LOCK_PICKED = text("""
    SELECT lot.id FROM stock_lots AS lot JOIN lot_picks AS pick ON pick.lot_id = lot.id
    WHERE pick.order_id = :order_id ORDER BY lot.id FOR UPDATE OF lot
""")

# Lots that the orders were given, and those whose receiver's name goes with the account.
_LOCK_OF_PERSON = text("""
    SELECT id FROM stock_lots WHERE id IN (
        SELECT id FROM stock_lots WHERE actor_id = :person_id
        UNION ALL SELECT lot_id FROM lot_picks WHERE order_id = ANY(:order_ids)
    ) ORDER BY id FOR UPDATE
""")

_DROP_PICKS = text("DELETE FROM lot_picks WHERE order_id = :order_id RETURNING lot_id, quantity")

_STOCKS = text("SELECT id, stock FROM products WHERE id = ANY(:product_ids)")


@dataclass(frozen=True)
class Lot:
    """A lot that has something left (pieces or kilograms)."""

    id: int
    product_id: int
    expires_on: date | None
    remaining: Decimal

    def is_expired(self, today: date) -> bool:
        return self.expires_on is not None and self.expires_on < today


def receive_lot(product_id: int, quantity: Decimal, *, code: str, expires_on: date | None, actor_id: int | None) -> int:
    """Make a lot of what has just been added to the stock of a product, whose row is locked; answers its id."""
    parameters = {"product_id": product_id, "quantity": quantity, "code": code, "expires_on": expires_on}
    return db.session.execute(_RECEIVE, {**parameters, "actor_id": actor_id}).scalar_one()


def lock_lots(product_ids: Iterable[int]) -> list[Lot]:
    """All that is left of the lots of products that are locked, first expired first; those that never expire last."""
    rows = db.session.execute(_LOCK, {"product_ids": list(product_ids)})
    lots = [Lot(row.id, row.product_id, row.expires_on, row.remaining) for row in rows]
    return sorted(lots, key=lambda lot: (lot.expires_on or date.max, lot.id))


def lock_lot(product_id: int, lot_id: int) -> Decimal | None:
    """What is left of a lot of a product that is locked; None when the product has no such lot."""
    remaining = db.session.execute(_LOCK_ONE, {"product_id": product_id, "lot_id": lot_id}).scalar()
    return None if remaining is None else Decimal(remaining)


def allot(lots: Iterable[Lot], quantity: Decimal) -> dict[int, Decimal]:
    """How much of each lot makes up `quantity`, from the first on, as far as they reach."""
    allotted: dict[int, Decimal] = {}
    for lot in lots:
        if quantity <= 0:
            break
        allotted[lot.id] = min(lot.remaining, quantity)
        quantity -= allotted[lot.id]
    return allotted


def take_from_lots(quantities: Mapping[int, Decimal]) -> None:
    """Reduce lots that are locked; `quantities` maps their ids to what each has left or less."""
    _change({lot_id: -quantity for lot_id, quantity in quantities.items()})


def pick(order_id: int, quantities: Mapping[int, Decimal], *, today: date) -> set[int]:
    """Allocate what an order needs from lots, first expired first, and note which lots it was given.

    `quantities` maps product ids to what is taken off the shelf. Stock without a lot makes up the rest; lots that
    expired before `today` are left out. The caller holds the order's lock and calls this once for an order. Answers the
    products whose good lots did not reach although expired ones are left: there, see `cut_to_stock`.
    """
    product_ids = db.session.execute(_WITH_LOTS, {"product_ids": list(quantities)}).scalars().all()
    if not product_ids:
        return set()
    lock_stock(product_ids)
    picked: dict[int, Decimal] = {}
    uncovered = set()
    for product_id, lots in _by_product(lock_lots(product_ids)).items():
        allotted = allot([lot for lot in lots if not lot.is_expired(today)], quantities[product_id])
        picked |= allotted
        if sum(allotted.values()) < quantities[product_id] and any(lot.is_expired(today) for lot in lots):
            uncovered.add(product_id)
    if picked:
        take_from_lots(picked)
        values = {"order_id": order_id, "ids": list(picked.keys()), "quantities": list(picked.values())}
        db.session.execute(_NOTE_PICKS, values)
    return uncovered


def give_back(order_id: int) -> None:
    """Put what an order was given back into its lots, once; the caller holds the order's lock."""
    product_ids = db.session.execute(_PICKED_PRODUCTS, {"order_id": order_id}).scalars().all()
    if not product_ids:
        return
    lock_stock(product_ids)
    db.session.execute(_LOCK_PICKED, {"order_id": order_id})
    _change({row.lot_id: row.quantity for row in db.session.execute(_DROP_PICKS, {"order_id": order_id})})


def lock_lots_of_person(person_id: int, order_ids: Collection[int]) -> None:
    """Lock all lots that the deletion of a person changes, since it would not change them in the order of their ids.

    `order_ids` are the person's orders, whose products are locked.
    """
    db.session.execute(_LOCK_OF_PERSON, {"person_id": person_id, "order_ids": list(order_ids)})


def cut_to_stock(reserved: Mapping[int, Decimal]) -> None:
    """Cut lots that hold more than the shop can have, first expired first.

    `reserved` maps the ids of products, whose rows are locked, to what was ordered of them and is not picked yet. Goods
    that left although only expired lots were there on paper came out of those, whatever the paper said; which customer
    got them is not known, so no order is noted.
    """
    stocks = {row.id: row.stock for row in db.session.execute(_STOCKS, {"product_ids": list(reserved)})}
    for product_id, lots in _by_product(lock_lots(stocks)).items():
        excess = sum(lot.remaining for lot in lots) - stocks[product_id] - reserved[product_id]
        take_from_lots(allot(lots, Decimal(excess)))


def _by_product(lots: Sequence[Lot]) -> dict[int, list[Lot]]:
    grouped: dict[int, list[Lot]] = {}
    for lot in lots:
        grouped.setdefault(lot.product_id, []).append(lot)
    return grouped


def _change(deltas: Mapping[int, Decimal]) -> None:
    if deltas:
        db.session.execute(_CHANGE, {"ids": list(deltas.keys()), "deltas": list(deltas.values())})
