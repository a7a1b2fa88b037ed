"""The order that a form asks for, as the API takes it; checked with the API's own schema."""

import re
from decimal import Decimal
from typing import Any

from flask_babel import gettext

from grocery.fields import read_id
from grocery.money import to_text
from grocery.orders.schemas import PlaceOrderSchema
from grocery.storefront.checkout.fields import DELIVERY, Values
from grocery.storefront.checkout.options import find_by_id, zone_of

# Goods, discounts, delivery and total as they were shown.
_SHOWN = re.compile(r"(\d{1,9}\.\d\d) (\d{1,9}\.\d\d) (\d{1,9}\.\d\d) (\d{1,9}\.\d\d)", re.ASCII)

SHOWN_FIELD = "shown"


class FieldError(Exception):
    """A field of the form is missing; its text says so to the shopper."""

    def __init__(self, field: str, text: str):
        super().__init__(text)
        self.field = field


def order_body(
    values: Values, addresses: list[dict[str, Any]], zones: list[dict[str, Any]], shown: tuple[str, ...] | None
) -> dict[str, Any]:
    """The body of POST /orders/ that means the same; raises FieldError for what only pages ask for."""
    body: dict[str, Any] = {
        "delivery": delivery_body(values, addresses, zones),
        "expected_total": shown[-1] if shown else None,
    }
    for name in ("coupon", "note", "payment_method"):
        if values.get(name):
            body[name] = values[name]
    return body


def load_order(body: dict[str, Any]) -> dict[str, Any]:
    """The fields of a Wish; raises ValidationError."""
    fields: dict[str, Any] = PlaceOrderSchema().load({name: value for name, value in body.items() if value is not None})
    del fields["items"]
    return fields


def delivery_body(
    values: Values, addresses: list[dict[str, Any]], zones: list[dict[str, Any]]
) -> dict[str, Any] | None:
    """How the order is to reach the customer; None for a pickup."""
    if values.get("method") != DELIVERY:
        return None
    address = find_by_id(addresses, values.get("place", ""))
    zone = zone_of(values, address, zones)
    if zones and zone is None:
        raise FieldError("zone_id", gettext("Choose your area."))
    place = {"address_id": address["id"]} if address else _new_place(values)
    # With the area of the place, since else that of the time would count, which may cost less.
    chosen = {"zone_id": zone["id"] if zone else None, "slot_id": read_id(values.get("slot_id"))}
    return {
        "method": DELIVERY,
        **place,
        **{name: value for name, value in {**chosen, "phone": values.get("phone")}.items() if value},
    }


def shown_amounts(written: str) -> tuple[str, ...] | None:
    """What the page has shown before the order, as the form says; None for what no page of ours has written."""
    match = _SHOWN.fullmatch(written)
    return match.groups() if match else None


def amounts_to_show(quote: dict[str, Any]) -> str:
    """The same of a quote, for the form."""
    discounts = sum((Decimal(one["amount"]) for one in quote["discounts"]), Decimal(0))
    return f"{quote['subtotal']} {to_text(int(discounts * 100))} {quote['delivery_fee']} {quote['total']}"


def _new_place(values: Values) -> dict[str, str]:
    if not values.get("landmark"):
        raise FieldError("landmark", gettext("Tell the rider what is near, for example “near Shell, blue gate”."))
    return {name: values[name] for name in ("landmark", "address") if values.get(name)}
