"""Walks through the menu."""

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text

from grocery.db import db
from tests.fakes.africastalking import UssdPhone

MAIN_EN = "Test Grocer\n1 My orders\n2 Order again\n3 Offers\n4 Best sellers\n5 Delivery times\n6 Kiswahili"
MAIN_SW = "Test Grocer\n1 Oda zangu\n2 Agiza tena\n3 Ofa\n4 Zinazouzwa sana\n5 Saa za kuletewa\n6 English"

NAIROBI = ZoneInfo("Africa/Nairobi")
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")


def dial(phone: UssdPhone, *keys: str) -> str:
    """Dial and press these keys; what is shown then."""
    screen = phone.dial()
    for key in keys:
        screen = phone.press(key)
    return screen


def window(slot_id: int) -> str:
    """A slot's time as the English menu writes it, for one that is neither today nor tomorrow."""
    with db.engine.connect() as connection:
        row = connection.execute(text("SELECT starts_at, ends_at FROM delivery_slots WHERE id = :id"), {"id": slot_id})
        starts, ends = (moment.astimezone(NAIROBI) for moment in row.one())
    return f"{_DAYS[starts.weekday()]} {starts.day} {starts:%b %H:%M}-{ends:%H:%M}"


def at(days: int, hour: int) -> datetime:
    """A moment so many days from now, in the shop's time zone."""
    today = datetime.now(NAIROBI).replace(hour=hour, minute=0, second=0, microsecond=0)
    return today + timedelta(days=days)


def times(days: int, hour: int) -> dict[str, Any]:
    """The times of a slot of two hours."""
    starts_at = at(days, hour)
    return {"starts_at": starts_at, "ends_at": starts_at + timedelta(hours=2), "cutoff_at": starts_at}
