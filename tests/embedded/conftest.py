"""Data directories for the tests of the embedded stack."""

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from grocery.embedded import Stack, ensure_stack

_MEMORY = Path("/dev/shm")
_ENOUGH_BYTES = 1_000_000_000


@pytest.fixture(scope="session")
def made_once() -> Iterator[Path]:
    """A data directory whose stack was started and stopped once; in memory if there is enough, as copies are slow."""
    is_roomy = _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _ENOUGH_BYTES
    parent = Path(tempfile.mkdtemp(prefix="grocery-tests-", dir=_MEMORY if is_roomy else None))
    ensure_stack(parent / "data").stop()
    yield parent / "data"
    shutil.rmtree(parent)


@pytest.fixture
def data_dir(made_once: Path) -> Iterator[Path]:
    """An own copy of it, because a first start takes most of a second."""
    parent = Path(tempfile.mkdtemp(dir=made_once.parent))
    subprocess.run(["cp", "-a", str(made_once), str(parent / "data")], check=True)
    yield parent / "data"
    shutil.rmtree(parent)


@pytest.fixture
def start(request: pytest.FixtureRequest) -> Iterator[Callable[[Path], Stack]]:
    """`ensure_stack`, stopped at the end of the test whatever happens, before its data directory goes."""
    if "data_dir" in request.fixturenames:
        request.getfixturevalue("data_dir")
    started: list[Stack] = []

    def start_and_note(data_dir: Path) -> Stack:
        started.append(ensure_stack(data_dir))
        return started[-1]

    yield start_and_note
    for stack in started:
        stack.stop()
