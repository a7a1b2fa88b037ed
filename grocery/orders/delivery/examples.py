"""Examples for the API's documentation."""

ZONE_WANTED = {"name": "Milimani", "fee": "150.00", "min_basket": "500.00", "free_from": "3000.00"}

ZONE = {"id": 2, **ZONE_WANTED, "is_slot_required": False}

SLOT_WANTED = {
    "zone_id": 2,
    "starts_at": "2026-12-01T07:00:00Z",
    "ends_at": "2026-12-01T09:00:00Z",
    "capacity": 12,
    "cutoff_at": "2026-12-01T06:00:00Z",
    "fee": "0.00",
}

SLOT = {"id": 118, **SLOT_WANTED, "remaining": 9, "is_open": True}

TEMPLATE_WANTED = {
    "zone_id": 2,
    "weekday": "tuesday",
    "starts": "10:00",
    "ends": "12:00",
    "capacity": 12,
    "cutoff_minutes": 60,
    "fee": "0.00",
}

TEMPLATE = {"id": 4, **TEMPLATE_WANTED, "made_until": "2026-12-14"}

ADDRESS_WANTED = {
    "label": "Home",
    "zone_id": 2,
    "address": "Moi Avenue 12",
    "landmark": "near Shell, blue gate",
    "phone": "+254712345678",
    "note": None,
    "is_default": True,
}

ADDRESS = {
    "id": 31,
    **ADDRESS_WANTED,
    "created_at": "2026-11-01T08:15:00Z",
    "updated_at": "2026-11-01T08:15:00Z",
}
