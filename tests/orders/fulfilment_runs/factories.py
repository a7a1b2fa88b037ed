"""Delivery runs planned over HTTP, and what a refusal must leave as it was."""

from collections.abc import Callable
from typing import Any

from tests.orders.conftest import Caller

Sql = Callable[..., list[tuple[Any, ...]]]
Order = dict[str, Any]

PLACE = {"address": "Moi Avenue 12", "landmark": "near Shell, blue gate", "phone": "0712345678", "note": "Ring twice"}


def plan(staff: Caller, rider: Caller, *orders: Order, note: str | None = None) -> dict[str, Any]:
    answer = staff.post("/delivery/runs", json=body_of(rider, *orders, note=note))
    assert answer.status_code == 201, answer.json
    return answer.json


def body_of(rider: Caller, *orders: Order, note: str | None = None) -> dict[str, Any]:
    return {"rider_id": rider.person.id, "order_ids": [order["id"] for order in orders], "note": note}


def orders_of(run: dict[str, Any]) -> list[int]:
    return [stop["order_id"] for stop in run["stops"]]


def run_ids(run_sql: Sql) -> list[int | None]:
    return [run_id for (run_id,) in run_sql("SELECT run_id FROM orders ORDER BY id")]


def state_of(run_sql: Sql) -> list[tuple[Any, ...]]:
    """All that a refusal must leave as it was."""
    return run_sql("""
        SELECT (SELECT json_agg(orders ORDER BY id)::text FROM orders),
               (SELECT json_agg(run ORDER BY id)::text FROM delivery_runs AS run),
               (SELECT count(*) FROM order_history), (SELECT count(*) FROM notifications)
    """)
