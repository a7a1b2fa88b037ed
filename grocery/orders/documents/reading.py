"""What documents are about, each read in one statement, so that none is put together from two states of an order."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Connection, Label, literal_column, select, text

from grocery.auth.models import Customer
from grocery.db import Row
from grocery.orders.actors import Actor
from grocery.orders.documents.errors import ReturnNotFoundError
from grocery.orders.errors import OrderNotFoundError
from grocery.orders.models import Order, OrderLine
from grocery.orders.reading import order_json

_ORDER, _LINE = Order.__table__, OrderLine.__table__

_DISCOUNTS: Label[str | None] = literal_column("""(
    SELECT json_agg(json_build_object('code', code, 'name', name, 'kind', kind, 'amount_cents', amount_cents)
                    ORDER BY id)
    FROM order_discounts WHERE order_id = orders.id
)::text""").label("discounts")

# Returns stand above documents, so their models cannot be had here.
_RETURNS: Label[str | None] = literal_column("""(
    SELECT json_agg(json_build_object('number', number, 'refund_cents', refund_cents) ORDER BY id)
    FROM order_returns WHERE order_id = orders.id
)::text""").label("returns")

_SELECT = (
    select(_ORDER, _LINE, Customer.name.label("customer_name"), _DISCOUNTS, _RETURNS)
    .join_from(_ORDER, Customer, Customer.id == Order.customer_id)
    .outerjoin(_LINE, OrderLine.order_id == Order.id)
    .order_by(OrderLine.id)
)

_RETURN = text("""
    SELECT returned.number, returned.reason, returned.refund_cents, returned.vat_cents AS return_vat_cents,
           returned.created_at, orders.number AS order_number, orders.currency, orders.version, orders.delivered_at,
           orders.delivery_method, orders.address, orders.landmark, orders.phone, customers.name AS customer_name,
           line.id AS line_id, line.name, line.unit, line.unit_price_cents, line.vat_class, line.vat_rate,
           part.quantity, part.amount_cents, part.vat_cents
    FROM order_returns AS returned JOIN orders ON orders.id = returned.order_id
    JOIN customers ON customers.id = orders.customer_id
    LEFT JOIN order_return_lines AS part ON part.return_id = returned.id
    LEFT JOIN order_lines AS line ON line.id = part.line_id
    WHERE returned.id = :return_id AND orders.id = :order_id
          AND (CAST(:customer_id AS bigint) IS NULL OR orders.customer_id = :customer_id)
    ORDER BY line.id
""")


@dataclass(frozen=True)
class OrderRecord:
    """An order with what its documents say beyond `json`, the answer of `GET /orders/{order_id}`.

    `returns` are its credit notes, each with `number` and `refund_cents`.
    """

    row: Row
    lines: Sequence[Row]
    returns: Sequence[Row]
    customer_name: str
    json: Mapping[str, Any]

    @property
    def returned_cents(self) -> int:
        return sum(one["refund_cents"] for one in self.returns)

    @property
    def owed_cents(self) -> int:
        """What is still to be paid; below zero, what is to be paid back. Nothing is owed for a cancelled order."""
        row = self.row
        price = 0 if row["status"] == "cancelled" else row["total_cents"] - self.returned_cents
        return price - row["paid_cents"]


def read_order(connection: Connection, order_id: int, reader: Actor) -> OrderRecord:
    """An order as `reader` may see it; raises OrderNotFoundError, also for another customer's order."""
    record = _read(connection, Order.id == order_id, reader)
    if record is None:
        raise OrderNotFoundError(order_id)
    return record


def find_order_by_number(connection: Connection, number: str, reader: Actor) -> OrderRecord | None:
    """The order with this number, in any letter case."""
    return _read(connection, Order.number == number.upper(), reader)


def read_return(connection: Connection, order_id: int, return_id: int, reader: Actor) -> Sequence[Row]:
    """A return, once for each of its lines; raises ReturnNotFoundError."""
    owner_id = None if reader.is_staff else reader.id
    parameters = {"order_id": order_id, "return_id": return_id, "customer_id": owner_id}
    rows = connection.execute(_RETURN, parameters).mappings().all()
    if not rows:
        raise ReturnNotFoundError()
    return rows


def _read(connection: Connection, condition: ColumnElement[bool], reader: Actor) -> OrderRecord | None:
    statement = _SELECT.where(condition)
    if not reader.is_staff:
        statement = statement.where(Order.customer_id == reader.id)
    rows = connection.execute(statement).mappings().all()
    if not rows:
        return None
    first = rows[0]
    order = {column.name: first[column] for column in _ORDER.c}
    lines = [{column.name: row[column] for column in _LINE.c} for row in rows if row[_LINE.c.id] is not None]
    discounts = orjson.loads(first["discounts"] or "[]")
    return OrderRecord(
        row=order,
        lines=lines,
        returns=orjson.loads(first["returns"] or "[]"),
        customer_name=first["customer_name"],
        json=order_json(order, lines, discounts, is_staff=reader.is_staff),
    )
