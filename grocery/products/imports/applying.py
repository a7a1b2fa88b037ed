"""One chunk of rows: what is new is made, what differs is changed, what is wrong is refused."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from psycopg2.errors import DeadlockDetected
from sqlalchemy import Row as ProductRecord
from sqlalchemy.exc import IntegrityError, OperationalError

from grocery.db import db
from grocery.errors import ConflictError
from grocery.products.categories import ensure_path, find_paths
from grocery.products.imports.cells import ProductRow, RowError, RowReader
from grocery.products.imports.matching import Matches, Seen
from grocery.products.imports.reading import Row, Table
from grocery.products.imports.records import START, Position
from grocery.products.imports.writing import (
    differences,
    insert_products,
    lock_products,
    new_product,
    read_locked_products,
    update_products,
)

#: Rows of one transaction and of one statement: enough to be fast, few enough not to hold up sales.
CHUNK_ROWS = 500

# A chunk is tried again when somebody else took an SKU, a barcode or a category between reading and writing, or when
# another import makes the same products in another order, so that PostgreSQL ends one of the two.
_ATTEMPTS = 3


@dataclass(frozen=True)
class Refusal:
    """A row that was not applied; `row` is its number in a spreadsheet, where the header is row 1."""

    row: int
    reason: str


@dataclass
class Outcome:
    """What became of some rows."""

    created: int = 0
    updated_ids: list[int] = field(default_factory=list)
    unchanged: int = 0
    refusals: list[Refusal] = field(default_factory=list)

    @property
    def updated(self) -> int:
        return len(self.updated_ids)

    @property
    def refused(self) -> int:
        return len(self.refusals)

    def add(self, other: "Outcome") -> None:
        self.created += other.created
        self.updated_ids += other.updated_ids
        self.unchanged += other.unchanged
        self.refusals += other.refusals


@dataclass
class Chunk:
    """Some rows of a file: the good ones as values, the bad ones as refusals, and where the last one ends."""

    end: Position
    rows: list[ProductRow] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)


class _RacedError(Exception):
    """A product changed between reading and locking it."""


@dataclass
class _Plan:
    """What is to be done with some rows."""

    new: list[tuple[ProductRow, dict[str, Any]]] = field(default_factory=list)
    changed: list[tuple[ProductRow, int]] = field(default_factory=list)
    unchanged: int = 0
    refusals: list[Refusal] = field(default_factory=list)

    @property
    def changed_ids(self) -> list[int]:
        return [product_id for _, product_id in self.changed]


def read_chunks(table: Table, seen: Seen, start: Position = START) -> Iterator[Chunk]:
    """The rows behind `start`, up to CHUNK_ROWS at a time. `seen` knows the rows before, and learns these."""
    # Where the comma stands between decimals, spreadsheets write a semicolon between cells.
    reader = RowReader(table.sources, decimal_comma=table.delimiter == ";")
    rows = table.rows(start)
    while first := next(rows, None):
        seen.begin_chunk()
        chunk = Chunk(first.end)
        _read_row(first, chunk, reader, seen)
        for row in islice(rows, CHUNK_ROWS - 1):
            _read_row(row, chunk, reader, seen)
        yield chunk


def _read_row(row: Row, chunk: Chunk, reader: RowReader, seen: Seen) -> None:
    chunk.end = row.end
    try:
        if row.problem:
            raise RowError(row.problem)
        product = reader.read(row.number, row.cells)
        seen.check(product)
    except RowError as error:
        chunk.refusals.append(Refusal(row.number, str(error)))
    else:
        seen.add(product)
        chunk.rows.append(product)


def apply_chunk(chunk: Chunk, seen: Seen, *, dry_run: bool, actor_id: int | None) -> Outcome:
    """Carry out a chunk in the caller's transaction, or say what that would do.

    Raises ConflictError when somebody else keeps changing the same products.
    """
    outcome = Outcome(refusals=chunk.refusals)
    if chunk.rows:
        outcome.add(_apply_again_if_raced(chunk.rows, seen, dry_run, actor_id))
        outcome.refusals.sort(key=lambda refusal: refusal.row)
    return outcome


def apply_whole(
    table: Table,
    foreseen_ids: Collection[int],
    actor_id: int | None,
    on_progress: Callable[[int], None] = lambda _bytes_read: None,
) -> Outcome:
    """Carry out a whole file in the caller's transaction, which must be rolled back if a row was refused after all.

    `foreseen_ids` are the products that will change. They are locked before, over all chunks in the order of ids, as
    orders do: locked chunk by chunk, the two would deadlock.
    """
    seen, outcome = Seen(), Outcome()
    lock_products(foreseen_ids)
    for chunk in read_chunks(table, seen):
        outcome.add(apply_chunk(chunk, seen, dry_run=False, actor_id=actor_id))
        on_progress(chunk.end.offset)
    return outcome


def _apply_again_if_raced(rows: Sequence[ProductRow], seen: Seen, dry_run: bool, actor_id: int | None) -> Outcome:
    for _ in range(_ATTEMPTS):
        try:
            with db.session.begin_nested():
                plan = _make_plan(rows, seen)
                if not dry_run:
                    _carry_out(plan, actor_id)
                return Outcome(len(plan.new), plan.changed_ids, plan.unchanged, plan.refusals)
        except (IntegrityError, OperationalError, _RacedError) as error:
            if isinstance(error, OperationalError) and not isinstance(error.orig, DeadlockDetected):
                raise
            cause = error
    raise ConflictError(
        f"Products of rows {rows[0].number} to {rows[-1].number} are being changed by somebody else. Import again.",
        code="import_raced",
    ) from cause


def _make_plan(rows: Sequence[ProductRow], seen: Seen) -> _Plan:
    plan = _Plan()
    matches = Matches(rows)
    for row in rows:
        try:
            product = matches.find(row, seen)
            if product is None:
                plan.new.append((row, new_product(row)))
            elif differences(row, product):
                plan.changed.append((row, product.id))
            else:
                plan.unchanged += 1
        except RowError as error:
            plan.refusals.append(Refusal(row.number, str(error)))
    return plan


def _carry_out(plan: _Plan, actor_id: int | None) -> None:
    category_ids = _category_ids({row.category for row, _ in [*plan.new, *plan.changed]})
    insert_products([{**values, "category_id": category_ids[row.category]} for row, values in plan.new], actor_id)
    lock_products(plan.changed_ids)
    locked = read_locked_products(plan.changed_ids)
    changed = [_changed(row, locked.get(product_id), category_ids) for row, product_id in plan.changed]
    update_products(changed, actor_id)


def _changed(row: ProductRow, product: ProductRecord | None, category_ids: Mapping[str, int]) -> dict[str, Any]:
    """All columns of a product after the change; the product is compared again, now that it is locked."""
    if product is None:
        raise _RacedError
    try:
        changes = differences(row, product)
    except RowError as error:
        raise _RacedError from error
    if "category" in changes:
        changes["category_id"] = category_ids[row.category]
    return {**product._mapping, **changes}


def _category_ids(paths: set[str]) -> dict[str, int]:
    """The ids of these categories; the missing ones are made."""
    known = find_paths(paths)
    return {path: known.get(path) or ensure_path(path) for path in sorted(paths)}
