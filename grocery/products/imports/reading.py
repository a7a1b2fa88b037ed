"""CSV files as rows of cells by field: encoding, delimiter, header, column mapping. Knows no rules of products.

A file is read as a stream, twice: once to refuse what is not UTF-8 or has an open quote before anything is written.
"""

import codecs
import csv
import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from grocery.errors import InvalidError

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
    "is_active",
    "image_url",
    "ingredients",
    "allergens",
    "country_of_origin",
    "is_age_restricted",
)

_DELIMITERS = (",", ";")
_BLOCK_BYTES = 256 * 1024

# Stands after the last line: when it does not come out as a row of its own, a quote before it was never closed.
_END = "\x00end of file\x00"


class ImportFileError(InvalidError):
    """The file as a whole cannot be imported; nothing of it was."""

    code = "bad_file"


@dataclass(frozen=True)
class Row:
    """A row: its number in a spreadsheet (the header is row 1), and its cells by field or what is wrong with it."""

    number: int
    cells: dict[str, str]
    problem: str | None = None


@dataclass(frozen=True)
class Table:
    """A file whose header fits; `sources` has the column numbers of each field, `ignored` the names of the rest."""

    path: Path
    delimiter: str
    header: list[str]
    sources: dict[str, list[int]]
    ignored: list[str]

    def rows(self, on_progress: Callable[[int], None] = lambda _bytes_read: None) -> Iterator[Row]:
        """The rows below the header, without blank ones; `on_progress` gets the number of bytes read so far."""
        for number, cells in _records(self.path, self.delimiter, on_progress):
            if number > 1 and any(map(str.strip, cells)):
                yield self._row(number, cells)

    def _row(self, number: int, cells: list[str]) -> Row:
        width = len(self.header)
        # Spreadsheets write empty cells at the end of some rows.
        if len(cells) < width or any(cell.strip() for cell in cells[width:]):
            return Row(number, {}, f"has {len(cells)} cells, the header has {width}")
        return Row(number, {field: _joined(cells, columns) for field, columns in self.sources.items()})


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


def open_table(path: Path, mapping: Mapping[str, str]) -> Table:
    """Check the file and its header.

    `mapping` names the columns of fields whose column is not called like the field; several columns joined by "/" make
    one value ("category/sub_category"). Raises ImportFileError.
    """
    try:
        if not path.is_file():
            raise ImportFileError(f"{path} is not a file.")
        _check_encoding(path)
        delimiter = _find_delimiter(path)
        header = _check_records(path, delimiter)
    except OSError as error:
        raise ImportFileError(f"{path} cannot be read: {error.strerror}.") from error
    return _with_sources(Table(path, delimiter, header, {}, []), mapping)


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
    widths = {delimiter: len(next(csv.reader([first_line], delimiter=delimiter), [])) for delimiter in _DELIMITERS}
    return max(_DELIMITERS, key=lambda delimiter: widths[delimiter])


def _check_records(path: Path, delimiter: str) -> list[str]:
    """The header; raises ImportFileError for a file without rows, and for what the CSV reader cannot cut into rows."""
    header: list[str] = []
    for number, cells in _records(path, delimiter):
        if number == 1:
            header = [name.strip() for name in cells]
    if not any(header):
        raise ImportFileError("The first row must have the names of the columns; it is empty.")
    return header


def _records(
    path: Path, delimiter: str, on_progress: Callable[[int], None] = lambda _bytes_read: None
) -> Iterator[tuple[int, list[str]]]:
    number = 0
    with path.open("rb") as file, io.TextIOWrapper(file, encoding="utf-8-sig", newline="") as text:
        reader = csv.reader(chain(text, [_END]), delimiter=delimiter)
        try:
            for number, cells in enumerate(reader, start=1):
                if cells == [_END]:
                    return
                if cells and cells[-1].endswith(_END):
                    raise ImportFileError(f"A quote opened in row {number} is never closed.")
                yield number, cells
                on_progress(file.tell())
        except csv.Error as error:
            raise ImportFileError(f"Row {number + 1} cannot be read: {error}.") from error


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
            f"The file has no column {' and no column '.join(missing)}; it has: {', '.join(table.header)}."
            " Other names can be given with --map FIELD=COLUMN."
        )
    used = {number for numbers in sources.values() for number in numbers}
    ignored = [name for number, name in enumerate(table.header) if number not in used]
    return Table(table.path, table.delimiter, table.header, sources, ignored)


def _columns_of(header: list[str], wanted: str) -> list[int]:
    names = [wanted] if wanted in header else [name.strip() for name in wanted.split("/")]
    if unknown := [name for name in names if name not in header]:
        raise ImportFileError(f"The file has no column {unknown[0]}; it has: {', '.join(header)}.")
    return [header.index(name) for name in names]


def _joined(cells: list[str], columns: list[int]) -> str:
    return "/".join(text for column in columns if (text := cells[column].strip()))
