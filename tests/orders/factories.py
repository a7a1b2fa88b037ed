"""Orders made over HTTP, as customers make them."""

from typing import Any

from tests.orders.conftest import Caller


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
