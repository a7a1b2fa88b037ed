"""Examples for the API's documentation."""

CORRECTION = {"delta": -2, "reason": "damaged", "note": "Fell off the shelf"}

DELIVERY = {"delta": 24, "reason": "received", "lot": {"code": "L-113", "expires_on": "2035-12-24"}}

WRITE_OFF = {"delta": -3, "reason": "expired", "lot_id": 17}

COUNT = {"quantity": 46, "reason": "counted"}

STOCK = {"product_id": 7, "stock": 46}

MOVEMENT = {
    "id": 4711,
    "delta": -3,
    "reason": "expired",
    "stock_after": 46,
    "order_id": None,
    "lot_id": 17,
    "actor_id": 3,
    "note": None,
    "created_at": "2035-12-25T06:30:00Z",
}

LOT = {
    "id": 17,
    "product_id": 7,
    "code": "L-113",
    "expires_on": "2035-12-24",
    "received_quantity": 24,
    "remaining": 9,
    "received_at": "2035-12-01T05:10:00Z",
    "actor_id": 3,
}

EXPIRING_LOT = {
    "lot_id": 17,
    "code": "L-113",
    "expires_on": "2035-12-24",
    "days_left": 2,
    "remaining": 9,
    "product_id": 7,
    "sku": "MILK-500",
    "name": "Brookside Fresh Milk",
    "unit": "each",
}

LOW = {
    "product_id": 7,
    "sku": "MILK-500",
    "name": "Brookside Fresh Milk",
    "unit": "each",
    "stock": 3,
    "low_stock_threshold": 12,
}

ALERT = {
    "product_id": 7,
    "name": "Brookside Fresh Milk",
    "is_active": True,
    "in_stock": False,
    "created_at": "2026-12-20T16:45:00Z",
}
