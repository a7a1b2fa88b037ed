"""The whole shop as `make run` starts it: what is shown, what is started again, and that nothing outlives it."""

import json
import os
import signal
import socket
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.dev.shop import PARTS, Shop, free_port, wait_for_seconds
from tests.running_worker import children
from tests.waiting import wait_until

pytestmark = pytest.mark.e2e


@dataclass
class FirstRun:
    """What was seen of the first start in a new directory, ended with SIGTERM."""

    data_dir: Path
    address: str
    readiness: dict[str, str] | None
    output: str
    seconds_to_end: float
    exit_code: int
    left_running: list[int]


@pytest.fixture(scope="module")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> FirstRun:
    shop = Shop(tmp_path_factory.mktemp("a shop") / "its data")
    try:
        shop.wait_until_open()
        readiness = shop.readiness()
        seconds = shop.end(signal.SIGTERM)
    finally:
        shop.process.kill()
    output, code = shop.output, shop.process.wait()
    return FirstRun(shop.data_dir, f"http://127.0.0.1:{shop.port}", readiness, output, seconds, code, shop.running())


@dataclass
class KilledRun:
    """The second start, whose supervisor was killed with signal 9 while the shop was open."""

    data_dir: Path
    processes_before: int
    seconds_until_all_were_gone: float


@pytest.fixture(scope="module")
def killed_run(first_run: FirstRun) -> KilledRun:
    shop = Shop(first_run.data_dir)
    shop.wait_until_open()
    processes = len(shop.running())
    shop.end(signal.SIGKILL)
    return KilledRun(first_run.data_dir, processes, wait_for_seconds(lambda: not shop.running()))


@pytest.fixture(scope="module")
def shop(killed_run: KilledRun) -> Iterator[Shop]:
    """The shop, started once more after that, for tests that leave it as open as they found it."""
    shop = Shop(killed_run.data_dir)
    try:
        shop.wait_until_open()
        yield shop
    finally:
        shop.end(signal.SIGHUP)
    assert (shop.process.returncode, shop.running()) == (0, [])


def test_first_run_opens_a_migrated_shop_with_postgresql_and_valkey(first_run: FirstRun) -> None:
    assert first_run.readiness == {"status": "ready", "database": "ok", "migrations": "ok", "redis": "ok"}


def test_screen_says_where_everything_is_and_how_to_sign_in(first_run: FirstRun) -> None:
    screen = first_run.output.partition(" is open.")[2].partition("Ctrl-C stops everything.")[0]

    assert f"Shop and API  {first_run.address}/\n" in screen
    assert f"Swagger UI    {first_run.address}/docs\n" in screen
    port = int(first_run.address.rpartition(":")[2])
    assert f"Live tracking http://127.0.0.1:{port + 1}/stream/orders/{{id}}\n" in screen
    assert f"Data          {first_run.data_dir}  (remove the folder to start afresh)\n" in screen
    roles = [line.split()[0] for line in screen.splitlines() if "@" in line]
    assert roles == ["admin", "staff", "customer", "customer", "customer"]
    assert stat.S_IMODE((first_run.data_dir / "demo-signins.json").stat().st_mode) == 0o600
    assert first_run.output.count("is open.") == 1


def test_sigterm_ends_everything_within_ten_seconds_and_exits_with_0(first_run: FirstRun) -> None:
    assert first_run.seconds_to_end < 10
    assert first_run.exit_code == 0
    assert first_run.left_running == []
    assert first_run.output.rstrip().endswith("| stopped")


def test_kill_of_the_supervisor_leaves_nothing_running(killed_run: KilledRun) -> None:
    assert killed_run.processes_before >= 10
    assert killed_run.seconds_until_all_were_gone < 10


def test_start_after_a_kill_works_keeps_the_data_and_shows_the_same_sign_ins(first_run: FirstRun, shop: Shop) -> None:
    def sign_ins(output: str) -> list[str]:
        return [line for line in output.partition(" is open.")[2].splitlines() if line.count("@") == 1]

    assert shop.readiness()
    assert len(sign_ins(shop.output)) == 5
    assert sign_ins(shop.output) == sign_ins(first_run.output)


