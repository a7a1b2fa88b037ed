"""CSV as records, in bounded memory, from any place that is the end of a record.

Python's CSV reader takes lines, and says of none where it ends in bytes; the lines are counted here as they are handed
to it, so that an import knows how far it is and can go on from there.
"""

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from grocery.errors import InvalidError

#: Opens the bytes of a file at an offset; each call makes a new stream.
Source = Callable[[int], BinaryIO]

#: Bytes of one record. The longest product that the shop can keep has 30 kB.
MAX_RECORD_BYTES = 1024 * 1024

_BOM = "\ufeff"

# Stands after the last line: when it does not come out as a record of its own, a quote before it was never closed.
_END = "\x00end of file\x00"


class ImportFileError(InvalidError):
    """The file as a whole cannot be imported; nothing of it was."""

    code = "bad_file"


@dataclass(frozen=True)
class Position:
    """The end of a record: the number of its row (0 before the first one) and its offset in bytes."""

    row: int = 0
    offset: int = 0


START = Position()


class _Lines:
    """The lines of a stream for the CSV reader, counted in bytes, then the mark of the end."""

    def __init__(self, stream: BinaryIO, position: Position):
        self._text = io.TextIOWrapper(stream, encoding="utf-8", newline="")
        self._is_over = False
        self.row = position.row
        self.offset = self._record_start = position.offset

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._text.readline(MAX_RECORD_BYTES)
        if not line:
            if self._is_over:
                raise StopIteration
            self._is_over = True
            return _END
        is_first = self.offset == 0
        self.offset += len(line.encode())
        if self.offset - self._record_start >= MAX_RECORD_BYTES:
            raise ImportFileError(f"Row {self.row + 1} is longer than {MAX_RECORD_BYTES // 1024} KiB.")
        return line.removeprefix(_BOM) if is_first else line

    def end_record(self) -> Position:
        self.row += 1
        self._record_start = self.offset
        return Position(self.row, self.offset)


def read_records(source: Source, delimiter: str, start: Position = START) -> Iterator[tuple[Position, list[str]]]:
    """Each record behind `start` with its end; raises ImportFileError for what cannot be cut into records."""
    with source(start.offset) as stream:
        lines = _Lines(stream, start)
        try:
            for cells in csv.reader(lines, delimiter=delimiter):
                if cells == [_END]:
                    return
                if cells and cells[-1].endswith(_END):
                    raise ImportFileError(f"A quote opened in row {lines.row + 1} is never closed.")
                yield lines.end_record(), cells
        except csv.Error as error:
            hint = " Is a quote left open in it?" if "field limit" in str(error) else ""
            raise ImportFileError(f"Row {lines.row + 1} cannot be read: {error}.{hint}") from error
