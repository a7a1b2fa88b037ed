"""This machine, or this container: room on its disks, and what the process may open."""

import os
import resource
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from grocery.config import Settings
from grocery.doctor.examining import Patient
from grocery.doctor.findings import Finding, failure, hint, ok, warning

_LITTLE_BYTES, _LITTLE_SHARE = 1024**3, 0.1
_NEARLY_NOTHING_BYTES, _NEARLY_NOTHING_SHARE = 100 * 1024**2, 0.01
_FEW_FILES = 1024


def look(patient: Patient) -> Iterator[Finding]:
    for name, directory in _directories(patient.settings, is_embedded=patient.engines.is_embedded).items():
        yield _room(name, directory)
    yield from _temporary_file()
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < _FEW_FILES:
        what = f"A process may open {hard} files at the most; the streams take one for each listener."
        yield warning(what, "Raise it: ulimit -n, LimitNOFILE= of systemd, --ulimit nofile of Docker.")
    else:
        yield ok(f"A process may open {soft} files, and raise that to {hard}.")
    if os.geteuid() == 0 and patient.settings.is_production:
        yield hint("This runs as root, which the shop never needs.", "Run it as a user of its own.")


def _directories(settings: Settings, *, is_embedded: bool) -> dict[str, Path]:
    found = {"The temporary directory": Path(tempfile.gettempdir())}
    if is_embedded:
        found["DATA_DIR"] = settings.data_dir
    if settings.media_backend == "directory":
        found["MEDIA_DIR"] = settings.media_dir
    return found


def _room(name: str, directory: Path) -> Finding:
    while not directory.exists():
        directory = directory.parent
    usage, files = shutil.disk_usage(directory), os.statvfs(directory)
    share = usage.free / usage.total if usage.total else 1.0
    files_share = files.f_favail / files.f_files if files.f_files else 1.0
    what = f"{name} ({directory}) has {usage.free / 1024**3:.1f} GiB free, {share:.0%}"
    remedy = "Make room: docs/runbook.md, A full disk."
    if files_share < _NEARLY_NOTHING_SHARE:
        return failure(f"{name} ({directory}) is out of inodes: no file can be made.", remedy)
    if usage.free < _NEARLY_NOTHING_BYTES or share < _NEARLY_NOTHING_SHARE:
        # A small temporary directory in memory is right for a container.
        return failure(f"{what}: it is full.", remedy)
    if usage.free < _LITTLE_BYTES and share < _LITTLE_SHARE:
        return warning(f"{what}.", remedy)
    return ok(f"{what}.")


def _temporary_file() -> Iterator[Finding]:
    try:
        with tempfile.TemporaryFile() as file:
            file.write(b"doctor")
            file.flush()
    except OSError as error:
        what = f"No temporary file can be written: {error.strerror}. Pictures and sheets cannot be uploaded."
        yield failure(what, "Mount a writable /tmp, or set TMPDIR.")
