"""A disk of a test's own that can be filled up: a tmpfs, which takes root to mount."""

import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root")


class SmallDisk:
    """Mounted at `path`; `fill` leaves a few bytes at the most, `empty` gives back what that took."""

    def __init__(self, path: Path):
        self.path = path
        self._ballast = path / "ballast"

    def fill(self, leaving: int = 0) -> None:
        usage = os.statvfs(self.path)
        wanted = usage.f_bavail * usage.f_frsize - leaving
        with self._ballast.open("ab", buffering=0) as file:
            try:
                while wanted > 0:
                    wanted -= file.write(b"\0" * min(65536, wanted))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise

    def empty(self) -> None:
        self._ballast.unlink()


@contextmanager
def small_disk(path: Path, megabytes: int) -> Iterator[SmallDisk]:
    path.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0755", "tmpfs", str(path)]
    mounted = subprocess.run(command, capture_output=True, text=True)
    if mounted.returncode != 0:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    try:
        yield SmallDisk(path)
    finally:
        with suppress(FileNotFoundError):
            (path / "ballast").unlink()
        # Lazily: whatever still has a file open there is ended by the test.
        subprocess.run(["umount", "-l", str(path)], check=True)
