"""Money: integer minor units inside ("cents"), decimal strings outside ("149.00"). The only place that rounds."""

from decimal import ROUND_HALF_UP, Decimal


def to_text(cents: int) -> str:
    """149_00 → "149.00"."""
    sign = "-" if cents < 0 else ""
    whole, part = divmod(abs(cents), 100)
    return f"{sign}{whole}.{part:02d}"


def to_text_or_none(cents: int | None) -> str | None:
    """`to_text`, for an amount that may be missing."""
    return None if cents is None else to_text(cents)


def to_cents(amount: Decimal) -> int:
    """Decimal("149.00") → 149_00; raises ValueError when there are fractions of a cent."""
    cents = amount * 100
    if cents != cents.to_integral_value():
        raise ValueError(f"{amount} has fractions of a cent")
    return int(cents)


def round_half_up(amount: Decimal) -> int:
    """The one rounding rule: to whole minor units, halves away from zero."""
    return int(amount.quantize(Decimal(1), rounding=ROUND_HALF_UP))


def line_total(unit_price_cents: int, quantity: Decimal) -> int:
    """The price in cents of `quantity` (pieces or kilograms) at a unit price, rounded once."""
    return round_half_up(unit_price_cents * quantity)


def vat_included(gross_cents: int, rate_percent: Decimal) -> int:
    """The VAT in cents that a VAT-inclusive amount contains, e.g. 16.00 of 116.00 at 16 %."""
    return round_half_up(gross_cents * rate_percent / (100 + rate_percent))


def to_display(cents: int, currency: str) -> str:
    """ "KES 1,250" or "KES 1,250.50": for people, in plain ASCII so that an SMS stays in GSM-7."""
    whole, part = divmod(abs(cents), 100)
    sign = "-" if cents < 0 else ""
    return f"{currency} {sign}{whole:,}" + (f".{part:02d}" if part else "")
