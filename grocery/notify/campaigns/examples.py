"""Examples for the API's documentation."""

_BODIES = {
    "en": "Jamhuri offers: sugar 2 kg at 299, milk 500 ml at 55, until Saturday. Karibu!",
    "sw": "Ofa za Jamhuri: sukari kilo 2 kwa 299, maziwa 500 ml kwa 55, hadi Jumamosi. Karibu!",
}

WANTED = {
    "name": "Jamhuri Day",
    "channel": "sms",
    "texts": {language: {"body": body} for language, body in _BODIES.items()},
}

DRAFT = {
    "id": 4,
    "name": "Jamhuri Day",
    "channel": "sms",
    "texts": {language: {"subject": None, "body": body} for language, body in _BODIES.items()},
    "status": "draft",
    "allowed_actions": ["start"],
    "audience": 1200,
    "queued": 0,
    "counts": {"pending": 0, "sent": 0, "delivered": 0, "failed": 0, "unknown": 0},
    "parts": {"en": 1, "sw": 1},
    "most_parts": 1200,
    "created_by": 1,
    "created_at": "2026-12-10T08:15:00Z",
    "started_at": None,
    "finished_at": None,
}

RUNNING = {
    **DRAFT,
    "status": "running",
    "allowed_actions": ["pause", "cancel"],
    "queued": 1000,
    "counts": {"pending": 480, "sent": 70, "delivered": 441, "failed": 9, "unknown": 0},
    "started_at": "2026-12-10T08:30:00Z",
}

PAUSED = {**RUNNING, "status": "paused", "allowed_actions": ["resume", "cancel"]}

CANCELLED = {
    **RUNNING,
    "status": "cancelled",
    "allowed_actions": [],
    "audience": 1000,
    "counts": {"pending": 0, "sent": 70, "delivered": 441, "failed": 9, "unknown": 0},
    "most_parts": 1000,
    "finished_at": "2026-12-10T08:32:10Z",
}

TEST = {"recipient": "0712 345 678", "language": "sw"}
