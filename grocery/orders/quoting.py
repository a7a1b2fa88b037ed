"""Pricing a basket that was read: the step that cart, quote and placing have in common, and its JSON."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection

from grocery import money
from grocery.fields import quantity_number
from grocery.orders.basket import Basket, BasketLine, Source, read_basket
from grocery.orders.checks import (
    check_coupon_fits,
    check_items,
    check_slot,
    find_zone,
    missing_to_minimum,
    open_promotions,
    quantity_problem,
)
from grocery.orders.promotions.terms import FREE_DELIVERY
from grocery.orders.quote import DeliveryTerms, Discount, Quote, QuotedLine, VatAmount, make_quote

_PICKUP: Mapping[str, Any] = {"method": "pickup"}


@dataclass(frozen=True)
class PricedBasket:
    """A basket's lines that can be ordered with their quote. `coupon` is the code that took something off."""

    basket: Basket
    lines: list[BasketLine]
    quote: Quote
    delivery: Mapping[str, Any]
    zone: Mapping[str, Any] | None
    coupon: str | None
    unused_coupon: str | None = None


def read_quote(
    connection: Connection,
    source: Source,
    *,
    customer_id: int | None,
    coupon: str | None,
    delivery: Mapping[str, Any] | None,
    currency: str,
) -> dict[str, Any]:
    """What an order would cost now, as JSON-ready data. Raises as `price_basket`; ItemsError for items sent along."""
    basket = read_basket(connection, source, customer_id=customer_id, coupon=coupon, delivery=delivery)
    if source.items is not None:  # what is in a cart is never unknown, and its notices say the rest
        check_items(source, basket)
    return quote_json(price_basket(basket, coupon=coupon, delivery=delivery), currency)


def price_basket(basket: Basket, *, coupon: str | None, delivery: Mapping[str, Any] | None) -> PricedBasket:
    """Price what can be ordered; products withdrawn from sale do not count.

    Raises DeliveryError, SlotFullError, SlotClosedError, UnknownCouponError, CouponError. Whether there is enough in
    stock, and the minimum basket, are left to the caller.
    """
    chosen = delivery or _PICKUP
    is_delivery = chosen["method"] == "delivery"
    zone = find_zone(basket, chosen) if is_delivery else None
    if is_delivery:
        check_slot(basket, chosen, zone)
    lines = [line for line in basket.lines if line.is_active]
    prices = [line.price for line in lines]
    promotions = open_promotions(basket, coupon)
    quote = make_quote(prices, promotions, delivery_terms(zone, basket.slot if is_delivery else None))
    is_used = any(discount.terms.code == coupon for discount in quote.discounts) if coupon else False
    if coupon and not is_used:
        check_coupon_fits(next(terms for terms in promotions if terms.code == coupon), prices, quote)
    return PricedBasket(
        basket, lines, quote, chosen, zone, coupon if is_used else None, None if is_used or not coupon else coupon
    )


def delivery_terms(zone: Mapping[str, Any] | None, slot: Mapping[str, Any] | None) -> DeliveryTerms:
    """What zone and slot (rows) ask for a delivery."""
    if zone is None:
        return DeliveryTerms()
    price = zone["fee_cents"] + (slot["fee_cents"] if slot else 0)
    return DeliveryTerms(price, zone["free_from_cents"])


def quote_json(priced: PricedBasket, currency: str) -> dict[str, Any]:
    """The breakdown as JSON-ready data; `is_orderable` says whether an order of it could be placed now."""
    quote, zone, slot = priced.quote, priced.zone, priced.basket.slot
    by_product = {line.item.product_id: quoted for line, quoted in zip(priced.lines, quote.lines, strict=True)}
    items = [_line_json(line, by_product.get(line.item.product_id)) for line in priced.basket.lines]
    notices = _notices(priced)
    is_short = any(notice["code"] in _BLOCKING for item in items for notice in item["notices"])
    return {
        "items": items,
        **amounts_json(quote),
        "currency": currency,
        "coupon": priced.coupon,
        "delivery": {
            "method": priced.delivery["method"],
            "zone_id": zone["id"] if zone else None,
            "slot_id": slot["id"] if slot and zone else None,
        },
        "notices": notices,
        "is_orderable": bool(items) and not is_short and not any(n["code"] in _BLOCKING for n in notices),
    }


