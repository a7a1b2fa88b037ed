"""The week: all windows with how many of their places are taken."""

from datetime import timedelta
from typing import Any

from flask import Response, request

from grocery.auth.access import staff_required
from grocery.db import reader
from grocery.orders.delivery.zones import list_zones
from grocery.products.inventory.days import shop_today
from grocery.storefront.desk.slots.blueprint import blp
from grocery.storefront.desk.slots.calendar import monday_of, read_day, read_windows
from grocery.storefront.pages import render


@blp.get("/", strict_slashes=False)
@staff_required
def show_week() -> Response:
    monday = monday_of(read_day(request.args.get("week")))
    zone = request.args.get("zone", "")
    with reader() as connection:
        zones = list_zones(connection)
        zone_id = int(zone) if zone in {str(one["id"]) for one in zones} else None
        windows = read_windows(connection, monday, 7, zone_id)
    names = {one["id"]: one["name"] for one in zones}
    days = [_day(monday + timedelta(days=number), windows) for number in range(7)]
    return render(
        "desk/slots/week.html",
        days=days,
        zones=zones,
        zone_id=zone_id,
        names=names,
        monday=monday,
        before=monday - timedelta(days=7),
        after=monday + timedelta(days=7),
        today=shop_today(),
    )


def _day(day: Any, windows: list[dict[str, Any]]) -> dict[str, Any]:
    of_day = [one for one in windows if one["day"] == day]
    return {
        "day": day,
        "windows": of_day,
        "booked": sum(one["booked"] for one in of_day),
        "capacity": sum(one["capacity"] for one in of_day),
    }
