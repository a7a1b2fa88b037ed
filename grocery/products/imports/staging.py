"""Files that wait in PostgreSQL to be imported: checked and stored in parts, read again as a stream."""

import io
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import IO, BinaryIO

from sqlalchemy import Connection, delete, insert, select, text

from grocery.db import db, name_subject, reader
from grocery.errors import ConflictError, InvalidError
from grocery.origins import current_origin
from grocery.products.imports.models import ImportChunk, ImportPart, ProductImport
from grocery.products.imports.reading import CheckedFile, check_file
from grocery.products.imports.records import Source
from grocery.queues import BULK, ring_after_commit

PART_BYTES = 256 * 1024

#: Rows of a file. What they are known by is kept in memory: 600 bytes each.
MAX_ROWS = 200_000

#: Rows of a strict import, which are applied in one transaction within one job: measured, 6 s on a busy machine of two
#: processors, of the 25 s that a job leaves its last step.
MAX_STRICT_ROWS = 10_000

_MAX_FILENAME = 200

#: Hours for which the file of a dry run is kept, so that what was foreseen can be applied without sending it again.
DRY_RUN_HOURS = 24

# Of a dry run only, and as long as its file is there: two who apply it at once get it once.
_COPY = text("""
    INSERT INTO product_imports (filename, mapping, dry_run, strict, actor_id, delimiter, ignored_columns, size,
                                 request_id, traceparent)
    SELECT filename, mapping, false, strict, :actor_id, delimiter, ignored_columns, size, :request_id, :traceparent
    FROM product_imports AS dry
    WHERE id = :id AND dry_run AND status = 'done' AND EXISTS (SELECT FROM import_parts WHERE import_id = dry.id)
    RETURNING id
""")
_LOCK = text("SELECT FROM product_imports WHERE id = :id FOR UPDATE")
_MOVE = text("UPDATE import_parts SET import_id = :new_id WHERE import_id = :id")
_HAS_FILE = text("SELECT EXISTS (SELECT FROM import_parts WHERE import_id = :id)")
_DROP_OLD = text("""
    DELETE FROM import_parts USING product_imports AS import
    WHERE import.id = import_parts.import_id AND import.dry_run
          AND import.finished_at < now() - make_interval(hours => :hours)
""")


class ImportGoneError(Exception):
    """The import was ended by somebody else while a worker was at it."""


class FileGoneError(ConflictError):
    """The file of a dry run is no longer there: it was applied already, or is too old."""

    code = "file_gone"

    def __init__(self) -> None:
        super().__init__("The file is gone: it was imported already, or is older than a day. Send it again.")


class TooManyRowsError(InvalidError):
    code = "too_many_rows"


def check_upload(path: Path, mapping: Mapping[str, str], *, strict: bool) -> CheckedFile:
    """Read a file through before it is stored; raises ImportFileError, and TooManyRowsError beyond the limits."""
    checked = check_file(path, mapping)
    limit = MAX_STRICT_ROWS if strict else MAX_ROWS
    if checked.rows > limit:
        what = "A strict import" if strict else "An import"
        raise TooManyRowsError(
            f"{what} by the API has {limit:,} rows at most; the file has {checked.rows:,}."
            " Divide it, or use the command: flask products import.",
            max_rows=limit,
        )
    return checked


def store_import(
    path: Path,
    checked: CheckedFile,
    *,
    filename: str | None,
    mapping: Mapping[str, str],
    dry_run: bool,
    strict: bool,
    actor_id: int | None,
) -> int:
    """Store a checked file as an import that waits, and ring for it after the commit; answers its id."""
    values = {
        "filename": _storable(filename) if filename else None,
        "mapping": dict(mapping),
        "dry_run": dry_run,
        "strict": strict,
        "actor_id": actor_id,
        "delimiter": checked.table.delimiter,
        "ignored_columns": checked.table.ignored,
        "size": path.stat().st_size,
        **asdict(current_origin()),
    }
    import_id: int = db.session.scalar(insert(ProductImport).values(values).returning(ProductImport.id)) or 0
    name_subject("import", import_id)
    with path.open("rb") as file:
        for number, content in enumerate(_blocks(file)):
            part = {"import_id": import_id, "number": number, "content": content}
            db.session.execute(insert(ImportPart).values(part))
    ring_after_commit(BULK)
    return import_id


def apply_dry_run(import_id: int, *, actor_id: int | None) -> int:
    """Import in earnest what a dry run has gone through, from the file that it left; answers the new import's id.

    Raises FileGoneError, also for one that is no dry run or not done.
    """
    db.session.execute(_LOCK, {"id": import_id})
    new_id: int | None = db.session.scalar(_COPY, {"id": import_id, "actor_id": actor_id, **asdict(current_origin())})
    if new_id is None:
        raise FileGoneError
    name_subject("import", new_id)
    db.session.execute(_MOVE, {"id": import_id, "new_id": new_id})
    ring_after_commit(BULK)
    return new_id


def has_file(connection: Connection, import_id: int) -> bool:
    """Whether its file is still there."""
    return bool(connection.scalar(_HAS_FILE, {"id": import_id}))


def _storable(filename: str) -> str:
    """What PostgreSQL can keep of a name that may be anything."""
    return filename.replace("\0", "")[:_MAX_FILENAME]


def drop_staged(import_id: int, *, keeps_file: bool = False) -> None:
    """Delete what is needed only as long as an import goes on; with `keeps_file`, all but its file."""
    for table in (ImportChunk,) if keeps_file else (ImportPart, ImportChunk):
        db.session.execute(delete(table).where(table.import_id == import_id))


def drop_old_files() -> None:
    """Delete the files of dry runs that nobody has applied within DRY_RUN_HOURS."""
    db.session.execute(_DROP_OLD, {"hours": DRY_RUN_HOURS})


def staged_file(import_id: int, size: int) -> Source:
    """The stored file of so many bytes; at most one part of it is in memory. Reading raises ImportGoneError."""

    def open_at(offset: int) -> BinaryIO:
        return io.BufferedReader(_Parts(import_id, size, offset))

    return open_at


class _Parts(io.RawIOBase):
    """The bytes of an import's file from an offset on."""

    def __init__(self, import_id: int, size: int, offset: int):
        self._import_id = import_id
        self._parts = -(-size // PART_BYTES)
        self._next, skipped = divmod(offset, PART_BYTES)
        self._rest = self._read_part()[skipped:]

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # any buffer; this is what comes
        if not self._rest:
            self._rest = self._read_part()
        size = min(len(buffer), len(self._rest))
        buffer[:size] = self._rest[:size]
        self._rest = self._rest[size:]
        return size

    def _read_part(self) -> memoryview:
        if self._next >= self._parts:
            return memoryview(b"")
        is_next = (ImportPart.import_id == self._import_id, ImportPart.number == self._next)
        with reader() as connection:
            content = connection.scalar(select(ImportPart.content).where(*is_next))
        if content is None:
            raise ImportGoneError
        self._next += 1
        return memoryview(content)


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    while block := file.read(PART_BYTES):
        yield block
