"""Examples for the API's documentation."""

WANTED = {
    "name": "10 % off tea and coffee",
    "code": "CHAI10",
    "kind": "percent",
    "value": "10.00",
    "category_ids": [4, 9],
    "min_basket": "500.00",
    "usage_limit": 200,
    "usage_limit_per_customer": 1,
    "starts_at": "2026-12-01T00:00:00Z",
    "ends_at": "2026-12-24T00:00:00Z",
}

PROMOTION = {
    "id": 7,
    "name": "10 % off tea and coffee",
    "code": "CHAI10",
    "kind": "percent",
    "value": "10.00",
    "buy_quantity": None,
    "get_quantity": None,
    "scope": "categories",
    "product_ids": [],
    "category_ids": [4, 9],
    "min_basket": "500.00",
    "usage_limit": 200,
    "usage_limit_per_customer": 1,
    "customer_id": None,
    "starts_at": "2026-12-01T00:00:00Z",
    "ends_at": "2026-12-24T00:00:00Z",
    "is_active": True,
    "state": "active",
    "used": 31,
    "created_at": "2026-11-20T08:15:00Z",
    "updated_at": "2026-11-20T08:15:00Z",
    "version": 1,
}
