"""Slots: windows with room for so many orders. Commits nothing.

An order that is being placed raises `booked` in a transaction of its own. So what depends on it is decided while the
slot's row is locked.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, select, text, tuple_
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from grocery import money
from grocery.db import Row, name_subject
from grocery.orders.delivery.errors import (
    CapacityBelowBookedError,
    SlotBookedError,
    SlotExistsError,
    SlotNotFoundError,
)
from grocery.orders.delivery.models import DeliverySlot
from grocery.orders.delivery.zones import keep_zone
from grocery.paging import Page, cut_page, decode_cursor, encode_cursor

# No window is longer, not even on a day with 25 hours. So what is not over has started after now minus this, and the
# index by start finds it.
_LONGEST = timedelta(days=2)

# A cursor holds a moment as microseconds since then.
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LAST_MICROSECOND = (datetime(9999, 1, 1, tzinfo=UTC) - _EPOCH) // _MICROSECOND

_COLUMNS = tuple(DeliverySlot.__table__.columns)

_ONE = text("SELECT * FROM delivery_slots WHERE id = :slot_id")

_CREATE = text("""
    INSERT INTO delivery_slots (zone_id, starts_at, ends_at, cutoff_at, capacity, fee_cents)
    VALUES (:zone_id, :starts_at, :ends_at, :cutoff_at, :capacity, :fee_cents)
    ON CONFLICT (zone_id, starts_at, ends_at) DO NOTHING RETURNING *
""")

# As strong as the change of a time needs it: a lock that grows while an order refers to the slot could deadlock.
_LOCK = text("SELECT zone_id, booked FROM delivery_slots WHERE id = :slot_id FOR UPDATE")
_REPLACE = text("""
    UPDATE delivery_slots SET zone_id = :zone_id, starts_at = :starts_at, ends_at = :ends_at, cutoff_at = :cutoff_at,
           capacity = :capacity, fee_cents = :fee_cents
    WHERE id = :slot_id RETURNING *
""")

# In the order of their ids, like whoever else locks several of them; and in a statement of its own, since an UPDATE
# that locks by itself would look at `booked` as it was before the lock.
_SPAN = """
    starts_at >= :starts_from AND starts_at < :starts_until AND (CAST(:zone_id AS bigint) IS NULL OR zone_id = :zone_id)
"""
_LOCK_SPAN = text(f"SELECT FROM delivery_slots WHERE {_SPAN} ORDER BY id FOR NO KEY UPDATE")  # constants
_SET_CAPACITY = text(f"UPDATE delivery_slots SET capacity = greatest(booked, :capacity) WHERE {_SPAN}")  # noqa: S608

_DELETE = text("DELETE FROM delivery_slots WHERE id = :slot_id AND booked = 0 RETURNING id")


def list_slots(connection: Connection, arguments: Mapping[str, Any], *, now: datetime) -> Page:
    """Slots by their start; `arguments` are those of SlotArgsSchema. Without `starts_from`, those that are not over.

    Raises InvalidError for a cursor of another list.
    """
    statement = select(*_COLUMNS).order_by(DeliverySlot.starts_at, DeliverySlot.id).limit(arguments["limit"] + 1)
    if arguments["zone_id"]:
        statement = statement.where(DeliverySlot.zone_id == arguments["zone_id"])
    if arguments["starts_from"]:
        statement = statement.where(DeliverySlot.starts_at >= arguments["starts_from"])
    else:
        statement = statement.where(DeliverySlot.ends_at > now, DeliverySlot.starts_at > now - _LONGEST)
    if arguments["starts_until"]:
        statement = statement.where(DeliverySlot.starts_at < arguments["starts_until"])
    if arguments["cursor"]:
        microseconds, slot_id = decode_cursor(arguments["cursor"], int, int)
        starts_at = _EPOCH + min(max(microseconds, 0), _LAST_MICROSECOND) * _MICROSECOND
        statement = statement.where(tuple_(DeliverySlot.starts_at, DeliverySlot.id) > (starts_at, slot_id))
    found = connection.execute(statement).mappings().all()
    rows, next_cursor = cut_page(found, arguments["limit"], _cursor_after)
    return Page([slot_json(row, now) for row in rows], next_cursor)


def get_slot(connection: Connection | Session, slot_id: int) -> Row:
    """Raises SlotNotFoundError."""
    row = connection.execute(_ONE, {"slot_id": slot_id}).mappings().one_or_none()
    if row is None:
        raise SlotNotFoundError(slot_id)
    return row


def create_slot(session: Session, values: Mapping[str, Any]) -> Row:
    """Make a slot (WriteSlotSchema). Raises InvalidError for an unknown zone, SlotExistsError."""
    keep_zone(session, values["zone_id"])
    row = session.execute(_CREATE, _columns(values)).mappings().one_or_none()
    if row is None:
        raise SlotExistsError
    name_subject("slot", row["id"])
    return row


def replace_slot(session: Session, slot_id: int, values: Mapping[str, Any]) -> Row:
    """Change a slot; orders keep the times that they were placed with.

    Raises SlotNotFoundError, InvalidError for an unknown zone, CapacityBelowBookedError, SlotBookedError for one that
    would move to another zone while orders hold it, SlotExistsError.
    """
    keep_zone(session, values["zone_id"])
    current = session.execute(_LOCK, {"slot_id": slot_id}).one_or_none()
    if current is None:
        raise SlotNotFoundError(slot_id)
    if current.booked and current.zone_id != values["zone_id"]:
        raise SlotBookedError(current.booked)
    if current.booked > values["capacity"]:
        raise CapacityBelowBookedError(current.booked)
    try:
        return session.execute(_REPLACE, {**_columns(values), "slot_id": slot_id}).mappings().one()
    except IntegrityError as error:
        raise SlotExistsError from error


def set_capacity(
    session: Session, capacity: int, *, starts_from: datetime, starts_until: datetime, zone_id: int | None = None
) -> int:
    """Give all slots that start in this time so much room, but never less than is booked; answers how many they are.

    With a `capacity` of 0 nobody can book them any more; the orders that hold them stay.
    """
    parameters = {"starts_from": starts_from, "starts_until": starts_until, "zone_id": zone_id, "capacity": capacity}
    session.execute(_LOCK_SPAN, parameters)
    result = session.execute(_SET_CAPACITY, parameters)
    changed: int = result.rowcount  # type: ignore[attr-defined]  # of an UPDATE
    return changed


def delete_slot(session: Session, slot_id: int) -> None:
    """Delete a slot that no order holds; raises SlotNotFoundError, SlotBookedError."""
    if session.execute(_DELETE, {"slot_id": slot_id}).scalar() is None:
        raise SlotBookedError(get_slot(session, slot_id)["booked"])


def slot_json(row: Row, now: datetime) -> dict[str, Any]:
    """A row of `delivery_slots` as everyone sees it."""
    remaining = row["capacity"] - row["booked"]
    return {
        "id": row["id"],
        "zone_id": row["zone_id"],
        "starts_at": row["starts_at"],
        "ends_at": row["ends_at"],
        "capacity": row["capacity"],
        "remaining": remaining,
        "cutoff_at": row["cutoff_at"],
        "is_open": remaining > 0 and row["cutoff_at"] > now,
        "fee": money.to_text(row["fee_cents"]),
    }


def _columns(values: Mapping[str, Any]) -> dict[str, Any]:
    return {**values, "cutoff_at": values["cutoff_at"] or values["starts_at"]}


def _cursor_after(row: Row) -> str:
    return encode_cursor((row["starts_at"] - _EPOCH) // _MICROSECOND, row["id"])
