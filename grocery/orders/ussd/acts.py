"""The choices that do something. Each ends the session, so that a step which is sent again finds it done."""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from grocery.money import to_cents
from grocery.orders.actors import Actor
from grocery.orders.changing import change_status, lock_order
from grocery.orders.states import CANCELLED
from grocery.orders.ussd import reading
from grocery.orders.ussd.layout import Screen
from grocery.orders.ussd.repeating import get_own_order, place_again
from grocery.orders.ussd.visit import Visit


def cancel_order(visit: Visit, order_id: int) -> Screen:
    """Raises OrderNotFoundError, IllegalTransitionError."""
    reading.get_order(visit.session, visit.phone, order_id)
    # Of two that are sent at once, the second sees what the first has done.
    order, _ = lock_order(visit.session, order_id)
    if order["status"] != CANCELLED:
        change_status(visit.session, order_id, CANCELLED, Actor(order["customer_id"], "customer"))
    return Screen(visit.phrases.cancelled.format(number=order["number"]), is_end=True)


def place_order(visit: Visit, order_id: int, slot_id: int | None, total_cents: int) -> Screen:
    """Raises OrderNotFoundError, and what `place_again` does."""
    order = get_own_order(visit.session, visit.phone, order_id)
    placed = place_again(visit.session, order, slot_id, expected_total=total_cents, session_id=visit.session_id)
    return Screen(
        visit.phrases.placed.format(
            number=placed["number"], total=visit.amount(to_cents(Decimal(placed["total"]))), way=_way(visit, placed)
        ),
        is_end=True,
    )


ACTS: Mapping[str, Callable[..., Screen]] = {"cancel": cancel_order, "place": place_order}


def _way(visit: Visit, placed: Mapping[str, Any]) -> str:
    """How it reaches the customer: when it comes, or that it is collected."""
    delivery = placed["delivery"]
    if delivery["method"] == "pickup":
        return visit.phrases.pickup
    if delivery["slot_starts_at"] is None:
        return visit.phrases.cash
    return visit.window(*(datetime.fromisoformat(delivery[name]) for name in ("slot_starts_at", "slot_ends_at")))
