"""What processes count is added up over all of them, whichever dies."""

import multiprocessing
import os
import signal
import struct
import threading
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from flask import Flask

from grocery.metrics import files
from grocery.metrics.cells import Cells, Counter, Gauge, Histogram
from grocery.metrics.counted import REQUEST_SECONDS, REQUESTS
from grocery.metrics.files import NumberFile, read_numbers

DONE = Counter("done", "Done.", ("how",))
ALL = Counter("everything", "Everything.")
NOW = Gauge("now", "At this moment.")
TOOK = Histogram("took", "Took.", ("what",), bounds=(0.1, 1.0))
KINDS = (DONE, ALL, NOW, TOOK)

# The children must inherit neither this process's locks on files nor its threads.
spawning = multiprocessing.get_context("spawn")


def samples(cells: Cells) -> dict[str, float]:
    return {
        sample.name + "".join(f"|{value}" for value in sample.labels.values()): sample.value
        for family in cells.families()
        for sample in family.samples
    }


def count_in_child(directory: Path, pipe: Connection) -> None:
    """Counts what it is told to, and says when it has; ends without a word, as a process that is killed."""
    cells = Cells(directory, KINDS)
    while (amount := pipe.recv()) is not None:
        cells.add((DONE.key("well"), amount), (NOW.key(), 1.0))
        pipe.send(samples(cells))
    os._exit(9)


class Child:
    def __init__(self, directory: Path):
        self._pipe, theirs = spawning.Pipe()
        self._process = spawning.Process(target=count_in_child, args=(directory, theirs), daemon=True)
        self._process.start()

    def count(self, amount: float) -> dict[str, float]:
        """What it sees after it has counted."""
        self._pipe.send(amount)
        seen: dict[str, float] = self._pipe.recv()
        return seen

    def die(self) -> None:
        if self._process.is_alive():
            self._pipe.send(None)
            self._process.join(60)


@pytest.fixture
def child(tmp_path: Path) -> Iterator[Child]:
    one = Child(tmp_path)
    yield one
    one.die()


def test_alone_it_counts_in_memory() -> None:
    cells = Cells(None, KINDS)
    cells.add((DONE.key("well"), 2.0), (DONE.key("badly"), 1.0), (DONE.key("well"), 3.0), (NOW.key(), 1.0))

    assert samples(cells) == {
        "done_total|badly": 1.0,
        "done_total|well": 5.0,
        "everything_total": 0.0,
        "now": 1.0,
    }


def test_a_histogram_adds_up_from_the_lowest_bound() -> None:
    cells = Cells(None, KINDS)
    *bounds, total = TOOK.keys("work")
    for place, seconds in ((0, 0.05), (0, 0.1), (1, 0.5), (2, 3.0)):
        cells.add((bounds[place], 1.0), (total, seconds))

    seen = samples(cells)
    assert [seen[f"took_bucket|work|{bound}"] for bound in ("0.1", "1.0", "+Inf")] == [2, 3, 4]
    assert (seen["took_count|work"], seen["took_sum|work"]) == (4, pytest.approx(3.65))


def test_what_processes_count_is_added_up_and_kept_when_one_is_killed(tmp_path: Path, child: Child) -> None:
    here = Cells(tmp_path, KINDS)
    here.add((DONE.key("well"), 1.0), (NOW.key(), 1.0))

    assert child.count(10) == samples(here) == {"done_total|well": 11, "everything_total": 0, "now": 2}
    child.die()
    assert samples(here) == {"done_total|well": 11, "everything_total": 0, "now": 1}
    assert samples(here) == {"done_total|well": 11, "everything_total": 0, "now": 1}
    assert len(list(tmp_path.glob("*.numbers"))) == 2, "the one that lives, and one for all that have ended"
    # Whoever comes after it goes on from there.
    another = Child(tmp_path)
    assert another.count(100)["done_total|well"] == 111
    another.die()
    assert samples(here)["done_total|well"] == 111
    assert len(list(tmp_path.glob("*.numbers"))) == 2


def test_threads_lose_nothing(tmp_path: Path) -> None:
    cells = Cells(tmp_path, KINDS)

    def count() -> None:
        for number in range(2000):
            cells.add((DONE.key(str(number % 7)), 1.0), (ALL.key(), 1.0))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        assert samples(cells)["everything_total"] <= 8000  # read meanwhile, by this one as by others
    seen = samples(cells)
    assert seen.pop("everything_total") == sum(value for name, value in seen.items() if name.startswith("done")) == 8000


