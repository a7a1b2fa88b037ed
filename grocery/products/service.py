"""Products: read, make, change, delete."""

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any, NoReturn

from marshmallow import ValidationError
from sqlalchemy import Connection, Row, Update, delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from grocery.answers import catalogue_changed
from grocery.db import db, name_subject
from grocery.errors import ConflictError, InvalidError
from grocery.products.errors import BarcodeTakenError, ProductNotFoundError, SkuTakenError
from grocery.products.hooks import product_deleting
from grocery.products.inventory.correcting import count_stock
from grocery.products.models import Category, Product, StockMovement
from grocery.products.prices.history import note_prices
from grocery.products.rows import PRODUCT_COLUMNS, select_product, select_products
from grocery.products.schemas import check_prices, check_step
from grocery.products.search.upkeep import mark_words_stale
from grocery.web import check_version

#: What `quantity_step` is unless told.
DEFAULT_STEP = {"each": Decimal(1), "kg": Decimal("0.1")}

_KEYS = frozenset({"sku", "barcode"})
_PRICES = frozenset({"price_cents", "compare_at_price_cents"})


def get_product(connection: Connection, product_id: int, *, with_withdrawn: bool = False) -> Row:
    """The row of a product (see `select_product`).

    Raises ProductNotFoundError; unless told otherwise for one that is withdrawn from sale, too.
    """
    statement = select_product().where(Product.id == product_id)
    row = connection.execute(statement).one_or_none()
    if row is None or not (row.is_active or with_withdrawn):
        raise ProductNotFoundError()
    return row


def find_products(connection: Connection, product_ids: Collection[int]) -> dict[int, Row]:
    """The rows of these products (see `select_products`) by id, also of those that are withdrawn from sale."""
    if not product_ids:
        return {}
    return {row.id: row for row in connection.execute(select_products().where(Product.id.in_(product_ids)))}


def check_product_exists(product_id: int) -> None:
    """Raise ProductNotFoundError unless there is such a product, for sale or not."""
    if db.session.scalar(select(Product.id).where(Product.id == product_id)) is None:
        raise ProductNotFoundError()


def create_product(values: Mapping[str, Any], *, actor_id: int | None) -> Row:
    """Make a product with its opening stock in the ledger.

    `values` are those of NewProductSchema. Raises SkuTakenError, BarcodeTakenError, and InvalidError for an unknown
    category.
    """
    filled = _with_default_step(values)
    try:
        product_id = db.session.scalar(insert(Product).values(_with_path(filled)).returning(Product.id)) or 0
    except IntegrityError as error:
        _raise_refusal(error, filled)
    name_subject("product", product_id)
    catalogue_changed()
    if filled["stock"]:
        stock = filled["stock"]
        movement = {"product_id": product_id, "delta": stock, "stock_after": stock, "reason": "opening"}
        db.session.execute(insert(StockMovement).values(**movement, actor_id=actor_id))
    note_prices([product_id], "created", actor_id=actor_id)
    return _read(product_id)


def replace_product(product_id: int, values: Mapping[str, Any], *, version: int | None, actor_id: int | None) -> Row:
    """Set all writable fields (ReplaceProductSchema); see `change_product`."""
    return change_product(product_id, _with_default_step(values), version=version, actor_id=actor_id)


def change_product(product_id: int, values: Mapping[str, Any], *, version: int | None, actor_id: int | None) -> Row:
    """Set some fields of a product, never its stock. Another price ends the offer that runs.

    With `version`, only if that is the current one. Raises ProductNotFoundError, StaleError, SkuTakenError,
    BarcodeTakenError, InvalidError when fields do not fit together or the category is unknown, and ConflictError for
    selling by piece what has a part of one in stock.
    """
    current = _lock(product_id, with_keys=not values.keys().isdisjoint(_KEYS))
    check_version(current.version, version)
    changes = {name: value for name, value in values.items() if value != getattr(current, name)}
    if changes:
        _check_together({**current._mapping, **changes}, current.stock)
        _update(update(Product).where(Product.id == product_id), changes)
        catalogue_changed()
    if not changes.keys().isdisjoint(_PRICES):
        note_prices([product_id], "edited", actor_id=actor_id)
    return _read(product_id)


def withdraw_product(product_id: int, *, version: int | None) -> None:
    """Take a product off sale, in a transaction of its own before `delete_product`.

    Orders share its row: while many are placed there may never be a moment for the deletion to lock it. It keeps its
    `version`, since the deletion is asked for the same one. Raises ProductNotFoundError, StaleError.
    """
    check_version(_lock(product_id).version, version)
    db.session.execute(update(Product).where(Product.id == product_id).values(is_active=False))
    catalogue_changed()


