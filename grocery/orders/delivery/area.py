"""What a shopper wants to know of delivery before anything else: where, what it costs, and when the next one is."""

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, text

from grocery import money
from grocery.db import Row
from grocery.orders.delivery.zones import zone_json

_LIST = text("""
    SELECT zone.*, slot.starts_at, slot.ends_at, slot.fee_cents AS slot_fee_cents,
           EXISTS (
               SELECT FROM addresses WHERE customer_id = :customer_id AND zone_id = zone.id AND is_default
           ) AS is_own
    FROM delivery_zones AS zone LEFT JOIN LATERAL (
        SELECT starts_at, ends_at, fee_cents FROM delivery_slots
        WHERE zone_id = zone.id AND cutoff_at > :now AND booked < capacity
        ORDER BY starts_at, ends_at LIMIT 1
    ) AS slot ON true
    ORDER BY is_own DESC, lower(zone.name), zone.id
""")


def list_areas(connection: Connection, customer_id: int | None, now: datetime) -> list[dict[str, Any]]:
    """All zones as JSON-ready data, that of the customer's usual address first, then by name.

    Each has its `next_slot`, the first one with a place left, or None; `fee` is that of the zone and of this slot; and
    `is_own` when it is the customer's.
    """
    parameters = {"customer_id": customer_id, "now": now}
    return [_area_json(row) for row in connection.execute(_LIST, parameters).mappings()]


def _area_json(row: Row) -> dict[str, Any]:
    has_slot = row["starts_at"] is not None
    return {
        **zone_json(row),
        "fee": money.to_text(row["fee_cents"] + (row["slot_fee_cents"] or 0)),
        "next_slot": {"starts_at": row["starts_at"], "ends_at": row["ends_at"]} if has_slot else None,
        "is_own": row["is_own"],
    }
