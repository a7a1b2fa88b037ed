"""What of an order is shown to those who follow it: nothing about the person."""

from typing import Any

from sqlalchemy import Connection, text

from grocery.fields import quantity_number
from grocery.orders.actors import Actor
from grocery.orders.errors import OrderNotFoundError
from grocery.orders.lines import quantity_of
from grocery.orders.states import CANCELLED, FLOW
from grocery.orders.tracking.errors import LinkNotFoundError

_MAY_READ = text("""
    SELECT EXISTS (
        SELECT FROM orders
        WHERE id = :order_id AND (CAST(:customer_id AS bigint) IS NULL OR customer_id = :customer_id)
    )
""")

_HISTORY = text("SELECT id, status, at FROM order_history WHERE order_id = :order_id ORDER BY id")

_ORDER = text("""
    SELECT orders.number, orders.delivery_method, orders.slot_starts_at, orders.slot_ends_at,
           CASE WHEN orders.status = 'shipped' THEN rider.phone END AS rider_phone,
           line.name, line.unit, line.quantity, line.picked_quantity
    FROM orders LEFT JOIN order_lines AS line ON line.order_id = orders.id
    LEFT JOIN delivery_runs AS run ON run.id = orders.run_id LEFT JOIN customers AS rider ON rider.id = run.rider_id
    WHERE orders.id = :order_id ORDER BY line.id
""")


def check_readable(connection: Connection, order_id: int, reader: Actor) -> None:
    """Raise OrderNotFoundError, also for another customer's order."""
    parameters = {"order_id": order_id, "customer_id": None if reader.is_staff else reader.id}
    if not connection.execute(_MAY_READ, parameters).scalar():
        raise OrderNotFoundError(order_id)


def get_tracked_order(connection: Connection, order_id: int) -> dict[str, Any]:
    """An order for its public page; raises LinkNotFoundError. The rider can be called while it is on its way.

    The history is read first: what happens between the two readings is in the items already, and comes as an event
    again, which does no harm. The other way round it would be missed.
    """
    parameters = {"order_id": order_id}
    history = list(connection.execute(_HISTORY, parameters).mappings())
    rows = list(connection.execute(_ORDER, parameters).mappings())
    if not history or not rows:
        raise LinkNotFoundError
    reached: dict[str, Any] = {}
    for entry in history:
        reached.setdefault(entry["status"], entry["at"])
    return {
        "number": rows[0]["number"],
        "status": history[-1]["status"],
        "delivery_method": rows[0]["delivery_method"],
        "slot_starts_at": rows[0]["slot_starts_at"],
        "slot_ends_at": rows[0]["slot_ends_at"],
        "rider_phone": rows[0]["rider_phone"],
        "steps": [
            {"status": status, "at": reached.get(status)}
            for status in (*FLOW, CANCELLED)
            if status != CANCELLED or status in reached
        ],
        "items": [
            {"name": row["name"], "quantity": quantity_number(quantity_of(row)), "unit": row["unit"]}
            for row in rows
            if row["name"] is not None and quantity_of(row)
        ],
        "last_event_id": history[-1]["id"],
    }
