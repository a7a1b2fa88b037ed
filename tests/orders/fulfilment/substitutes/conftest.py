"""What is ordered, and what could stand in for it."""

from typing import Any

import pytest

from tests.orders.conftest import Caller
from tests.orders.fulfilment.substitutes.factories import place_wish
from tests.products.factories import make_product


@pytest.fixture
def soap(context: None) -> int:
    return make_product("Home", name="Soap", sku="SOAP", price_cents=116_00, allergens=["nuts"])


@pytest.fixture
def cheap(context: None) -> int:
    return make_product("Home", name="Cheap Soap", sku="CHEAP", price_cents=90_00)


@pytest.fixture
def dear(context: None) -> int:
    return make_product("Home", name="Dear Soap", sku="DEAR", price_cents=300_00)


@pytest.fixture
def order(customer: Caller, soap: int) -> dict[str, Any]:
    """Three soaps, which may be substituted: 348.00, of which 48.00 is VAT."""
    return place_wish(customer, soap, 3)
