"""Notifications to test with. All functions need an application context (the fixture `context`)."""

from copy import deepcopy
from datetime import datetime
from itertools import count
from typing import Any

from sqlalchemy import insert, select, text

from grocery.db import db
from grocery.notify.models import Notification
from tests.notify.clients import AMINA, PHONE

_numbers = count(1)

ORDER: dict[str, Any] = {
    "number": "G-7K3M9Q",
    "status": "pending",
    "subtotal": "KES 1,050",
    "discounts": [],
    "delivery_fee": "KES 200",
    "vat": "KES 70.50",
    "total": "KES 1,250",
    "is_pickup": False,
    "delivery": "Moi Avenue 5, near Shell, blue gate",
    "slot": None,
    "payment": "cash_on_delivery",
    "note": "Ring twice",
    "lines": [
        {
            "name": "Sukuma Wiki (Kale)",
            "quantity": {"quantity": "1.5", "unit": "kg"},
            "unit_price": "KES 60",
            "line_total": "KES 90",
        },
        {
            "name": "Brookside Milk 500 ml",
            "quantity": {"quantity": "2", "unit": "each"},
            "unit_price": "KES 65",
            "line_total": "KES 130",
        },
    ],
}

PICKUP: dict[str, Any] = {"is_pickup": True, "delivery": ""}
SLOT = {"starts": datetime(2026, 11, 28, 10), "ends": datetime(2026, 11, 28, 12)}
CHANGE: dict[str, Any] = {"say": "withdrawn", "name": "Brookside Milk 500 ml"}


def order_context(*, order: dict[str, Any] | None = None, **overrides: Any) -> dict[str, Any]:
    """What the texts of orders need."""
    return {
        "shop": "Test Grocer",
        "url": "http://shop.example",
        "track_url": None,
        "order": {**deepcopy(ORDER), **(order or {})},
        "customer": {"name": "Amina Odhiambo", "phone": PHONE, "email": AMINA},
        "change": [dict(CHANGE)],
        "note": "The delivery slot was full",
        "picking": [],
        **overrides,
    }


def make_notification(**overrides: Any) -> int:
    """A new message, an SMS that is due unless told otherwise; answers its id. Times may be SQL expressions."""
    number = next(_numbers)
    channel = overrides.get("channel", "sms")
    values: dict[str, Any] = {
        "dedupe_key": f"test:{number}",
        "channel": channel,
        "event": "order_placed",
        "recipient": PHONE if channel == "sms" else AMINA,
        "subject": None if channel == "sms" else f"Subject {number}",
        "body": f"Text {number}",
        **overrides,
    }
    values = {name: text(value) if str(value).startswith("now()") else value for name, value in values.items()}
    with db.engine.begin() as connection:
        return connection.execute(insert(Notification).values(values).returning(Notification.id)).scalar_one()


def make_notifications(number: int, **overrides: Any) -> list[int]:
    return [make_notification(**overrides) for _ in range(number)]


def find_notification(notification_id: int) -> dict[str, Any]:
    """The row as the database has it now."""
    statement = select(Notification.__table__).where(Notification.id == notification_id)
    with db.engine.connect() as connection:
        return dict(connection.execute(statement).mappings().one())


def pick(notification_id: int, *names: str) -> dict[str, Any]:
    """Some columns of the row as the database has it now."""
    row = find_notification(notification_id)
    return {name: row[name] for name in names}
