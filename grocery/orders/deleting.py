"""What the deletion of a customer or a product means for orders: the answers to the hooks of auth and products."""

from collections.abc import Sequence
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from grocery.auth.people import Person
from grocery.db import Row, db
from grocery.errors import ConflictError
from grocery.fields import quantity_number
from grocery.orders import notices, phrases
from grocery.orders.actors import Actor
from grocery.orders.changing import give_back, list_lines, move
from grocery.orders.holding import lock_held, release_held
from grocery.orders.payments.service import keep_payments
from grocery.orders.reading import vat_amounts
from grocery.orders.repricing import list_discounts, reprice
from grocery.orders.states import CANCELLED, DELIVERED, OPEN_STATUSES
from grocery.products.inventory.lots import lock_lots_of_person
from grocery.products.stock import lock_stock

_ORDERS_OF = text("SELECT * FROM orders WHERE customer_id = :customer_id ORDER BY id FOR UPDATE")

_LEDGER = text("""
    INSERT INTO sales_ledger (order_number, placed_at, finished_at, delivered_at, currency, discount_cents,
                              delivery_fee_cents, total_cents, vat_cents, vat, payment_method, cash_cents)
    VALUES (:number, :placed_at, :updated_at, :delivered_at, :currency, :discount_cents,
            :delivery_fee_cents, :total_cents, :vat_cents, CAST(:vat AS jsonb), :payment_method, :cash_cents)
""")

_KEEP_RETURNS = text("""
    INSERT INTO returns_ledger (number, order_number, currency, refund_cents, vat_cents, created_at)
    SELECT document.number, orders.number, orders.currency, document.refund_cents, document.vat_cents,
           document.created_at
    FROM order_returns AS document JOIN orders ON orders.id = document.order_id
    WHERE orders.customer_id = :customer_id
""")

_OPEN_ORDERS_WITH = text("""
    SELECT DISTINCT orders.id, orders.customer_id FROM orders JOIN order_lines AS line ON line.order_id = orders.id
    WHERE line.product_id = :product_id AND orders.status = ANY(:open)
""")

_LOCK_CUSTOMERS = text("""
    SELECT id, name, email, phone, language, notify_by FROM customers WHERE id = ANY(:ids) ORDER BY id FOR KEY SHARE
""")
_LOCK_ORDERS = text("SELECT * FROM orders WHERE id = ANY(:ids) ORDER BY id FOR UPDATE")
_LOCK_PRODUCT = text("SELECT id FROM products WHERE id = :product_id FOR UPDATE")

_DROP_LINES = text("DELETE FROM order_lines WHERE order_id = :order_id AND product_id = :product_id RETURNING *")

# The deletion of a product locks its places on many lists, that of a customer those of many products on theirs: they
# would deadlock, so one waits for the other here.
_SHARE_LISTED = text("""
    SELECT FROM products WHERE id IN (
        SELECT item.product_id FROM shopping_list_items AS item JOIN shopping_lists AS list ON list.id = item.list_id
        WHERE list.customer_id = :customer_id
    ) ORDER BY id FOR KEY SHARE
""")


class OrderInTransitError(ConflictError):
    """The customer cannot be deleted: somebody is driving to them with this order."""

    code = "order_in_transit"

    def __init__(self, number: str):
        super().__init__(f"Order {number} is on its way. The account can be deleted when it has arrived.")


