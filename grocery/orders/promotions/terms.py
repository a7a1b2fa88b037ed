"""What a promotion gives, as a value: read from its row, and kept with each order that holds it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from grocery.orders.lines import PricedLine

BASKET, PRODUCTS, CATEGORIES = "basket", "products", "categories"
PERCENT, FIXED, BUY_X_GET_Y, FREE_DELIVERY = "percent", "fixed", "buy_x_get_y", "free_delivery"


@dataclass(frozen=True)
class Terms:
    """The terms of a promotion; `value` is percent or an amount in the shop's currency, as `kind` says.

    With a `code` it is a coupon. `scope` says whether it is for the basket, for products or for categories with all
    below them.
    """

    id: int | None
    name: str
    kind: str
    code: str | None = None
    scope: str = BASKET
    value: Decimal = Decimal(0)
    buy_quantity: int = 0
    get_quantity: int = 0
    product_ids: frozenset[int] = frozenset()
    category_ids: frozenset[int] = frozenset()
    min_basket_cents: int = 0

    @property
    def preference(self) -> tuple[bool, int]:
        """Of two that give the same: the automatic one, so that a coupon is not spent for nothing; then the older."""
        return (self.code is not None, self.id or 0)

    @property
    def is_for_lines(self) -> bool:
        """Whether it is about some of the goods, not about the basket as a whole or its delivery."""
        return self.kind == BUY_X_GET_Y or (self.kind != FREE_DELIVERY and self.scope != BASKET)

    def is_for(self, line: PricedLine) -> bool:
        """Whether the line's product is among what it is for."""
        if self.kind == BUY_X_GET_Y and line.unit != "each":
            return False
        if self.scope == PRODUCTS:
            return line.product_id in self.product_ids
        if self.scope == CATEGORIES:
            return not self.category_ids.isdisjoint(line.category_ids)
        return True

    def as_held(self) -> "Terms":
        """These terms for an order that has earned them: what the shop takes out of it later costs it no discount."""
        return replace(self, min_basket_cents=0)

    def to_json(self) -> dict[str, Any]:
        """JSON-ready, for `from_json`."""
        return {
            **vars(self),
            "value": str(self.value),
            "product_ids": sorted(self.product_ids),
            "category_ids": sorted(self.category_ids),
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Terms":
        """The terms in `to_json`'s form."""
        return cls(
            **{
                **data,
                "value": Decimal(data["value"]),
                "product_ids": frozenset(data["product_ids"]),
                "category_ids": frozenset(data["category_ids"]),
            }
        )
