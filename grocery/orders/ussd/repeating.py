"""The last order of a phone once more: whose it is, what of it can be had now, and placing it.

The account of the phone is not opened by that: an order goes to the same place as the last one, paid in cash.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

import orjson
from flask import current_app
from sqlalchemy import bindparam, select, text
from sqlalchemy.orm import Session

from grocery.auth.holders import find_holder
from grocery.auth.models import Customer
from grocery.auth.people import PERSON_COLUMNS, Person
from grocery.db import Row
from grocery.orders.basket import Basket, BasketLine, Item, Source, read_basket
from grocery.orders.changing import list_lines
from grocery.orders.checks import check_minimum
from grocery.orders.errors import EmptyCartError, OrderNotFoundError
from grocery.orders.idempotency import Key
from grocery.orders.lots import sum_quantities
from grocery.orders.placing import Wish, place_order
from grocery.orders.quoting import PricedBasket, price_basket
from grocery.orders.reordering import as_ordered, orderable

# Carriers give a number to somebody else when it was not used for some months; who has it then must not order for the
# one who had it.
REPEAT_DAYS = 90

# Networks drop the last screen of a session. Who has not seen it dials again, in a session that knows nothing of it.
_LAST = text("""
    SELECT orders.*, placed_at > now() - interval '30 minutes' AND EXISTS (
        SELECT FROM idempotency_keys AS known
        WHERE known.customer_id = orders.customer_id AND known.order_id = orders.id AND known.key LIKE 'ussd:%'
    ) AS is_placed_just_now
    FROM orders
    WHERE customer_id = :customer_id AND coalesce(phone, :phone) = :phone AND status <> 'cancelled'
          AND placed_at > now() - make_interval(days => :days)
          AND (CAST(:order_id AS bigint) IS NULL OR id = :order_id)
    ORDER BY id DESC LIMIT 1
""")

_CUSTOMER = select(*PERSON_COLUMNS).where(Customer.id == bindparam("customer_id"))

_PLACE = ("address", "landmark", "phone")


@dataclass(frozen=True)
class Repeat:
    """What an order would be today. `asked` has the quantities of the last one by product, those of `lines` that are
    fewer now too; `left_out` the names of what cannot be had."""

    priced: PricedBasket
    asked: Mapping[int, Decimal]
    left_out: Sequence[str]

    @property
    def lines(self) -> Sequence[BasketLine]:
        return self.priced.lines

    @property
    def total_cents(self) -> int:
        return self.priced.quote.total_cents


def find_last_order(session: Session, phone: str) -> Row | None:
    """The last order of the one account that this phone (E.164) stands for; None where there is none, or no order.

    `is_placed_just_now` is true of one that was placed by this menu less than half an hour ago.
    """
    return _find_order(session, phone, None)


def get_own_order(session: Session, phone: str, order_id: int) -> Row:
    """An order of the account that this phone stands for; raises OrderNotFoundError."""
    order = _find_order(session, phone, order_id)
    if order is None:
        raise OrderNotFoundError(order_id)
    return order


def price_again(session: Session, order: Row, slot_id: int | None) -> Repeat:
    """Price what can be had of an order now.

    Raises EmptyCartError when nothing can, and DeliveryError, SlotFullError, SlotClosedError, BelowMinimumError.
    """
    lines, delivery = as_ordered(list_lines(session, order["id"])), _delivery(order, slot_id)
    there = _read_what_is_there(session, order, lines, delivery)
    if not there.lines:
        raise EmptyCartError
    priced = price_basket(there, coupon=None, delivery=delivery)
    check_minimum(priced.zone, priced.quote, current_app.config["CURRENCY"])
    kept = {line.item.product_id for line in there.lines}
    left_out = [line["name"] for line in lines if line["product_id"] not in kept]
    return Repeat(priced, sum_quantities(lines), list(dict.fromkeys(left_out)))


def place_again(
    session: Session, order: Row, slot_id: int | None, *, expected_total: int, session_id: str
) -> dict[str, Any]:
    """Place it, once in a USSD session; the answer of `place_order`.

    `expected_total` in cents is what was shown. Raises what `place_order` does, TotalChangedError among it.
    """
    lines, delivery = as_ordered(list_lines(session, order["id"])), _delivery(order, slot_id)
    # Nothing is refused here: what this session has placed already is answered again, whatever is sold out since.
    there = _read_what_is_there(session, order, lines, delivery)
    items = [line.item for line in there.lines]
    wish = Wish(Source(items), delivery=delivery, expected_total=expected_total)
    customer = session.execute(_CUSTOMER, {"customer_id": order["customer_id"]}).one()
    placed = place_order(session, Person(*customer), wish, Key(f"ussd:{session_id}", "order again"))
    answer: dict[str, Any] = orjson.loads(placed.answer)
    return answer


def _find_order(session: Session, phone: str, order_id: int | None) -> Row | None:
    holder = find_holder(phone)
    if holder is None or holder.customer_id is None:
        return None
    parameters = {"customer_id": holder.customer_id, "phone": phone, "order_id": order_id, "days": REPEAT_DAYS}
    return session.execute(_LAST, parameters).mappings().one_or_none()


def _read_what_is_there(session: Session, order: Row, lines: Sequence[Row], delivery: Mapping[str, Any]) -> Basket:
    choices = {line["product_id"]: line["if_unavailable"] for line in lines}
    items = [Item(product_id, quantity, choices[product_id]) for product_id, quantity in sum_quantities(lines).items()]
    basket = read_basket(session, Source(items), customer_id=order["customer_id"], delivery=delivery)
    return _as_far_as_there(basket)


def _delivery(order: Row, slot_id: int | None) -> dict[str, Any]:
    """To the same place as that order; of its slot only the zone."""
    if order["delivery_method"] != "delivery":
        return {"method": order["delivery_method"]}
    place = {name: order[name] for name in _PLACE}
    given = {"zone_id": order["zone_id"], "slot_id": slot_id, "note": order["delivery_note"], **place}
    return {"method": "delivery", **{name: value for name, value in given.items() if value is not None}}


def _as_far_as_there(basket: Basket) -> Basket:
    """The basket with what is in stock only, in what it is sold in now."""
    lines = []
    for line in basket.lines:
        quantity = orderable(line.item.quantity, line.stock, line.price.unit, line.quantity_step)
        if line.is_active and quantity:
            item, price = replace(line.item, quantity=quantity), replace(line.price, quantity=quantity)
            lines.append(replace(line, item=item, price=price))
    return replace(basket, lines=lines)
