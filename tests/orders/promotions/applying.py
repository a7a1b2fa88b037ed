"""What applies of promotions, in short."""

from grocery.orders.lines import PricedLine
from grocery.orders.promotions.rules import apply_promotions
from grocery.orders.promotions.terms import Terms


def taken_off(
    lines: list[PricedLine], *promotions: Terms, fee: int = 0
) -> list[tuple[int | None, dict[int, int], int]]:
    """What applies: promotion, cents by line, cents off the delivery."""
    return [(one.terms.id, one.shares, one.delivery_cents) for one in apply_promotions(lines, promotions, fee)]
