"""Writing the audit log."""

from typing import Any

from sqlalchemy import insert

from grocery.auth.audit.models import AuditEntry
from grocery.db import db
from grocery.logs import request_id


def note(
    action: str,
    *,
    actor_id: int | None,
    actor_role: str,
    subject_type: str | None = None,
    subject_id: int | None = None,
    details: dict[str, Any] | None = None,
) -> None:
    """Write one line into the audit log, in the transaction of what it tells of: both are kept, or neither.

    `actor_role` is "customer", "staff" or "admin", "visitor" for someone who is not signed in, and "command" for a
    command line. `details` holds ids, figures and words of the program, never names, numbers or texts of people.
    """
    entry = {
        "action": action,
        "actor_id": actor_id,
        "actor_role": actor_role,
        "subject_type": subject_type,
        "subject_id": subject_id,
        "details": details,
        "request_id": request_id.get(),
    }
    db.session().execute(insert(AuditEntry), entry)
