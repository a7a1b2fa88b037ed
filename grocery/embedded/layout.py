"""What lies where in the data directory, and the locks that keep two starts apart.

``flock`` is used throughout because the kernel lets go of it however a process ends.
"""

import fcntl
import json
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from grocery.embedded.errors import EmbeddedStackError
from grocery.embedded.processes import open_private


@dataclass(frozen=True)
class Layout:
    """Paths inside one data directory."""

    data_dir: Path

    @property
    def cluster(self) -> Path:
        """PostgreSQL's data."""
        return self.data_dir / "postgres"

    @property
    def valkey(self) -> Path:
        """Valkey's append-only file."""
        return self.data_dir / "valkey"

    @property
    def record(self) -> Path:
        """Where the running stack is found, see Record."""
        return self.data_dir / "stack.json"

    @property
    def identity(self) -> str:
        """Device and number of the directory: the same after a move, another one in a copy."""
        status = self.data_dir.stat()
        return f"{status.st_dev}:{status.st_ino}"

    def log(self, name: str) -> Path:
        """The log of the keeper or of a server."""
        return self.data_dir / f"{name}.log"

    def lock(self, name: str) -> int:
        """Open a lock file; the descriptor carries the lock."""
        return open_private(self.data_dir / f"{name}.lock", os.O_RDWR)


@dataclass(frozen=True)
class Record:
    """What the keeper tells its users, in stack.json and over the control socket.

    ``directory`` is the data directory's identity: a copy of the directory must not lead to the stack of the original.
    """

    directory: str
    database_url: str
    redis_url: str
    runtime_dir: str
    keeper_pid: int
    postgres_pid: int | None = None
    valkey_pid: int | None = None

    def to_json(self) -> str:
        """One line."""
        return json.dumps(asdict(self))

    def write(self, path: Path) -> None:
        """Replace the file in one step, so that nobody reads half of it."""
        unfinished = path.with_suffix(".unfinished")
        with os.fdopen(open_private(unfinished, os.O_WRONLY | os.O_TRUNC), "w") as file:
            file.write(self.to_json() + "\n")
        unfinished.replace(path)


def parse_record(text: str) -> Record | None:
    """Read a record; None when it is not one (written by another version, or damaged)."""
    try:
        return Record(**json.loads(text))
    except (ValueError, TypeError):
        return None


def read_record(layout: Layout) -> Record | None:
    """Read stack.json; None when there is none of this directory. Raises PermissionError for somebody else's."""
    try:
        record = parse_record(layout.record.read_text())
    except FileNotFoundError:
        return None
    return record if record and record.directory == layout.identity else None


def lock_within(descriptor: int, seconds: float, busy: str) -> None:
    """Take an exclusive lock; raises EmbeddedStackError with the text ``busy`` when it is held for that long."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise EmbeddedStackError(busy) from None
            time.sleep(0.02)
