"""What an order costs. Pure: from lines to a breakdown in cents; prices include VAT, each line is rounded once."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from grocery import money


@dataclass(frozen=True)
class PricedLine:
    """A quantity (pieces or kilograms) of a product at a unit price in cents; `vat_rate` is in percent."""

    unit_price_cents: int
    quantity: Decimal
    vat_rate: Decimal

    @property
    def total_cents(self) -> int:
        return money.line_total(self.unit_price_cents, self.quantity)

    @property
    def vat_cents(self) -> int:
        """The VAT inside `total_cents`."""
        return money.vat_included(self.total_cents, self.vat_rate)


@dataclass(frozen=True)
class Totals:
    """The amounts of an order in cents. `vat_cents` is inside `total_cents`, not on top of it."""

    subtotal_cents: int
    delivery_fee_cents: int
    vat_cents: int
    total_cents: int


def total_up(lines: Sequence[PricedLine], delivery_fee_cents: int = 0) -> Totals:
    """Sum up an order: the total is the sum of the lines and the delivery fee, to the cent."""
    subtotal = sum(line.total_cents for line in lines)
    return Totals(
        subtotal_cents=subtotal,
        delivery_fee_cents=delivery_fee_cents,
        vat_cents=sum(line.vat_cents for line in lines),
        total_cents=subtotal + delivery_fee_cents,
    )
