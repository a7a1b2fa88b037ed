"""Examples for the API's documentation."""

WANTED = {"price": "99.00", "starts_at": "2026-12-01T00:00:00Z", "ends_at": "2026-12-08T00:00:00Z", "note": "Jamhuri"}

CHANGE = {
    "id": 31,
    "product_id": 7,
    "status": "scheduled",
    "price": "99.00",
    "compare_at_price": None,
    "starts_at": "2026-12-01T00:00:00Z",
    "ends_at": "2026-12-08T00:00:00Z",
    "started_at": None,
    "ended_at": None,
    "price_before": None,
    "compare_at_price_before": None,
    "note": "Jamhuri",
    "actor_id": 1,
    "created_at": "2026-11-20T08:15:00Z",
}

RECORD = {
    "id": 412,
    "price": "99.00",
    "compare_at_price": "120.00",
    "changed_at": "2026-12-01T00:00:00Z",
    "reason": "offer_started",
    "actor_id": None,
    "lowest_price_30_days": "115.00",
}
