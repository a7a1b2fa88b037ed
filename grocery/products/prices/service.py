"""Changes of prices that are to come: schedule them, call them off, look at them. Commits nothing."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, insert, select, text, update

from grocery import money
from grocery.db import db
from grocery.errors import InvalidError
from grocery.paging import Page, cut_page, decode_cursor, encode_cursor
from grocery.products.errors import ProductNotFoundError
from grocery.products.prices.errors import (
    OfferOverlapsError,
    PriceChangeNotFoundError,
    PriceChangeOverError,
    TooManyPriceChangesError,
)
from grocery.products.prices.models import PriceChange
from grocery.products.prices.schedule import Change, Price, regular_price_at
from grocery.products.prices.settling import lock_prices, read_open_changes, settle_prices

#: Clocks differ, and people take a moment to send what they typed: a start that is not longer ago than this is now.
GRACE = timedelta(minutes=5)

#: Further ahead is a typing error.
HORIZON = timedelta(days=731)

#: Changes of one product that are scheduled or active.
MAX_OPEN = 50

_COLUMNS = tuple(PriceChange.__table__.columns)

_PAGE = text("""
    SELECT * FROM price_changes
    WHERE product_id = :product_id AND (CAST(:status AS text) IS NULL OR status = :status)
          AND (CAST(:before AS bigint) IS NULL OR (starts_at, id) < (
              SELECT starts_at, id FROM price_changes WHERE product_id = :product_id AND id = :before
          ))
    ORDER BY starts_at DESC, id DESC LIMIT :limit
""")


def schedule_price(
    product_id: int,
    *,
    price_cents: int,
    compare_at_price_cents: int | None = None,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
    note: str | None = None,
    actor_id: int | None,
    now: datetime,
) -> Row:
    """Have a product cost something else from `starts_at` (None: now), with `ends_at` until then; answers the row.

    What has started is carried out at once. Raises ProductNotFoundError, InvalidError for times in the past or too far
    ahead and for a price that is not below what it is compared with or, in an offer, the price before,
    OfferOverlapsError, TooManyPriceChangesError.
    """
    starts_at = starts_at or now
    wanted = Change(0, Price(price_cents, compare_at_price_cents), starts_at, ends_at)
    _check_alone(wanted, now)
    current = settle_prices([product_id], now).get(product_id)
    if current is None:
        raise ProductNotFoundError()
    open_changes = read_open_changes([product_id])[product_id]
    _check_fits(wanted, current, open_changes)
    values = {
        "product_id": product_id,
        "price_cents": price_cents,
        "compare_at_price_cents": compare_at_price_cents,
        "starts_at": starts_at,
        "ends_at": ends_at,
        "note": note,
        "actor_id": actor_id,
    }
    change_id = db.session.scalar(insert(PriceChange).values(values).returning(PriceChange.id)) or 0
    if starts_at <= now:
        settle_prices([product_id], now, actor_id=actor_id)
    return _get(product_id, change_id)


def cancel_price_change(product_id: int, change_id: int, *, actor_id: int | None, now: datetime) -> None:
    """Call off a change that is scheduled; end an offer that runs, so that the price before returns.

    Raises PriceChangeNotFoundError, PriceChangeOverError.
    """
    lock_prices([product_id])
    status = _get(product_id, change_id).status
    if status == "active":
        settle_prices([product_id], now, stopping=change_id, actor_id=actor_id)
    elif status == "scheduled":
        cancelled = update(PriceChange).where(PriceChange.id == change_id).values(status="cancelled", ended_at=now)
        db.session.execute(cancelled, execution_options={"synchronize_session": False})
    else:
        raise PriceChangeOverError(status)


def list_price_changes(
    connection: Connection, product_id: int, *, status: str | None, limit: int, cursor: str | None
) -> Page:
    """The changes of a product's price, the latest start first. Raises InvalidError for a cursor of another list."""
    [before] = decode_cursor(cursor, int) if cursor else [None]
    parameters = {"product_id": product_id, "status": status, "before": before, "limit": limit + 1}
    found = connection.execute(_PAGE, parameters).all()
    rows, next_cursor = cut_page(found, limit, lambda row: encode_cursor(row.id))
    return Page([change_json(row) for row in rows], next_cursor)


def change_json(row: Row) -> dict[str, Any]:
    """A row of `price_changes` as admins see it."""
    return {
        "id": row.id,
        "product_id": row.product_id,
        "status": row.status,
        "price": money.to_text(row.price_cents),
        "compare_at_price": money.to_text_or_none(row.compare_at_price_cents),
        "starts_at": row.starts_at,
        "ends_at": row.ends_at,
        "started_at": row.started_at,
        "ended_at": row.ended_at,
        "price_before": money.to_text_or_none(row.price_before_cents),
        "compare_at_price_before": money.to_text_or_none(row.compare_at_before_cents),
        "note": row.note,
        "actor_id": row.actor_id,
        "created_at": row.created_at,
    }


def _check_alone(wanted: Change, now: datetime) -> None:
    """Whether it makes sense by itself: times in order, not over and not further ahead than HORIZON."""
    errors = {}
    latest = now + HORIZON
    if wanted.price.compare_at is not None and wanted.price.compare_at <= wanted.price.price:
        errors["compare_at_price"] = ["Must be above the price."]
    if not now - GRACE <= wanted.starts_at <= latest:
        errors["starts_at"] = ["Must not be in the past, and within 2 years."]
    if wanted.ends_at is not None and not max(wanted.starts_at, now) < wanted.ends_at <= latest:
        errors["ends_at"] = ["Must be after the start, not in the past, and within 2 years."]
    if errors:
        raise InvalidError("One or more fields are not valid.", errors=errors)


def _check_fits(wanted: Change, current: Price, open_changes: Sequence[Change]) -> None:
    if len(open_changes) >= MAX_OPEN:
        raise TooManyPriceChangesError(MAX_OPEN)
    if not wanted.is_offer:
        return
    for other in open_changes:
        if wanted.overlaps(other):
            raise OfferOverlapsError(other.id)
    before = regular_price_at(current, open_changes, wanted.starts_at)
    if wanted.price.price >= before:
        errors = {"price": [f"An offer must be below the price before, {money.to_text(before)}."]}
        raise InvalidError("One or more fields are not valid.", errors=errors)


def _get(product_id: int, change_id: int) -> Row:
    found = select(*_COLUMNS).where(PriceChange.id == change_id, PriceChange.product_id == product_id)
    row = db.session.execute(found).one_or_none()
    if row is None:
        raise PriceChangeNotFoundError()
    return row
