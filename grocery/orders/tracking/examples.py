"""Examples for the documentation of tracking."""

TRACKED_EXAMPLE = {
    "number": "G-7K3M9Q",
    "status": "confirmed",
    "delivery_method": "delivery",
    "slot_starts_at": "2026-11-01T13:00:00Z",
    "slot_ends_at": "2026-11-01T15:00:00Z",
    "rider_phone": None,
    "steps": [
        {"status": "pending", "at": "2026-11-01T08:15:00Z"},
        {"status": "confirmed", "at": "2026-11-01T08:15:02Z"},
        {"status": "packed", "at": None},
        {"status": "shipped", "at": None},
        {"status": "delivered", "at": None},
    ],
    "items": [{"name": "Maize Flour 2 kg", "quantity": 2, "unit": "each"}],
    "last_event_id": 31,
}
