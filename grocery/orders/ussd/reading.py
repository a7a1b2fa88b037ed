"""What the menu shows, as the database has it now: one statement for each list."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from grocery.db import Row
from grocery.orders.errors import OrderNotFoundError

#: A phone follows so many of its orders, none older than so many days.
MAX_ORDERS = 5
ORDER_DAYS = 60

#: Nobody pages further on a small screen.
MAX_PRODUCTS = 20
MAX_SLOTS = 20

# What a phone may see: orders that name it, and those that name none of customers who have it. In two parts, since each
# has an index of its own.
_OF_PHONE = """
    (
        SELECT id FROM orders
        WHERE phone = :phone AND placed_at > now() - make_interval(days => :days) AND {which}
        ORDER BY id DESC LIMIT :limit
    ) UNION ALL (
        SELECT orders.id FROM customers JOIN orders ON orders.customer_id = customers.id
        WHERE customers.phone = :phone AND orders.phone IS NULL
              AND placed_at > now() - make_interval(days => :days) AND {which}
        ORDER BY orders.id DESC LIMIT :limit
    )
"""

_LIST = text(f"""
    SELECT id, number, status, delivery_method FROM orders WHERE id IN ({_OF_PHONE.format(which="true")})
    ORDER BY id DESC LIMIT :limit
""")  # noqa: S608  # built from constants only

_ONE = text(f"""
    SELECT * FROM orders WHERE id IN ({_OF_PHONE.format(which="orders.id = :order_id")})
""")  # noqa: S608  # built from constants only

_OFFERS = text("""
    SELECT name, unit, price_cents, compare_at_price_cents FROM products
    WHERE is_active AND in_stock AND compare_at_price_cents IS NOT NULL
    ORDER BY CAST(price_cents AS double precision) / compare_at_price_cents, id
    LIMIT :limit
""")

# What was in most of the latest orders: lines lie in the order of their making, so this costs the same however many
# orders the shop has had.
_BEST_SELLERS = text("""
    SELECT product.name, product.unit, product.price_cents
    FROM (SELECT order_id, product_id FROM order_lines ORDER BY id DESC LIMIT 5000) AS line
    JOIN orders ON orders.id = line.order_id AND orders.status <> 'cancelled'
    JOIN products AS product ON product.id = line.product_id AND product.is_active AND product.in_stock
    GROUP BY product.id
    ORDER BY count(DISTINCT line.order_id) DESC, product.id
    LIMIT :limit
""")

_ZONES = text("SELECT id, name FROM delivery_zones ORDER BY lower(name), id")

# An order whose zone is gone, or of a time before the shop had any, goes to the only zone there is.
_SLOTS = text("""
    SELECT id, starts_at, ends_at, fee_cents, capacity - booked AS left FROM delivery_slots
    WHERE zone_id = coalesce(:zone_id, (SELECT min(id) FROM delivery_zones HAVING count(*) = 1))
          AND cutoff_at > now() AND booked < capacity
    ORDER BY starts_at, id
    LIMIT :limit
""")


def list_orders(session: Session, phone: str) -> list[Row]:
    """The newest orders of this phone (E.164): `id`, `number`, `status`, `delivery_method`."""
    parameters = {"phone": phone, "days": ORDER_DAYS, "limit": MAX_ORDERS}
    return list(session.execute(_LIST, parameters).mappings())


def get_order(session: Session, phone: str, order_id: int) -> Row:
    """An order of this phone; raises OrderNotFoundError, also for one of another phone."""
    parameters = {"phone": phone, "days": ORDER_DAYS, "limit": 1, "order_id": order_id}
    row = session.execute(_ONE, parameters).mappings().one_or_none()
    if row is None:
        raise OrderNotFoundError(order_id)
    return row


def list_offers(session: Session) -> list[Row]:
    """What is cheaper than it was, and there, by how much cheaper it is."""
    return _list(session, _OFFERS, limit=MAX_PRODUCTS)


def list_best_sellers(session: Session) -> list[Row]:
    """What is in stock and was in most of the latest orders."""
    return _list(session, _BEST_SELLERS, limit=MAX_PRODUCTS)


def list_zones(session: Session) -> list[Row]:
    """`id` and `name` of each zone, by name."""
    return _list(session, _ZONES)


def list_slots(session: Session, zone_id: int | None, limit: int = MAX_SLOTS) -> list[Row]:
    """The next slots of a zone that an order can still get, with the number of places `left`."""
    return _list(session, _SLOTS, zone_id=zone_id, limit=limit)


def _list(session: Session, statement: Any, **parameters: Any) -> list[Row]:
    return list(session.execute(statement, parameters).mappings())
