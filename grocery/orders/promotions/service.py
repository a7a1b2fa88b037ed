"""Promotions: read, make, change, delete. Commits nothing."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from grocery import money
from grocery.db import db, name_subject
from grocery.errors import InvalidError
from grocery.orders.promotions.errors import CodeTakenError, LimitBelowUseError, PromotionNotFoundError
from grocery.orders.promotions.models import Promotion
from grocery.orders.promotions.terms import BASKET, CATEGORIES, PRODUCTS
from grocery.paging import Page, cut_page, decode_cursor, encode_cursor
from grocery.web import check_version

_USES = """
    SELECT count(*) FROM order_discounts AS held JOIN orders ON orders.id = held.order_id
    WHERE held.promotion_id = promotion.id AND orders.status <> 'cancelled'
"""

# Cut to the page first: counting the uses of a promotion takes a look at all orders that hold it.
_READ = """
    SELECT promotion.*,
           ARRAY(
               SELECT product_id FROM promotion_products WHERE promotion_id = promotion.id ORDER BY product_id
           ) AS product_ids,
           ARRAY(
               SELECT category_id FROM promotion_categories WHERE promotion_id = promotion.id ORDER BY category_id
           ) AS category_ids,
           ({uses}) AS used
    FROM ({chosen}) AS promotion ORDER BY promotion.id DESC
"""

_ONE = text(_READ.format(uses=_USES, chosen="SELECT * FROM promotions WHERE id = :promotion_id"))

_PAGE = text(
    _READ.format(
        uses=_USES,
        chosen="""
            SELECT * FROM promotions
            WHERE (CAST(:is_active AS boolean) IS NULL OR is_active = :is_active)
                  AND (CAST(:code AS text) IS NULL OR code = :code)
                  AND (CAST(:kind AS text) IS NULL OR kind = :kind)
                  AND (CAST(:before AS bigint) IS NULL OR id < :before)
            ORDER BY id DESC LIMIT :limit
        """,
    )
)

_FIND = text("""
    SELECT id FROM promotions WHERE code = :code OR id = :promotion_id ORDER BY code = :code DESC NULLS LAST LIMIT 1
""")

_LOCK = text("SELECT scope, version FROM promotions WHERE id = :promotion_id FOR UPDATE")

_COUNT_USES = text(f"SELECT ({_USES}) FROM promotions AS promotion WHERE id = :promotion_id")  # noqa: S608  # constants

# What a promotion refers to is shared until its commit, so that it cannot go between the check and the write. Customers
# come before the promotion, categories and products after it: who deletes a customer holds that row when they come to
# promotions, and who deletes a product holds the promotions of its orders when they come to the product.
_SHARE = {
    "customer_id": text("SELECT id FROM customers WHERE id = ANY(:ids) ORDER BY id FOR KEY SHARE"),
    "category_ids": text("SELECT id FROM categories WHERE id = ANY(:ids) ORDER BY id FOR KEY SHARE"),
    "product_ids": text("SELECT id FROM products WHERE id = ANY(:ids) ORDER BY id FOR KEY SHARE"),
}

# Only what differs is written.
_WRITE_NAMED = text("""
    WITH no_longer_products AS (
        DELETE FROM promotion_products
        WHERE promotion_id = :promotion_id AND NOT product_id = ANY(CAST(:product_ids AS bigint[]))
    ), no_longer_categories AS (
        DELETE FROM promotion_categories
        WHERE promotion_id = :promotion_id AND NOT category_id = ANY(CAST(:category_ids AS bigint[]))
    ), products AS (
        INSERT INTO promotion_products (promotion_id, product_id)
        SELECT :promotion_id, unnest(CAST(:product_ids AS bigint[])) ON CONFLICT DO NOTHING
    )
    INSERT INTO promotion_categories (promotion_id, category_id)
    SELECT :promotion_id, unnest(CAST(:category_ids AS bigint[])) ON CONFLICT DO NOTHING
