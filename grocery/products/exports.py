"""The catalogue as CSV, with the columns that an import understands: exported and imported again, nothing changes."""

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from marshmallow import fields
from sqlalchemy import Row, func, select

from grocery import money
from grocery.db import replica_reader
from grocery.fields import Money, Quantity
from grocery.products.categories import find_paths
from grocery.products.errors import CategoryNotFoundError
from grocery.products.filters import branch_ids
from grocery.products.imports.cells import join_list
from grocery.products.imports.formulas import escape
from grocery.products.imports.reading import COLUMNS
from grocery.products.prices.rows import select_products_with_regular_prices
from grocery.products.rows import PRODUCTS
from grocery.products.schemas import NewProductSchema

# Rows of one statement. Between two, nothing is held: a slow reader keeps neither a connection nor a snapshot.
_BATCH_ROWS = 1000

#: What Excel needs at the beginning to take a file for UTF-8.
BOM = "\ufeff"


@dataclass(frozen=True)
class Block:
    """A piece of the file, and the number of products in it."""

    text: str
    products: int


def export_products(category_id: int | None = None, *, bom: bool = False) -> Iterator[Block]:
    """All products by id, withdrawn ones too, or those of a category and below it. The first block is the header.

    Products that are made meanwhile come with it, deleted ones do not.
    """
    yield Block((BOM if bom else "") + _to_csv([COLUMNS]), 0)
    after_id = 0
    while rows := _read(category_id, after_id):
        yield Block(_to_csv(map(_cells, rows)), len(rows))
        after_id = rows[-1].id


def count_products(category_id: int | None = None) -> int:
    statement = select(func.count()).select_from(PRODUCTS).where(*_conditions(category_id))
    with replica_reader() as connection:
        return connection.scalar(statement) or 0


def find_category(path: str) -> int:
    """The id of the category with this path, in any letter case; raises CategoryNotFoundError."""
    found = find_paths([path]).get(path)
    if found is None:
        raise CategoryNotFoundError
    return found


def _read(category_id: int | None, after_id: int) -> list[Row[Any]]:
    is_next = (PRODUCTS.c.id > after_id, *_conditions(category_id))
    statement = select_products_with_regular_prices().where(*is_next).order_by(PRODUCTS.c.id).limit(_BATCH_ROWS)
    with replica_reader() as connection:
        return list(connection.execute(statement))


def _conditions(category_id: int | None) -> list[Any]:
    return [] if category_id is None else [PRODUCTS.c.category_id.in_(branch_ids(category_id))]


def _to_csv(rows: Any) -> str:
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue()


def _cells(row: Row[Any]) -> list[str]:
    values = {**row._mapping, **_prices(row)}
    return [_cell(write, values[attribute]) for attribute, write in _WRITERS]


def _prices(row: Row[Any]) -> dict[str, int | None]:
    """What returns after the offer that runs, if one does: imported when it is over, a sheet must not bring it back."""
    if row.regular_price_cents is None:
        return {}
    return {"price_cents": row.regular_price_cents, "compare_at_price_cents": row.regular_compare_at_cents}


def _cell(write: Callable[[Any], str], value: Any) -> str:
    return "" if value is None else write(value)


def _quantity(value: Decimal) -> str:
    return f"{value.normalize():f}"


def _truth(value: bool) -> str:
    return "true" if value else "false"


def _list(value: list[str]) -> str:
    return escape(join_list(value))


def _writer(field: fields.Field) -> Callable[[Any], str]:
    kinds: dict[type[fields.Field], Callable[[Any], str]] = {
        Money: money.to_text,
        Quantity: _quantity,
        fields.Boolean: _truth,
        fields.Integer: str,
        fields.List: _list,
    }
    return next((write for kind, write in kinds.items() if isinstance(field, kind)), escape)


_FIELDS = {"category": fields.String(), **NewProductSchema().fields}
_WRITERS = [(_FIELDS[name].attribute or name, _writer(_FIELDS[name])) for name in COLUMNS]
