"""Examples for the documentation of picking and runs."""

PICK_LIST_EXAMPLE = {
    "order_id": 1,
    "number": "G-7K3M9Q",
    "note": None,
    "items": [
        {
            "id": 1,
            "product_id": 12,
            "sku": "FLR-MAIZE-2KG",
            "name": "Maize Flour 2 kg",
            "quantity": 2,
            "unit": "each",
            "category": "Flour/Maize",
            "picked_quantity": None,
            "if_unavailable": "substitute",
            "substitute_for": None,
            "short_reason": None,
        }
    ],
}

PICKS_EXAMPLE = {
    "category": "Flour/Maize",
    "product_id": 12,
    "sku": "FLR-MAIZE-2KG",
    "name": "Maize Flour 2 kg",
    "unit": "each",
    "quantity": 2,
    "lines": [
        {
            "order_id": 1,
            "number": "G-7K3M9Q",
            "line_id": 1,
            "quantity": 2,
            "picked_quantity": None,
            "if_unavailable": "substitute",
        }
    ],
}

RUN_EXAMPLE = {
    "id": 1,
    "rider_id": 3,
    "rider": "Otieno",
    "note": None,
    "created_at": "2026-11-01T08:15:00Z",
    "departed_at": None,
    "stops": [
        {
            "order_id": 1,
            "number": "G-7K3M9Q",
            "status": "packed",
            "customer": "Wanjiku Kamau",
            "phone": "+254712345678",
            "address": "Moi Avenue 12",
            "landmark": "near Shell, blue gate",
            "note": None,
            "slot_starts_at": "2026-11-01T11:00:00Z",
            "slot_ends_at": "2026-11-01T13:00:00Z",
            "items": 1,
            "to_collect": "490.20",
            "currency": "KES",
        }
    ],
    "to_collect": "490.20",
}
