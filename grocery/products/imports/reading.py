"""CSV files as rows of cells by field: encoding, delimiter, header, column mapping. Knows no rules of products.

A file is read as a stream, twice: once to refuse what is not UTF-8 or has an open quote before anything is written.
"""

import codecs
import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from grocery.errors import InvalidError
from grocery.products.imports.formulas import unescape
from grocery.products.imports.records import START, ImportFileError, Position, Source, read_records

#: The columns that an import understands. A product is not made without the required ones.
REQUIRED = ("name", "category", "price")
COLUMNS = (
    "sku",
    "barcode",
    *REQUIRED,
    "description",
    "brand",
    "compare_at_price",
    "unit",
    "quantity_step",
    "net_content",
    "vat_class",
    "stock",
    "low_stock_threshold",
    "is_active",
    "image_url",
    "ingredients",
    "allergens",
    "country_of_origin",
    "is_age_restricted",
)

_DELIMITERS = (",", ";")
_BLOCK_BYTES = 256 * 1024
_MAX_LISTED = 1000


@dataclass(frozen=True)
class Row:
    """A row: where it ends, and its cells by field or what is wrong with it."""

    end: Position
    cells: dict[str, str]
    problem: str | None = None

    @property
    def number(self) -> int:
        """Its number in a spreadsheet: the header is row 1."""
        return self.end.row


@dataclass(frozen=True)
class Table:
    """A file whose header fits; `sources` has the column numbers of each field, `ignored` the names of the rest."""

    source: Source
    delimiter: str
    header: list[str]
    sources: dict[str, list[int]]
    ignored: list[str]

    def rows(self, start: Position = START) -> Iterator[Row]:
        """The rows below the header and behind `start`, without blank ones."""
        for end, cells in read_records(self.source, self.delimiter, start):
            if end.row > 1 and not is_blank(cells):
                yield self._row(end, cells)

    def _row(self, end: Position, cells: list[str]) -> Row:
        width = len(self.header)
        # Spreadsheets write empty cells at the end of some rows.
        if len(cells) < width or any(cell.strip() for cell in cells[width:]):
            return Row(end, {}, f"has {len(cells)} cells, the header has {width}")
        return Row(end, {field: _joined(cells, columns) for field, columns in self.sources.items()})


@dataclass(frozen=True)
class CheckedFile:
    """A file that can be read to its end, and the number of rows in it."""

    table: Table
    rows: int


def parse_mapping(text: str) -> dict[str, str]:
    """`sku=index,category=category/sub_category` as field → column; raises InvalidError when it is not like that."""
    mapping: dict[str, str] = {}
    for pair in text.split(","):
        field, separator, column = (part.strip() for part in pair.partition("="))
        if not separator or not column:
            raise InvalidError(f"{pair!r} is not FIELD=COLUMN.")
        if field not in COLUMNS:
            raise InvalidError(f"{field!r} is no field of a product; the fields are {', '.join(COLUMNS)}.")
        if field in mapping:
            raise InvalidError(f"{field} is mapped twice.")
        mapping[field] = column
    return mapping


def check_file(path: Path, mapping: Mapping[str, str]) -> CheckedFile:
    """Read the file through once, with its header.

    `mapping` names the columns of fields whose column is not called like the field; several columns joined by "/" make
    one value ("category/sub_category"). Raises ImportFileError.
    """
    try:
        if not path.is_file():
            raise ImportFileError(f"{path} is not a file.")
        _check_encoding(path)
        source = _opener(path)
        delimiter = _find_delimiter(path)
        rows = sum(not is_blank(cells) for end, cells in read_records(source, delimiter) if end.row > 1)
        return CheckedFile(open_table(source, delimiter, mapping), rows)
    except OSError as error:
        raise ImportFileError(f"{path} cannot be read: {error.strerror}.") from error


def open_table(source: Source, delimiter: str, mapping: Mapping[str, str]) -> Table:
    """The table of a file that was checked before; raises ImportFileError when its header does not fit."""
    _, cells = next(read_records(source, delimiter), (START, []))
    header = [name.strip() for name in cells]
    if not any(header):
        raise ImportFileError("The first row must have the names of the columns; it is empty.")
    if any("\0" in name for name in header):
        # PostgreSQL cannot keep such a name; that of a file in UTF-16 without a mark has one after each letter.
        raise ImportFileError("The first row has a NUL character. Save the file as “CSV UTF-8” and try again.")
    return _with_sources(Table(source, delimiter, header, {}, []), mapping)


def is_blank(cells: list[str]) -> bool:
    return not any(map(str.strip, cells))


def _opener(path: Path) -> Source:
    def open_at(offset: int) -> BinaryIO:
        stream = path.open("rb")
        stream.seek(offset)
        return stream

    return open_at


def _check_encoding(path: Path) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    line = 1
    with path.open("rb") as file:
        while True:
            block = file.read(_BLOCK_BYTES)
            try:
                line += decoder.decode(block, final=not block).count("\n")
            except UnicodeDecodeError as error:
                line += error.object[: error.start].count(b"\n")
                raise ImportFileError(
                    f"The file is not UTF-8 (line {line}). Save it as “CSV UTF-8” and try again."
                ) from error
            if not block:
                return


def _find_delimiter(path: Path) -> str:
    with path.open(encoding="utf-8-sig", newline="") as file:
        first_line = file.readline(_BLOCK_BYTES)
    try:
        widths = {delimiter: len(next(csv.reader([first_line], delimiter=delimiter), [])) for delimiter in _DELIMITERS}
    except csv.Error as error:
        raise ImportFileError(f"Row 1 cannot be read: {error}.") from error
    return max(_DELIMITERS, key=lambda delimiter: widths[delimiter])


def _with_sources(table: Table, mapping: Mapping[str, str]) -> Table:
    sources = {field: _columns_of(table.header, column) for field, column in mapping.items()}
    for number, name in enumerate(table.header):
        field = name.lower().replace(" ", "_")
        if field in COLUMNS and field not in mapping:
            if field in sources:
                raise ImportFileError(f"The header has the column {name} twice.")
            sources[field] = [number]
    if missing := [field for field in REQUIRED if field not in sources]:
        raise ImportFileError(
            f"The file has no column {' and no column '.join(missing)}; it has: {_listed(table.header)}."
            " Other names can be given with --map FIELD=COLUMN."
        )
    used = {number for numbers in sources.values() for number in numbers}
    ignored = [name for number, name in enumerate(table.header) if number not in used]
    return replace(table, sources=sources, ignored=ignored)


def _columns_of(header: list[str], wanted: str) -> list[int]:
    names = [wanted] if wanted in header else [name.strip() for name in wanted.split("/")]
    if unknown := [name for name in names if name not in header]:
        raise ImportFileError(f"The file has no column {unknown[0]}; it has: {_listed(header)}.")
    return [header.index(name) for name in names]


def _joined(cells: list[str], columns: list[int]) -> str:
    return "/".join(text for column in columns if (text := unescape(cells[column].strip())))


def _listed(header: list[str]) -> str:
    """The names as far as anyone reads on: the first line of what is no CSV may be long."""
    names = ", ".join(header)
    return names if len(names) <= _MAX_LISTED else f"{names[:_MAX_LISTED]} …"
