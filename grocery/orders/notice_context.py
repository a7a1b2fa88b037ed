"""What the texts about an order are given: values only. The words are those of the language of each text."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from flask import current_app

from grocery import money
from grocery.db import Row
from grocery.orders.lines import quantity_of
from grocery.orders.phrases import Phrase, amount
from grocery.orders.tracking.links import find_link


def make_context(
    order: Row,
    lines: Iterable[Row],
    discounts: Iterable[Row],
    customer: Row,
    *,
    change: Sequence[Phrase] = (),
    note: str | None = None,
    picking: Sequence[Phrase] = (),
) -> dict[str, Any]:
    """All that the texts need; a notification never looks anything up.

    `change` is what was changed in the order, `picking` what was not picked as ordered; `note` is what somebody wrote.
    """
    return {
        "shop": current_app.config["SHOP_NAME"],
        "url": current_app.config["SHOP_URL"],
        "track_url": find_link(order["id"]),
        "order": order_context(order, lines, discounts),
        "customer": {
            "name": customer["name"],
            "phone": order["phone"] or customer["phone"],
            "email": customer["email"],
        },
        "change": list(change),
        "note": note,
        "picking": list(picking),
    }


def order_context(order: Row, lines: Iterable[Row] = (), discounts: Iterable[Row] = ()) -> dict[str, Any]:
    """An order as texts see it; those that do not list what is in it need neither lines nor discounts."""

    def display(cents: int) -> str:
        return money.to_display(cents, order["currency"])

    return {
        "number": order["number"],
        "status": order["status"],
        "subtotal": display(order["subtotal_cents"]),
        "discounts": [
            {"name": discount["code"] or discount["name"], "amount": display(-discount["amount_cents"])}
            for discount in discounts
            if discount["amount_cents"]
        ],
        "delivery_fee": display(order["delivery_fee_cents"]),
        "vat": display(order["vat_cents"]),
        "total": display(order["total_cents"]),
        "is_pickup": order["delivery_method"] == "pickup",
        "delivery": ", ".join(part for part in (order["address"], order["landmark"]) if part),
        "slot": _slot(order),
        "payment": order["payment_method"],
        "note": order["note"],
        "lines": [
            {
                "name": line["name"],
                "quantity": amount(quantity_of(line), line["unit"]),
                "unit_price": display(line["unit_price_cents"]),
                "line_total": display(line["line_total_cents"]),
            }
            for line in lines
            if quantity_of(line)
        ],
    }


def _slot(order: Row) -> dict[str, datetime] | None:
    """The delivery window in the shop's time."""
    if order["slot_starts_at"] is None:
        return None
    zone = current_app.config["TIMEZONE"]
    return {name: order[f"slot_{name}_at"].astimezone(zone) for name in ("starts", "ends")}
