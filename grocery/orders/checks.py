"""What stands in the way of an order, told before anything is written. Pure, but for its errors.

The database has the last word when the order is written: on stock, slots and coupons that others take meanwhile.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from grocery import money
from grocery.orders.basket import Basket, BasketLine, Candidate, Source
from grocery.orders.errors import (
    BelowMinimumError,
    CouponError,
    DeliveryError,
    EmptyCartError,
    ItemsError,
    SlotClosedError,
    SlotFullError,
    UnknownCouponError,
)
from grocery.orders.lines import PricedLine
from grocery.orders.promotions.rules import fits
from grocery.orders.promotions.terms import Terms
from grocery.orders.quote import Quote
from grocery.products.errors import OutOfStockError, ProductUnavailableError, Shortage


def check_items(source: Source, basket: Basket) -> None:
    """Raise ItemsError for products that do not exist and quantities that they are not sold in."""
    places = {item.product_id: index for index, item in enumerate(source.items or ())}
    if basket.unknown_ids:
        unknown = {places[product_id]: {"product_id": ["Unknown product."]} for product_id in basket.unknown_ids}
        raise ItemsError(unknown, "unknown_product")
    problems = {
        places.get(line.item.product_id, index): {"quantity": [problem]}
        for index, line in enumerate(basket.lines)
        if (problem := quantity_problem(line.price.unit, line.quantity_step, line.item.quantity))
    }
    if problems:
        raise ItemsError(problems)


def quantity_problem(unit: str, step: Decimal, quantity: Decimal) -> str | None:
    """Why a product is not sold in this quantity (pieces or kilograms); None when it is."""
    if unit == "each" and quantity % 1:
        return "Must be a whole number: the product is sold by piece."
    if quantity % step:
        return f"Must be a multiple of {step.normalize():f}."
    return None


def check_available(lines: Sequence[BasketLine]) -> None:
    """Raise EmptyCartError, ProductUnavailableError, OutOfStockError."""
    if not lines:
        raise EmptyCartError
    if gone := [line.item.product_id for line in lines if not line.is_active]:
        raise ProductUnavailableError(gone)
    if short := [line for line in lines if line.stock < line.item.quantity]:
        raise OutOfStockError(
            [Shortage(line.item.product_id, line.name, line.item.quantity, line.stock) for line in short]
        )


def find_zone(basket: Basket, delivery: Mapping[str, Any]) -> dict[str, Any] | None:
    """The zone of a delivery: the one that is named, by the slot or the saved address too, or the shop's only one.

    None where a shop has no zones: it delivers anywhere, for nothing. Raises DeliveryError.
    """
    if delivery.get("address_id") and basket.address is None:
        raise DeliveryError("address_id", "There is no such saved address.")
    if delivery.get("zone_id") and not basket.zones:
        raise DeliveryError("zone_id", "There is no such zone.")
    if len(basket.zones) > 1:
        raise DeliveryError("zone_id", "Needed: which of the shop's delivery zones is it?")
    return basket.zones[0] if basket.zones else None


def check_slot(basket: Basket, delivery: Mapping[str, Any], zone: Mapping[str, Any] | None) -> None:
    """Raise DeliveryError (no such slot, of another zone, one is needed), SlotFullError, SlotClosedError."""
    slot = basket.slot
    if slot is None:
        if delivery.get("slot_id"):
            raise DeliveryError("slot_id", "There is no such delivery slot.")
        if zone and zone["is_slot_required"]:
            raise DeliveryError("slot_id", "Needed: choose a delivery slot.")
        return
    if zone is None or slot["zone_id"] != zone["id"]:
        raise DeliveryError("slot_id", "This slot is of another zone.")
    if slot["is_closed"]:
        raise SlotClosedError
    if slot["is_full"]:
        raise SlotFullError


def check_minimum(zone: Mapping[str, Any] | None, quote: Quote, currency: str) -> None:
    """Raise BelowMinimumError when the goods, before discounts, are below the zone's minimum basket."""
    if zone and (missing := missing_to_minimum(zone, quote)):
        minimum = money.to_text(zone["min_basket_cents"])
        raise BelowMinimumError(zone["name"], minimum, money.to_text(missing), currency)


def missing_to_minimum(zone: Mapping[str, Any], quote: Quote) -> int:
    """The cents of goods that are missing to the zone's minimum basket."""
    return max(0, (zone["min_basket_cents"] or 0) - quote.subtotal_cents)


def open_promotions(basket: Basket, coupon: str | None) -> list[Terms]:
    """The promotions that an order may have; raises UnknownCouponError, and CouponError for a coupon not open now."""
    if coupon is not None:
        found = next((candidate for candidate in basket.candidates if candidate.terms.code == coupon), None)
        if found is None:
            raise UnknownCouponError
        _check_open(found)
    return [candidate.terms for candidate in basket.candidates if candidate.is_open]


def check_coupon_fits(coupon: Terms, lines: Sequence[PricedLine], quote: Quote) -> None:
    """For a coupon that took nothing off: raise CouponError, unless other offers only save as much or more."""
    if coupon.min_basket_cents > quote.subtotal_cents:
        minimum = money.to_text(coupon.min_basket_cents)
        detail = f"This coupon is for baskets from {minimum} on."
        raise CouponError(detail, code="coupon_below_minimum", min_basket=minimum)
    if not fits(lines, coupon, quote.delivery_fee_cents):
        raise CouponError("Nothing in this order is what the coupon is for.", code="coupon_not_applicable")


def _check_open(coupon: Candidate) -> None:
    for is_so, code, detail in (
        (coupon.is_off, "coupon_inactive", "This coupon is not valid any more."),
        (coupon.is_early, "coupon_not_started", "This coupon is not valid yet."),
        (coupon.is_over, "coupon_expired", "This coupon has expired."),
        (coupon.is_used_up, "coupon_used_up", "This coupon has been used up."),
        (coupon.is_used_by_customer, "coupon_already_used", "You have used this coupon as often as it allows."),
    ):
        if is_so:
            raise CouponError(detail, code=code)