def delete_product(product_id: int, *, version: int | None, actor_id: int | None) -> None:
    """Delete a product and what hangs on it; with `version`, only if that is the current one.

    Raises ProductNotFoundError, StaleError, and what receivers of `product_deleting` raise.
    """
    found = select(Product.version).where(Product.id == product_id)
    _check_found(db.session.scalar(found), version)
    product_deleting.send(product_id=product_id, actor_id=actor_id)
    catalogue_changed()
    deleted = delete(Product).where(Product.id == product_id).returning(Product.version)
    # Checked again, as the row was not locked before: an error rolls the deletion back.
    _check_found(db.session.scalar(deleted), version)
    mark_words_stale()


def set_price(sku: str, price_cents: int) -> tuple[Row, int]:
    """Set the price of the product with this SKU; answers its row and the price before. See `change_price`."""
    product_id = find_by_sku(sku)
    name_subject("product", product_id)
    return change_price(product_id, price_cents, version=None, actor_id=None)


def change_price(product_id: int, price_cents: int, *, version: int | None, actor_id: int | None) -> tuple[Row, int]:
    """Set the price and nothing else; answers the row and the price before, in cents.

    A price from `compare_at_price` upwards ends the offer. Raises what `change_product` raises.
    """
    before = _lock(product_id)
    changes: dict[str, Any] = {"price_cents": price_cents}
    if before.compare_at_price_cents is not None and before.compare_at_price_cents <= price_cents:
        changes["compare_at_price_cents"] = None
    return change_product(product_id, changes, version=version, actor_id=actor_id), before.price_cents


def set_stock(sku: str, quantity: Decimal, *, actor_id: int | None) -> tuple[Row, Decimal]:
    """Set the stock of the product with this SKU to what was counted; answers its row and the stock before.

    Raises ProductNotFoundError, and InvalidError for a part of a piece.
    """
    product_id = find_by_sku(sku)
    name_subject("product", product_id)
    before = count_stock(product_id, quantity, actor_id=actor_id)
    return _read(product_id), before


def find_by_sku(sku: str) -> int:
    """The id of the product with this SKU; raises ProductNotFoundError."""
    product_id = db.session.scalar(select(Product.id).where(Product.sku == sku))
    if product_id is None:
        raise ProductNotFoundError(f"There is no product with the SKU {sku}.")
    return product_id


def _with_default_step(values: Mapping[str, Any]) -> dict[str, Any]:
    return {"quantity_step": DEFAULT_STEP[values["unit"]], **values}


def _with_path(values: Mapping[str, Any]) -> dict[str, Any]:
    """With the path of the category, if there is one among the values; an unknown one is refused by its foreign key.

    The category is shared, so that one that is being renamed is waited for: its products have been looked for then.
    """
    if "category_id" not in values:
        return dict(values)
    path = select(Category.path).where(Category.id == values["category_id"]).with_for_update(read=True)
    return {**values, "category_path": func.coalesce(path.scalar_subquery(), "")}


def _lock(product_id: int, *, with_keys: bool = False) -> Row:
    """Lock a product for a change. Orders that are being placed wait only when its keys could change, too.

    A change of a unique column needs the stronger lock. Asked for in the end only, it would deadlock with an order that
    has written its line, which shares the product's key, and waits to take the stock.
    """
    statement = select(*PRODUCT_COLUMNS).where(Product.id == product_id).with_for_update(key_share=not with_keys)
    row = db.session.execute(statement).one_or_none()
    if row is None:
        raise ProductNotFoundError()
    return row


def _read(product_id: int) -> Row:
    return get_product(db.session.connection(), product_id, with_withdrawn=True)


def _check_found(current: int | None, version: int | None) -> None:
    if current is None:
        raise ProductNotFoundError()
    check_version(current, version)


def _check_together(product: Mapping[str, Any], stock: Decimal) -> None:
    try:
        check_prices(product["price_cents"], product["compare_at_price_cents"])
        check_step(product["unit"], product["quantity_step"])
    except ValidationError as error:
        errors = {error.field_name: error.messages}
        raise InvalidError("One or more fields are not valid.", errors=errors) from None
    if product["unit"] == "each" and stock % 1:
        raise ConflictError("There is a part of a piece in stock. Correct the stock first.", code="fractional_stock")


def _update(statement: Update, changes: Mapping[str, Any]) -> None:
    changed = statement.values({**_with_path(changes), "version": Product.version + 1, "updated_at": func.now()})
    try:
        db.session.execute(changed, execution_options={"synchronize_session": False})
    except IntegrityError as error:
        _raise_refusal(error, changes)


def _raise_refusal(error: IntegrityError, values: Mapping[str, Any]) -> NoReturn:
    """The database's refusal as the error that it means; PostgreSQL is asked for nothing before it."""
    match error.orig.diag.constraint_name:  # type: ignore[union-attr]  # psycopg2's errors carry diagnostics
        case "uq_products_sku":
            raise SkuTakenError(values["sku"]) from error
        case "uq_products_barcode":
            raise BarcodeTakenError(values["barcode"]) from error
        case "fk_products_category_id_categories":
            errors = {"category_id": ["There is no such category."]}
            raise InvalidError("One or more fields are not valid.", errors=errors) from error
    raise error
