"""Messages that reports speak of, and what is kept of reports. All functions need an application context."""

from typing import Any

from sqlalchemy import text

from grocery.db import db
from tests.notify.factories import make_notification

UNKNOWN_WAIT = 90


def make_sent(provider_id: str = "ATXid_1", **overrides: Any) -> int:
    """An SMS that the provider has accepted."""
    values = {"status": "sent", "attempts": 1, "next_attempt_at": None, "sent_at": "now()", **overrides}
    return make_notification(provider_id=provider_id, **values)


def make_in_doubt(**overrides: Any) -> int:
    """An SMS of whose attempt, half a minute ago, nobody knows what became."""
    due = f"now() + interval '{UNKNOWN_WAIT - 30} seconds'"
    values = {"status": "unknown", "attempts": 1, "unknowns": 1, "next_attempt_at": due}
    times = {"created_at": "now() - interval '1 minute'", "attempted_at": "now() - interval '30 seconds'"}
    return make_notification(**{**values, **times, **overrides})


def make_sending(**overrides: Any) -> int:
    """An SMS in a sender's hands."""
    values = {
        "status": "sending",
        "attempts": 1,
        "attempted_at": "now()",
        "next_attempt_at": None,
        "leased_until": "now() + interval '1 minute'",
    }
    return make_notification(**values, **overrides)


def make_fallback(sms: int, **overrides: Any) -> int:
    """An e-mail that stands in the place of an SMS."""
    values = {"fallback_for_id": sms, "next_attempt_at": "now() + interval '10 minutes'", **overrides}
    return make_notification(channel="email", **values)


def change(notification_id: int, **values: Any) -> None:
    """Change a message as a sender would; times may be SQL expressions."""
    written = {name: value for name, value in values.items() if not str(value).startswith("now()")}
    parts = [f"{name} = " + (f":{name}" if name in written else str(value)) for name, value in values.items()]
    with db.engine.begin() as connection:
        connection.execute(
            text(f"UPDATE notifications SET {', '.join(parts)} WHERE id = :id"), {**written, "id": notification_id}
        )


def reports() -> list[tuple[str, str, int | None]]:
    """What is kept: (the provider's id, status, the message's id), in the order of arrival."""
    statement = text("SELECT provider_id, status, notification_id FROM delivery_reports ORDER BY id")
    with db.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(statement)]
