"""Rows of a file against products: what differs, and many inserts or updates as one statement."""

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any

import orjson
from marshmallow import ValidationError
from sqlalchemy import Row, select, text

from grocery.answers import catalogue_changed
from grocery.db import db
from grocery.products.imports.cells import ProductRow, RowError
from grocery.products.models import Product
from grocery.products.prices.rows import select_products_with_regular_prices
from grocery.products.schemas import ReplaceProductSchema, check_step
from grocery.products.service import DEFAULT_STEP

# The columns that an import writes, with their types for PostgreSQL.
_TYPES = {
    "sku": "text",
    "barcode": "text",
    "name": "text",
    "description": "text",
    "brand": "text",
    "category_id": "bigint",
    "price_cents": "bigint",
    "compare_at_price_cents": "bigint",
    "unit": "text",
    "quantity_step": "numeric",
    "net_content": "text",
    "vat_class": "text",
    "low_stock_threshold": "numeric",
    "is_active": "boolean",
    "image_url": "text",
    "ingredients": "text",
    "allergens": "text[]",
    "country_of_origin": "text",
    "is_age_restricted": "boolean",
}
_PRICES = ("price_cents", "compare_at_price_cents")
_COLUMNS = ", ".join(_TYPES)
_TYPED = ", ".join(f"{column} {kind}" for column, kind in _TYPES.items())

# Each product has a copy of its category's path. Sharing the category makes a renaming wait that would miss the copy.
_PATH = "(SELECT path FROM categories WHERE id = given.category_id FOR SHARE)"

# One JSON parameter for all rows: PostgreSQL gives the values their types, lists included, and the statement is the
# same whatever the number of rows. All names in it are constants above.
_INSERT = text(f"""
    WITH made AS (
        INSERT INTO products ({_COLUMNS}, category_path, stock)
        SELECT {_COLUMNS}, {_PATH}, stock
        FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given ({_TYPED}, stock numeric)
        RETURNING id, stock, price_cents, compare_at_price_cents
    ), priced AS (
        INSERT INTO price_history (product_id, price_cents, compare_at_price_cents, actor_id, reason)
        SELECT id, price_cents, compare_at_price_cents, :actor_id, 'created' FROM made
    )
    INSERT INTO stock_movements (product_id, delta, stock_after, reason, actor_id)
    SELECT id, stock, stock, 'opening', :actor_id FROM made WHERE stock > 0
""")  # noqa: S608  # made of constants

# The products are locked, so that what the statement finds before its own changes is what they cost until now.
_UPDATE = text(f"""
    WITH given AS (
        SELECT * FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given (id bigint, {_TYPED})
    ), repriced AS (
        SELECT given.id, given.price_cents, given.compare_at_price_cents FROM given JOIN products USING (id)
        WHERE (given.price_cents, given.compare_at_price_cents)
              IS DISTINCT FROM (products.price_cents, products.compare_at_price_cents)
    ), changed AS (
        UPDATE products SET ({_COLUMNS}) = ROW ({", ".join(f"given.{column}" for column in _TYPES)}),
               category_path = {_PATH}, version = version + 1, updated_at = now()
        FROM given WHERE products.id = given.id
    ), ended AS (
        UPDATE price_changes SET status = 'ended', ended_at = clock_timestamp()
        FROM repriced WHERE product_id = repriced.id AND status = 'active'
    )
    INSERT INTO price_history (product_id, price_cents, compare_at_price_cents, changed_at, actor_id, reason)
    SELECT id, price_cents, compare_at_price_cents, clock_timestamp(), :actor_id, 'imported' FROM repriced ORDER BY id
""")  # noqa: S608  # made of constants

_DEFAULTS = {
    field.attribute or name: field.load_default() if callable(field.load_default) else field.load_default
    for name, field in ReplaceProductSchema().fields.items()
    if not field.required and name != "quantity_step"
}


def new_product(row: ProductRow) -> dict[str, Any]:
    """All columns of a product to be made but its category; raises RowError when values do not fit together."""
    values = {**_DEFAULTS, **row.values, "stock": row.opening_stock}
    values.setdefault("quantity_step", DEFAULT_STEP[values["unit"]])
    _check_pieces(values, row.opening_stock)
    return values


def differences(row: ProductRow, product: Row) -> dict[str, Any]:
    """The columns in which a row differs from its product, and `category` if that does.

    Raises RowError when the values do not fit with those that stay.
    """
    changes = {column: value for column, value in row.values.items() if value != getattr(product, column)}
    if _has_price_before_offer(row, product):
        changes = {column: value for column, value in changes.items() if column not in _PRICES}
    if row.category.lower() != product.category.lower():
        changes["category"] = row.category
    values = {**product._mapping, **changes}
    if (values["compare_at_price_cents"] or values["price_cents"] + 1) <= values["price_cents"]:
        changes["compare_at_price_cents"] = None  # the price rose to what it was compared with: the offer is over
    if not changes.keys().isdisjoint(("unit", "quantity_step")):
        # Only then: the return of an order can bring back a part of what is sold by piece since.
        _check_pieces(values, product.stock)
    return changes


def lock_products(product_ids: Collection[int]) -> None:
    """Lock these products in the order of ids like everywhere."""
    locked = select(Product.id).where(Product.id.in_(product_ids)).order_by(Product.id)
    db.session.execute(locked.with_for_update(key_share=True))


def read_locked_products(product_ids: Collection[int]) -> dict[int, Row]:
    """The rows of these products as they are now that they are locked.

    Not of the statement that locks: after a wait, that has the new row of a product, but the offers of before it.
    """
    found = select_products_with_regular_prices().where(Product.id.in_(product_ids))
    return {row.id: row for row in db.session.execute(found)}


def insert_products(products: Sequence[Mapping[str, Any]], actor_id: int | None) -> None:
    """Make products (all columns of each, `stock` too) and note their opening stock and their prices."""
    if products:
        db.session.execute(_INSERT, {"rows": _to_json(products), "actor_id": actor_id})
        catalogue_changed()


def update_products(products: Sequence[Mapping[str, Any]], actor_id: int | None) -> None:
    """Set all columns, but the stock, of products that are locked; another price ends the offer that runs."""
    if products:
        db.session.execute(_UPDATE, {"rows": _to_json(products), "actor_id": actor_id})
        catalogue_changed()


def _to_json(products: Sequence[Mapping[str, Any]]) -> str:
    wanted = ("id", "stock", *_TYPES)
    rows = [{column: product[column] for column in wanted if column in product} for product in products]
    return orjson.dumps(rows, default=str).decode()


def _has_price_before_offer(row: ProductRow, product: Row) -> bool:
    """Whether a row states what returns after the offer that runs.

    Sheets come from tills and from last week, and know nothing of an offer: they must not end it.
    """
    regular = product.regular_price_cents, product.regular_compare_at_cents
    stated = row.values["price_cents"], row.values.get("compare_at_price_cents", product.regular_compare_at_cents)
    return regular == stated


def _check_pieces(values: Mapping[str, Any], stock: Decimal) -> None:
    try:
        check_step(values["unit"], values["quantity_step"])
    except ValidationError as error:
        raise RowError(f"{error.field_name}: {' '.join(map(str, error.messages))}") from error
    if values["unit"] == "each" and stock % 1:
        raise RowError("unit: a part of a piece is in stock")
