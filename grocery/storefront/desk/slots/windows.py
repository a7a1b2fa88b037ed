"""A window: how full it is, who comes in it, and its change."""

from datetime import UTC, datetime
from typing import Any

from flask import Response, request, url_for
from flask_babel import gettext, lazy_gettext
from werkzeug.wrappers import Response as AnyResponse

from grocery.auth.access import admin_required, staff_required
from grocery.db import reader, transaction
from grocery.orders.delivery import slots
from grocery.orders.delivery.schemas import WriteSlotSchema
from grocery.orders.delivery.zones import list_zones
from grocery.orders.desk.affected import list_orders_in_slots
from grocery.storefront.desk import forms
from grocery.storefront.desk.slots.blueprint import blp
from grocery.storefront.desk.slots.calendar import read_day
from grocery.storefront.pages import go, refused, render, say

_WORDS = {
    "zone_id": lazy_gettext("Choose an area."),
    "starts_at": lazy_gettext("Choose a day and a time."),
    "ends_at": lazy_gettext("After the start, and at most 24 hours later."),
    "cutoff_at": lazy_gettext("Not after the end."),
    "capacity": lazy_gettext("A whole number from 0 on, such as 5."),
    "fee": lazy_gettext("Write the amount as 50 or 49.50."),
    "capacity_below_booked": ("capacity", lazy_gettext("More orders hold it already. It cannot be less than that.")),
    "slot_booked": ("zone_id", lazy_gettext("Orders hold it, so it cannot go to another area.")),
    "slot_exists": ("starts_at", lazy_gettext("This area has a window with these times already.")),
}


@blp.get("/new")
@admin_required
def show_new() -> Response:
    day = read_day(request.args.get("day"))
    start = {"starts_at": f"{day}T10:00", "ends_at": f"{day}T12:00"} if day else {}
    return _page(None, {"capacity": 5, "fee": "0", **start}, {})


@blp.post("/new")
@admin_required
def create_slot() -> AnyResponse:
    try:
        values = forms.load(WriteSlotSchema(), _body())
        with transaction() as session:
            slots.create_slot(session, values)
    except forms.REFUSALS as error:
        return _refused(None, error)
    say(gettext("Added."))
    return go("desk_slots.show_week", week=forms.written("starts_at")[:10])


@blp.get("/<int:slot_id>")
@staff_required
def show_slot(slot_id: int) -> Response:
    slot = _read(slot_id)
    times = {name: forms.local(slot[name]) for name in ("starts_at", "ends_at", "cutoff_at")}
    return _page(slot, {**slot, **times}, {})


@blp.post("/<int:slot_id>")
@admin_required
def save_slot(slot_id: int) -> AnyResponse:
    slot = _read(slot_id)
    try:
        values = forms.load(WriteSlotSchema(), _body())
        with transaction() as session:
            slots.replace_slot(session, slot_id, values)
    except forms.REFUSALS as error:
        return _refused(slot, error)
    say(gettext("Saved. Orders keep the times that they were placed with."))
    return go("desk_slots.show_week", week=forms.written("starts_at")[:10])


@blp.post("/<int:slot_id>/delete")
@admin_required
def delete_slot(slot_id: int) -> AnyResponse:
    try:
        with transaction() as session:
            slots.delete_slot(session, slot_id)
    except forms.REFUSALS:
        say(gettext("Orders hold this window, so it cannot go. To close it, set its places to what is booked."), "bad")
        return go("desk_slots.show_slot", slot_id=slot_id)
    say(gettext("Deleted."))
    return go("desk_slots.show_week", week=forms.written("week"))


def _read(slot_id: int) -> dict[str, Any]:
    with reader() as connection:
        slot = slots.slot_json(slots.get_slot(connection, slot_id), datetime.now(UTC))
    return {**slot, "booked": slot["capacity"] - slot["remaining"]}


def _body() -> dict[str, Any]:
    return {
        "zone_id": forms.id_or_none("zone_id"),
        **{name: forms.moment(name) for name in ("starts_at", "ends_at", "cutoff_at")},
        "capacity": forms.number("capacity"),
        "fee": forms.amount("fee"),
    }


def _refused(slot: dict[str, Any] | None, error: Exception) -> AnyResponse:
    return refused(_page(slot, request.form.to_dict(), forms.explain(error, _WORDS)))


def _page(slot: dict[str, Any] | None, values: dict[str, Any], errors: dict[str, str]) -> Response:
    with reader() as connection:
        zones = list_zones(connection)
        orders = list_orders_in_slots(connection, [slot["id"]]) if slot else []
    action = url_for("desk_slots.save_slot", slot_id=slot["id"]) if slot else url_for("desk_slots.create_slot")
    return render(
        "desk/slots/window.html",
        slot=slot,
        zone_name=next((one["name"] for one in zones if slot and one["id"] == slot["zone_id"]), ""),
        zones=[(one["id"], one["name"]) for one in zones],
        orders=orders,
        values=values,
        errors=errors,
        action=action,
    )
