"""The board of orders: what is to be done next, by the time at which it has to be at the door."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, text

from grocery import money
from grocery.db import Row
from grocery.orders.processing import TELL_AFTER_ATTEMPTS
from grocery.orders.reading import ORDER_MATCHES, escape_like
from grocery.orders.states import allowed_statuses
from grocery.paging import decode_cursor, encode_cursor

#: The tabs, in the order of an order's way. `all` has those that are finished, too.
#: There is one more, `open`: all that are to be picked.
TABS = ("new", "picking", "packed", "shipped", "problem", "all")

#: Rows of a tab: more than anybody works off in one look.
LIMIT = 100

#: Goods of a delivery that failed so long ago will not come back any more.
_FAILED_DAYS = 14

# Open orders are few. Of the cancelled ones only the late ones are read, which their index by time of placing finds.
_OPEN = """
    open AS MATERIALIZED (
        SELECT one.*, (
            orders_begun.order_id IS NOT NULL OR one.id = ANY(CAST(:claimed AS bigint[]))
        ) AS is_begun, (
            one.status = 'cancelled' OR one.slot_ends_at < now()
            OR (one.status = 'pending' AND one.process_attempts >= :tell_after)
        ) AS is_problem
        FROM (
            SELECT * FROM orders WHERE status IN ('pending', 'confirmed', 'packed', 'shipped')
            UNION ALL
            SELECT * FROM orders
            WHERE status = 'cancelled' AND is_delivery_failed
                  AND placed_at > now() - make_interval(days => :failed_days)
                  AND EXISTS (SELECT FROM order_lines AS line WHERE line.order_id = orders.id
                              AND line.picked_quantity > coalesce(line.checked_in_quantity, 0))
        ) AS one
        LEFT JOIN LATERAL (
            SELECT order_id FROM order_lines
            WHERE order_id = one.id AND picked_quantity IS NOT NULL AND one.status IN ('pending', 'confirmed') LIMIT 1
        ) AS orders_begun ON true
    )
"""

_IN_TAB = {
    "new": "status IN ('pending', 'confirmed') AND NOT is_begun",
    "picking": "status IN ('pending', 'confirmed') AND is_begun",
    "packed": "status = 'packed'",
    "shipped": "status = 'shipped'",
    "problem": "coalesce(is_problem, false)",
    "open": "status IN ('pending', 'confirmed')",
}

_COUNTS = text(f"""
    WITH {_OPEN}
    SELECT {", ".join(f"count(*) FILTER (WHERE {condition}) AS {tab}" for tab, condition in _IN_TAB.items())},
           coalesce(max(id), 0) AS newest, count(*) FILTER (WHERE id > :since) AS fresh
    FROM open
""")  # noqa: S608  # made of constants

_ROWS = """
    {before}
    SELECT listed.*, customer.name AS customer, customer.phone AS customer_phone, zone.name AS zone,
           lines.number_of_lines, lines.picked, coalesce(claimer.name, picker.name) AS picker,
           coalesce(claimer.id, picker.id) AS picker_id
    FROM ({listed}) AS listed
    JOIN customers AS customer ON customer.id = listed.customer_id
    LEFT JOIN delivery_zones AS zone ON zone.id = listed.zone_id
    LEFT JOIN unnest(CAST(:claimed AS bigint[]), CAST(:claimers AS bigint[])) AS claim (order_id, person_id)
         ON claim.order_id = listed.id AND listed.status IN ('pending', 'confirmed')
    LEFT JOIN customers AS claimer ON claimer.id = claim.person_id
    CROSS JOIN LATERAL (
        SELECT count(*) FILTER (WHERE substitute_for IS NULL) AS number_of_lines,
               count(*) FILTER (WHERE substitute_for IS NULL AND picked_quantity IS NOT NULL) AS picked,
               (array_agg(picker_id ORDER BY picked_at DESC) FILTER (WHERE picker_id IS NOT NULL))[1] AS picker_id
        FROM order_lines WHERE order_id = listed.id
    ) AS lines
    LEFT JOIN customers AS picker ON picker.id = lines.picker_id
    ORDER BY {order}
