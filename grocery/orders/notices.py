"""Whom an order's events are told to, and how. The texts are the notify package's.

Customers get SMS and e-mail when the order is placed, shipped, delivered, cancelled or changed, and e-mail only when it
is confirmed or packed, since SMS cost money. Admins get e-mail when an order is placed, updated or cancelled; that the
system confirmed an order is not an update, it follows every order.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from flask import current_app

from grocery import money
from grocery.auth.people import Person
from grocery.db import Row
from grocery.fields import quantity_number
from grocery.notify.service import Message, admin_recipients, queue_messages
from grocery.notify.wording.texts import PICKUP
from grocery.orders.actors import SYSTEM, Actor
from grocery.orders.lines import quantity_of
from grocery.orders.tracking.links import find_link

_BY_SMS = ("order_placed", "order_shipped", "order_delivered", "order_cancelled", "order_changed")

_PAYMENT = {"cash_on_delivery": "Cash on delivery"}


def tell_placed(
    order: Row, lines: Sequence[Row], discounts: Sequence[Row], customer: Person, admins: Sequence[str]
) -> None:
    """Tell of a new order; `admins` are the addresses of all active admins."""
    context = make_context(order, lines, discounts, asdict(customer))
    _queue(order, customer_event="order_placed", admin_event="order_placed", context=context, admins=admins)


def tell_status(
    order: Row,
    lines: Sequence[Row],
    discounts: Sequence[Row],
    customer: Row,
    actor: Actor,
    *,
    picking: str | None = None,
) -> None:
    """Tell of the order's new status. `customer` has name, email and phone; `order` has `history_id`.

    `picking` is what was not picked as ordered: an order that is packed with it is one that has changed.

    A customer's own note is told to admins only: nobody may write to any phone in the shop's name.
    """
    event = "order_changed" if picking and order["status"] == "packed" else f"order_{order['status']}"
    admin_event = "order_cancelled" if order["status"] == "cancelled" else "order_updated"
    change = picking or f"Order {order['number']} is now {order['status']}."
    note = order["status_note"]
    context = make_context(order, lines, discounts, customer, change=change, note=note, picking=picking)
    _queue(
        order,
        customer_event=event,
        admin_event=None if actor == SYSTEM else admin_event,
        context=context,
        for_customer=None if actor.is_staff else {"note": None},
    )


def tell_changed(order: Row, lines: Sequence[Row], discounts: Sequence[Row], customer: Row, change: str) -> None:
    """Tell that lines were changed, or, when none is left, that the order is cancelled."""
    cancelled = order["status"] == "cancelled"
    context = make_context(order, lines, discounts, customer, change=change, note=change if cancelled else None)
    _queue(
        order,
        customer_event="order_cancelled" if cancelled else "order_changed",
        admin_event="order_cancelled" if cancelled else "order_updated",
        context=context,
    )


def tell_stuck(order: Row, lines: Sequence[Row], discounts: Sequence[Row], customer: Row) -> None:
    """Tell admins that an order cannot be processed; once for each order."""
    context = make_context(order, lines, discounts, customer)
    queue_messages(_to_admins("order_stuck", context, f"stuck:{order['id']}", order["id"]))


def tell_erased(order: Row) -> None:
    """Tell admins that an open order went with its customer's account: without anything about the person."""
    nobody = {"name": "a deleted account", "phone": None, "email": None}
    reason = "The customer's account was deleted."
    anonymous = {**order, "phone": None, "address": None, "landmark": None, "note": None}
    context = make_context(anonymous, [], [], nobody, change=reason, note=reason)
    queue_messages(_to_admins("order_cancelled", context, f"erased:{order['number']}", None))


def make_context(
    order: Row,
    lines: Iterable[Row],
    discounts: Iterable[Row],
    customer: Row,
    *,
    change: str | None = None,
    note: str | None = None,
    picking: str | None = None,
) -> dict[str, Any]:
    """All that the texts need; a notification never looks anything up."""
    return {
        "shop": current_app.config["SHOP_NAME"],
        "url": current_app.config["SHOP_URL"],
        "track_url": find_link(order["id"]),
        "order": _order_context(order, lines, discounts),
        "customer": {
            "name": customer["name"],
            "phone": order["phone"] or customer["phone"],
            "email": customer["email"],
        },
        "change": change,
        "note": note,
        "picking": picking,
    }


def _order_context(order: Row, lines: Iterable[Row], discounts: Iterable[Row]) -> dict[str, Any]:
    def amount(cents: int) -> str:
        return money.to_display(cents, order["currency"])

    return {
        "number": order["number"],
        "status": order["status"],
        "subtotal": amount(order["subtotal_cents"]),
        "discounts": [
            {"name": discount["code"] or discount["name"], "amount": amount(-discount["amount_cents"])}
            for discount in discounts
            if discount["amount_cents"]
        ],
        "delivery_fee": amount(order["delivery_fee_cents"]),
        "vat": amount(order["vat_cents"]),
        "total": amount(order["total_cents"]),
        "delivery": _place(order),
        "slot": _slot(order),
        "payment": _PAYMENT[order["payment_method"]],
        "note": order["note"],
        "lines": [
            {
                "name": line["name"],
                "quantity": _quantity(line),
                "unit_price": amount(line["unit_price_cents"]),
                "line_total": amount(line["line_total_cents"]),
            }
            for line in lines
            if quantity_of(line)
        ],
    }


def _queue(
    order: Row,
    *,
    customer_event: str,
    admin_event: str | None,
    context: dict[str, Any],
    for_customer: Mapping[str, Any] | None = None,
    admins: Sequence[str] | None = None,
) -> None:
    """Queue the messages of an event; `for_customer` is what the customer's have instead."""
    messages = list(_to_customer(order, customer_event, {**context, **(for_customer or {})}))
    if admin_event:
        messages += _to_admins(admin_event, context, str(order["history_id"]), order["id"], admins)
    queue_messages(messages)


def _to_customer(order: Row, event: str, context: dict[str, Any]) -> Iterable[Message]:
    recipients = {"sms": context["customer"]["phone"], "email": context["customer"]["email"]}
    for channel, recipient in recipients.items():
        if recipient and (channel == "email" or event in _BY_SMS):
            key = f"{order['history_id']}:{channel}:{recipient}"
            yield Message(channel, event, "customer", recipient, context, key, order["customer_id"], order["id"])


def _to_admins(
    event: str, context: dict[str, Any], key: str, order_id: int | None, admins: Sequence[str] | None = None
) -> list[Message]:
    return [
        Message("email", event, "admin", recipient, context, f"{key}:admin:{recipient}", order_id=order_id)
        for recipient in admin_recipients(admins)
    ]


def _place(order: Row) -> str:
    if order["delivery_method"] == "pickup":
        return PICKUP
    return ", ".join(part for part in (order["address"], order["landmark"]) if part)


def _slot(order: Row) -> str | None:
    """The delivery window in the shop's time; a plain hyphen, since a dash would make an SMS twice as dear."""
    if order["slot_starts_at"] is None:
        return None
    starts, ends = (order[name].astimezone(current_app.config["TIMEZONE"]) for name in _WINDOW)
    return f"{starts:%a} {starts.day} {starts:%b} {starts:%H:%M}-{ends:%H:%M}"


_WINDOW = ("slot_starts_at", "slot_ends_at")


def _quantity(line: Row) -> str:
    return f"{quantity_number(quantity_of(line))} {'kg' if line['unit'] == 'kg' else 'x'}"
