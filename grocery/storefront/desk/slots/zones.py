"""Areas: where the shop delivers, from which basket on, and what it costs."""

from typing import Any

from flask import Response, request
from flask_babel import gettext, lazy_gettext
from werkzeug.wrappers import Response as AnyResponse

from grocery.auth.access import admin_required
from grocery.db import reader, transaction
from grocery.orders.delivery import zones
from grocery.orders.delivery.schemas import WriteZoneSchema
from grocery.storefront.desk import forms
from grocery.storefront.desk.slots.blueprint import blp
from grocery.storefront.pages import go, render, say

_AMOUNT = lazy_gettext("Write the amount as 150 or 149.50.")
_WORDS = {
    "name": lazy_gettext("A name of up to 100 letters."),
    "fee": _AMOUNT,
    "min_basket": _AMOUNT,
    "free_from": _AMOUNT,
    "zone_exists": ("name", lazy_gettext("There is an area with this name already.")),
}


@blp.get("/zones")
@admin_required
def list_zones() -> Response:
    return _list({}, {})


@blp.post("/zones")
@admin_required
def create_zone() -> AnyResponse:
    try:
        values = forms.load(WriteZoneSchema(), _body())
        with transaction() as session:
            zones.create_zone(session, values)
    except forms.REFUSALS as error:
        response = _list(request.form.to_dict(), forms.explain(error, _WORDS))
        response.status_code = 422
        return response
    say(gettext("Added: %(name)s", name=values["name"]))
    return go("desk_slots.list_zones")


@blp.get("/zones/<int:zone_id>")
@admin_required
def show_zone(zone_id: int) -> Response:
    return _one(zone_id, None, {})


@blp.post("/zones/<int:zone_id>")
@admin_required
def save_zone(zone_id: int) -> AnyResponse:
    try:
        values = forms.load(WriteZoneSchema(), _body())
        with transaction() as session:
            zones.replace_zone(session, zone_id, values)
    except forms.REFUSALS as error:
        response = _one(zone_id, request.form.to_dict(), forms.explain(error, _WORDS))
        response.status_code = 422
        return response
    say(gettext("Saved. Orders keep the fee that they were placed with."))
    return go("desk_slots.list_zones")


@blp.post("/zones/<int:zone_id>/delete")
@admin_required
def delete_zone(zone_id: int) -> AnyResponse:
    try:
        with transaction() as session:
            zones.delete_zone(session, zone_id)
    except forms.REFUSALS:
        say(gettext("Orders that are neither delivered nor cancelled go there, so it cannot go."), "bad")
        return go("desk_slots.show_zone", zone_id=zone_id)
    say(gettext("Deleted, with its windows."))
    return go("desk_slots.list_zones")


def _body() -> dict[str, Any]:
    return {
        "name": forms.text_or_none("name"),
        **{name: forms.amount(name) for name in ("fee", "min_basket", "free_from")},
        "is_slot_required": forms.is_ticked("is_slot_required"),
    }


def _list(values: dict[str, Any], errors: dict[str, str]) -> Response:
    with reader() as connection:
        return render("desk/slots/zones.html", zones=zones.list_zones(connection), values=values, errors=errors)


def _one(zone_id: int, values: dict[str, Any] | None, errors: dict[str, str]) -> Response:
    with reader() as connection:
        zone = zones.zone_json(zones.get_zone(connection, zone_id))
    return render("desk/slots/zone.html", zone=zone, values=values or zone, errors=errors)
