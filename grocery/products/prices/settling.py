"""Carrying out what is scheduled: products are locked first, in the order of ids like everywhere, then their changes.

Whoever reads or writes the changes of a product holds its row, so that two relays, an edit by hand and an admin who
cancels wait for each other, and each finds what the one before has left.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Row, text

from grocery.answers import catalogue_changed
from grocery.db import db
from grocery.products.prices.schedule import Change, Price, Settlement, settle

_LOCK = text("""
    SELECT id, price_cents, compare_at_price_cents FROM products WHERE id = ANY(:ids) ORDER BY id FOR NO KEY UPDATE
""")

_OPEN = text("""
    SELECT * FROM price_changes WHERE product_id = ANY(:ids) AND status IN ('scheduled', 'active')
""")

# Offers that are over give way before the next ones begin: a product never has two that are active.
_SET_STATUS = text("""
    UPDATE price_changes AS change SET
        status = given.status,
        started_at = CASE WHEN given.status IN ('active', 'applied') THEN coalesce(started_at, :now)
            ELSE started_at END,
        ended_at = CASE WHEN given.status = 'ended' THEN :now END,
        price_before_cents = coalesce(given.price_before_cents, change.price_before_cents),
        compare_at_before_cents = CASE WHEN given.price_before_cents IS NULL
            THEN change.compare_at_before_cents ELSE given.compare_at_before_cents END
    FROM jsonb_to_recordset(CAST(:rows AS jsonb))
        AS given (id bigint, status text, price_before_cents bigint, compare_at_before_cents bigint)
    WHERE change.id = given.id AND (given.status = 'active') = :are_active
""")

_PRICES = "(id bigint, price_cents bigint, compare_at_price_cents bigint, reason text)"

_SET_PRICES = text(f"""
    UPDATE products SET price_cents = given.price_cents, compare_at_price_cents = given.compare_at_price_cents,
           version = version + 1, updated_at = now()
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given {_PRICES}
    WHERE products.id = given.id
""")  # noqa: S608  # made of constants

_NOTE = text(f"""
    INSERT INTO price_history (product_id, price_cents, compare_at_price_cents, changed_at, actor_id, reason)
    SELECT id, price_cents, compare_at_price_cents, :now, :actor_id, reason
    FROM jsonb_to_recordset(CAST(:rows AS jsonb)) AS given {_PRICES} ORDER BY id
""")  # noqa: S608  # made of constants


def settle_prices(
    product_ids: Collection[int], now: datetime, *, stopping: int | None = None, actor_id: int | None = None
) -> dict[int, Price]:
    """Lock products and carry out what is due for them at `now`; answers what each costs then.

    `stopping` is the id of a running offer that ends at once. Products that are gone are left out. `actor_id` stays
    None for what the clock does.
    """
    current = lock_prices(product_ids)
    changes = read_open_changes(product_ids)
    settled = {
        product_id: settle(price, changes[product_id], now, stopping=stopping) for product_id, price in current.items()
    }
    _write_statuses(settled, now)
    _write_prices({key: one for key, one in settled.items() if one.price != current[key]}, now, actor_id)
    return {product_id: one.price for product_id, one in settled.items()}


def lock_prices(product_ids: Collection[int]) -> dict[int, Price]:
    """Lock products, and with them the changes of their prices; answers what each costs now."""
    rows = db.session.execute(_LOCK, {"ids": list(product_ids)})
    return {row.id: Price(row.price_cents, row.compare_at_price_cents) for row in rows}


def read_open_changes(product_ids: Collection[int]) -> Mapping[int, list[Change]]:
    """What is scheduled or active, by product; products without any have an empty list."""
    changes = defaultdict(list)
    for row in db.session.execute(_OPEN, {"ids": list(product_ids)}):
        changes[row.product_id].append(_change(row))
    return changes


def _change(row: Row) -> Change:
    before = row.price_before_cents
    return Change(
        row.id,
        Price(row.price_cents, row.compare_at_price_cents),
        row.starts_at,
        row.ends_at,
        is_active=row.status == "active",
        before=None if before is None else Price(before, row.compare_at_before_cents),
    )


def _write_statuses(settled: Mapping[int, Settlement], now: datetime) -> None:
    rows = [
        {"id": change_id, "status": status, **(_before_columns(one) if status == "active" else {})}
        for one in settled.values()
        for change_id, status in one.statuses.items()
    ]
    for are_active in (False, True):
        if any((row["status"] == "active") == are_active for row in rows):
            db.session.execute(_SET_STATUS, {"rows": _to_json(rows), "now": now, "are_active": are_active})


def _before_columns(settlement: Settlement) -> dict[str, int | None]:
    before = settlement.before
    return {
        "price_before_cents": before.price if before else None,
        "compare_at_before_cents": before.compare_at if before else None,
    }


def _write_prices(changed: Mapping[int, Settlement], now: datetime, actor_id: int | None) -> None:
    if not changed:
        return
    catalogue_changed()
    rows = [
        {
            "id": product_id,
            "price_cents": one.price.price,
            "compare_at_price_cents": one.price.compare_at,
            "reason": one.reason,
        }
        for product_id, one in changed.items()
    ]
    db.session.execute(_SET_PRICES, {"rows": _to_json(rows)})
    db.session.execute(_NOTE, {"rows": _to_json(rows), "now": now, "actor_id": actor_id})


def _to_json(rows: list[dict[str, Any]]) -> str:
    return orjson.dumps(rows).decode()
