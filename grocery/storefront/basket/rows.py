"""The rows of the basket's page: each item with its product, and what has happened to it in words."""

from collections.abc import Collection
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from flask_babel import gettext

from grocery.db import reader
from grocery.fields import quantity_number
from grocery.products.errors import ProductNotFoundError
from grocery.products.rows import listed_product_json
from grocery.products.service import find_products
from grocery.storefront.looks import money, quantity

#: Up to so many pieces are tapped, more are typed.
_TAPPED = 5

#: What stands in the way of an order.
_BLOCKING = frozenset({"withdrawn", "out_of_stock", "quantity_not_sold", "not_enough_stock"})


@dataclass(frozen=True)
class Notice:
    """What a shopper should know of an item. `offered` is the quantity that its button would set."""

    code: str
    text: str
    offered: int | float | None = None
    label: str = ""

    @property
    def is_blocking(self) -> bool:
        return self.code in _BLOCKING


@dataclass(frozen=True)
class Row:
    """An item of the basket (see `read_cart`) with its product (see `listed_product_json`)."""

    item: dict[str, Any]
    product: dict[str, Any]
    notices: list[Notice]

    @property
    def is_typed(self) -> bool:
        return self.item["unit"] == "kg" or self.item["quantity"] > _TAPPED

    @property
    def is_blocked(self) -> bool:
        return any(notice.is_blocking for notice in self.notices)


def read_product(product_id: int) -> dict[str, Any]:
    """The product as lists have it, for sale or not; raises ProductNotFoundError."""
    found = _read_products([product_id])
    if product_id not in found:
        raise ProductNotFoundError
    return found[product_id]


def find_product(product_id: int) -> dict[str, Any] | None:
    return _read_products([product_id]).get(product_id)


def read_rows(basket: dict[str, Any] | None) -> list[Row]:
    """The rows of a basket; one whose product is deleted at this moment is left out."""
    items = basket["items"] if basket else []
    products = _read_products([item["product_id"] for item in items])
    return [make_row(item, products[item["product_id"]]) for item in items if item["product_id"] in products]


def make_row(item: dict[str, Any], product: dict[str, Any]) -> Row:
    return Row(item, product, [_notice(notice, item, product) for notice in item["notices"]])


def _read_products(product_ids: Collection[int]) -> dict[int, dict[str, Any]]:
    with reader() as connection:
        rows = find_products(connection, product_ids)
    return {product_id: listed_product_json(row) for product_id, row in rows.items()}


def _notice(notice: dict[str, Any], item: dict[str, Any], product: dict[str, Any]) -> Notice:
    code, unit = notice["code"], item["unit"]
    if code == "price_changed":
        text = gettext("Price changed: %(before)s → %(now)s", before=money(notice["from"]), now=money(notice["to"]))
        # Putting in what is in already makes this the price that was seen.
        is_sold = len(item["notices"]) == 1
        return Notice(code, text, item["quantity"] if is_sold else None, gettext("All right"))
    if code == "withdrawn":
        return Notice(code, gettext("Not sold any more"))
    if code == "out_of_stock":
        return Notice(code, gettext("Sold out for now"))
    if code == "quantity_not_sold":
        text = gettext("Sold in steps of %(step)s", step=quantity(notice["step"], unit))
        return Notice(code, text, *_offer(min(item["quantity"], item["available"]), product))
    text = gettext("Only %(left)s left", left=quantity(notice["available"], unit))
    return Notice(code, text, *_offer(notice["available"], product))


def _offer(most: float, product: dict[str, Any]) -> tuple[int | float | None, str]:
    """The most that is sold and there, with the words of a button that takes it."""
    step = Decimal(str(product["quantity_step"]))
    taken = quantity_number(Decimal(str(most)) // step * step)
    return (taken, gettext("Take %(quantity)s", quantity=quantity(taken, product["unit"]))) if taken else (None, "")
