"""`flask products import`: all of a file at once, for the one who waits for it."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import psycopg2
from flask import current_app

from grocery.db import transaction
from grocery.errors import BusyError
from grocery.products.imports.applying import Outcome, apply_chunk, apply_whole, read_chunks
from grocery.products.imports.matching import Seen
from grocery.products.imports.reading import Table, check_file
from grocery.products.search.upkeep import refresh_words

log = logging.getLogger(__name__)

_TIDY_FROM = 500

# An autovacuum that is at the same table is let finish, or gives way after a second. The end of a job that does this
# must not be cut off: it has 50 s, and began this after 30 at the latest.
_TIDY_LIMITS = "SET lock_timeout = '3s'; SET statement_timeout = '15s'"

# Without the last step of a VACUUM, which would lock out readers to give empty pages back.
_TIDY = ("VACUUM (ANALYZE, TRUNCATE false) products", "ANALYZE categories")


@dataclass
class ImportReport(Outcome):
    """What became of the rows of a file; with `is_applied` false, what would have become of them."""

    is_applied: bool = True
    ignored_columns: list[str] = field(default_factory=list)


def import_products(
    path: Path,
    *,
    mapping: Mapping[str, str] | None = None,
    dry_run: bool = False,
    strict: bool = False,
    actor_id: int | None = None,
    on_progress: Callable[[int], None] = lambda _bytes_read: None,
) -> ImportReport:
    """Make and change products as a CSV file says; commits chunk by chunk, with `strict` once at the end.

    `mapping` is that of `check_file`. A dry run writes nothing; a strict one nothing unless every row is good. The
    stock of products that exist is left alone. Raises ImportFileError for a file that is unusable as a whole, and
    ConflictError when somebody else keeps changing the same products.
    """
    table = check_file(path, mapping or {}).table
    report = ImportReport(is_applied=not dry_run, ignored_columns=table.ignored)
    if strict and not dry_run:
        _import_all_or_nothing(table, report, actor_id, on_progress)
    else:
        _import_by_chunks(table, report, actor_id, on_progress)
    if report.is_applied:
        refresh_statistics(report.created + report.updated)
    return report


def refresh_statistics(changes: int) -> None:
    """After many changes, have PostgreSQL find and count products fast again, and count words. Commits.

    Until autovacuum came by, the planner would know nothing of the new rows, searches would go through a list of words
    that the index has not sorted in yet, and counts would look at each row.
    """
    if changes >= _TIDY_FROM:
        _tidy_tables()
        refresh_words()


def _tidy_tables() -> None:
    try:
        # VACUUM runs in no transaction, and must see a session of its own past a pooler.
        connection = current_app.extensions["engines"].connect_directly()
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(_TIDY_LIMITS)
                for statement in _TIDY:
                    cursor.execute(statement)
            for notice in connection.notices:  # "permission denied to vacuum …, skipping it" is no error
                log.warning("after the import: %s", notice.strip())
        finally:
            connection.close()
    except (psycopg2.Error, BusyError) as error:
        log.warning("lists may be slow until autovacuum comes by: %s", str(error).strip())


def _import_by_chunks(
    table: Table, report: ImportReport, actor_id: int | None, on_progress: Callable[[int], None]
) -> None:
    seen = Seen()
    for chunk in read_chunks(table, seen):
        with transaction():
            outcome = apply_chunk(chunk, seen, dry_run=not report.is_applied, actor_id=actor_id)
        report.add(outcome)
        on_progress(chunk.end.offset)


def _import_all_or_nothing(
    table: Table, report: ImportReport, actor_id: int | None, on_progress: Callable[[int], None]
) -> None:
    """Import in one transaction, if no row is refused."""
    seen, foreseen = Seen(), Outcome()
    with transaction() as session:
        for chunk in read_chunks(table, seen):
            foreseen.add(apply_chunk(chunk, seen, dry_run=True, actor_id=None))
        if not foreseen.refusals:
            report.add(apply_whole(table, foreseen.updated_ids, actor_id, on_progress))
            if report.refusals:  # somebody has changed products since they were foreseen
                session.rollback()
    report.is_applied = not (foreseen.refusals or report.refusals)
    if foreseen.refusals:
        report.add(foreseen)
