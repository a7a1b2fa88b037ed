"""An order with everything that an invoice can have."""

from decimal import Decimal
from typing import Any

import pytest

from tests.orders.conftest import Caller
from tests.orders.delivery.factories import make_slot, make_zone
from tests.orders.documents.factories import change_order
from tests.orders.factories import place
from tests.orders.promotions.factories import make_promotion
from tests.products.factories import make_product

# A Sunday; half past ten in the evening of the day before in UTC.
_SLOT = "slot_starts_at = '2026-10-31T22:30:00Z', slot_ends_at = '2026-11-01T00:30:00Z'"


@pytest.fixture
def order(customer: Caller) -> dict[str, Any]:
    """An order of three VAT classes, by weight too, with an automatic promotion, a coupon and a delivery."""
    flour = make_product("Pantry/Flour", name="Maize Flour 2 kg", price_cents=189_00, vat_class="zero")
    soap = make_product("Home", name="Soap", price_cents=116_00, vat_class="standard")
    beef = make_product(
        "Meat", name="Beef", price_cents=119_90, vat_class="exempt", unit="kg", quantity_step=Decimal("0.25")
    )
    make_promotion(name="Flour days", product_ids=[flour], value=Decimal(5))
    make_promotion(name="Welcome", code="KARIBU", kind="fixed", value=Decimal("50.00"))
    zone = make_zone(fee_cents=150_00)
    delivery = {
        "zone_id": zone,
        "slot_id": make_slot(zone, fee_cents=24_00),
        "address": "Moi Avenue 12",
        "landmark": "near Shell, blue gate",
        "phone": "0712345678",
        "note": "Ring twice",
    }
    items = {beef: 0.75, flour: 2, soap: 1}
    placed = place(customer, items, coupon="KARIBU", delivery=delivery, note="No plastic bags")
    change_order(placed, f"placed_at = '2026-10-30T05:05:00Z', {_SLOT}")
    return customer.get(f"/orders/{placed['id']}").json
