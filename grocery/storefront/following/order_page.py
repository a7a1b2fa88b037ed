"""All that the page of an order shows, read in one go."""

from decimal import Decimal
from typing import Any

from flask import current_app
from sqlalchemy import Connection

from grocery import money
from grocery.keys import keys_of
from grocery.orders.actors import Actor
from grocery.orders.payments.service import list_payments
from grocery.orders.reading import get_order, list_history
from grocery.orders.returns.service import list_returns
from grocery.orders.states import CANCELLED, FINAL_STATUSES
from grocery.orders.tracking.links import make_token
from grocery.orders.tracking.reading import check_readable, get_tracked_order
from grocery.storefront.following.lines import make_lines


def read_order_page(connection: Connection, order_id: int, reader: Actor) -> dict[str, Any]:
    """The values of `following/order.html`; raises OrderNotFoundError, also for another customer's order.

    How far it is, is read first: what happens between the readings is in the others already, and comes as an event
    again.
    """
    check_readable(connection, order_id, reader)
    tracked = get_tracked_order(connection, order_id)
    order = get_order(connection, order_id, reader)
    return {
        "order": order,
        "tracked": tracked,
        "lines": make_lines(order),
        "history": list_history(connection, order_id, reader),
        "payments": list_payments(connection, order_id),
        "returns": list_returns(connection, order_id),
        "to_pay": amount_to_pay(order),
        "is_final": tracked["status"] in FINAL_STATUSES,
        "may_cancel": CANCELLED in order["allowed_statuses"],
        "token": make_token(order_id, keys_of(current_app.config).signing),
    }


def amount_to_pay(order: dict[str, Any]) -> str | None:
    """What is still due; None when nothing is."""
    due = Decimal(order["total"]) - Decimal(order["paid"])
    return money.to_text(money.to_cents(due)) if due > 0 and order["status"] != CANCELLED else None
