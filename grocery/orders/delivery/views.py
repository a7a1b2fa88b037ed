"""The routes of zones and slots, below /delivery."""

from datetime import UTC, datetime
from typing import Any

from flask import Response, jsonify

from grocery.api import Blueprint, public
from grocery.auth.access import admin_required
from grocery.db import reader, transaction
from grocery.orders.delivery import examples, slots, zones
from grocery.orders.delivery.schemas import (
    SlotArgsSchema,
    SlotSchema,
    WriteSlotSchema,
    WriteZoneSchema,
    ZoneSchema,
)
from grocery.paging import NEXT_LINK, add_next_link

blp = Blueprint("delivery", __name__, url_prefix="/delivery", description="Where the shop delivers, and when.")

_ZONE_EXISTS = "There is a zone with this name, in any letter case: `zone_exists`."
_SLOT_EXISTS = "The zone has a slot with these times: `slot_exists`."


def _find_zone(zone_id: int) -> None:
    with reader() as connection:
        zones.get_zone(connection, zone_id)


def _find_slot(slot_id: int) -> None:
    with reader() as connection:
        slots.get_slot(connection, slot_id)


@blp.route("/zones")
@public
@blp.response(200, ZoneSchema(many=True), description="All zones, by name.", example=[examples.ZONE])
def list_zones() -> Response:
    """List the areas in which the shop delivers"""
    with reader() as connection:
        return jsonify(zones.list_zones(connection))


@blp.route("/zones", methods=["POST"])
@admin_required
@blp.problems(_409=_ZONE_EXISTS)
@blp.arguments(WriteZoneSchema, example=examples.ZONE_WANTED)
@blp.response(201, ZoneSchema, description="The new zone.", example=examples.ZONE)
def create_zone(body: dict[str, Any]) -> dict[str, Any]:
    """Add a delivery zone"""
    with transaction() as session:
        return zones.zone_json(zones.create_zone(session, body))


@blp.route("/zones/<int:zone_id>")
@public
@blp.response(200, ZoneSchema, description="The zone.", example=examples.ZONE)
def get_zone(zone_id: int) -> dict[str, Any]:
    """Read a delivery zone"""
    with reader() as connection:
        return zones.zone_json(zones.get_zone(connection, zone_id))


@blp.route("/zones/<int:zone_id>", methods=["PUT"])
@admin_required
@blp.found_first(_find_zone)
@blp.problems(_409=_ZONE_EXISTS)
@blp.arguments(WriteZoneSchema, example=examples.ZONE_WANTED)
@blp.response(200, ZoneSchema, description="The zone as it is now.", example=examples.ZONE)
def replace_zone(body: dict[str, Any], zone_id: int) -> dict[str, Any]:
    """Change a delivery zone

    Orders that were placed keep the fee that they were placed with.
    """
    with transaction() as session:
        return zones.zone_json(zones.replace_zone(session, zone_id, body))


@blp.route("/zones/<int:zone_id>", methods=["DELETE"])
@admin_required
@blp.problems(_409="Orders are still to be delivered there: `zone_in_use`.")
@blp.response(204, description="The zone is gone.")
def delete_zone(zone_id: int) -> None:
    """Delete a delivery zone

    Its slots and templates go with it. Finished orders and saved addresses stay, without a zone.
    """
    with transaction() as session:
        zones.delete_zone(session, zone_id)


@blp.route("/slots")
@public
@blp.problems(_422="`zone`, `from`, `until`, `limit` or `cursor` is not valid: `bad_cursor`.")
@blp.arguments(SlotArgsSchema, location="query")
@blp.response(
    200, SlotSchema(many=True), description="A page, by their start.", headers=NEXT_LINK, example=[examples.SLOT]
)
def list_slots(arguments: dict[str, Any]) -> Response:
    """List the windows in which orders are delivered

    Those that are not over yet. With `from`, those that start from then on, past ones too. One with `is_open: false` is
    full, or its `cutoff_at` has passed.
    """
    with reader() as connection:
        page = slots.list_slots(connection, arguments, now=datetime.now(UTC))
    return add_next_link(jsonify(page.items), page.next_cursor)


@blp.route("/slots", methods=["POST"])
@admin_required
@blp.problems(_409=_SLOT_EXISTS)
@blp.problems(
    _422="A field is not valid, `zone_id` is of no zone, or `ends_at` or `cutoff_at` does not fit `starts_at`."
)
@blp.arguments(WriteSlotSchema, example=examples.SLOT_WANTED)
@blp.response(201, SlotSchema, description="The new slot.", example=examples.SLOT)
def create_slot(body: dict[str, Any]) -> dict[str, Any]:
    """Add a delivery slot"""
    with transaction() as session:
        return slots.slot_json(slots.create_slot(session, body), datetime.now(UTC))


@blp.route("/slots/<int:slot_id>")
@public
@blp.response(200, SlotSchema, description="The slot.", example=examples.SLOT)
def get_slot(slot_id: int) -> dict[str, Any]:
    """Read a delivery slot"""
    with reader() as connection:
        return slots.slot_json(slots.get_slot(connection, slot_id), datetime.now(UTC))


@blp.route("/slots/<int:slot_id>", methods=["PUT"])
@admin_required
@blp.found_first(_find_slot)
@blp.problems(
    _409="More orders hold it than `capacity` (`capacity_below_booked`, with `booked`), or orders hold it and it would "
    f"move to another zone (`slot_booked`, with `booked`). {_SLOT_EXISTS}"
)
@blp.problems(
    _422="A field is not valid, `zone_id` is of no zone, or `ends_at` or `cutoff_at` does not fit `starts_at`."
)
@blp.arguments(WriteSlotSchema, example=examples.SLOT_WANTED)
@blp.response(200, SlotSchema, description="The slot as it is now.", example=examples.SLOT)
def replace_slot(body: dict[str, Any], slot_id: int) -> dict[str, Any]:
    """Change a delivery slot

    To close it, set `capacity` to what is booked. Orders keep the times and the fee that they were placed with.
    """
    with transaction() as session:
        return slots.slot_json(slots.replace_slot(session, slot_id, body), datetime.now(UTC))


@blp.route("/slots/<int:slot_id>", methods=["DELETE"])
@admin_required
@blp.problems(_409="Orders hold it: `slot_booked`, with `booked`.")
@blp.response(204, description="The slot is gone.")
def delete_slot(slot_id: int) -> None:
    """Delete a delivery slot that no order holds

    One that was made from a template is not made again.
    """
    with transaction() as session:
        slots.delete_slot(session, slot_id)
