"""Cells of a CSV row as values of a product: by the same schema fields, and so the same rules, as in the API."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from marshmallow import ValidationError

from grocery.fields import Schema
from grocery.products.categories import MAX_DEPTH, MAX_PATH_LENGTH
from grocery.products.imports.reading import REQUIRED
from grocery.products.schemas import NewProductSchema, WriteCategorySchema, optional_fields

_WORDS = {"true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
_SEPARATOR = re.compile("[,;|]")
_ITEM = re.compile(r'\s*"((?:[^"]|"")+)"\s*(?=[,;|]|$)|([^,;|]+)')
_NUMBER = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,9})?")

_ProductSchema = Schema.from_dict(optional_fields(NewProductSchema), name="ImportedProductSchema")
_category_name = WriteCategorySchema().fields["name"]


class RowError(Exception):
    """Why a row is refused, in words for the person who made the file."""


@dataclass(frozen=True)
class ProductRow:
    """A valid row: values by column of the table products, without `category_id` and `stock`."""

    number: int
    category: str
    values: dict[str, Any]
    opening_stock: Decimal

    @property
    def sku(self) -> str | None:
        return self.values.get("sku")

    @property
    def barcode(self) -> str | None:
        return self.values.get("barcode")

    @property
    def name_key(self) -> tuple[str, str, str]:
        """What a row without SKU and barcode is known by."""
        return name_key(self.values["name"], self.values.get("brand"), self.category)


def name_key(name: str, brand: str | None, category: str) -> tuple[str, str, str]:
    """Name, brand and path of the category in one letter case."""
    return name.lower(), (brand or "").lower(), category.lower()


class RowReader:
    """Reads the rows of one table, whose `fields` are those that it has columns for."""

    def __init__(self, fields: Iterable[str], *, decimal_comma: bool):
        self._schema = _ProductSchema(only=[field for field in fields if field != "category"])
        self._decimal_comma = decimal_comma

    def read(self, number: int, cells: Mapping[str, str]) -> ProductRow:
        """The values of a row; raises RowError with all that is wrong with it.

        An empty cell empties a field that may be empty; another field stays as it is, or gets its default.
        """
        if empty := [field for field in REQUIRED if not cells[field]]:
            raise RowError(f"{' and '.join(empty)} missing")
        data = {field: self._value(field, cell) for field, cell in cells.items() if cell or field in _EMPTIED}
        try:
            category = _category_path(data.pop("category"))
            values = self._schema.load(data)
        except ValidationError as error:
            raise RowError(_in_one_line(error)) from error
        if "compare_at_price_cents" in values and (values["compare_at_price_cents"] or 0) <= values["price_cents"]:
            # Foreign files give both prices for every product; the same twice is no offer.
            values["compare_at_price_cents"] = None
        return ProductRow(number, category, values, values.pop("stock", Decimal(0)))

    def _value(self, field: str, cell: str) -> Any:
        if self._decimal_comma and field in _NUMERIC:
            cell = cell.replace(",", ".")
        convert = _CONVERTERS.get(field)
        return convert(cell) if convert else cell


def _number(cell: str) -> float | str:
    return float(cell) if _NUMBER.fullmatch(cell) else cell  # the schema refuses a text, by name


def _optional_number(cell: str) -> float | str | None:
    return _number(cell) if cell else None


def _amount(cell: str) -> str | None:
    return cell or None


def _truth(cell: str) -> Any:
    return _WORDS.get(cell.lower(), cell)


def join_list(items: Sequence[str]) -> str:
    """Items as one cell, those with a separator in them in quotes."""
    return ", ".join(_quoted(item) if item.startswith('"') or _SEPARATOR.search(item) else item for item in items)


def _quoted(item: str) -> str:
    return '"' + item.replace('"', '""') + '"'


def _list(cell: str) -> list[str]:
    items = (quoted.replace('""', '"') or plain.strip() for quoted, plain in _ITEM.findall(cell))
    return [item for item in items if item]


_CONVERTERS: dict[str, Callable[[str], Any]] = {
    "price": _amount,
    "compare_at_price": _amount,
    "quantity_step": _number,
    "stock": _number,
    "low_stock_threshold": _optional_number,
    "unit": str.lower,
    "vat_class": str.lower,
    "is_active": _truth,
    "is_age_restricted": _truth,
    "allergens": _list,
}
_NUMERIC = ("price", "compare_at_price", "quantity_step", "stock", "low_stock_threshold")
_EMPTIED = (
    "description",
    "brand",
    "compare_at_price",
    "net_content",
    "low_stock_threshold",
    "image_url",
    "ingredients",
    "allergens",
    "country_of_origin",
)


@lru_cache(maxsize=1024)
def _category_path(cell: str) -> str:
    names = cell.split("/")
    if len(names) > MAX_DEPTH:
        raise ValidationError(f"Has more than {MAX_DEPTH} levels.", "category")
    try:
        path = "/".join(map(_category_name.deserialize, names))
    except ValidationError as error:
        raise ValidationError(error.messages, "category") from error
    if len(path) > MAX_PATH_LENGTH:
        raise ValidationError(f"Longer than {MAX_PATH_LENGTH} characters.", "category")
    return path


def _in_one_line(error: ValidationError) -> str:
    """ "price: Must be …; name: Longer than …", also for lists, whose messages are by position."""
    parts = []
    for field, messages in error.normalized_messages().items():
        texts = messages if isinstance(messages, list) else [text for below in messages.values() for text in below]
        parts.append(f"{field}: {' '.join(map(str, texts))}")
    return "; ".join(parts)
