"""A day: closed, or given another number of places. Orders that hold its windows are named before, and stay."""

from typing import Any

from flask import Response, request
from flask_babel import gettext, lazy_gettext, ngettext
from werkzeug.wrappers import Response as AnyResponse

from grocery.auth.access import admin_required, staff_required
from grocery.db import reader, transaction
from grocery.fields import Id, Integer, Schema
from grocery.orders.delivery.schemas import MAX_CAPACITY
from grocery.orders.delivery.slots import set_capacity
from grocery.orders.delivery.zones import list_zones
from grocery.orders.desk.affected import list_orders_in_slots
from grocery.products.inventory.days import shop_today
from grocery.storefront.desk import forms
from grocery.storefront.desk.slots.blueprint import blp
from grocery.storefront.desk.slots.calendar import get_day, monday_of, read_windows, span
from grocery.storefront.pages import go, render, say

_WORDS = {"capacity": lazy_gettext("A whole number from 0 on, such as 5."), "zone_id": lazy_gettext("Choose an area.")}

_CapacitySchema = Schema.from_dict(
    {"capacity": Integer(required=True, low=0, high=MAX_CAPACITY), "zone_id": Id(load_default=None)},
    name="DayCapacitySchema",
)


@blp.get("/days/<day>")
@staff_required
def show_day(day: str) -> Response:
    return _page(day, {})


@blp.post("/days/<day>/close")
@admin_required
def close_day(day: str) -> AnyResponse:
    """Let nobody book this day any more."""
    return _set_capacity(day, {"capacity": 0})


@blp.post("/days/<day>/capacity")
@admin_required
def set_day_capacity(day: str) -> AnyResponse:
    """Give all windows of the day so many places, or those of one area."""
    return _set_capacity(day, {"capacity": forms.number("capacity")})


def _set_capacity(day: str, body: dict[str, Any]) -> AnyResponse:
    first = get_day(day)
    sent = {**body, "zone_id": forms.id_or_none("zone_id")}
    try:
        values = forms.load(_CapacitySchema(), sent)
        with transaction() as session:
            changed = set_capacity(session, values["capacity"], zone_id=values["zone_id"], **span(first, 1))
    except forms.REFUSALS as error:
        response = _page(day, forms.explain(error, _WORDS))
        response.status_code = 422
        return response
    _tell(changed, values["capacity"])
    return go("desk_slots.show_day", day=day)


def _tell(changed: int, capacity: int) -> None:
    if not changed:
        say(gettext("There was nothing to change on this day."), "note")
    elif capacity:
        say(ngettext("%(num)s window changed.", "%(num)s windows changed.", changed))
    else:
        say(ngettext("Closed: %(num)s window.", "Closed: %(num)s windows.", changed))


def _page(day: str, errors: dict[str, str]) -> Response:
    chosen = get_day(day)
    with reader() as connection:
        windows = read_windows(connection, chosen, 1)
        zones = list_zones(connection)
        orders = list_orders_in_slots(connection, [one["id"] for one in windows])
    return render(
        "desk/slots/day.html",
        day=chosen,
        monday=monday_of(chosen),
        windows=windows,
        names={one["id"]: one["name"] for one in zones},
        zones=[("", gettext("all areas")), *((one["id"], one["name"]) for one in zones)],
        orders=orders,
        is_past=chosen < shop_today(),
        is_closed=bool(windows) and all(one["remaining"] == 0 for one in windows),
        values=request.form,
        errors=errors,
    )
