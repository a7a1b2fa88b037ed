"""What quotes are asked of."""

from decimal import Decimal

import pytest

from tests.products.factories import make_product


@pytest.fixture
def flour() -> int:
    return make_product("Pantry/Flour", name="Maize Flour 2 kg", sku="FLR", price_cents=189_00, vat_class="zero")


@pytest.fixture
def beef() -> int:
    kilograms = {"unit": "kg", "quantity_step": Decimal("0.25"), "stock": Decimal("5.5")}
    return make_product("Meat", name="Beef", sku="BEEF", price_cents=119_90, vat_class="exempt", **kilograms)
