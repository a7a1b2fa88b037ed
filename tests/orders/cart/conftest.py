"""A visitor with a cart, and what to put in."""

from decimal import Decimal

import pytest
from flask.testing import FlaskClient

from tests.orders.cart.factories import Visitor, visit
from tests.products.factories import make_product


@pytest.fixture
def flour() -> int:
    return make_product("Flour", name="Maize Flour 2 kg", sku="FLR", price_cents=189_00, vat_class="zero")


@pytest.fixture
def beef() -> int:
    """5.5 kg, in steps of 250 g."""
    kilograms = {"unit": "kg", "quantity_step": Decimal("0.25"), "stock": Decimal("5.5")}
    return make_product("Meat", name="Beef", sku="BEEF", price_cents=119_90, **kilograms)


@pytest.fixture
def visitor(client: FlaskClient) -> Visitor:
    return visit(client)
