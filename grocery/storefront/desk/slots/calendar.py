"""Days and weeks by the shop's clock, and the delivery windows in them."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from flask import current_app
from sqlalchemy import Connection
from werkzeug.exceptions import NotFound

from grocery.orders.delivery.schemas import SlotArgsSchema
from grocery.orders.delivery.slots import list_slots
from grocery.products.inventory.days import shop_today

#: Windows of a week, more than any shop has.
_MOST = 3000


def read_day(text: str | None) -> date | None:
    """The day of an address; None for what is none."""
    try:
        day = date.fromisoformat(text or "")
    except ValueError:
        return None
    return day if 2000 <= day.year < 2100 else None


def get_day(text: str) -> date:
    """The day of an address; raises NotFound for what is none."""
    day = read_day(text)
    if day is None:
        raise NotFound
    return day


def monday_of(day: date | None) -> date:
    """The first day of its week; of this week without a day."""
    chosen = day or shop_today()
    return chosen - timedelta(days=chosen.weekday())


def span(first: date, days: int) -> dict[str, datetime]:
    """From the beginning of a day on so many days: `starts_from`, `starts_until`."""
    zone = current_app.config["TIMEZONE"]
    begin, end = (datetime.combine(day, time(), zone) for day in (first, first + timedelta(days=days)))
    return {"starts_from": begin.astimezone(UTC), "starts_until": end.astimezone(UTC)}


def read_windows(connection: Connection, first: date, days: int, zone_id: int | None = None) -> list[dict[str, Any]]:
    """The windows of so many days by their start, each with `booked`, its `day`, and whether it is full or over."""
    now = datetime.now(UTC)
    arguments = {**SlotArgsSchema().load({}), **span(first, days), "zone_id": zone_id, "limit": _MOST}
    zone = current_app.config["TIMEZONE"]
    return [
        {
            **slot,
            "booked": slot["capacity"] - slot["remaining"],
            "day": slot["starts_at"].astimezone(zone).date(),
            "is_over": slot["ends_at"] <= now,
        }
        for slot in list_slots(connection, arguments, now=now).items
    ]
