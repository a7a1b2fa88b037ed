"""Where a customer's last order went: what the next one is likely to want again."""

from typing import Any

from sqlalchemy import Connection, text

_LAST = text("""
    SELECT delivery_method AS method, zone_id, address, landmark, phone, payment_method
    FROM orders WHERE customer_id = :customer_id AND (status <> 'cancelled' OR is_delivery_failed)
    ORDER BY id DESC LIMIT 1
""")


def find_last_place(connection: Connection, customer_id: int) -> dict[str, Any] | None:
    """How the last order that was not cancelled was to reach the customer, as JSON-ready data."""
    row = connection.execute(_LAST, {"customer_id": customer_id}).mappings().one_or_none()
    return dict(row) if row else None
