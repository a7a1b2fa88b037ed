"""Times of the tests, and prices as the database has them."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Row

from grocery.db import transaction
from grocery.products.prices.service import schedule_price
from tests.products.ledger import select_rows

NOW = datetime(2026, 12, 1, 8, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)

Schedule = Callable[..., Row]


@pytest.fixture
def schedule(context: None) -> Schedule:
    """Schedules as at NOW; `starts` and `ends` are hours from then."""

    def run(product_id: int, price_cents: int, starts: float = 0, ends: float | None = None, **more: Any) -> Row:
        times = {"starts_at": NOW + starts * HOUR, "ends_at": None if ends is None else NOW + ends * HOUR}
        with transaction():
            return schedule_price(
                product_id, price_cents=price_cents, **{"actor_id": None, "now": NOW, **times, **more}
            )

    return run


def price_of(product_id: int) -> tuple:
    """Price and compare-at price in cents, and the version."""
    [row] = select_rows(
        "SELECT price_cents, compare_at_price_cents, version FROM products WHERE id = :id", id=product_id
    )
    return row


def statuses_of(product_id: int) -> list[str]:
    rows = select_rows("SELECT status FROM price_changes WHERE product_id = :id ORDER BY id", id=product_id)
    return [status for (status,) in rows]


def history_of(product_id: int) -> list[tuple]:
    """What a product cost, oldest first: price, compare-at price, reason."""
    return select_rows(
        "SELECT price_cents, compare_at_price_cents, reason FROM price_history WHERE product_id = :id ORDER BY id",
        id=product_id,
    )
