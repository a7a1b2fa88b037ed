"""Import products from a CSV file: what is new is made, what differs is changed, what is wrong is refused."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from psycopg2.errors import DeadlockDetected
from sqlalchemy import Row as ProductRecord
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError

from grocery.db import db, transaction
from grocery.errors import ConflictError
from grocery.products.categories import ensure_path, find_paths
from grocery.products.imports.cells import ProductRow, RowError, RowReader
from grocery.products.imports.matching import Matches, Seen
from grocery.products.imports.reading import Row, Table, open_table
from grocery.products.imports.writing import differences, insert_products, lock_products, new_product, update_products

#: Rows of one transaction and of one statement: enough to be fast, few enough not to hold up sales.
CHUNK_ROWS = 500

# After so many changes the planner's statistics are old: until autovacuum came by, lists would be slow.
_ANALYZE_FROM = 500

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

    def add(self, other: "Outcome") -> None:
        self.created += other.created
        self.updated_ids += other.updated_ids
        self.unchanged += other.unchanged
        self.refusals += other.refusals


@dataclass
class ImportReport(Outcome):
    """What became of the rows of a file; with `is_applied` false, what would have become of them."""

    is_applied: bool = True
    ignored_columns: list[str] = field(default_factory=list)

    @property
    def refused(self) -> int:
        return len(self.refusals)


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


def import_products(
    path: Path,
    *,
    mapping: Mapping[str, str] | None = None,
    dry_run: bool = False,
    strict: bool = False,
    actor_id: int | None = None,
    on_progress: Callable[[int], None] = lambda _bytes_read: None,
) -> ImportReport:
    """Make and change products as a CSV file says; commits every CHUNK_ROWS rows, with `strict` once at the end.

    `mapping` is that of `open_table`. A dry run writes nothing; a strict one nothing unless every row is good. The
    stock of products that exist is left alone. Raises ImportFileError for a file that is unusable as a whole, and
    ConflictError when somebody else keeps changing the same products.
    """
    table = open_table(path, mapping or {})
    report = ImportReport(is_applied=not dry_run, ignored_columns=table.ignored)
    if strict and not dry_run:
        _import_all_or_nothing(table, report, actor_id, on_progress)
    else:
        _import_rows(table, report, transaction, actor_id, on_progress)
    if report.is_applied and report.created + report.updated >= _ANALYZE_FROM:
        with transaction() as session:
            session.execute(text("ANALYZE products, categories"))
    report.refusals.sort(key=lambda refusal: refusal.row)
    return report


def _import_all_or_nothing(
    table: Table, report: ImportReport, actor_id: int | None, on_progress: Callable[[int], None]
) -> None:
    """Import in one transaction, if no row is refused.

    What will change is locked before, over all chunks in the order of ids, as orders do: locked chunk by chunk, the two
    would deadlock.
    """
    foreseen = ImportReport(is_applied=False)
    with transaction() as session:
        _import_rows(table, foreseen, nullcontext, None)
        if not foreseen.refusals:
            lock_products(foreseen.updated_ids)
            _import_rows(table, report, nullcontext, actor_id, on_progress)
            if report.refusals:  # somebody has changed products since they were foreseen
                session.rollback()
    report.is_applied = not (foreseen.refusals or report.refusals)
    if foreseen.refusals:
        report.add(foreseen)


def _import_rows(
    table: Table,
    report: ImportReport,
    unit_of_work: Callable[[], AbstractContextManager[Any]],
    actor_id: int | None,
    on_progress: Callable[[int], None] = lambda _bytes_read: None,
) -> None:
    seen = Seen()
    # Where the comma stands between decimals, spreadsheets write a semicolon between cells.
    reader = RowReader(table.sources, decimal_comma=table.delimiter == ";")
    dry_run = not report.is_applied
    for chunk in _chunks(table.rows(on_progress)):
        valid = list(_read_valid(chunk, reader, seen, report))
        with unit_of_work():
            report.add(_apply_again_if_raced(valid, seen, dry_run, actor_id))


def _read_valid(chunk: Iterable[Row], reader: RowReader, seen: Seen, report: ImportReport) -> Iterator[ProductRow]:
    for row in chunk:
        try:
            if row.problem:
                raise RowError(row.problem)
            product = reader.read(row.number, row.cells)
            seen.check(product)
        except RowError as error:
            report.refusals.append(Refusal(row.number, str(error)))
        else:
            seen.add(product)
            yield product


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
            product = matches.find(row)
            if product is not None:
                seen.claim(row, product.id)
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
    locked = lock_products(plan.changed_ids)
    update_products([_changed(row, locked.get(product_id), category_ids) for row, product_id in plan.changed])


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


def _chunks(rows: Iterator[Row]) -> Iterator[list[Row]]:
    while chunk := list(islice(rows, CHUNK_ROWS)):
        yield chunk
