"""The desk's navigation: the places that a person may go to."""

from typing import NamedTuple

from flask import request, url_for
from flask_babel import lazy_gettext

from grocery.auth.people import Person


class Place(NamedTuple):
    """A link of the navigation; `area` is its blueprint, whose pages all mark it as the current one."""

    endpoint: str
    words: object
    is_for_staff: bool = True

    @property
    def area(self) -> str:
        return self.endpoint.partition(".")[0]


_PLACES = (
    Place("desk.show_dashboard", lazy_gettext("Today")),
    Place("desk_orders.show_board", lazy_gettext("Orders")),
    Place("desk_picking.show_queue", lazy_gettext("Picking")),
    Place("desk_products.list_products", lazy_gettext("Products")),
    Place("desk_slots.show_week", lazy_gettext("Delivery times")),
    Place("desk_people.list_customers", lazy_gettext("Customers"), is_for_staff=False),
    Place("desk_promotions.list_promotions", lazy_gettext("Offers"), is_for_staff=False),
    Place("desk_people.list_staff", lazy_gettext("Staff"), is_for_staff=False),
    Place("desk_notifications.list_notifications", lazy_gettext("Messages"), is_for_staff=False),
    Place("desk_reports.show_reports", lazy_gettext("Reports"), is_for_staff=False),
    Place("desk_audit.list_entries", lazy_gettext("Log"), is_for_staff=False),
)

#: Two lists of one blueprint: which one a page belongs to, its address says.
_STAFF_PATH = "/admin/staff"


def desk_places(person: Person) -> list[dict[str, object]]:
    """What the navigation shows to this person: `address`, `words` and `is_current`."""
    return [
        {"address": url_for(place.endpoint), "words": str(place.words), "is_current": _is_current(place)}
        for place in _PLACES
        if place.is_for_staff or person.is_admin
    ]


def _is_current(place: Place) -> bool:
    if place.area != request.blueprint:
        return False
    if place.area == "desk_people":
        return request.path.startswith(_STAFF_PATH) == (place.endpoint == "desk_people.list_staff")
    return True
