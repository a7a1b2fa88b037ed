"""A product as the desk's list shows it, and the tree of categories as a list to choose from."""

from collections.abc import Iterable
from typing import Any

from flask_babel import gettext
from sqlalchemy import Connection, Row

from grocery.fields import quantity_number
from grocery.products.categories import read_tree
from grocery.products.rows import listed_product_json


def row_json(row: Row, mark: int) -> dict[str, Any]:
    """A row of `select_products()` with its stock and whether it runs low; `mark` is that of the ledger before."""
    threshold = row.low_stock_threshold
    return {
        **listed_product_json(row),
        "stock": quantity_number(row.stock),
        "mark": mark,
        "is_low": threshold is not None and row.stock <= threshold,
    }


def category_choices(connection: Connection, first: str | None = None) -> list[tuple[int | str, str]]:
    """All categories as options, those below others indented; `first` is the option for none."""
    options: list[tuple[int | str, str]] = [("", gettext("Choose a category") if first is None else first)]
    return [*options, *((node["id"], indented(node, depth)) for node, depth in walk(read_tree(connection)))]


def walk(nodes: Iterable[dict[str, Any]], depth: int = 0) -> Iterable[tuple[dict[str, Any], int]]:
    """All nodes of a tree with their depth, from top to bottom."""
    for node in nodes:
        yield node, depth
        yield from walk(node["children"], depth + 1)


def indented(node: dict[str, Any], depth: int) -> str:
    # Options have no other way to be indented than spaces that stay.
    return "\u00a0\u00a0" * depth + str(node["name"])
