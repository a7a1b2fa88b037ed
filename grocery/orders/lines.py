"""A line of a cart or an order with its price. Pure: prices include VAT, each line is rounded once."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from grocery import money


@dataclass(frozen=True)
class PricedLine:
    """A quantity (pieces or kilograms) of a product at a unit price in cents.

    `category_ids` are the product's category and all above it, for which promotions may be.
    """

    unit_price_cents: int
    quantity: Decimal
    vat_class: str = "standard"
    vat_rate: Decimal = field(default=Decimal("16.00"))
    unit: str = "each"
    product_id: int | None = None
    category_ids: frozenset[int] = frozenset()
    total_cents: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "total_cents", money.line_total(self.unit_price_cents, self.quantity))


def quantity_of(line: Mapping[Any, Any]) -> Decimal:
    """How much of an order's line counts: what was picked, and until then what was ordered."""
    picked: Decimal | None = line["picked_quantity"]
    return Decimal(line["quantity"]) if picked is None else picked
