"""Who works on an import: one worker at a time, until its lease has run out; and what it has to say for itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import insert, select, text

from grocery.db import db, reader
from grocery.origins import Origin
from grocery.products.imports.applying import Outcome
from grocery.products.imports.models import ImportChunk, ImportRefusal, ProductImport
from grocery.products.imports.records import Position
from grocery.products.imports.staging import ImportGoneError, drop_staged

#: Seconds after which a worker that has not committed anything is taken for dead. A chunk takes one.
LEASE_SECONDS = 30

#: The same for a strict import's one transaction: more than a job may run.
LONG_LEASE_SECONDS = 60

MAX_ATTEMPTS = 3

# Locking in a step of its own, for a subquery with LIMIT and SKIP LOCKED may be run twice by a join.
_CLAIM = text("""
    WITH due AS MATERIALIZED (
        SELECT id FROM product_imports
        WHERE status IN ('waiting', 'running') AND (status = 'waiting' OR leased_until < now())
        ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED
    )
    UPDATE product_imports AS import
    SET status = 'running', claim = claim + 1, attempts = attempts + 1, started_at = coalesce(started_at, now()),
        leased_until = now() + make_interval(secs => :lease_seconds)
    FROM due WHERE import.id = due.id
    RETURNING import.*
""")

_LOOK = text("""
    SELECT EXISTS (
        SELECT FROM product_imports
        WHERE status IN ('waiting', 'running') AND (status = 'waiting' OR leased_until < now())
    )
""")

# Of the one who holds the import only. The row is locked no earlier than here, so that a cancellation need not wait for
# the chunk: it comes first, and the chunk finds nothing to note itself in, and is rolled back.
_NOTE = text("""
    UPDATE product_imports
    SET position_row = :row, position_offset = :offset, attempts = 0, is_applied = :is_applied,
        created = created + :created, updated = updated + :updated, unchanged = unchanged + :unchanged,
        refused = refused + :refused, leased_until = now() + make_interval(secs => :lease_seconds)
    WHERE id = :id AND claim = :claim AND status = 'running' RETURNING id
""")

_NOTE_CHECKED = text("""
    UPDATE product_imports SET is_checked = true, attempts = 0, leased_until = now()
    WHERE id = :id AND claim = :claim AND status = 'running' RETURNING id
""")

_LEASE = text("""
    UPDATE product_imports SET leased_until = now() + make_interval(secs => :lease_seconds)
    WHERE id = :id AND claim = :claim AND status = 'running' RETURNING id
""")

_SET_COUNTS = text("""
    UPDATE product_imports
    SET is_applied = :is_applied, created = :created, updated = :updated, unchanged = :unchanged, refused = :refused
    WHERE id = :id AND claim = :claim AND status = 'running' RETURNING id
""")

_FINISH = text("""
    UPDATE product_imports
    SET status = :status, error = :error, finished_at = now(), leased_until = NULL,
        is_applied = is_applied OR (:status = 'done' AND NOT dry_run AND NOT strict)
    WHERE id = :id AND claim = :claim AND status = 'running' RETURNING id
""")

_GIVE_BACK = text("""
    UPDATE product_imports SET leased_until = now(), attempts = 0
    WHERE id = :id AND claim = :claim AND status = 'running' RETURNING id