"""

_BY_TAB = {
    tab: text(
        _ROWS.format(
            before=f"WITH {_OPEN}",
            listed=f"SELECT * FROM open WHERE {condition} ORDER BY slot_starts_at NULLS LAST, id LIMIT :limit",  # noqa: S608  # made of constants
            order="slot_starts_at NULLS LAST, listed.id",
        )
    )
    for tab, condition in _IN_TAB.items()
}

_ALL = text(
    _ROWS.format(
        before="",
        listed=f"""
            SELECT *
            FROM orders
            WHERE (CAST(:before_id AS bigint) IS NULL OR id < :before_id)
                  AND (CAST(:words AS text) IS NULL OR {ORDER_MATCHES})
            ORDER BY id DESC LIMIT :limit
        """,  # noqa: S608  # made of constants
        order="listed.id DESC",
    )
)

#: How long before its slot begins an order that is not packed is said to be due.
_DUE_BEFORE = timedelta(minutes=45)


@dataclass(frozen=True)
class Board:
    """A tab of the board: how many orders each tab has, the rows of this one, and the id of the newest open order.

    `fresh` is how many open orders are newer than the one that was asked about.
    """

    tab: str
    counts: Mapping[str, int]
    rows: list[dict[str, Any]]
    newest: int
    fresh: int
    next_cursor: str | None = None


def read_board(
    connection: Connection,
    tab: str,
    claims: Mapping[int, int],
    *,
    q: str | None = None,
    since: int = 0,
    cursor: str | None = None,
) -> Board:
    """A tab; with `q` (a number, the last digits of a phone, a part of a name) it is `all`, the newest first.

    `claims` says who has taken on which order. Raises InvalidError for a cursor of another list.
    """
    known = {"claimed": list(claims), "claimers": list(claims.values())}
    about = {**known, "tell_after": TELL_AFTER_ATTEMPTS, "failed_days": _FAILED_DAYS}
    counts = dict(connection.execute(_COUNTS, {**about, "since": since}).mappings().one())
    newest, fresh = counts.pop("newest"), counts.pop("fresh")
    next_cursor = None
    if tab == "all" or q:
        before_id = decode_cursor(cursor, int)[0] if cursor else None
        parameters = {**known, "before_id": before_id, "words": escape_like(q) if q else None, "limit": LIMIT + 1}
        found = connection.execute(_ALL, parameters).mappings().all()
        if len(found) > LIMIT:
            next_cursor = encode_cursor(found[LIMIT - 1]["id"])
        rows = found[:LIMIT]
    else:
        rows = connection.execute(_BY_TAB[tab], {**about, "limit": LIMIT}).mappings().all()
    now = datetime.now(UTC)
    return Board("all" if q else tab, counts, [board_row(row, now) for row in rows], newest, fresh, next_cursor)


def board_row(row: Row, now: datetime) -> dict[str, Any]:
    """An order as the board shows it; it is late for as long as its slot is over, and due when that begins soon."""
    status, starts_at, ends_at = row["status"], row["slot_starts_at"], row["slot_ends_at"]
    is_open = status in ("pending", "confirmed", "packed", "shipped")
    is_late = bool(is_open and ends_at and ends_at < now)
    return {
        "id": row["id"],
        "number": row["number"],
        "status": status,
        "version": row["version"],
        "customer": row["customer"],
        "phone": row["phone"] or row["customer_phone"],
        "method": row["delivery_method"],
        "zone": row["zone"],
        "slot_starts_at": starts_at,
        "slot_ends_at": ends_at,
        "placed_at": row["placed_at"],
        "total": money.to_text(row["total_cents"]),
        "due": money.to_text(max(row["total_cents"] - row["paid_cents"], 0)),
        "lines": row["number_of_lines"],
        "picked": row["picked"],
        "picker": row["picker"],
        "picker_id": row["picker_id"],
        "note": row["note"],
        "late_minutes": int((now - ends_at).total_seconds() // 60) if is_late else None,
        "is_due": bool(
            not is_late and status in ("pending", "confirmed") and starts_at and starts_at - now < _DUE_BEFORE
        ),
        "is_stuck": status == "pending" and row["process_attempts"] >= TELL_AFTER_ATTEMPTS,
        "is_failed": status == "cancelled" and row["is_delivery_failed"],
        "allowed_statuses": allowed_statuses(status, is_staff=True),
    }
