"""Quotes asked for over HTTP."""

from typing import Any

from werkzeug.test import TestResponse

from grocery.db import db
from grocery.orders.delivery.models import Address
from tests.orders.conftest import Caller


def items(wanted: dict[int, float]) -> list[dict[str, Any]]:
    return [{"product_id": product_id, "quantity": quantity} for product_id, quantity in wanted.items()]


def ask(who: Any, wanted: dict[int, float] | None = None, **body: Any) -> TestResponse:
    """A quote of product ids → quantities, or of the cart."""
    sent = body if wanted is None else {"items": items(wanted), **body}
    return who.post("/orders/quote", json=sent)


def quote(who: Any, wanted: dict[int, float] | None = None, **body: Any) -> dict[str, Any]:
    response = ask(who, wanted, **body)
    assert response.status_code == 200, response.json
    return response.json


def save_address(customer: Caller, **values: Any) -> int:
    address = Address(customer_id=customer.person.id, address="Moi Avenue 12", **values)
    db.session.add(address)
    db.session.commit()
    return address.id


def notices_of_items(quoted: dict[str, Any]) -> list[list[dict[str, Any]]]:
    return [item["notices"] for item in quoted["items"]]
