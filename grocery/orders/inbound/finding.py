"""The orders that a phone may ask about: those with its number, or of an account with it that name no other."""

from collections.abc import Collection, Sequence

from sqlalchemy import text
from sqlalchemy.orm import Session

from grocery.db import Row

_BY_NUMBER = text("""
    SELECT orders.*, customers.language FROM orders JOIN customers ON customers.id = orders.customer_id
    WHERE orders.number = :number AND coalesce(orders.phone, customers.phone) = :phone
""")

# Each half by an index of its own.
_OF_PHONE = """
    SELECT id FROM orders WHERE phone = :phone
    UNION ALL
    SELECT orders.id FROM customers JOIN orders ON orders.customer_id = customers.id
    WHERE customers.phone = :phone AND orders.phone IS NULL
"""

_NEWEST = text(f"""
    SELECT orders.*, customers.language FROM orders JOIN customers ON customers.id = orders.customer_id
    WHERE orders.id IN ({_OF_PHONE})
      AND orders.placed_at > now() - interval '30 days' AND orders.status = ANY(:statuses)
      AND (NOT :has_substitute OR EXISTS (
          SELECT FROM order_lines AS line
          WHERE line.order_id = orders.id AND line.substitute_for IS NOT NULL
            AND coalesce(line.picked_quantity, line.quantity) > 0
      ))
    ORDER BY orders.id DESC LIMIT 1
""")  # noqa: S608  # built from constants only

_SUBSTITUTES = text("""
    SELECT id, name, coalesce(picked_quantity, quantity) > 0 AS is_taken FROM order_lines
    WHERE order_id = :order_id AND substitute_for IS NOT NULL ORDER BY id
""")

_LAST_CHANGE = text("SELECT max(id) FROM order_history WHERE order_id = :order_id")


def find_by_number(session: Session, phone: str, number: str) -> Row | None:
    """The order with this number, if it is this phone's: whoever asks must not learn of others."""
    return session.execute(_BY_NUMBER, {"phone": phone, "number": number}).mappings().one_or_none()


def find_newest(session: Session, phone: str, statuses: Collection[str], *, has_substitute: bool = False) -> Row | None:
    """The newest order of a phone in one of the statuses, of the last 30 days; if asked, only one with a substitute."""
    parameters = {"phone": phone, "statuses": list(statuses), "has_substitute": has_substitute}
    return session.execute(_NEWEST, parameters).mappings().one_or_none()


def list_substitutes(session: Session, order_id: int) -> Sequence[Row]:
    """The substitutes of an order, those that were given back included, so that each keeps its place in the list."""
    return session.execute(_SUBSTITUTES, {"order_id": order_id}).mappings().all()


def last_change(session: Session, order_id: int) -> int:
    """The id of the newest row in the order's history."""
    history_id: int = session.execute(_LAST_CHANGE, {"order_id": order_id}).scalar_one()
    return history_id