def amounts_json(quote: Quote) -> dict[str, Any]:
    return {
        "subtotal": money.to_text(quote.subtotal_cents),
        "discounts": [_discount_json(discount) for discount in quote.discounts],
        "delivery_fee": money.to_text(quote.delivery_fee_cents),
        "vat": money.to_text(quote.vat_cents),
        "vat_classes": vat_json(quote.vat_amounts),
        "total": money.to_text(quote.total_cents),
    }


def vat_json(amounts: list[VatAmount]) -> list[dict[str, Any]]:
    return [
        {
            "vat_class": amount.vat_class,
            "rate": f"{amount.rate:.2f}",
            "gross": money.to_text(amount.gross_cents),
            "vat": money.to_text(amount.vat_cents),
        }
        for amount in amounts
    ]


_BLOCKING = ("withdrawn", "out_of_stock", "quantity_not_sold", "not_enough_stock", "below_minimum_basket")


def _line_json(line: BasketLine, quoted: QuotedLine | None) -> dict[str, Any]:
    available = line.stock if line.is_active else Decimal(0)
    return {
        "product_id": line.item.product_id,
        "sku": line.sku,
        "name": line.name,
        "quantity": quantity_number(line.item.quantity),
        "unit": line.price.unit,
        "unit_price": money.to_text(line.price.unit_price_cents),
        "line_total": money.to_text(quoted.line.total_cents if quoted else 0),
        "discount": money.to_text(quoted.discount_cents if quoted else 0),
        "vat_rate": f"{line.price.vat_rate:.2f}",
        "if_unavailable": line.item.if_unavailable,
        "available": quantity_number(available),
        "notices": _line_notices(line),
    }


def _line_notices(line: BasketLine) -> list[dict[str, Any]]:
    """What has happened since the item was put into the cart, or is in the way of ordering it."""
    notices: list[dict[str, Any]] = []
    seen, price = line.seen_price_cents, line.price.unit_price_cents
    if seen is not None and seen != price:
        notices.append({"code": "price_changed", "from": money.to_text(seen), "to": money.to_text(price)})
    if not line.is_active:
        notices.append({"code": "withdrawn"})
    elif line.stock < line.quantity_step:
        notices.append({"code": "out_of_stock"})
    elif quantity_problem(line.price.unit, line.quantity_step, line.item.quantity):
        notices.append({"code": "quantity_not_sold", "step": quantity_number(line.quantity_step)})
    elif line.stock < line.item.quantity:
        notices.append({"code": "not_enough_stock", "available": quantity_number(line.stock)})
    return notices


def _notices(priced: PricedBasket) -> list[dict[str, Any]]:
    notices: list[dict[str, Any]] = []
    quote, zone = priced.quote, priced.zone
    if zone and (missing := missing_to_minimum(zone, quote)):
        notices.append({"code": "below_minimum_basket", "missing": money.to_text(missing)})
    elif zone and zone["free_from_cents"] is not None and quote.delivery_fee_cents and not _is_delivery_free(quote):
        missing = zone["free_from_cents"] - quote.subtotal_cents
        notices.append({"code": "free_delivery_from", "missing": money.to_text(missing)})
    if priced.unused_coupon:
        notices.append({"code": "coupon_not_needed", "coupon": priced.unused_coupon})
    return notices


def _is_delivery_free(quote: Quote) -> bool:
    return any(discount.terms.kind == FREE_DELIVERY for discount in quote.discounts)


def _discount_json(discount: Discount) -> dict[str, Any]:
    return {
        "code": discount.terms.code,
        "name": discount.terms.name,
        "amount": money.to_text(discount.amount_cents),
    }
