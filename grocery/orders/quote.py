"""What an order costs: one pure function for cart, quote, placing and pricing anew.

Amounts are in cents and include VAT. Each line is rounded once; the VAT is worked out per line, of what is left after
its share of the discounts, and summed up per class.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from grocery import money
from grocery.orders.lines import PricedLine
from grocery.orders.promotions.rules import apply_promotions
from grocery.orders.promotions.terms import Terms
from grocery.products.vat import RATE_PERCENT, rate_of

#: Bringing goods home is a service of its own, taxed at the general rate whatever is in the basket.
DELIVERY_VAT_CLASS = "standard"


@dataclass(frozen=True)
class DeliveryTerms:
    """What zone and slot cost together, and from how much in goods on (before discounts) they cost nothing.

    `is_free` is for an order whose delivery was free once: what the shop takes out of it later does not change that.
    """

    price_cents: int = 0
    free_from_cents: int | None = None
    is_free: bool = False

    def fee_cents(self, subtotal_cents: int) -> int:
        is_reached = self.free_from_cents is not None and subtotal_cents >= self.free_from_cents
        return 0 if self.is_free or is_reached else self.price_cents


@dataclass(frozen=True)
class QuotedLine:
    """A line with its share of the discounts, and the VAT inside the rest."""

    line: PricedLine
    discount_cents: int
    vat_cents: int

    @property
    def net_cents(self) -> int:
        """What is paid for it."""
        return self.line.total_cents - self.discount_cents


@dataclass(frozen=True)
class Discount:
    """What a promotion takes off."""

    terms: Terms
    amount_cents: int


@dataclass(frozen=True)
class VatAmount:
    """What is paid for goods (and delivery) of one VAT class, and the VAT inside; `rate` is in percent."""

    vat_class: str
    rate: Decimal
    gross_cents: int
    vat_cents: int


@dataclass(frozen=True)
class Quote:
    """An order's amounts: `total_cents` is subtotal less discounts plus delivery fee; `vat_cents` is inside of it."""

    lines: tuple[QuotedLine, ...]
    discounts: tuple[Discount, ...]
    subtotal_cents: int
    discount_cents: int
    delivery_fee_cents: int
    vat_cents: int
    total_cents: int

    @property
    def vat_amounts(self) -> list[VatAmount]:
        """By class; their gross amounts add up to the total."""
        lines = [(one.line.vat_class, one.line.vat_rate, one.net_cents, one.vat_cents) for one in self.lines]
        free = sum(one.amount_cents for one in self.discounts if one.terms.kind == "free_delivery")
        return sum_up_vat(lines, self.delivery_fee_cents - free)


def make_quote(
    lines: Sequence[PricedLine], promotions: Sequence[Terms] = (), delivery: DeliveryTerms | None = None
) -> Quote:
    """Price an order. An order without lines costs nothing, its delivery neither."""
    subtotal = sum(line.total_cents for line in lines)
    fee = (delivery or DeliveryTerms()).fee_cents(subtotal) if lines else 0
    applied = apply_promotions(lines, promotions, fee)
    shares = [0] * len(lines)
    for one in applied:
        for index, cents in one.shares.items():
            shares[index] += cents
    quoted = tuple(
        QuotedLine(line, share, money.vat_included(line.total_cents - share, line.vat_rate))
        for line, share in zip(lines, shares, strict=True)
    )
    discount = sum(one.amount_cents for one in applied)
    paid_fee = fee - sum(one.delivery_cents for one in applied)
    return Quote(
        lines=quoted,
        discounts=tuple(Discount(one.terms, one.amount_cents) for one in applied),
        subtotal_cents=subtotal,
        discount_cents=discount,
        delivery_fee_cents=fee,
        vat_cents=sum(one.vat_cents for one in quoted) + delivery_vat(paid_fee),
        total_cents=subtotal - discount + fee,
    )


def delivery_vat(fee_cents: int) -> int:
    """The VAT inside of what is paid for delivery."""
    return money.vat_included(fee_cents, rate_of(DELIVERY_VAT_CLASS))


def sum_up_vat(lines: Sequence[tuple[str, Decimal, int, int]], paid_fee_cents: int) -> list[VatAmount]:
    """Lines as (class, rate, paid cents, VAT cents) and what is paid for delivery, by class."""
    entries = list(lines)
    if paid_fee_cents:
        rate = rate_of(DELIVERY_VAT_CLASS)
        entries.append((DELIVERY_VAT_CLASS, rate, paid_fee_cents, delivery_vat(paid_fee_cents)))
    sums: dict[str, tuple[Decimal, int, int]] = {}
    for vat_class, rate, gross, vat in entries:
        _, gross_before, vat_before = sums.get(vat_class, (rate, 0, 0))
        sums[vat_class] = (rate, gross_before + gross, vat_before + vat)
    return [VatAmount(vat_class, *sums[vat_class]) for vat_class in RATE_PERCENT if vat_class in sums]
