"""What is in the basket, and products to put in."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.products.factories import make_product
from tests.storefront.conftest import Browser, Sql

Items = Callable[[], dict[int, str]]


def put(browser: Browser, product_id: int, quantity: object, *, parts: bool = False, **fields: Any) -> TestResponse:
    """Send the form of a product's amount as a page does, or as its script does that asks for `parts`."""
    headers = {"Accept": "text/html", **({"X-Parts": "1"} if parts else {})}
    return browser.post(f"/basket/items/{product_id}", {"quantity": quantity, **fields}, headers=headers)


@pytest.fixture
def bread(context: None) -> int:
    return make_product("Bakery", name="Brown bread", price_cents=65_00)


@pytest.fixture
def beef(context: None) -> int:
    return make_product(
        "Meat", name="Beef", unit="kg", quantity_step=Decimal("0.25"), price_cents=800_00, stock=Decimal("5.5")
    )


@pytest.fixture
def items(run_sql: Sql) -> Items:
    """Product ids → quantities of all baskets."""

    def read() -> dict[int, str]:
        rows = run_sql("SELECT product_id, quantity FROM cart_items ORDER BY product_id")
        return {product_id: f"{quantity.normalize():f}" for product_id, quantity in rows}

    return read
