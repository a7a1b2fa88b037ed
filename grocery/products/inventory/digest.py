"""The e-mail that tells admins in the morning what has run low since the last one."""

from collections.abc import Sequence
from datetime import datetime, time
from typing import Any

from flask import current_app
from sqlalchemy import text
from sqlalchemy.orm import Session

from grocery.db import Row
from grocery.fields import quantity_number
from grocery.notify.service import Message, admin_recipients, queue_messages
from grocery.products.inventory.low import find_all_low

#: When admins begin their day, in TIMEZONE.
MORNING = time(7)
#: Products that an e-mail names; it says how many there are besides.
MOST = 50

_HAS_LOOKED = text("SELECT EXISTS (SELECT FROM stock_digests WHERE day = :day)")
_LAST = text("SELECT product_ids FROM stock_digests ORDER BY day DESC LIMIT 1")
_NOTE = text("""
    INSERT INTO stock_digests (day, product_ids) VALUES (:day, :product_ids)
    ON CONFLICT (day) DO NOTHING RETURNING day
""")


def is_digest_due(session: Session, now: datetime) -> bool:
    """Whether nobody has looked at the stock this morning; `now` in the shop's time."""
    return now.time() >= MORNING and not session.execute(_HAS_LOOKED, {"day": now.date()}).scalar()


def queue_digest(session: Session, now: datetime) -> int:
    """Tell admins which products have become low since the last look, once a day; how many those are.

    What stays low is not told again every morning.
    """
    known = set(session.execute(_LAST).scalar() or ())
    low = find_all_low(session.connection())
    values = {"day": now.date(), "product_ids": [row["id"] for row in low]}
    if session.execute(_NOTE, values).scalar() is None:
        return 0
    new = [row for row in low if row["id"] not in known]
    if new:
        queue_messages(_messages(new, len(low), now))
    return len(new)


def _messages(new: Sequence[Row], in_all: int, now: datetime) -> list[Message]:
    context: dict[str, Any] = {
        "shop": current_app.config["SHOP_NAME"],
        "url": current_app.config["SHOP_URL"],
        "products": [_product(row) for row in new[:MOST]],
        "others": len(new[MOST:]),
        "in_all": in_all,
    }
    return [
        Message("email", "stock_low", "admin", recipient, context, f"stock_low:{now.date()}:{recipient}")
        for recipient in admin_recipients()
    ]


def _product(row: Row) -> dict[str, Any]:
    left = {"quantity": str(quantity_number(row["stock"])), "unit": row["unit"]}
    return {"name": row["name"], "sku": row["sku"] or "", "left": left}
