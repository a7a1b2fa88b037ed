"""Examples for the API's documentation: a row of each report."""

SALES = {
    "day": "2026-11-26",
    "orders": 41,
    "gross": "58310.50",
    "discounts": "1240.00",
    "delivery_fees": "6150.00",
    "vat": "5120.30",
    "net": "53190.20",
    "returns": "349.00",
    "returns_vat": "48.14",
    "revenue": "52889.34",
    "currency": "KES",
}

STOCK = {"category": "Drinks/Juice", "products": 24, "low": 3, "out": 1, "value": "48210.00", "currency": "KES"}

MOVEMENTS = {
    "reason": "damaged",
    "unit": "kg",
    "movements": 7,
    "quantity": -4.35,
    "value": "-612.50",
    "currency": "KES",
}

WASTE = {
    "product_id": 12,
    "sku": "TOM-1",
    "name": "Tomatoes",
    "category": "Fresh/Vegetables",
    "unit": "kg",
    "damaged": 3.5,
    "expired": 0,
    "returned": 1.2,
    "written_off": 1.2,
    "value": "420.00",
    "refunded": "144.00",
    "currency": "KES",
}

FULFILMENT = {
    "day": "2026-11-26",
    "placed": 46,
    "open": 2,
    "delivered": 41,
    "cancelled": 2,
    "failed": 1,
    "lines": 312,
    "short": 9,
    "substituted": 5,
    "weighed_over": 14,
    "weighed_under": 11,
}

SHORTAGES = {
    "product_id": 12,
    "sku": "TOM-1",
    "name": "Tomatoes",
    "category": "Fresh/Vegetables",
    "unit": "kg",
    "lines": 4,
    "missing": 3.5,
    "value": "420.00",
    "currency": "KES",
    "not_found": 3,
    "damaged": 1,
    "unwanted": 0,
    "other": 0,
    "substituted": 2,
}

SLOTS = {
    "slot_id": 40,
    "zone_id": 1,
    "zone": "Westlands",
    "day": "2026-11-26",
    "starts": "16:00",
    "ends": "18:00",
    "capacity": 12,
    "booked": 9,
    "used_percent": 75.0,
}

TIMES = {"day": "2026-11-26", "deliveries": 38, "median_hours": 4.25, "p90_hours": 9.5}

PICKERS = {"picker_id": 3, "picker": "Achieng Odhiambo", "lines": 184, "orders": 29, "hours": 6, "lines_per_hour": 30.7}
