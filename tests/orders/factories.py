"""Orders made and moved over HTTP, what they cost, and all that a change of them may write to."""

from collections.abc import Callable
from typing import Any

from tests.orders.conftest import Caller

Sql = Callable[..., list[tuple[Any, ...]]]


def place(customer: Caller, items: dict[int, float], **body: Any) -> dict[str, Any]:
    """Place an order of product ids → quantities; the answer."""
    sent = [{"product_id": product_id, "quantity": quantity} for product_id, quantity in items.items()]
    response = customer.post("/orders/", json={"items": sent, **body})
    assert response.status_code == 201, response.json
    return response.json


def move(staff: Caller, order: dict[str, Any], status: str, **body: Any) -> dict[str, Any]:
    """Move an order to a status; the answer."""
    response = staff.patch(f"/orders/{order['id']}/status", json={"status": status, **body})
    assert response.status_code == 200, response.json
    return response.json


def amounts(order: dict[str, Any]) -> tuple[str, ...]:
    return tuple(order[name] for name in ("subtotal", "delivery_fee", "vat", "total"))


def snapshot(run_sql: Sql) -> list[list[tuple[Any, ...]]]:
    """All that a change may write to."""
    tables = (
        "orders",
        "order_lines",
        "order_discounts",
        "order_history",
        "notifications",
        "products",
        "stock_movements",
        "promotions",
        "delivery_slots",
    )
    return [run_sql(f"SELECT * FROM {table} ORDER BY id") for table in tables]
