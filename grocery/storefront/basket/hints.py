"""What a shopper may want to know about delivery before the checkout: how much is missing to what."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from flask_babel import gettext

from grocery.money import to_cents, to_text
from grocery.storefront.looks import money


def delivery_hint(subtotal: str, zones: list[dict[str, Any]]) -> str | None:
    """For the goods of a basket, before discounts; None where it depends on where they go."""
    if len(zones) != 1:
        return None
    zone = zones[0]
    if missing := _missing(subtotal, zone["min_basket"]):
        return gettext("%(missing)s more to reach %(minimum)s", missing=missing, minimum=money(zone["min_basket"]))
    if not _costs_something(zone):
        return gettext("Delivery is free")
    if zone["free_from"] is None:
        return None
    if missing := _missing(subtotal, zone["free_from"]):
        return gettext("%(missing)s more to free delivery", missing=missing)
    return gettext("Delivery is free")


def _missing(subtotal: str, wanted: str | None) -> str | None:
    cents = to_cents(Decimal(wanted or 0)) - to_cents(Decimal(subtotal))
    return money(to_text(cents)) if cents > 0 else None


def _costs_something(zone: Mapping[str, Any]) -> bool:
    return Decimal(zone["fee"]) > 0
