"""Changes of the lines of an order over HTTP; what they answer."""

from typing import Any

from tests.orders.conftest import Caller


def add(staff: Caller, order: dict[str, Any], product_id: int, quantity: float, **headers: str) -> Any:
    body = {"product_id": product_id, "quantity": quantity}
    return staff.post(f"/orders/{order['id']}/lines", json=body, headers=headers)


def set_quantity(staff: Caller, order: dict[str, Any], quantity: Any, *, index: int = 0, **headers: str) -> Any:
    path = f"/orders/{order['id']}/lines/{order['items'][index]['id']}"
    return staff.patch(path, json={"quantity": quantity}, headers=headers)


def remove(staff: Caller, order: dict[str, Any], *, index: int = 0, **headers: str) -> Any:
    return staff.delete(f"/orders/{order['id']}/lines/{order['items'][index]['id']}", headers=headers)
