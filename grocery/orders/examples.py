"""Examples for the documentation of orders."""

ORDER_EXAMPLE = {
    "id": 1,
    "number": "G-7K3M9Q",
    "status": "pending",
    "customer_id": 5,
    "items": [
        {
            "id": 1,
            "product_id": 12,
            "sku": "FLR-MAIZE-2KG",
            "name": "Maize Flour 2 kg",
            "quantity": 2,
            "unit": "each",
            "unit_price": "189.00",
            "line_total": "378.00",
            "discount": "37.80",
            "vat_rate": "0.00",
            "if_unavailable": "substitute",
            "picked_quantity": None,
            "substitute_for": None,
        }
    ],
    "subtotal": "378.00",
    "discounts": [{"code": "KARIBU", "name": "Welcome: 10 % off", "amount": "37.80"}],
    "delivery_fee": "150.00",
    "vat": "20.69",
    "vat_classes": [
        {"vat_class": "standard", "rate": "16.00", "gross": "150.00", "vat": "20.69"},
        {"vat_class": "zero", "rate": "0.00", "gross": "340.20", "vat": "0.00"},
    ],
    "total": "490.20",
    "paid": "0.00",
    "currency": "KES",
    "coupon": "KARIBU",
    "delivery": {
        "method": "delivery",
        "zone_id": 1,
        "slot_id": 40,
        "slot_starts_at": "2026-11-01T11:00:00Z",
        "slot_ends_at": "2026-11-01T13:00:00Z",
        "address": "Moi Avenue 12",
        "landmark": "near Shell, blue gate",
        "phone": "+254712345678",
        "note": None,
    },
    "payment_method": "cash_on_delivery",
    "note": None,
    "placed_at": "2026-11-01T08:15:00Z",
    "updated_at": "2026-11-01T08:15:00Z",
    "version": 1,
    "allowed_statuses": ["cancelled"],
}

QUOTE_EXAMPLE = {
    "items": [
        {
            "product_id": 12,
            "sku": "FLR-MAIZE-2KG",
            "name": "Maize Flour 2 kg",
            "quantity": 2,
            "unit": "each",
            "unit_price": "189.00",
            "line_total": "378.00",
            "discount": "37.80",
            "vat_rate": "0.00",
            "if_unavailable": "remove",
            "available": 46,
            "notices": [{"code": "price_changed", "from": "179.00", "to": "189.00"}],
        }
    ],
    "subtotal": "378.00",
    "discounts": [{"code": "KARIBU", "name": "Welcome: 10 % off", "amount": "37.80"}],
    "delivery_fee": "150.00",
    "vat": "20.69",
    "vat_classes": [
        {"vat_class": "standard", "rate": "16.00", "gross": "150.00", "vat": "20.69"},
        {"vat_class": "zero", "rate": "0.00", "gross": "340.20", "vat": "0.00"},
    ],
    "total": "490.20",
    "currency": "KES",
    "notices": [{"code": "free_delivery_from", "missing": "2622.00"}],
    "is_orderable": True,
    "coupon": "KARIBU",
    "delivery": {"method": "delivery", "zone_id": 1, "slot_id": 40},
}

HISTORY_EXAMPLE = {
    "id": 1,
    "event": "placed",
    "from_status": None,
    "status": "pending",
    "actor_id": 5,
    "actor_role": "customer",
    "note": None,
    "changed": None,
    "at": "2026-11-01T08:15:00Z",
}