def test_a_directory_that_cannot_be_used_costs_the_others_only(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").touch()
    cells = Cells(tmp_path / "file", KINDS)
    cells.add((DONE.key("well"), 1.0))
    cells.add((DONE.key("well"), 1.0))

    assert samples(cells)["done_total|well"] == 2
    assert sum("not told to others" in record.message for record in caplog.records) == 1


def test_a_full_disk_is_noticed_before_anything_is_written_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page that cannot be had when it is written to would end the process by SIGBUS."""

    def refuse(_file: int, _offset: int, _length: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    cells = Cells(tmp_path, KINDS)
    cells.add((DONE.key("well"), 1.0))
    assert samples(cells)["done_total|well"] == 1
    monkeypatch.undo()
    assert samples(Cells(tmp_path, KINDS)) == {"everything_total": 0, "now": 0}


def test_a_file_has_all_its_blocks_from_the_start(tmp_path: Path) -> None:
    NumberFile(tmp_path / "a.numbers")
    assert (tmp_path / "a.numbers").stat().st_blocks * 512 >= files.FILE_BYTES


def test_a_file_that_is_full_takes_no_new_keys_and_keeps_the_old_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "FILE_BYTES", 4096)
    file = NumberFile(tmp_path / "a.numbers")
    for number in range(500):
        file.write(f"key {number} é", float(number))
    file.write("key 3 é", 33.0)

    found = dict(read_numbers(tmp_path / "a.numbers"))
    assert 100 < len(found) < 500
    assert found.pop("key 3 é") == 33.0
    assert all(key == f"key {number:.0f} é" for key, number in found.items())


def test_one_that_was_killed_while_it_made_its_file_is_no_trouble(tmp_path: Path) -> None:
    (tmp_path / "77-00000000.numbers").touch()
    cells = Cells(tmp_path, KINDS)
    cells.add((ALL.key(), 1.0))
    assert samples(cells)["everything_total"] == 1
    assert not (tmp_path / "77-00000000.numbers").exists()


def test_all_that_is_counted_finds_room(app: Flask, tmp_path: Path) -> None:
    """Of a shop whose every address was asked for by every method that it has, with six outcomes each."""
    rules = [(rule.rule, method) for rule in app.url_map.iter_rules() for method in rule.methods or ()]
    keys = [key for rule, method in rules for key in REQUEST_SECONDS.keys(rule, method)]
    keys += [REQUESTS.key(rule, method, str(status)) for rule, method in rules for status in range(200, 206)]
    file = NumberFile(tmp_path / "a.numbers")
    for key in keys:
        file.write(key, 1.0)
    assert len(keys) > 5000
    assert len(list(read_numbers(tmp_path / "a.numbers"))) == len(set(keys))


def test_who_reads_while_a_number_is_written_finds_the_old_one_or_the_new_one(tmp_path: Path) -> None:
    """Zeros or halves would look as if a counter began anew."""
    path = tmp_path / "a.numbers"
    numbers = struct.unpack("2d", b"\x11" * 8 + b"\x22" * 8)
    file = NumberFile(path)
    file.write("key", numbers[0])
    child = os.fork()
    if child == 0:
        while os.getppid() != 1:
            for number in numbers * 1000:
                file.write("key", number)
    try:
        found = {entry for _ in range(3000) for entry in read_numbers(path)}
    finally:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    assert found <= {("key", number) for number in numbers}


def test_a_fork_counts_in_a_file_of_its_own(tmp_path: Path) -> None:
    cells = Cells(tmp_path, KINDS)
    cells.add((ALL.key(), 5.0), (NOW.key(), 1.0))
    child = os.fork()
    if child == 0:
        cells.add((ALL.key(), 1.0))
        os._exit(0)
    os.waitpid(child, 0)
    cells.add((ALL.key(), 1.0))
    assert samples(cells) == {"everything_total": 7, "now": 1}


def test_on_a_full_disk_what_ended_processes_have_counted_is_told_all_the_same(
    tmp_path: Path, child: Child, monkeypatch: pytest.MonkeyPatch
) -> None:
    child.count(2.0)
    child.die()
    cells = Cells(tmp_path, KINDS)
    cells.add((DONE.key("well"), 1.0))

    def refuse(_file: int, _offset: int, _length: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", refuse)
    for _ in range(2):
        assert samples(cells) == {"done_total|well": 3, "everything_total": 0, "now": 0}
    monkeypatch.undo()
    assert samples(cells)["done_total|well"] == 3
    assert len(list(tmp_path.glob("*.numbers"))) == 2
