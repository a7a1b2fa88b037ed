"""The weekly plan, from which the windows of the next two weeks are made."""

from typing import Any

from flask import Response, request
from flask_babel import gettext, lazy_gettext
from werkzeug.wrappers import Response as AnyResponse

from grocery.auth.access import admin_required
from grocery.db import reader, transaction
from grocery.orders.delivery import templates
from grocery.orders.delivery.schemas import WriteTemplateSchema
from grocery.orders.delivery.weekly import WEEKDAYS
from grocery.orders.delivery.zones import list_zones
from grocery.products.inventory.days import shop_now
from grocery.storefront.desk import forms
from grocery.storefront.desk.slots.blueprint import blp
from grocery.storefront.pages import go, render, say

DAY_NAMES = {
    "monday": lazy_gettext("Monday"),
    "tuesday": lazy_gettext("Tuesday"),
    "wednesday": lazy_gettext("Wednesday"),
    "thursday": lazy_gettext("Thursday"),
    "friday": lazy_gettext("Friday"),
    "saturday": lazy_gettext("Saturday"),
    "sunday": lazy_gettext("Sunday"),
}

_WORDS = {
    "zone_id": lazy_gettext("Choose an area."),
    "weekday": lazy_gettext("Choose a day."),
    "starts": lazy_gettext("A time of day, such as 10:00."),
    "ends": lazy_gettext("A time of the same day, after the start."),
    "capacity": lazy_gettext("A whole number from 0 on, such as 5."),
    "cutoff_minutes": lazy_gettext("A whole number of minutes, a week at most."),
    "fee": lazy_gettext("Write the amount as 50 or 49.50."),
}

#: Windows of a week's plan.
_MOST = 1000


@blp.get("/weekly")
@admin_required
def list_templates() -> Response:
    return _list({"capacity": 5, "cutoff_minutes": 60, "fee": "0", "starts": "10:00", "ends": "12:00"}, {})


@blp.post("/weekly")
@admin_required
def create_template() -> AnyResponse:
    """Add a window to one day of the week, or to several at once."""
    try:
        bodies = [forms.load(WriteTemplateSchema(), {**_body(), "weekday": day}) for day in _asked_days()]
        with transaction() as session:
            for body in bodies:
                templates.create_template(session, body, shop_now())
    except forms.REFUSALS as error:
        response = _list({**request.form.to_dict(), "weekdays": _asked_days()}, forms.explain(error, _WORDS))
        response.status_code = 422
        return response
    say(gettext("Added. The windows of the next two weeks are made."))
    return go("desk_slots.list_templates")


@blp.get("/weekly/<int:template_id>")
@admin_required
def show_template(template_id: int) -> Response:
    return _one(template_id, None, {})


@blp.post("/weekly/<int:template_id>")
@admin_required
def save_template(template_id: int) -> AnyResponse:
    try:
        body = forms.load(WriteTemplateSchema(), {**_body(), "weekday": forms.text_or_none("weekday")})
        with transaction() as session:
            templates.replace_template(session, template_id, body, shop_now())
    except forms.REFUSALS as error:
        response = _one(template_id, request.form.to_dict(), forms.explain(error, _WORDS))
        response.status_code = 422
        return response
    say(gettext("Saved. Windows that are there stay as they are; new ones follow the plan."))
    return go("desk_slots.list_templates")


@blp.post("/weekly/<int:template_id>/delete")
@admin_required
def delete_template(template_id: int) -> AnyResponse:
    with transaction() as session:
        templates.delete_template(session, template_id)
    say(gettext("Deleted. Windows that are there stay."))
    return go("desk_slots.list_templates")


def _asked_days() -> list[str | None]:
    """What was ticked; one that is nothing, to be refused, when nothing was."""
    ticked: list[str | None] = [*dict.fromkeys(request.form.getlist("weekdays"))]
    return ticked[: len(WEEKDAYS)] or [None]


def _body() -> dict[str, Any]:
    return {
        "zone_id": forms.id_or_none("zone_id"),
        "starts": forms.text_or_none("starts"),
        "ends": forms.text_or_none("ends"),
        "capacity": forms.number("capacity"),
        "cutoff_minutes": forms.number("cutoff_minutes"),
        "fee": forms.amount("fee"),
    }


def _list(values: dict[str, Any], errors: dict[str, str]) -> Response:
    with reader() as connection:
        zones = list_zones(connection)
        planned = templates.list_templates(connection, limit=_MOST, cursor=None).items
    groups = [
        (
            zone["name"],
            [(str(DAY_NAMES[day]), _of_day(planned, zone["id"], day)) for day in WEEKDAYS],
        )
        for zone in zones
    ]
    return render("desk/slots/weekly.html", groups=groups, **_choices(zones), values=values, errors=errors)


def _one(template_id: int, values: dict[str, Any] | None, errors: dict[str, str]) -> Response:
    with reader() as connection:
        template = templates.template_json(templates.get_template(connection, template_id))
        zones = list_zones(connection)
    return render(
        "desk/slots/template.html", planned=template, **_choices(zones), values=values or template, errors=errors
    )


def _of_day(planned: list[dict[str, Any]], zone_id: int, day: str) -> list[dict[str, Any]]:
    return [one for one in planned if one["zone_id"] == zone_id and one["weekday"] == day]


def _choices(zones: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "zones": [(one["id"], one["name"]) for one in zones],
        "days": [(name, str(words)) for name, words in DAY_NAMES.items()],
    }