""")


@dataclass(frozen=True)
class Claim:
    """An import that this worker holds, as it was when it took it."""

    id: int
    claim: int
    attempts: int
    mapping: Mapping[str, str]
    delimiter: str
    size: int
    dry_run: bool
    strict: bool
    is_checked: bool
    position: Position
    actor_id: int | None
    request_id: str | None
    traceparent: str | None

    @property
    def origin(self) -> Origin:
        """What the import goes back to."""
        return Origin(self.request_id, self.traceparent)

    @property
    def is_all_or_nothing(self) -> bool:
        return self.strict and not self.dry_run


def claim_import() -> Claim | None:
    """Take the import that waits longest, or whose worker is dead."""
    row = db.session.execute(_CLAIM, {"lease_seconds": LEASE_SECONDS}).mappings().one_or_none()
    if row is None:
        return None
    names = Claim.__dataclass_fields__.keys() & row.keys()
    return Claim(**{name: row[name] for name in names}, position=Position(row["position_row"], row["position_offset"]))


def is_import_due() -> bool:
    with reader() as connection:
        return bool(connection.scalar(_LOOK))


def note_chunk(claim: Claim, end: Position, outcome: Outcome, seen: bytes, *, is_applied: bool) -> None:
    """Note what became of a chunk, in its transaction; raises ImportGoneError when the import is no longer ours."""
    position = {"row": end.row, "offset": end.offset, "is_applied": is_applied, "lease_seconds": LEASE_SECONDS}
    _update(_NOTE, claim, {**_counts(outcome), **position})
    changed_ids = outcome.updated_ids if claim.strict else []
    chunk = {"import_id": claim.id, "row": end.row, "seen": seen, "changed_ids": changed_ids}
    db.session.execute(insert(ImportChunk).values(chunk))
    _note_refusals(claim, outcome)


def note_checked(claim: Claim) -> None:
    """Note that a strict import was checked and is to be applied next, by anyone; raises ImportGoneError."""
    _update(_NOTE_CHECKED, claim, {})


def lease_for_long(claim: Claim) -> None:
    """Hold the import for longer than a job may run; raises ImportGoneError."""
    _update(_LEASE, claim, {"lease_seconds": LONG_LEASE_SECONDS})


def note_whole(claim: Claim, outcome: Outcome) -> None:
    """Replace what a strict import foresaw by what became of it; raises ImportGoneError."""
    _update(_SET_COUNTS, claim, {**_counts(outcome), "is_applied": not outcome.refusals})
    _note_refusals(claim, outcome)


def finish(claim: Claim, status: str, error: str | None = None) -> None:
    """End the import and delete its file, but that of a dry run that is done; raises ImportGoneError."""
    _update(_FINISH, claim, {"status": status, "error": error})
    drop_staged(claim.id, keeps_file=claim.dry_run and status == "done")


def give_back(claim: Claim) -> None:
    """Let the next worker go on at once; raises ImportGoneError."""
    _update(_GIVE_BACK, claim, {})


def stored_keys(claim: Claim) -> Sequence[bytes]:
    """What the rows of each committed chunk are known by, in their order."""
    return _of_chunks(ImportChunk.seen, claim)


def foreseen_ids(claim: Claim) -> list[int]:
    """The products that a strict import will change."""
    return [product_id for ids in _of_chunks(ImportChunk.changed_ids, claim) for product_id in ids]


def count_refused(claim: Claim) -> int:
    return db.session.scalar(select(ProductImport.refused).where(ProductImport.id == claim.id)) or 0


def count_changes(claim: Claim) -> int:
    """The products that were made or changed."""
    changes = select(ProductImport.created + ProductImport.updated)
    with reader() as connection:
        return connection.scalar(changes.where(ProductImport.id == claim.id, ProductImport.is_applied)) or 0


def _of_chunks(column: Any, claim: Claim) -> Sequence[Any]:
    of_import = select(column).where(ImportChunk.import_id == claim.id).order_by(ImportChunk.row)
    with reader() as connection:
        return connection.scalars(of_import).all()


def _update(statement: Any, claim: Claim, values: Mapping[str, Any]) -> None:
    if db.session.scalar(statement, {**values, "id": claim.id, "claim": claim.claim}) is None:
        raise ImportGoneError


def _counts(outcome: Outcome) -> dict[str, int]:
    return {name: getattr(outcome, name) for name in ("created", "updated", "unchanged", "refused")}


def _note_refusals(claim: Claim, outcome: Outcome) -> None:
    if outcome.refusals:
        refusals = [{"import_id": claim.id, "row": one.row, "reason": one.reason} for one in outcome.refusals]
        db.session.execute(insert(ImportRefusal), refusals)
