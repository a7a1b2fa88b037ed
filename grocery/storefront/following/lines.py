"""The lines of an order as its page shows them: each with what was picked, and what came in its place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grocery.orders.states import OPEN_STATUSES
from grocery.storefront.following.words import picked_words

#: Until then a substitute can be refused: it is still in the shop.
_REFUSABLE_IN = (*OPEN_STATUSES, "packed")


@dataclass(frozen=True)
class Substitute:
    item: Mapping[str, Any]
    may_refuse: bool

    @property
    def is_refused(self) -> bool:
        return self.item["picked_quantity"] == 0


@dataclass(frozen=True)
class Line:
    item: Mapping[str, Any]
    substitutes: Sequence[Substitute]

    @property
    def quantity(self) -> float:
        """What is paid for: what was picked, and until then what was ordered."""
        return counted(self.item)

    @property
    def words(self) -> str:
        return picked_words(self.item)


def counted(item: Mapping[str, Any]) -> float:
    quantity: float = item["quantity"] if item["picked_quantity"] is None else item["picked_quantity"]
    return quantity


def make_lines(order: Mapping[str, Any]) -> list[Line]:
    """The lines of an order (see `order_json`); a substitute whose line is gone stands for itself."""
    items = order["items"]
    ids = {item["id"] for item in items}
    may_refuse = order["status"] in _REFUSABLE_IN
    substitutes: dict[int, list[Substitute]] = {}
    for item in items:
        if item["substitute_for"] in ids:
            substitute = Substitute(item, may_refuse and bool(counted(item)))
            substitutes.setdefault(item["substitute_for"], []).append(substitute)
    return [Line(item, substitutes.get(item["id"], ())) for item in items if item["substitute_for"] not in ids]
