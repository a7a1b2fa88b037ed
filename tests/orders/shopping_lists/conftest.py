"""Lists made over HTTP, and what is on them."""

from collections.abc import Callable
from typing import Any

import pytest

from tests.orders.conftest import Caller

Sql = Callable[..., list[tuple[Any, ...]]]


def make_list(customer: Caller, name: str = "Every week", **body: Any) -> dict[str, Any]:
    answer = customer.post("/lists/", json={"name": name, **body})
    assert answer.status_code == 201, answer.json
    return answer.json


def put(customer: Caller, made: dict[str, Any], product_id: int, quantity: float = 1) -> Any:
    return customer.put(f"/lists/{made['id']}/items/{product_id}", json={"quantity": quantity})


def on(customer: Caller, made: dict[str, Any]) -> dict[int, float]:
    """Product ids → quantities."""
    items = customer.get(f"/lists/{made['id']}").json["items"]
    return {item["product_id"]: item["quantity"] for item in items}


@pytest.fixture
def weekly(customer: Caller) -> dict[str, Any]:
    return make_list(customer)
