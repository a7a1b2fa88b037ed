"""One order at the desk: all about it, and everything that may be done with it now."""

from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from flask import Response, request
from flask_babel import gettext
from sqlalchemy import Connection
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as AnyResponse

from grocery.auth.access import staff_required
from grocery.db import reader, transaction
from grocery.errors import StaleError
from grocery.notify.outbox import list_notifications
from grocery.orders import editing, reading
from grocery.orders.access import current_actor
from grocery.orders.basket import Item
from grocery.orders.changing import Delivery, change_status, lock_order
from grocery.orders.desk.order import read_desk_order
from grocery.orders.errors import IllegalTransitionError
from grocery.orders.fulfilment.checking_in import check_in
from grocery.orders.payments.schemas import KINDS
from grocery.orders.payments.service import list_payments, record_payment
from grocery.orders.returns.models import REASONS
from grocery.orders.returns.service import list_returns, take_back
from grocery.orders.states import CANCELLED, DELIVERED, DELIVERY_FAILED, STATUSES
from grocery.products.listing import list_products
from grocery.products.rows import listed_product_json
from grocery.products.schemas import ListArgsSchema
from grocery.storefront.desk.board import blp
from grocery.storefront.desk.filters import read_search
from grocery.storefront.desk.forms import is_ticked
from grocery.storefront.desk.sent import (
    FormError,
    read_amount,
    read_id,
    read_measure,
    read_version,
    read_words,
)
from grocery.storefront.desk.trying import PROBLEMS, problem_of, try_to
from grocery.storefront.desk.words import status_words
from grocery.storefront.pages import go, go_back, render, say
from grocery.web import check_version

_MOST_MESSAGES = 50
_MOST_FOUND = 6


