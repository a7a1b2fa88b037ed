"""What the order would cost as the form is now. What cannot be had is left out of the price, and said."""

from typing import Any

from flask import current_app
from sqlalchemy import Connection

from grocery.orders.cart.service import CartOwner
from grocery.orders.errors import CouponError, DeliveryError, SlotClosedError, SlotFullError, UnknownCouponError
from grocery.orders.quoting import read_quote
from grocery.storefront.checkout.fields import Values
from grocery.storefront.checkout.options import Options
from grocery.storefront.checkout.problems import Problems, problems_of


def read_prices(
    connection: Connection, owner: CartOwner, values: Values, options: Options
) -> tuple[dict[str, Any], Problems]:
    """The quote, and what is wrong with the coupon. A delivery that has no time yet is priced without one."""
    coupon = values["coupon"].upper() or None
    for delivery in (_delivery(options), None):
        problems: Problems = {}
        for code in (coupon, None):
            try:
                return _read(connection, owner, code, delivery), problems
            except (UnknownCouponError, CouponError) as error:
                problems = problems_of(error)
            except (DeliveryError, SlotFullError, SlotClosedError):
                break
    raise RuntimeError("a pickup without a coupon has a price")


def _read(
    connection: Connection, owner: CartOwner, coupon: str | None, delivery: dict[str, Any] | None
) -> dict[str, Any]:
    return read_quote(
        connection,
        owner.source,
        customer_id=owner.customer_id,
        coupon=coupon,
        delivery=delivery,
        currency=current_app.config["CURRENCY"],
    )


def _delivery(options: Options) -> dict[str, Any] | None:
    if not options.is_delivery:
        return None
    return {
        "method": "delivery",
        "zone_id": options.zone["id"] if options.zone else None,
        "slot_id": options.slot["id"] if options.slot else None,
    }
