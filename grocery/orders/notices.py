"""Whom an order's events are told to, and how. The texts are the notify package's.

Customers get SMS and e-mail when the order is placed, shipped, delivered, cancelled or changed, and e-mail only when it
is confirmed or packed, since SMS cost money; unless they chose one of the two. They are told in their own language.
Admins get e-mail when an order is placed, updated or cancelled; that the system confirmed an order is not an update, it
follows every order.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from grocery.auth.people import Person
from grocery.db import Row
from grocery.notify.service import Message, admin_recipients, queue_messages
from grocery.notify.ways import EMAIL, SMS, Way, choose_ways
from grocery.orders.actors import SYSTEM, Actor
from grocery.orders.notice_context import make_context
from grocery.orders.phrases import Phrase, erased, undelivered

_BY_SMS = ("order_placed", "order_shipped", "order_delivered", "order_cancelled", "order_changed")

# A customer without an e-mail address has nothing but the SMS that says what was agreed, so it goes to their own phone
# even after a STOP. Kenya's Consumer Protection Act, 2012, section 32 ("Copy of internet agreement"), speaks of such a
# copy; STOP is about news and offers.
_NEEDED = ("order_placed", "order_cancelled")


def tell_placed(
    order: Row, lines: Sequence[Row], discounts: Sequence[Row], customer: Person, admins: Sequence[str]
) -> None:
    """Tell of a new order; `admins` are the addresses of all active admins."""
    person = asdict(customer)
    context = make_context(order, lines, discounts, person)
    to_customer = _to_customer(order, "order_placed", person, context)
    queue_messages(to_customer + _to_admins_of(order, "order_placed", context, admins))


def tell_status(
    order: Row,
    lines: Sequence[Row],
    discounts: Sequence[Row],
    customer: Row,
    actor: Actor,
    *,
    picking: Sequence[Phrase] = (),
) -> None:
    """Tell of the order's new status. `customer` has name, addresses and choices; `order` has `history_id`.

    `picking` is what was not picked as ordered: an order that is packed with it is one that has changed.

    A customer's own note is told to admins only: nobody may write to any phone in the shop's name.
    """
    event = "order_changed" if picking and order["status"] == "packed" else f"order_{order['status']}"
    note = order["status_note"]
    change = [undelivered(is_pickup=order["delivery_method"] == "pickup")] if order["is_delivery_failed"] else picking
    context = make_context(order, lines, discounts, customer, change=change, note=note, picking=picking)
    for_customer = context if actor.is_staff else {**context, "note": None}
    messages = _to_customer(order, event, customer, for_customer)
    if actor != SYSTEM:
        messages += _to_admins_of(order, _admin_event(order), context)
    queue_messages(messages)


def tell_changed(order: Row, lines: Sequence[Row], discounts: Sequence[Row], customer: Row, change: Phrase) -> None:
    """Tell that lines were changed, or, when none is left, that the order is cancelled."""
    event = "order_cancelled" if order["status"] == "cancelled" else "order_changed"
    context = make_context(order, lines, discounts, customer, change=[change])
    to_customer = _to_customer(order, event, customer, context)
    queue_messages(to_customer + _to_admins_of(order, _admin_event(order), context))


def tell_stuck(order: Row, lines: Sequence[Row], discounts: Sequence[Row], customer: Row) -> None:
    """Tell admins that an order cannot be processed; once for each order."""
    context = make_context(order, lines, discounts, customer)
    queue_messages(_to_admins("order_stuck", context, f"stuck:{order['id']}", order["id"]))


def tell_erased(order: Row) -> None:
    """Tell admins that an open order went with its customer's account: without anything about the person."""
    nobody = {"name": None, "phone": None, "email": None}
    anonymous = {**order, "phone": None, "address": None, "landmark": None, "note": None}
    context = make_context(anonymous, [], [], nobody, change=[erased()])
    queue_messages(_to_admins("order_cancelled", context, f"erased:{order['number']}", None))


def _admin_event(order: Row) -> str:
    return "order_cancelled" if order["status"] == "cancelled" else "order_updated"


def _to_customer(order: Row, event: str, customer: Row, context: dict[str, Any]) -> list[Message]:
    has_sms = event in _BY_SMS
    phone: str | None = context["customer"]["phone"]
    ways = choose_ways(
        customer["notify_by"],
        phone=phone,
        email=customer["email"],
        usual=(SMS, EMAIL) if has_sms else (EMAIL,),
        has_sms=has_sms,
    )
    # Only the own phone: the one that was given for a delivery may be anybody's.
    is_needed = event in _NEEDED and not customer["email"] and phone == customer["phone"]
    return [
        Message(
            way.channel,
            event,
            "customer",
            way.address,
            context,
            _key(order, way),
            order["customer_id"],
            order["id"],
            language=customer["language"],
            is_needed=is_needed,
            fallback_for=_key(order, ways[0]) if way.is_fallback else None,
        )
        for way in ways
    ]


def _key(order: Row, way: Way) -> str:
    return f"{order['history_id']}:{way.channel}:{way.address}"


def _to_admins_of(
    order: Row, event: str, context: dict[str, Any], admins: Sequence[str] | None = None
) -> list[Message]:
    return _to_admins(event, context, str(order["history_id"]), order["id"], admins)


def _to_admins(
    event: str, context: dict[str, Any], key: str, order_id: int | None, admins: Sequence[str] | None = None
) -> list[Message]:
    return [
        Message("email", event, "admin", recipient, context, f"{key}:admin:{recipient}", order_id=order_id)
        for recipient in admin_recipients(admins)
    ]