def settle_orders_of_customer(_sender: object, *, customer_id: int, actor: Person | None) -> None:
    """Before a customer goes: cancel what is open, keep what the tax office asks for; raises OrderInTransitError.

    The orders themselves go with the customer's row. The hook's sender has locked that row, so none can be added.
    """
    session = db.session()
    orders = list(session.execute(_ORDERS_OF, {"customer_id": customer_id}).mappings())
    for order in orders:
        if order["status"] == "shipped":
            raise OrderInTransitError(order["number"])
    by = Actor(actor.id, actor.role) if actor else Actor(None, "admin")
    lines_of = {order["id"]: list_lines(session, order["id"]) for order in orders}
    held = [order["id"] for order in orders if order["status"] != CANCELLED]
    release_held(session, held, finished_ids=[order["id"] for order in orders if order["status"] == DELIVERED])
    # Of all orders at once: given back order by order, the products would be locked in the order of the orders. Those
    # of finished orders too, since the deletion of a product writes to the same lines.
    lock_stock({line["product_id"] for lines in lines_of.values() for line in lines if line["product_id"] is not None})
    session.execute(_SHARE_LISTED, {"customer_id": customer_id})
    lock_lots_of_person(customer_id, lines_of.keys())
    keep_payments(session, lines_of.keys())
    session.execute(_KEEP_RETURNS, {"customer_id": customer_id})
    for order in orders:
        lines = lines_of[order["id"]]
        if order["status"] == DELIVERED:
            session.execute(_LEDGER, _ledger_values(session, order, lines))
        elif order["status"] != CANCELLED:
            notices.tell_erased({**order, "status": CANCELLED})
            give_back(order["id"], lines, by)


def _ledger_values(session: Session, order: Row, lines: Sequence[Row]) -> dict[str, Any]:
    amounts = vat_amounts(order, lines, list_discounts(session, order["id"]))
    vat = {amount.vat_class: {"gross_cents": amount.gross_cents, "vat_cents": amount.vat_cents} for amount in amounts}
    # Cash is the only way so far.
    return {**order, "vat": orjson.dumps(vat).decode(), "cash_cents": order["paid_cents"]}


def withdraw_product_from_orders(_sender: object, *, product_id: int, actor_id: int | None) -> None:
    """Before a product goes: take it out of every order that is not packed yet, and tell the customers.

    Ends with the product's row locked, so that no order with it can be placed until the deletion is committed.
    """
    session = db.session()
    for order, customer in _lock_orders_with(session, product_id):
        _drop_product(session, order, customer, product_id, Actor(actor_id, "admin"))


def _lock_orders_with(session: Session, product_id: int) -> list[tuple[Row, Row]]:
    """All open orders with the product, locked in the order customers, orders, product.

    An order placed between reading the list and locking the product would be missed: then the locks are given up (they
    go with the savepoint) and taken again.
    """
    while True:
        savepoint = session.begin_nested()
        found = _find_orders_with(session, product_id)
        customers = session.execute(_LOCK_CUSTOMERS, {"ids": sorted(set(found.values()))}).mappings()
        by_id = {customer["id"]: customer for customer in customers}
        orders = list(session.execute(_LOCK_ORDERS, {"ids": sorted(found)}).mappings())
        lock_held(session, found.keys())
        session.execute(_LOCK_PRODUCT, {"product_id": product_id})
        if _find_orders_with(session, product_id).keys() <= found.keys():
            savepoint.commit()
            # One that was packed while we waited for its lock keeps its line.
            return [(order, by_id[order["customer_id"]]) for order in orders if order["status"] in OPEN_STATUSES]
        savepoint.rollback()


def _find_orders_with(session: Session, product_id: int) -> dict[int, int]:
    rows = session.execute(_OPEN_ORDERS_WITH, {"product_id": product_id, "open": list(OPEN_STATUSES)})
    return {row.id: row.customer_id for row in rows}


def _drop_product(session: Session, order: Row, customer: Row, product_id: int, actor: Actor) -> None:
    parameters = {"order_id": order["id"], "product_id": product_id}
    dropped = session.execute(_DROP_LINES, parameters).mappings().all()
    left = list_lines(session, order["id"])
    names = ", ".join(line["name"] for line in dropped)
    removed = [{"name": line["name"], "quantity": quantity_number(line["quantity"])} for line in dropped]
    repriced, lines, discounts = reprice(session, order, left, actor, {"removed": removed})
    if not lines:
        repriced = move(session, repriced, CANCELLED, actor, f"No longer available and taken out: {names}.")
        release_held(session, [order["id"]])
    notices.tell_changed(repriced, lines, discounts, customer, phrases.withdrawn(names))
