"""Orders whose customers say what to do about what is missing."""

from typing import Any

from tests.orders.conftest import Caller


def place_wish(customer: Caller, product_id: int, quantity: float, wish: str = "substitute") -> dict[str, Any]:
    item = {"product_id": product_id, "quantity": quantity, "if_unavailable": wish}
    response = customer.post("/orders/", json={"items": [item]})
    assert response.status_code == 201, response.json
    return response.json
