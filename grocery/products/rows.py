"""A product as a row and as JSON: the one place that knows both.

By hand, since dumping 20 products through marshmallow takes twice as long as all else of a list. `ProductSchema`
documents it; a test holds the two together.
"""

from decimal import Decimal
from typing import Any, cast

from flask import current_app
from sqlalchemy import ColumnElement, Row, Select, Table, literal_column, select

from grocery import money
from grocery.fields import quantity_number
from grocery.products import vat
from grocery.products.images.addresses import public_address, public_addresses
from grocery.products.models import Category, Product
from grocery.products.unit_price import price_per_unit

#: From this many on, nobody needs to know how many are left.
FEW = Decimal(5)

#: The tables themselves: statements made of mapped classes take the ORM's longer way to SQL, at each request.
PRODUCTS, CATEGORIES = cast(Table, Product.__table__), cast(Table, Category.__table__)

PRODUCT_COLUMNS = tuple(column for column in PRODUCTS.c if column.name != "search")

_ALL_PRODUCTS = select(*PRODUCT_COLUMNS, CATEGORIES.c.path.label("category")).select_from(
    PRODUCTS.join(CATEGORIES, PRODUCTS.c.category_id == CATEGORIES.c.id)
)

# In the statement that reads the product, so that the way to it costs no round trip.
_BREADCRUMBS: ColumnElement[Any] = literal_column("""(
    WITH RECURSIVE line AS (
        SELECT id, name, parent_id, 1 AS height FROM categories WHERE id = products.category_id
        UNION ALL
        SELECT above.id, above.name, above.parent_id, height + 1
        FROM line JOIN categories AS above ON above.id = line.parent_id
    ) SELECT json_agg(json_build_object('id', id, 'name', name) ORDER BY height DESC) FROM line
)""")

_ONE_PRODUCT = _ALL_PRODUCTS.add_columns(_BREADCRUMBS.label("breadcrumbs"))


def select_product() -> Select:
    """As `select_products()`, with `breadcrumbs`: id and name of the categories from the top to its own."""
    return _ONE_PRODUCT


def select_products() -> Select:
    """All columns of products with `category`, the path of names."""
    return _ALL_PRODUCTS


def product_json(row: Row, *, for_staff: bool = False) -> dict[str, Any]:
    """A row of `select_product()` as clients see it, with its stock; staff see more of it."""
    product = {**listed_product_json(row), "stock": quantity_number(row.stock), "breadcrumbs": row.breadcrumbs}
    return {**product, **_staff_json(row)} if for_staff else product


def listed_product_json(row: Row) -> dict[str, Any]:
    """A row of `select_products()` as clients see it in lists: without the stock, which changes with every sale."""
    return {
        "id": row.id,
        "sku": row.sku,
        "barcode": row.barcode,
        "name": row.name,
        "description": row.description,
        "brand": row.brand,
        "category_id": row.category_id,
        "category": row.category,
        "price": money.to_text(row.price_cents),
        "compare_at_price": money.to_text_or_none(row.compare_at_price_cents),
        "currency": current_app.config["CURRENCY"],
        "unit": row.unit,
        "quantity_step": quantity_number(row.quantity_step),
        "net_content": row.net_content,
        "price_per_unit": _unit_price_json(row),
        "vat_class": row.vat_class,
        "vat_rate": str(vat.rate_of(row.vat_class)),
        "in_stock": row.in_stock,
        "left": left(row.stock, row.in_stock),
        "is_active": row.is_active,
        "image_url": public_address(row.image_url, current_app.config["MEDIA_URL"]),
        "images": public_addresses(row.image_url, current_app.config["MEDIA_URL"]),
        "ingredients": row.ingredients,
        "allergens": row.allergens,
        "country_of_origin": row.country_of_origin,
        "is_age_restricted": row.is_age_restricted,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "version": row.version,
    }


def _staff_json(row: Row) -> dict[str, Any]:
    """What only staff see; optional in ProductSchema."""
    return {
        "low_stock_threshold": None if row.low_stock_threshold is None else quantity_number(row.low_stock_threshold)
    }


def left(stock: Decimal, in_stock: bool) -> int | float | None:
    """What lists say of the stock: how many are left when they are few, else nothing."""
    if not in_stock:
        return 0
    return quantity_number(stock) if stock <= FEW else None


def _unit_price_json(row: Row) -> dict[str, str] | None:
    price = price_per_unit(row.price_cents, row.unit, row.net_content)
    return None if price is None else {"amount": money.to_text(price.cents), "per": price.per}
