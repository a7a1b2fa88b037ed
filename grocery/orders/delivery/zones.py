"""Zones: where the shop delivers and what it costs. Commits nothing.

Who locks a zone and what is in it (slots, templates, addresses) locks the zone first.
"""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from grocery import money
from grocery.db import Row, name_subject
from grocery.errors import InvalidError
from grocery.orders.delivery.errors import ZoneExistsError, ZoneInUseError, ZoneNotFoundError
from grocery.orders.states import FINAL_STATUSES

_LIST = text("SELECT * FROM delivery_zones ORDER BY lower(name), id")
_ONE = text("SELECT * FROM delivery_zones WHERE id = :zone_id")
_BY_NAME = text("SELECT * FROM delivery_zones WHERE lower(name) = lower(:name)")

_CREATE = text("""
    INSERT INTO delivery_zones (name, fee_cents, min_basket_cents, free_from_cents, is_slot_required)
    VALUES (:name, :fee_cents, :min_basket_cents, :free_from_cents, :is_slot_required)
    ON CONFLICT (lower(name)) DO NOTHING RETURNING *
""")

_REPLACE = text("""
    UPDATE delivery_zones SET name = :name, fee_cents = :fee_cents, min_basket_cents = :min_basket_cents,
           free_from_cents = :free_from_cents, is_slot_required = :is_slot_required
    WHERE id = :zone_id RETURNING *
""")

_KEEP = text("SELECT id FROM delivery_zones WHERE id = :zone_id FOR KEY SHARE")

# Whoever has it in an order or a slot that is not committed yet holds it FOR KEY SHARE: what they write is seen next.
_LOCK = text("SELECT id FROM delivery_zones WHERE id = :zone_id FOR UPDATE")
_IS_IN_USE = text("""
    SELECT EXISTS (SELECT FROM delivery_slots WHERE zone_id = :zone_id AND booked > 0 AND ends_at > now())
        OR EXISTS (SELECT FROM orders WHERE zone_id = :zone_id AND status <> ALL(:final))
""")
_DELETE = text("DELETE FROM delivery_zones WHERE id = :zone_id")


def list_zones(connection: Connection) -> list[dict[str, Any]]:
    """All zones as JSON-ready data, by name."""
    return [zone_json(row) for row in connection.execute(_LIST).mappings()]


def get_zone(connection: Connection, zone_id: int) -> Row:
    """Raises ZoneNotFoundError."""
    row = connection.execute(_ONE, {"zone_id": zone_id}).mappings().one_or_none()
    if row is None:
        raise ZoneNotFoundError(zone_id)
    return row


def get_zone_by_name(connection: Connection, name: str) -> Row:
    """The zone with this name, in any letter case; raises ZoneNotFoundError."""
    row = connection.execute(_BY_NAME, {"name": name}).mappings().one_or_none()
    if row is None:
        raise ZoneNotFoundError(name)
    return row


def create_zone(session: Session, values: Mapping[str, Any]) -> Row:
    """Make a zone (WriteZoneSchema); raises ZoneExistsError for a name that is taken in any letter case."""
    row = session.execute(_CREATE, dict(values)).mappings().one_or_none()
    if row is None:
        raise ZoneExistsError(values["name"])
    name_subject("zone", row["id"])
    return row


def replace_zone(session: Session, zone_id: int, values: Mapping[str, Any]) -> Row:
    """Change a zone; orders keep what they were placed with. Raises ZoneNotFoundError, ZoneExistsError."""
    try:
        row = session.execute(_REPLACE, {**values, "zone_id": zone_id}).mappings().one_or_none()
    except IntegrityError as error:
        raise ZoneExistsError(values["name"]) from error
    if row is None:
        raise ZoneNotFoundError(zone_id)
    return row


def delete_zone(session: Session, zone_id: int) -> None:
    """Delete a zone with its slots and templates; addresses and finished orders stay, without it.

    Raises ZoneNotFoundError, and ZoneInUseError while orders are still to be delivered there.
    """
    if session.execute(_LOCK, {"zone_id": zone_id}).scalar() is None:
        raise ZoneNotFoundError(zone_id)
    if session.execute(_IS_IN_USE, {"zone_id": zone_id, "final": list(FINAL_STATUSES)}).scalar():
        raise ZoneInUseError
    session.execute(_DELETE, {"zone_id": zone_id})


def keep_zone(session: Session, zone_id: int) -> None:
    """Keep a zone that a body names from being deleted until the commit; raises InvalidError when there is none."""
    if session.execute(_KEEP, {"zone_id": zone_id}).scalar() is None:
        errors = {"zone_id": ["There is no such zone."]}
        raise InvalidError("One or more fields are not valid.", errors=errors)


def zone_json(row: Row) -> dict[str, Any]:
    """A row of `delivery_zones` as JSON-ready data."""
    return {
        "id": row["id"],
        "name": row["name"],
        "fee": money.to_text(row["fee_cents"]),
        "min_basket": money.to_text_or_none(row["min_basket_cents"]),
        "free_from": money.to_text_or_none(row["free_from_cents"]),
        "is_slot_required": row["is_slot_required"],
    }
