"""What a customer gets back for a part of a line. Pure; cents."""

from dataclasses import dataclass
from decimal import Decimal

from grocery import money


@dataclass(frozen=True)
class Refund:
    """What was paid for goods, and the VAT inside of it."""

    amount_cents: int
    vat_cents: int


def refund_of(
    paid_cents: int, vat_cents: int, delivered: Decimal, returned_before: Decimal, returned_now: Decimal
) -> Refund:
    """The refund for so much of a line, of which a part may have come back before.

    `paid_cents` and `vat_cents` are those of the whole line. Worked out from what has come back in all, so that parts
    add up to the whole to the cent, whatever their order.
    """
    before, after = returned_before, returned_before + returned_now
    return Refund(
        _share(paid_cents, after, delivered) - _share(paid_cents, before, delivered),
        _share(vat_cents, after, delivered) - _share(vat_cents, before, delivered),
    )


def _share(cents: int, part: Decimal, whole: Decimal) -> int:
    return money.round_half_up(cents * part / whole)