""")


def get_promotion(connection: Connection, promotion_id: int) -> Row:
    """The row of a promotion with its `product_ids`, `category_ids` and `used`; raises PromotionNotFoundError."""
    row = connection.execute(_ONE, {"promotion_id": promotion_id}).one_or_none()
    if row is None:
        raise PromotionNotFoundError()
    return row


def check_promotion_exists(promotion_id: int) -> None:
    """Raise PromotionNotFoundError unless there is such a promotion."""
    if db.session.scalar(select(Promotion.id).where(Promotion.id == promotion_id)) is None:
        raise PromotionNotFoundError()


def list_promotions(
    connection: Connection,
    *,
    is_active: bool | None = None,
    code: str | None = None,
    kind: str | None = None,
    limit: int,
    cursor: str | None = None,
    now: datetime,
) -> Page:
    """Promotions as JSON, newest first. Raises InvalidError for a cursor of another list."""
    [before] = decode_cursor(cursor, int) if cursor else [None]
    parameters = {"is_active": is_active, "code": code, "kind": kind, "before": before, "limit": limit + 1}
    found = connection.execute(_PAGE, parameters).all()
    rows, next_cursor = cut_page(found, limit, lambda row: encode_cursor(row.id))
    return Page([promotion_json(row, now) for row in rows], next_cursor)


def create_promotion(values: Mapping[str, Any]) -> Row:
    """Make a promotion (WritePromotionSchema).

    Raises CodeTakenError, and InvalidError for unknown products, categories or customers.
    """
    _check(_share(values, "customer_id", "category_ids", "product_ids"))
    columns = _columns(values, _choose_scope(values, current=BASKET))
    try:
        promotion_id = db.session.scalar(insert(Promotion).values(columns).returning(Promotion.id)) or 0
    except IntegrityError as error:
        raise _refusal(error, values) from error
    name_subject("promotion", promotion_id)
    _write_named(promotion_id, values)
    return get_promotion(db.session.connection(), promotion_id)


def replace_promotion(promotion_id: int, values: Mapping[str, Any], *, version: int | None) -> Row:
    """Set all writable fields (WritePromotionSchema); with `version`, only if that is the current one.

    Orders keep the terms under which they were placed. Raises PromotionNotFoundError, StaleError, CodeTakenError,
    LimitBelowUseError, and InvalidError as `create_promotion`, and when it would be for the whole basket without that
    being asked for.
    """
    unknown = _share(values, "customer_id")
    current = _lock(promotion_id, version)
    _check({**unknown, **_share(values, "category_ids", "product_ids")})
    columns = _columns(values, _choose_scope(values, current=current.scope))
    used = _count_uses(promotion_id) if values["usage_limit"] is not None else 0
    if values["usage_limit"] is not None and values["usage_limit"] < used:
        raise LimitBelowUseError(used)
    changed = update(Promotion).where(Promotion.id == promotion_id)
    changed = changed.values(**columns, used_count=used, version=Promotion.version + 1, updated_at=func.now())
    try:
        db.session.execute(changed, execution_options={"synchronize_session": False})
    except IntegrityError as error:
        raise _refusal(error, values) from error
    _write_named(promotion_id, values)
    return get_promotion(db.session.connection(), promotion_id)


def delete_promotion(promotion_id: int, *, version: int | None) -> None:
    """Delete a promotion; orders keep the discount. With `version`, only if that is the current one.

    Raises PromotionNotFoundError, StaleError.
    """
    _lock(promotion_id, version)
    deleted = delete(Promotion).where(Promotion.id == promotion_id)
    db.session.execute(deleted, execution_options={"synchronize_session": False})


def deactivate_promotion(code_or_id: str) -> Row:
    """Switch off the promotion with this code (in any letter case), else with this id; answers its row.

    Raises PromotionNotFoundError.
    """
    is_id = code_or_id.isascii() and code_or_id.isdigit() and len(code_or_id) <= 18
    wanted = {"code": code_or_id.upper(), "promotion_id": int(code_or_id) if is_id else None}
    promotion_id = db.session.scalar(_FIND, wanted)
    if promotion_id is None:
        raise PromotionNotFoundError(f"There is no promotion {code_or_id}.")
    name_subject("promotion", promotion_id)
    return switch_promotion(promotion_id, is_active=False, version=None)


def switch_promotion(promotion_id: int, *, is_active: bool, version: int | None) -> Row:
    """Switch a promotion off, or on again; answers its row. With `version`, only if that is the current one.

    Raises PromotionNotFoundError, StaleError.
    """
    _lock(promotion_id, version)
    changed = update(Promotion).where(Promotion.id == promotion_id, Promotion.is_active != is_active)
    changed = changed.values(is_active=is_active, version=Promotion.version + 1, updated_at=func.now())
    db.session.execute(changed, execution_options={"synchronize_session": False})
    return get_promotion(db.session.connection(), promotion_id)


def promotion_json(row: Row, now: datetime) -> dict[str, Any]:
    """A row of `get_promotion` as admins see it, its `state` as at `now`."""
    return {
        "id": row.id,
        "name": row.name,
        "code": row.code,
        "kind": row.kind,
        "value": f"{row.value:.2f}",
        "buy_quantity": row.buy_quantity,
        "get_quantity": row.get_quantity,
        "scope": row.scope,
        "product_ids": row.product_ids,
        "category_ids": row.category_ids,
        "min_basket": money.to_text_or_none(row.min_basket_cents),
        "usage_limit": row.usage_limit,
        "usage_limit_per_customer": row.usage_limit_per_customer,
        "customer_id": row.customer_id,
        "starts_at": row.starts_at,
        "ends_at": row.ends_at,
        "is_active": row.is_active,
        "state": _state(row, now),
        "used": row.used,
        "created_at": row.created_at,
        "updated_at": row.updated_at,
        "version": row.version,
    }


def _state(row: Row, now: datetime) -> str:
    """The first thing that keeps it from being used."""
    if not row.is_active:
        return "off"
    if row.ends_at is not None and row.ends_at <= now:
        return "ended"
    if row.usage_limit is not None and row.used >= row.usage_limit:
        return "used_up"
    if row.starts_at is not None and row.starts_at > now:
        return "scheduled"
    return "active"


def _lock(promotion_id: int, version: int | None) -> Row:
    """Lock a promotion, and wait for all orders that are being placed with it."""
    row = db.session.execute(_LOCK, {"promotion_id": promotion_id}).one_or_none()
    if row is None:
        raise PromotionNotFoundError()
    check_version(row.version, version)
    return row


def _count_uses(promotion_id: int) -> int:
    return db.session.scalar(_COUNT_USES, {"promotion_id": promotion_id}) or 0


def _share(values: Mapping[str, Any], *names: str) -> dict[str, list[str]]:
    """Keep what these fields name from being deleted; answers messages by field about what is not there."""
    errors = {}
    for name in names:
        sent = values[name] or []
        ids = sent if isinstance(sent, list) else [sent]
        unknown = set(ids).difference(db.session.scalars(_SHARE[name], {"ids": ids})) if ids else set()
        if unknown:
            errors[name] = [f"Not found: {', '.join(map(str, sorted(unknown)))}."]
    return errors


def _check(errors: Mapping[str, list[str]]) -> None:
    if errors:
        raise InvalidError("One or more fields are not valid.", errors=errors)


def _choose_scope(values: Mapping[str, Any], *, current: str) -> str:
    """What the promotion is for; `current` is what it was for.

    When nothing is named any more (or all of it was deleted), it must not become one for the whole basket by omission.
    """
    if values["product_ids"]:
        return PRODUCTS
    if values["category_ids"]:
        return CATEGORIES
    wanted: str = values["scope"] or BASKET
    if values["scope"] is None and current != BASKET:
        message = f'It was for {current}, and none are named. For the whole basket, send "{BASKET}"; else "{current}".'
        _check({"scope": [message]})
    if wanted not in (BASKET, current):
        _check({"scope": [f"Name the {wanted} that it is for."]})
    return wanted


def _columns(values: Mapping[str, Any], scope: str) -> dict[str, Any]:
    columns = {name: value for name, value in values.items() if name not in ("product_ids", "category_ids")}
    return {**columns, "scope": scope}


def _write_named(promotion_id: int, values: Mapping[str, Any]) -> None:
    named = {"product_ids": values["product_ids"], "category_ids": values["category_ids"]}
    db.session.execute(_WRITE_NAMED, {"promotion_id": promotion_id, **named})


def _refusal(error: IntegrityError, values: Mapping[str, Any]) -> Exception:
    """The database's refusal as the error that it means."""
    name = error.orig.diag.constraint_name  # type: ignore[union-attr]  # psycopg2's errors carry diagnostics
    return CodeTakenError(values["code"]) if name == "uq_promotions_code" else error
