"""A file with the numbers of one process, which other processes may read while they change.

It is mapped into memory, so that a number is changed without a system call, and has all its blocks from the start: a
full disk is an error when the file is made, where it would be the end of the process at the first write to a new page.
A process holds a lock on its file for as long as it lives, by which others know that it does.
"""

import fcntl
import mmap
import os
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path

#: Bytes of a file. A shop that was asked for every address by every method fills three quarters of it.
FILE_BYTES = 2 * 1024 * 1024

# For reading: where the entries end, which is read first and written last; the length of a key; a number.
_END = struct.Struct("@Q")
_LENGTH = struct.Struct("@Q")
_NUMBER = struct.Struct("@d")


class NumberFile:
    """Numbers by key. Made anew: raises FileExistsError for a file that is there, OSError when the disk is full."""

    def __init__(self, path: Path):
        # Not a file of Python's, which ends with the last reference to it.
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX)
            os.posix_fallocate(self._file, 0, FILE_BYTES)
            self._map = mmap.mmap(self._file, FILE_BYTES)
        except OSError:
            os.close(self._file)
            path.unlink()
            raise
        # Written through these, since a Struct fills its place with zeros first: who reads meanwhile would find those.
        self._words = memoryview(self._map).cast("Q")
        self._numbers = memoryview(self._map).cast("d")
        self._places: dict[str, int] = {}
        self._end = _END.size
        self._words[0] = self._end

    def write(self, key: str, number: float) -> None:
        """Set a number. A new key that finds no room is left out."""
        place = self._places.get(key)
        if place is None:
            self._append(key, number)
        else:
            self._numbers[place // _NUMBER.size] = number

    def close(self) -> None:
        """Give the file up; who adds the numbers of all processes up then takes it for that of one that has ended."""
        self._words.release()
        self._numbers.release()
        self._map.close()
        os.close(self._file)

    def _append(self, key: str, number: float) -> None:
        name = key.encode()
        name += b" " * (-len(name) % 8)  # numbers stand at multiples of 8, where they are written in one piece
        place = self._end + _LENGTH.size + len(name)
        if place + _NUMBER.size > FILE_BYTES:
            return
        self._words[self._end // _LENGTH.size] = len(name)
        self._map[self._end + _LENGTH.size : place] = name
        self._numbers[place // _NUMBER.size] = number
        self._end = place + _NUMBER.size
        self._words[0] = self._end
        self._places[key] = place


def read_numbers(path: Path) -> Iterator[tuple[str, float]]:
    """Keys and numbers of a file, finished or not."""
    content = path.read_bytes()
    if len(content) < _END.size:  # whoever was making it has found the disk full, or was killed
        return
    place, end = _END.size, _END.unpack_from(content)[0]
    while place < end:
        name_at = place + _LENGTH.size
        number_at = name_at + _LENGTH.unpack_from(content, place)[0]
        yield content[name_at:number_at].decode().rstrip(" "), _NUMBER.unpack_from(content, number_at)[0]
        place = number_at + _NUMBER.size


def write_numbers(path: Path, numbers: Mapping[str, float]) -> None:
    """Replace a file by one with these numbers: for readers, at one stroke."""
    fresh = path.with_suffix(".new")
    fresh.unlink(missing_ok=True)
    file = NumberFile(fresh)
    for key, number in numbers.items():
        file.write(key, number)
    file.close()
    fresh.replace(path)


def is_written(path: Path) -> bool:
    """Whether the process whose file this is lives."""
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
