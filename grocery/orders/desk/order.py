"""An order as the desk sees it: with its customer, and with the names of those who did something."""

from typing import Any

from sqlalchemy import Connection, text

from grocery.orders import reading
from grocery.orders.actors import Actor

_CUSTOMER = text("""
    SELECT customer.id, customer.name, customer.phone, customer.email, zone.name AS zone, orders.is_delivery_failed,
           (SELECT count(*) FROM orders AS other WHERE other.customer_id = customer.id) AS orders
    FROM orders JOIN customers AS customer ON customer.id = orders.customer_id
    LEFT JOIN delivery_zones AS zone ON zone.id = orders.zone_id
    WHERE orders.id = :order_id
""")

_NAMES = text("SELECT id, name FROM customers WHERE id = ANY(:ids)")

_CHECKED_IN = text("SELECT id, checked_in_quantity FROM order_lines WHERE order_id = :order_id")


def read_desk_order(connection: Connection, order_id: int, reader: Actor) -> dict[str, Any]:
    """The order's JSON with `customer` (a row), `history` (each with `actor`, a name), and `checked_in` by line.

    Raises OrderNotFoundError.
    """
    order = reading.get_order(connection, order_id, reader)
    customer = connection.execute(_CUSTOMER, {"order_id": order_id}).mappings().one()
    history = reading.list_history(connection, order_id, reader)
    ids = sorted({entry["actor_id"] for entry in history if entry["actor_id"]})
    names = {row.id: row.name for row in connection.execute(_NAMES, {"ids": ids})} if ids else {}
    checked_in = {row.id: row.checked_in_quantity for row in connection.execute(_CHECKED_IN, {"order_id": order_id})}
    return {
        **order,
        "customer": customer,
        "history": [{**entry, "actor": names.get(entry["actor_id"])} for entry in history],
        "checked_in": checked_in,
    }