@blp.get("/<int:order_id>")
@staff_required
def show_order(order_id: int) -> Response:
    with reader() as connection:
        order = read_desk_order(connection, order_id, current_actor())
        payments = list_payments(connection, order_id)
        returns = list_returns(connection, order_id)
        q, found = _asked_products(connection)
    ends_at = order["delivery"]["slot_ends_at"]
    is_open = order["status"] not in (DELIVERED, CANCELLED)
    late = int((datetime.now(UTC) - ends_at).total_seconds() // 60) if ends_at and is_open else -1
    return render(
        "desk/order.html",
        order=order,
        payments=payments,
        returns=returns,
        messages=list_notifications(order_id=order_id, limit=_MOST_MESSAGES),
        late_minutes=late if late >= 0 else None,
        due=max(Decimal(order["total"]) - Decimal(order["paid"]), Decimal(0)),
        reasons=REASONS,
        q=q,
        found=found,
    )


@blp.post("/<int:order_id>/move")
@staff_required
def move_order(order_id: int) -> AnyResponse:
    """Move it to another status. A second tap on the same button finds it there already, and says so."""
    to = request.form.get("status", "")
    try:
        order = _move(order_id, to)
    except (StaleError, IllegalTransitionError) as error:
        with reader() as connection:
            current = reading.get_order(connection, order_id, current_actor())
        if current["status"] == to:
            say(
                gettext("%(number)s is “%(status)s” already.", number=current["number"], status=status_words(to)),
                "note",
            )
        else:
            now = gettext(
                "%(number)s is now “%(status)s”.", number=current["number"], status=status_words(current["status"])
            )
            say(f"{problem_of(error)} {now}", "bad")
    except PROBLEMS as error:
        say(problem_of(error), "bad")
    else:
        say(gettext("%(number)s: %(status)s.", number=order["number"], status=status_words(to)))
    return go_back(".show_order", order_id=order_id)


@blp.post("/<int:order_id>/lines")
@staff_required
def add_line(order_id: int) -> AnyResponse:
    """Add a product that was searched for."""

    def change(session: Session) -> dict[str, Any]:
        version, product_id = read_version(), read_id("product_id")
        unit = "kg" if request.form.get("unit") == "kg" else "each"
        item = Item(product_id, read_measure(request.form.get("quantity", ""), unit))
        if not item.quantity:
            raise FormError(gettext("Write a number of pieces, such as 2."))
        return editing.add_line(session, order_id, item, current_actor(), version=version)

    if try_to(change):
        say(gettext("Added. The customer is told of the change."))
    return go(".show_order", order_id=order_id)


@blp.post("/<int:order_id>/lines/<int:line_id>")
@staff_required
def change_line(order_id: int, line_id: int) -> AnyResponse:
    """Set the quantity of a line; 0 takes it out."""

    def change(session: Session) -> dict[str, Any]:
        version = read_version()
        line = _line_of(reading.get_order(session.connection(), order_id, current_actor()), line_id)
        quantity = read_measure(request.form.get("quantity", ""), line["unit"])
        if not quantity:
            return editing.remove_line(session, order_id, line_id, current_actor(), version=version)
        return editing.set_line_quantity(session, order_id, line_id, quantity, current_actor(), version=version)

    if try_to(change):
        say(gettext("Saved. The customer is told of the change."))
    return go(".show_order", order_id=order_id)


@blp.post("/<int:order_id>/payments")
@staff_required
def add_payment(order_id: int) -> AnyResponse:
    kind = request.form.get("kind", "")

    def change(session: Session) -> dict[str, Any]:
        amount_cents, paid_cents = read_amount("amount"), read_amount("paid")
        if not amount_cents or kind not in KINDS:
            raise FormError(gettext("Write an amount, such as 1250 or 1250.50."))
        if paid_cents is None:
            raise StaleError("The form does not say what was paid so far.")
        return record_payment(
            session,
            order_id,
            kind=kind,
            amount_cents=amount_cents,
            collector_id=None,
            actor=current_actor(),
            note=read_words("note"),
            seen_paid_cents=paid_cents,
        )

    if try_to(change):
        say(gettext("Noted.") if kind == "capture" else gettext("Noted as paid back."))
    return go(".show_order", order_id=order_id)


@blp.post("/<int:order_id>/check-in")
@staff_required
def check_in_goods(order_id: int) -> AnyResponse:
    """Goods of a delivery that failed are back in the shop."""

    def change(session: Session) -> dict[str, Any]:
        order = _lock_seen(session, order_id)
        items = [
            {"line_id": line["id"], "quantity": quantity, "is_sellable": not is_ticked(f"bad-{line['id']}")}
            for line, quantity in _sent_quantities(order)
        ]
        return check_in(session, order_id, items, current_actor())

    if try_to(change):
        say(gettext("The goods are checked in."))
    return go(".show_order", order_id=order_id)


@blp.post("/<int:order_id>/returns")
@staff_required
def take_goods_back(order_id: int) -> AnyResponse:
    """The customer gives back what was delivered."""
    reason = request.form.get("reason", "")

    def change(session: Session) -> dict[str, Any]:
        if reason not in REASONS:
            raise FormError(gettext("Say why it comes back."))
        order = _lock_seen(session, order_id)
        items = [
            {"line_id": line["id"], "quantity": quantity, "is_restocked": not is_ticked(f"bad-{line['id']}")}
            for line, quantity in _sent_quantities(order)
        ]
        return take_back(
            session,
            order_id,
            items,
            current_actor(),
            reason=reason,
            note=read_words("note"),
            is_paid_back=is_ticked("is_paid_back"),
        )

    if try_to(change):
        say(gettext("The return is noted."))
    return go(".show_order", order_id=order_id)


def _asked_products(connection: Connection) -> tuple[str, list[dict[str, Any]]]:
    """What is searched for to be added, and what there is of it."""
    q = read_search()
    if not q:
        return q, []
    page = list_products(connection, ListArgsSchema().load({"q": q, "in_stock": True, "limit": _MOST_FOUND}))
    return q, [listed_product_json(row) for row in page.rows]


def _move(order_id: int, to: str) -> dict[str, Any]:
    if to not in STATUSES:
        raise FormError(gettext("Choose one of the list."))
    has_failed = to == CANCELLED and request.form.get("reason") == DELIVERY_FAILED
    missing = gettext("Say why: the customer is told.") if to == CANCELLED else None
    is_delivered = to == DELIVERED
    with transaction() as session:
        return change_status(
            session,
            order_id,
            to,
            current_actor(),
            note=read_words("note", missing=missing),
            version=read_version(),
            reason=DELIVERY_FAILED if has_failed else None,
            delivery=Delivery(read_words("received_by", most=100), read_amount("collected"))
            if is_delivered
            else Delivery(),
        )


def _lock_seen(session: Session, order_id: int) -> dict[str, Any]:
    """The order, locked while it is as the form has it: the same form once more finds it changed. Raises StaleError."""
    locked, _customer = lock_order(session, order_id)
    check_version(locked["version"], read_version())
    return reading.get_order(session.connection(), order_id, current_actor())


def _line_of(order: Mapping[str, Any], line_id: int) -> dict[str, Any]:
    for line in order["items"]:
        if line["id"] == line_id:
            found: dict[str, Any] = line
            return found
    raise FormError(gettext("The order has no such line any more."))


def _sent_quantities(order: Mapping[str, Any]) -> list[tuple[dict[str, Any], Decimal]]:
    """The lines of which something comes back, and how much; raises FormError when it is nothing at all."""
    sent = [(line, request.form.get(f"back-{line['id']}", "").strip()) for line in order["items"]]
    read = [(line, read_measure(written, line["unit"])) for line, written in sent if written]
    if not any(quantity for _, quantity in read):
        raise FormError(gettext("Write how much of what comes back."))
    return [(line, quantity) for line, quantity in read if quantity]
