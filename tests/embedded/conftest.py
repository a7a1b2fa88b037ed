"""Data directories for the tests of the embedded stack."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from grocery.embedded import Stack, ensure_stack


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory whose stack was started and stopped once."""
    data_dir = tmp_path_factory.mktemp("made") / "data"
    ensure_stack(data_dir).stop()
    return data_dir


@pytest.fixture
def data_dir(made_once: Path, tmp_path: Path) -> Path:
    """An own copy of it, because a first start takes most of a second."""
    subprocess.run(["cp", "-a", str(made_once), str(tmp_path / "data")], check=True)
    return tmp_path / "data"


@pytest.fixture
def start() -> Iterator[Callable[[Path], Stack]]:
    """`ensure_stack`, stopped at the end of the test whatever happens."""
    started: list[Stack] = []

    def start_and_note(data_dir: Path) -> Stack:
        started.append(ensure_stack(data_dir))
        return started[-1]

    yield start_and_note
    for stack in started:
        stack.stop()
