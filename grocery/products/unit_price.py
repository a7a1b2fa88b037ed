"""The price per kilogram, litre or piece, from what a package says it holds (pure)."""

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache

from grocery.money import round_half_up

# What a unit is called on packages → the unit to compare by, and how many of it that is.
_UNITS = {
    "mg": ("kg", Decimal("0.000001")),
    "g": ("kg", Decimal("0.001")),
    "gm": ("kg", Decimal("0.001")),
    "gms": ("kg", Decimal("0.001")),
    "kg": ("kg", Decimal(1)),
    "ml": ("l", Decimal("0.001")),
    "cl": ("l", Decimal("0.01")),
    "l": ("l", Decimal(1)),
    "lt": ("l", Decimal(1)),
    "ltr": ("l", Decimal(1)),
    "litre": ("l", Decimal(1)),
    "litres": ("l", Decimal(1)),
    "pc": ("pcs", Decimal(1)),
    "pcs": ("pcs", Decimal(1)),
    "piece": ("pcs", Decimal(1)),
    "pieces": ("pcs", Decimal(1)),
}

# "500 g", "1.5l", "6 x 330 ml", "30 pcs"; a comma before the decimals is as common as a point.
_CONTENT = re.compile(r"(?:(\d{1,4})\s*[x×*]\s*)?(\d{1,6}(?:[.,]\d{1,3})?)\s*([a-z]{1,6})\.?")


@dataclass(frozen=True)
class UnitPrice:
    """An amount in cents for one `per` (kg, l or pcs)."""

    cents: int
    per: str


def price_per_unit(price_cents: int, unit: str, net_content: str | None) -> UnitPrice | None:
    """The price to compare by; None when the content is not known or would repeat the price (1 piece)."""
    if unit == "kg":
        return UnitPrice(price_cents, "kg")
    content = parse_content(net_content) if net_content else None
    if content is None or content == (Decimal(1), "pcs"):
        return None
    amount, per = content
    return UnitPrice(round_half_up(price_cents / amount), per)


@lru_cache(maxsize=4096)
def parse_content(net_content: str) -> tuple[Decimal, str] | None:
    """How much a package holds, in kg, l or pcs: "6 x 330 ml" → (1.98, "l"). None when it does not say."""
    match = _CONTENT.fullmatch(net_content.strip().lower())
    if match is None or match[3] not in _UNITS:
        return None
    per, factor = _UNITS[match[3]]
    amount = int(match[1] or 1) * Decimal(match[2].replace(",", ".")) * factor
    return (amount, per) if amount else None
