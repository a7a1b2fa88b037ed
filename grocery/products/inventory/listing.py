"""What staff look at: the ledger of a product, its lots, what expires soon. Pages go by key."""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any, cast

from sqlalchemy import Connection, Date, Row, Select, Table, func, literal, select, tuple_

from grocery.fields import quantity_number
from grocery.paging import Page, decode_cursor, encode_cursor
from grocery.products.inventory.models import StockLot
from grocery.products.models import StockMovement
from grocery.products.rows import PRODUCTS

_MOVEMENTS, _LOTS = cast(Table, StockMovement.__table__), cast(Table, StockLot.__table__)

# Lots that never expire come last. A cursor holds a date as its number of days since the year 1.
_EXPIRY = func.coalesce(_LOTS.c.expires_on, literal(date.max, Date))


def list_movements(connection: Connection, product_id: int, arguments: Mapping[str, Any]) -> Page:
    """The ledger of a product, newest first; `arguments` are those of MovementArgsSchema.

    Raises InvalidError for a cursor of another list.
    """
    statement = select(_MOVEMENTS).where(_MOVEMENTS.c.product_id == product_id).order_by(_MOVEMENTS.c.id.desc())
    if arguments["reason"]:
        statement = statement.where(_MOVEMENTS.c.reason == arguments["reason"])
    if arguments["starts_at"]:
        statement = statement.where(_MOVEMENTS.c.created_at >= arguments["starts_at"])
    if arguments["ends_at"]:
        statement = statement.where(_MOVEMENTS.c.created_at < arguments["ends_at"])
    if arguments["cursor"]:
        statement = statement.where(_MOVEMENTS.c.id < decode_cursor(arguments["cursor"], int)[0])
    rows, more = _fetch(connection, statement, arguments["limit"])
    return Page([_movement_json(row) for row in rows], encode_cursor(rows[-1].id) if more else None)


def list_lots(connection: Connection, product_id: int, arguments: Mapping[str, Any]) -> Page:
    """The lots of a product, in the order in which they are picked; `arguments` are those of LotArgsSchema.

    Raises InvalidError for a cursor of another list.
    """
    statement = select(_LOTS).where(_LOTS.c.product_id == product_id)
    if arguments["include"] != "empty":
        statement = statement.where(_LOTS.c.remaining > 0)
    rows, more = _fetch(connection, _by_expiry(statement, arguments["cursor"]), arguments["limit"])
    return Page([_lot_json(row) for row in rows], _expiry_cursor(rows[-1]) if more else None)


def list_expiring(connection: Connection, arguments: Mapping[str, Any], *, today: date) -> Page:
    """Lots that have something left and expire within `days`, or have expired; soonest first.

    `arguments` are those of ExpiringArgsSchema. Raises InvalidError for a cursor of another list.
    """
    last_day = today + timedelta(days=arguments["days"])
    statement = (
        select(_LOTS, PRODUCTS.c.sku, PRODUCTS.c.name, PRODUCTS.c.unit)
        .select_from(_LOTS.join(PRODUCTS, PRODUCTS.c.id == _LOTS.c.product_id))
        .where(_LOTS.c.remaining > 0, _LOTS.c.expires_on <= last_day)
    )
    rows, more = _fetch(connection, _by_expiry(statement, arguments["cursor"]), arguments["limit"])
    return Page([_expiring_json(row, today) for row in rows], _expiry_cursor(rows[-1]) if more else None)


def _by_expiry(statement: Select, cursor: str | None) -> Select:
    if cursor:
        ordinal, lot_id = decode_cursor(cursor, int, int)
        # One that was made up names another place in the list; there is none outside of the calendar.
        day = date.fromordinal(min(max(ordinal, 1), date.max.toordinal()))
        statement = statement.where(tuple_(_EXPIRY, _LOTS.c.id) > tuple_(literal(day, Date), literal(lot_id)))
    return statement.order_by(_EXPIRY, _LOTS.c.id)


def _expiry_cursor(row: Row) -> str:
    return encode_cursor((row.expires_on or date.max).toordinal(), row.id)


def _fetch(connection: Connection, statement: Select, limit: int) -> tuple[list[Row], bool]:
    rows = list(connection.execute(statement.limit(limit + 1)))
    return rows[:limit], len(rows) > limit


def _movement_json(row: Row) -> dict[str, Any]:
    return {
        "id": row.id,
        "delta": quantity_number(row.delta),
        "reason": row.reason,
        "stock_after": None if row.stock_after is None else quantity_number(row.stock_after),
        "order_id": row.order_id,
        "lot_id": row.lot_id,
        "actor_id": row.actor_id,
        "note": row.note,
        "created_at": row.created_at,
    }


def _lot_json(row: Row) -> dict[str, Any]:
    return {
        "id": row.id,
        "product_id": row.product_id,
        "code": row.code,
        "expires_on": None if row.expires_on is None else row.expires_on.isoformat(),
        "received_quantity": quantity_number(row.received_quantity),
        "remaining": quantity_number(row.remaining),
        "received_at": row.received_at,
        "actor_id": row.actor_id,
    }


def _expiring_json(row: Row, today: date) -> dict[str, Any]:
    return {
        "lot_id": row.id,
        "code": row.code,
        "expires_on": row.expires_on.isoformat(),
        "days_left": (row.expires_on - today).days,
        "remaining": quantity_number(row.remaining),
        "product_id": row.product_id,
        "sku": row.sku,
        "name": row.name,
        "unit": row.unit,
    }
