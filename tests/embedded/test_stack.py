"""Starting, attaching and stopping when nothing goes wrong."""

import os
import stat
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from grocery.embedded import Stack, ensure_stack
from tests.embedded.database import remember, remembered, sql
from tests.embedded.processes import StackUser, is_running, pids, wait_until_ended

Start = Callable[[Path], Stack]


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_long_path_with_spaces_keeps_its_data_over_a_second_start(tmp_path: Path, start: Start) -> None:
    data_dir = tmp_path / "a shop's data" / ("long " * 22).strip()
    assert len(str(data_dir)) > 107

    first = start(data_dir)
    remember(first, "sukuma wiki")
    first.stop()
    second = start(data_dir)

    assert first.started_here
    assert second.started_here
    assert second is not first
    assert remembered(second) == (["sukuma wiki"], ["sukuma wiki"])


def test_stack_is_postgresql_18_in_utc_with_a_utf8_database_that_waits_for_the_disk(
    data_dir: Path, start: Start
) -> None:
    stack = start(data_dir)

    settings = "server_encoding", "timezone", "fsync", "listen_addresses", "max_connections"
    shown = [sql(stack, f"SHOW {setting}")[0][0] for setting in settings]
    assert shown == ["UTF8", "UTC", "on", "", "100"]
    assert sql(stack, "SELECT current_database(), current_user, upper('ñ')") == [("grocery", "grocery", "Ñ")]
    assert str(sql(stack, "SHOW server_version")[0][0]).startswith("18.")


def test_stop_ends_all_processes_and_removes_what_it_put_outside_of_the_data_directory(
    data_dir: Path, start: Start
) -> None:
    stack = start(data_dir)
    assert all(is_running(pid) for pid in pids(stack.record))
    assert Path(stack.record.runtime_dir).is_dir()

    stack.stop()
    stack.stop()

    assert not any(is_running(pid) for pid in pids(stack.record))
    assert not Path(stack.record.runtime_dir).exists()
    assert not (data_dir / "stack.json").exists()


def test_nobody_else_can_read_or_connect(tmp_path: Path, start: Start) -> None:
    parent_mode = mode(tmp_path)
    stack = start(tmp_path / "data")

    names = ["postgres", "valkey", "stack.json", "postgres.log", "valkey.log", "keeper.log", "start.lock"]
    assert [mode(tmp_path / "data" / name) for name in names] == [0o700] * 2 + [0o600] * 5
    assert mode(tmp_path / "data") == 0o700
    assert mode(Path(stack.record.runtime_dir) / "sockets") == 0o700
    assert mode(Path(stack.record.runtime_dir)) & 0o007 == 0
    assert mode(tmp_path) == parent_mode


def test_threads_of_one_process_share_one_stack(data_dir: Path, start: Start) -> None:
    with ThreadPoolExecutor(4) as threads:
        stacks = list(threads.map(start, [data_dir] * 4))

    assert len(set(stacks)) == 1
    assert stacks[0].started_here


def test_second_process_attaches_whatever_postgresql_settings_its_user_has(data_dir: Path, start: Start) -> None:
    stack = start(data_dir)
    remember(stack, "unga")

    with StackUser(data_dir, {"PGPORT": "1", "PGHOST": "nowhere.invalid", "PGDATA": "/nowhere"}) as other:
        record, started_here = other.uses()

    assert not started_here
    assert record == stack.record
    assert remembered(record) == (["unga"], ["unga"])


def test_two_processes_that_start_at_once_get_the_same_stack(data_dir: Path) -> None:
    with StackUser(data_dir) as one, StackUser(data_dir) as two:
        (first, first_started), (second, second_started) = one.uses(), two.uses()

    assert first == second
    assert sorted([first_started, second_started]) == [False, True]
    wait_until_ended(first)


def test_stack_stays_for_an_attached_process_when_the_one_that_started_it_ends(data_dir: Path, start: Start) -> None:
    with StackUser(data_dir) as starter:
        _, started_there = starter.uses()
        stack = start(data_dir)

    assert started_there
    assert not stack.started_here
    assert starter.process.returncode == 0
    remember(stack, "maharagwe")
    assert remembered(stack) == (["maharagwe"], ["maharagwe"])

    stack.stop()
    assert not is_running(stack.record.postgres_pid)
    assert not is_running(stack.record.valkey_pid)
    wait_until_ended(stack.record)


def test_forked_child_does_not_stop_the_stack_of_its_parent(data_dir: Path, start: Start) -> None:
    stack = start(data_dir)

    child = os.fork()
    if child == 0:
        stack.stop()
        os._exit(0)
    os.waitpid(child, 0)

    assert stack.is_alive()
    assert ensure_stack(data_dir) is stack
    assert sql(stack, "SELECT 1") == [(1,)]
