"""The e-mails that stand in the place of SMS: sent when theirs does not arrive, dropped when it does."""

from collections.abc import Mapping

from flask import current_app
from sqlalchemy import text

from grocery.db import db

_DROP = text("DELETE FROM notifications WHERE fallback_for_id = ANY(:ids) AND status = 'pending'")
_RELEASE = text(
    """
    UPDATE notifications SET next_attempt_at = now()
    WHERE fallback_for_id = ANY(:ids) AND status = 'pending' AND next_attempt_at > now()
    """
)


def settle_fallbacks(statuses: Mapping[int, str]) -> None:
    """Let the e-mails follow what became of their SMS: `statuses` has the new status by the id of the SMS.

    Name "unknown" only of those that are not tried any more. When no reports can come, a sent SMS is believed to have
    arrived. Runs in the caller's transaction; e-mails that are being sent or were sent already stay as they are.
    """
    arrived = {"delivered"} if _hears_reports() else {"delivered", "sent"}
    lost = [number for number, status in statuses.items() if status in ("failed", "unknown")]
    known = [number for number, status in statuses.items() if status in arrived]
    if lost:
        db.session.execute(_RELEASE, {"ids": lost})
    if known:
        db.session.execute(_DROP, {"ids": known})


def _hears_reports() -> bool:
    config = current_app.config
    return config["SMS_BACKEND"] != "console" and bool(config["AT_CALLBACK_SECRET"])
