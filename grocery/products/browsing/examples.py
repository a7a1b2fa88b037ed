"""Examples for the API's documentation."""

FACETS = {
    "currency": "KES",
    "categories": [
        {"id": 3, "name": "Dairy", "path": "Dairy", "parent_id": None, "count": 31},
        {"id": 12, "name": "Milk", "path": "Dairy/Milk", "parent_id": 3, "count": 24},
    ],
    "brands": [{"brand": "Brookside", "count": 18}, {"brand": "Kenya Cooperative Creameries", "count": 9}],
    "price_bands": [{"min": "50.00", "max": "99.99", "count": 20}, {"min": "100.00", "max": None, "count": 11}],
    "on_offer": [{"value": True, "count": 4}, {"value": False, "count": 27}],
    "in_stock": [{"value": True, "count": 30}, {"value": False, "count": 1}],
}

SUGGESTIONS = [
    {"kind": "category", "text": "Milk", "id": 12, "category": "Dairy/Milk"},
    {"kind": "brand", "text": "Milkana"},
    {"kind": "word", "text": "milkshake"},
    {
        "kind": "product",
        "text": "Brookside Fresh Milk",
        "id": 7,
        "category": "Dairy/Milk",
        "price": "65.00",
        "currency": "KES",
        "in_stock": True,
        "image_url": None,
    },
]
