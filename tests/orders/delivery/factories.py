"""Zones, slots and templates to test with, and requests in the form that the API takes."""

from datetime import UTC, datetime, time, timedelta
from itertools import count
from typing import Any

from sqlalchemy import insert, text, update

from grocery.db import db
from grocery.orders.delivery.models import DeliverySlot, DeliveryZone, SlotTemplate
from grocery.orders.models import Order
from tests.auth.factories import make_customer
from tests.products.ledger import select_rows

_numbers = count(1)

# The same for all tests, so that none looks at the clock twice.
_NOW = datetime.now(UTC).replace(second=0, microsecond=0)


def in_hours(hours: float) -> datetime:
    """So many hours from the beginning of the tests."""
    return _NOW + timedelta(hours=hours)


def make_zone(**overrides: Any) -> int:
    values = {"name": f"Zone {next(_numbers)}", "fee_cents": 150_00, **overrides}
    with db.engine.begin() as connection:
        return connection.scalar(insert(DeliveryZone).values(values).returning(DeliveryZone.id)) or 0


def make_slot(zone_id: int | None = None, *, hours: float = 24, **overrides: Any) -> int:
    """A slot of two hours that starts in so many hours, for 5 orders."""
    starts_at = in_hours(hours)
    values = {
        "zone_id": zone_id or make_zone(),
        "starts_at": starts_at,
        "ends_at": starts_at + timedelta(hours=2),
        "cutoff_at": starts_at,
        "capacity": 5,
        **overrides,
    }
    with db.engine.begin() as connection:
        return connection.scalar(insert(DeliverySlot).values(values).returning(DeliverySlot.id)) or 0


def make_template(zone_id: int | None = None, **overrides: Any) -> int:
    """A template of Mondays from 10 to 12, of which nothing is made yet."""
    values = {
        "zone_id": zone_id or make_zone(),
        "weekday": 0,
        "starts": time(10),
        "ends": time(12),
        "capacity": 5,
        **overrides,
    }
    with db.engine.begin() as connection:
        return connection.scalar(insert(SlotTemplate).values(values).returning(SlotTemplate.id)) or 0


def make_order(status: str = "pending", **overrides: Any) -> int:
    """A bare order with this status, of a customer of its own."""
    values = {
        "number": f"G-D{next(_numbers)}",
        "customer_id": make_customer().id,
        "status": status,
        "subtotal_cents": 0,
        "vat_cents": 0,
        "total_cents": 0,
        "currency": "KES",
        **overrides,
    }
    with db.engine.begin() as connection:
        return connection.scalar(insert(Order).values(values).returning(Order.id)) or 0


def book(slot_id: int, orders: int = 1) -> None:
    with db.engine.begin() as connection:
        connection.execute(update(DeliverySlot).where(DeliverySlot.id == slot_id).values(booked=orders))


def slot_row(slot_id: int) -> tuple[Any, ...]:
    """Zone, capacity and how many orders hold it."""
    [row] = select_rows("SELECT zone_id, capacity, booked FROM delivery_slots WHERE id = :id", id=slot_id)
    return row


def starts_of_slots() -> list[str]:
    """When all slots start, in UTC."""
    rows = select_rows("SELECT starts_at FROM delivery_slots ORDER BY starts_at")
    return [f"{starts_at.astimezone(UTC):%m-%d %H:%M}" for (starts_at,) in rows]


def run_statement(statement: str, **parameters: Any) -> None:
    with db.engine.begin() as connection:
        connection.execute(text(statement), parameters)


def slot_body(zone_id: int, *, hours: float = 24, **overrides: Any) -> dict[str, Any]:
    starts_at = in_hours(hours)
    times = {"starts_at": starts_at.isoformat(), "ends_at": (starts_at + timedelta(hours=2)).isoformat()}
    return {"zone_id": zone_id, **times, "capacity": 5, **overrides}


def template_body(zone_id: int, **overrides: Any) -> dict[str, Any]:
    return {"zone_id": zone_id, "weekday": "monday", "starts": "10:00", "ends": "12:00", "capacity": 5, **overrides}
