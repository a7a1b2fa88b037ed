"""Orders on the desk: placed by a customer, looked at and moved by a browser of the staff."""

import re
from typing import Any

from tests.orders.conftest import Caller
from tests.orders.factories import place
from tests.storefront.conftest import Browser, Sql
from tests.storefront.parts import part_of


def ordered(customer: Caller, items: dict[int, float], **body: Any) -> dict[str, Any]:
    """A placed order, with `lines` by product id."""
    order = place(customer, items, **body)
    return {**order, "lines": {line["product_id"]: line["id"] for line in order["items"]}}


def give_slot(run_sql: Sql, order: dict[str, Any], starts: str, ends: str) -> None:
    """Set the slot of an order, by moments as SQL, such as `now() + interval '1 hour'`."""
    run_sql(f"UPDATE orders SET slot_starts_at = {starts}, slot_ends_at = {ends} WHERE id = :id", id=order["id"])


def state_of(run_sql: Sql, order: dict[str, Any]) -> tuple[str, int]:
    """Status and version of an order."""
    [(status, version)] = run_sql("SELECT status, version FROM orders WHERE id = :id", id=order["id"])
    return status, version


def bag_of(run_sql: Sql, order: dict[str, Any]) -> list[tuple[Any, ...]]:
    """What of each line is in the bag, and why not all."""
    return run_sql(
        "SELECT name, picked_quantity, short_reason FROM order_lines WHERE order_id = :id ORDER BY id", id=order["id"]
    )


def said_in(page: str) -> str:
    """What the page says was done."""
    return re.sub(r"<[^>]+>", "", part_of(page, "said")).strip()


def mark_in(browser: Browser, order: dict[str, Any], line_id: int) -> str:
    """How the picking screen has seen a line."""
    page = browser.get(f"/admin/picking/{order['id']}").text
    panel = part_of(page, f"line-{line_id}")
    return re.findall(r'name="seen" value="([^"]*)"', panel)[0]
