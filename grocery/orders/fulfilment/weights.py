"""How far what is picked may be from what was ordered. Pure; quantities are pieces or kilograms."""

from decimal import Decimal

from grocery import money

#: What weighs more than this times the order costs more than the customer has agreed to.
CEILING = Decimal("1.10")

#: What weighs more than this times the order is a slip: grams for kilograms, or a digit too many.
PLAUSIBLE = Decimal(2)


def is_above_ceiling(ordered: Decimal, picked: Decimal) -> bool:
    """Whether somebody has to ask the customer first: the estimate and 10 % are exceeded."""
    return picked > ordered * CEILING


def is_plausible(ordered: Decimal, picked: Decimal) -> bool:
    return picked <= ordered * PLAUSIBLE


def substitute_price(price_cents: int, quantity: Decimal, missing_cents: int) -> int:
    """The unit price of a substitute: its own, or less, so that it costs no more than what it is for.

    `missing_cents` is what the goods that it stands in for would have cost.
    """
    if money.line_total(price_cents, quantity) <= missing_cents:
        return price_cents
    return int(missing_cents / quantity)
