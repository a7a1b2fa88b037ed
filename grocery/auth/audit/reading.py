"""Reading the audit log."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Select, select

from grocery.auth.audit.models import AuditEntry
from grocery.db import Row, reader


def list_entries(filters: Mapping[str, Any], *, limit: int, before_id: int | None = None) -> list[Row]:
    """Entries, the newest first, from the one before `before_id` on.

    `filters` (AuditArgsSchema) hold only for what they name: `actor_id`, `actor_role`, `action`, `subject_type`,
    `subject_id`, and the times `after` (this moment counts) and `before` (it does not). `actions` are several of them.
    """
    statement = _filtered(select(*AuditEntry.__table__.columns), filters).order_by(AuditEntry.id.desc()).limit(limit)
    if before_id is not None:
        statement = statement.where(AuditEntry.id < before_id)
    with reader() as connection:
        return list(connection.execute(statement).mappings())


def _filtered(statement: Select[Any], filters: Mapping[str, Any]) -> Select[Any]:
    for name in ("actor_id", "actor_role", "action", "subject_type", "subject_id"):
        if filters.get(name) is not None:
            statement = statement.where(getattr(AuditEntry, name) == filters[name])
    if filters.get("actions") is not None:
        statement = statement.where(AuditEntry.action.in_(filters["actions"]))
    if filters.get("after") is not None:
        statement = statement.where(AuditEntry.at >= filters["after"])
    if filters.get("before") is not None:
        statement = statement.where(AuditEntry.at < filters["before"])
    return statement
