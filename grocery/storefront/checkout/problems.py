"""What stands in the way of an order, in words for shoppers, by the field where it is mended."""

from collections.abc import Callable
from typing import Any

from flask_babel import gettext, ngettext
from marshmallow import ValidationError

from grocery.errors import ConflictError, GroceryError, InvalidError, TooManyRequestsError, status_of
from grocery.orders.errors import (
    BelowMinimumError,
    CouponError,
    DeliveryError,
    ItemsError,
    KeyReusedError,
    PromotionGoneError,
    RequestInProgressError,
    SlotClosedError,
    SlotFullError,
    TotalChangedError,
    UnknownCouponError,
)
from grocery.orders.payments.errors import TooManyOpenOrdersError
from grocery.products.errors import OutOfStockError, ProductUnavailableError
from grocery.storefront.checkout.order import FieldError
from grocery.storefront.looks import money

#: Messages by field.
Problems = dict[str, str]

#: What can be mended on the page.
MENDABLE = (FieldError, ValidationError, ConflictError, InvalidError, TooManyRequestsError)

#: The rows of the basket say what is wrong with them.
OF_THE_BASKET = (OutOfStockError, ProductUnavailableError, ItemsError)

#: Where a problem is shown that no field has caused.
WHOLE = "total"


def problems_of(error: Exception) -> Problems:
    if isinstance(error, FieldError):
        return {error.field: str(error)}
    if isinstance(error, ValidationError):
        return {name: _of_field(name) for name in _fields_in(error.normalized_messages())}
    if isinstance(error, DeliveryError):
        name = next(iter(error.members["errors"]["delivery"]))
        return {_FIELDS.get(name, name): _of_field(name)}
    if isinstance(error, CouponError | UnknownCouponError):
        return {"coupon": _of_coupon(error)}
    for kind, (name, text) in _TEXTS.items():
        if isinstance(error, kind):
            return {name: text(error)}
    return {WHOLE: gettext("This did not work. Look at your order, then place it again.")}


def status_for(error: Exception) -> int:
    return int(status_of(error)) if isinstance(error, GroceryError) else 422


# What the service calls differently, or finds wrong where the page asks for something else.
_FIELDS = {"address_id": "place"}


def _fields_in(messages: dict[str, Any]) -> list[str]:
    """The names of the fields in the messages of a schema."""
    nested = messages.get("delivery")
    names: list[str] = [name for name in messages if name != "delivery"] + (
        list(nested) if isinstance(nested, dict) else []
    )
    return [_FIELDS.get(name, name) for name in names] or [WHOLE]


def _of_field(name: str) -> str:
    texts = {
        "phone": gettext("Write a phone number that the rider can call, such as 0712 345 678."),
        "zone_id": gettext("Choose your area."),
        "slot_id": gettext("Choose a time: the one you had is not for this area."),
        "address_id": gettext("This place is no longer saved. Choose another one."),
        "place": gettext("This place is no longer saved. Choose another one."),
        "address": gettext("Tell the rider what is near, for example “near Shell, blue gate”."),
        "coupon": gettext("There is no such coupon."),
        "payment_method": gettext("Choose how to pay."),
    }
    return texts.get(name) or gettext("Please look at this again.")


def _of_coupon(error: CouponError | UnknownCouponError) -> str:
    if error.code == "coupon_below_minimum":
        return gettext("This coupon is for baskets from %(minimum)s on.", minimum=money(error.members["min_basket"]))
    texts = {
        "unknown_coupon": gettext("There is no such coupon."),
        "coupon_not_applicable": gettext("Nothing in your basket is what this coupon is for."),
        "coupon_inactive": gettext("This coupon is not valid any more."),
        "coupon_not_started": gettext("This coupon is not valid yet."),
        "coupon_expired": gettext("This coupon has expired."),
        "coupon_used_up": gettext("This coupon has been used up."),
        "coupon_already_used": gettext("You have used this coupon already."),
    }
    return texts.get(error.code) or gettext("This coupon is not for this order.")


def _open_orders(error: Any) -> str:
    return ngettext(
        "%(num)s order of yours is not paid yet. More can be placed once it is delivered or cancelled.",
        "%(num)s orders of yours are not paid yet. More can be placed once one is delivered or cancelled.",
        error.members["open_orders"],
    )


def _minimum(error: Any) -> str:
    missing, minimum = money(error.members["missing"]), money(error.members["min_basket"])
    return gettext(
        "%(missing)s more to reach %(minimum)s, from which on we deliver there.", missing=missing, minimum=minimum
    )


def _changed(error: Any) -> str:
    before, now = money(error.members["expected_total"]), money(error.members["total"])
    return gettext("The total has changed: it was %(before)s, now it is %(now)s.", before=before, now=now)


def _too_many(error: Any) -> str:
    seconds = error.retry_after_seconds
    return ngettext(
        "Too many orders in a short time. Try again in %(num)s second.",
        "Too many orders in a short time. Try again in %(num)s seconds.",
        seconds,
    )


_TEXTS: dict[type[Exception], tuple[str, Callable[[Any], str]]] = {
    SlotFullError: ("slot_id", lambda _: gettext("The time you chose has just been filled.")),
    SlotClosedError: ("slot_id", lambda _: gettext("The time you chose takes no more orders.")),
    BelowMinimumError: ("items", _minimum),
    TooManyOpenOrdersError: (WHOLE, _open_orders),
    TotalChangedError: (WHOLE, _changed),
    PromotionGoneError: (WHOLE, lambda _: gettext("An offer has just ended. Look at the new total.")),
    RequestInProgressError: (
        WHOLE,
        lambda _: gettext("Your order is being placed. Wait a moment, then tap once more to see it."),
    ),
    KeyReusedError: (
        WHOLE,
        lambda _: gettext("This page has placed an order already. To order what is in your basket now, tap again."),
    ),
    TooManyRequestsError: (WHOLE, _too_many),
}