@pytest.mark.parametrize("part", PARTS)
def test_killed_process_is_started_again_and_that_is_said(shop: Shop, part: str) -> None:
    first = wait_until(lambda: shop.main_process(part))

    os.kill(first, signal.SIGKILL)

    second = wait_until(lambda: (pid := shop.main_process(part)) != first and pid)
    assert second != first
    assert any(
        line.startswith(f"{part} was ended by signal 9; starting it again in ") for line in shop.lines("make run")
    )
    wait_until(shop.readiness)


def test_killed_worker_of_the_server_comes_back(shop: Shop) -> None:
    main = wait_until(lambda: shop.main_process("api"))
    [granian] = children(main)
    os.kill(children(granian)[0], signal.SIGKILL)

    wait_until(lambda: any("Respawning worker" in line for line in shop.lines("api")))
    assert shop.main_process("api") == main
    assert shop.readiness()


def test_killed_keeper_of_the_database_is_replaced_and_the_shop_recovers(shop: Shop) -> None:
    record = shop.data_dir / "stack.json"
    keeper = json.loads(record.read_text())["keeper_pid"]
    os.kill(keeper, signal.SIGKILL)

    wait_until(lambda: "PostgreSQL and Valkey are gone, starting them again" in shop.lines("make run"))
    wait_until(lambda: record.exists() and json.loads(record.read_text())["keeper_pid"] != keeper)
    wait_until(shop.readiness)
    wait_until(lambda: (shop.readiness() or {}).get("redis") == "ok")


def test_lines_of_the_processes_carry_their_names(shop: Shop) -> None:
    for queue in ("orders", "notify", "bulk"):
        mark = f"worker ready for queue {queue}"
        wait_until(lambda mark=mark, queue=queue: any(mark in line for line in shop.lines(f"worker-{queue}")))
    assert any("Listening at" in line for line in shop.lines("api"))
    assert "\033[" not in shop.output


def test_ctrl_c_while_it_starts_leaves_nothing_running(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "data")
    try:
        wait_until(lambda: (tmp_path / "data" / "postgres").exists())
        seconds = shop.end(signal.SIGINT)
    finally:
        shop.process.kill()

    assert seconds < 10
    assert (shop.process.returncode, shop.running()) == (0, [])


def test_taken_port_is_said_with_a_free_one_and_nothing_is_started(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        shop = Shop(tmp_path / "data", PORT=str(port))
        assert shop.process.wait(60) == 1

    said, _, suggestion = shop.output.strip().rpartition("=")
    assert said == f"Port {port} is already in use by another program, try: make run PORT"
    assert port < int(suggestion) < port + 20
    assert not (tmp_path / "data" / "postgres").exists()
    assert shop.running() == []


def test_taken_port_of_the_streams_is_said_as_well(tmp_path: Path) -> None:
    port = free_port()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port + 1))
        taken.listen()
        shop = Shop(tmp_path / "data", PORT=str(port))
        assert shop.process.wait(60) == 1

    assert shop.output.startswith(f"Port {port + 1} is already in use by another program, try: make run PORT=")
    assert not (tmp_path / "data" / "postgres").exists()


def test_wrong_setting_is_said_without_a_trace(tmp_path: Path) -> None:
    shop = Shop(tmp_path / "data", HOST="shop.invalid")
    assert shop.process.wait(60) == 1

    assert shop.output.startswith("HOST=shop.invalid is no address of this machine")
    assert "Traceback" not in shop.output


def test_database_that_cannot_be_prepared_ends_the_run_with_exit_code_1(tmp_path: Path) -> None:
    shop = Shop(
        tmp_path / "data",
        DATABASE_URL=f"postgresql://nobody@127.0.0.1:{free_port()}/none",
        REDIS_URL=f"redis://127.0.0.1:{free_port()}",
    )
    assert shop.process.wait(30) == 1

    assert any("the database could not be prepared" in line for line in shop.lines("make run"))
    assert shop.running() == []
    assert not (tmp_path / "data" / "postgres").exists()
