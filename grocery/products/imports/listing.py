"""Imports as clients see them: read, list, cancel."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, select, text

from grocery.db import db, reader
from grocery.errors import ConflictError, NotFoundError
from grocery.products.imports.models import ImportRefusal, ProductImport
from grocery.products.imports.staging import drop_staged

#: Refusals that stand in the import itself.
SHOWN_REFUSALS = 100

_IMPORTS, _REFUSALS = ProductImport.__table__, ImportRefusal.__table__

_CANCEL = text("""
    UPDATE product_imports SET status = 'cancelled', finished_at = now(), leased_until = NULL
    WHERE id = :id AND status IN ('waiting', 'running') RETURNING id
""")


class ImportFinishedError(ConflictError):
    code = "import_finished"

    def __init__(self, status: str):
        super().__init__(f"The import is {status} already.", status_now=status)


def check_import_exists(import_id: int) -> None:
    """Raise NotFoundError unless there is such an import."""
    with reader() as connection:
        _get(connection, import_id)


def get_import(import_id: int) -> dict[str, Any]:
    """An import with its first refusals; raises NotFoundError."""
    with reader() as connection:
        found = _get(connection, import_id)
        refusals = _refusals(connection, import_id, 0, SHOWN_REFUSALS)
    # A chunk may have been committed between the two: the refusals are to be those that were counted.
    counted = [refusal_json(row) for row in refusals if row.row <= found.position_row]
    return {**import_json(found), "refusals": counted}


def list_imports(before_id: int | None, limit: int) -> Sequence[Row[Any]]:
    """Imports, newest first."""
    statement = select(_IMPORTS).order_by(_IMPORTS.c.id.desc()).limit(limit)
    if before_id is not None:
        statement = statement.where(_IMPORTS.c.id < before_id)
    with reader() as connection:
        return connection.execute(statement).all()


def list_refusals(import_id: int, after_row: int, limit: int) -> Sequence[Row[Any]]:
    """The refused rows of an import behind one of them; raises NotFoundError."""
    with reader() as connection:
        _get(connection, import_id)
        return _refusals(connection, import_id, after_row, limit)


def cancel_import(import_id: int) -> None:
    """End an import; a chunk that is under way is rolled back, what was committed before stays.

    Raises NotFoundError, and ImportFinishedError when there is nothing left to cancel.
    """
    if db.session.scalar(_CANCEL, {"id": import_id}) is None:
        raise ImportFinishedError(_get(db.session.connection(), import_id).status)
    drop_staged(import_id)


def import_json(row: Row[Any]) -> dict[str, Any]:
    return {
        "id": row.id,
        "status": row.status,
        "filename": row.filename,
        "dry_run": row.dry_run,
        "strict": row.strict,
        "percent": _percent(row),
        "rows": row.created + row.updated + row.unchanged + row.refused,
        "created": row.created,
        "updated": row.updated,
        "unchanged": row.unchanged,
        "refused": row.refused,
        "is_applied": row.is_applied,
        "ignored_columns": row.ignored_columns,
        "error": row.error,
        "created_at": row.created_at,
        "started_at": row.started_at,
        "finished_at": row.finished_at,
    }


def refusal_json(row: Row[Any]) -> dict[str, Any]:
    return {"row": row.row, "reason": row.reason}


def _percent(row: Row[Any]) -> int:
    """How much of the file was gone through; a strict import goes through it twice. 100 only when it is done."""
    if row.status == "done":
        return 100
    done: int = row.position_offset * 100 // row.size
    return min(done // 2 if row.strict and not row.dry_run else done, 99)


def _get(connection: Connection, import_id: int) -> Row[Any]:
    row = connection.execute(select(_IMPORTS).where(_IMPORTS.c.id == import_id)).one_or_none()
    if row is None:
        raise NotFoundError("There is no such import.")
    return row


def _refusals(connection: Connection, import_id: int, after_row: int, limit: int) -> Sequence[Row[Any]]:
    is_next = (_REFUSALS.c.import_id == import_id, _REFUSALS.c.row > after_row)
    return connection.execute(select(_REFUSALS).where(*is_next).order_by(_REFUSALS.c.row).limit(limit)).all()
