"""The sign of life, and the probe that looks for it."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from flask import Flask

from grocery.app import create_app
from grocery.config import Settings
from grocery.liveness import Liveness
from grocery.probe import FRESH_SECONDS, find_problem
from grocery.queues import PeriodicTask
from grocery.relay import Relay
from tests.e2e.shop import ROOT, free_port
from tests.waiting import PATIENCE_SECONDS, wait_until, within


def grow_old(path: Path, seconds: float = FRESH_SECONDS + 1) -> None:
    os.utime(path, (time.time() - seconds,) * 2)


def probe(*arguments: str, **environ: str) -> tuple[int, str]:
    command = [sys.executable, "-m", "grocery.probe", *arguments]
    done = subprocess.run(
        command, cwd=ROOT, env={"PATH": os.environ["PATH"], **environ}, capture_output=True, text=True
    )
    return done.returncode, done.stderr


@contextmanager
def answering(status: int) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/healthz" else 404)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Not in the tests' output."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/healthz"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_process_is_alive_while_it_beats(tmp_path: Path) -> None:
    path = tmp_path / "alive"
    assert "cannot be read" in (find_problem(str(path)) or "")
    Liveness(path).beat()
    assert find_problem(str(path)) is None
    grow_old(path)
    assert find_problem(str(path)) == f"there was no sign of life for {FRESH_SECONDS + 1:.0f} s"
    Liveness(path).beat()
    assert find_problem(str(path)) is None


def test_beating_more_than_once_a_second_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "alive"
    liveness = Liveness(path)
    liveness.beat()
    grow_old(path)
    liveness.beat()
    assert find_problem(str(path)) is not None


def test_a_sign_of_life_that_cannot_be_written_ends_no_process(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    Liveness(None).beat()
    liveness = Liveness(tmp_path / "nowhere" / "alive")
    liveness.beat()
    liveness.point_to("http://127.0.0.1:8000/healthz")
    assert len(caplog.records) == 1


@pytest.mark.parametrize(("status", "is_alive"), [(200, True), (503, False)])
def test_a_process_that_serves_is_asked_however_old_its_file_is(tmp_path: Path, status: int, is_alive: bool) -> None:
    path = tmp_path / "alive"
    with answering(status) as address:
        Liveness(path).point_to(address)
        grow_old(path)
        assert (find_problem(str(path)) is None) == is_alive


def test_the_probe_says_by_its_exit_code_what_it_found(tmp_path: Path) -> None:
    path = tmp_path / "alive"
    path.touch()
    assert probe(LIVENESS_FILE=str(path)) == (0, "")
    path.write_text(f"http://127.0.0.1:{free_port()}/healthz\n")
    code, said = probe(str(path))
    assert (code, said.count("\n"), "gives no answer" in said) == (1, 1, True)
    assert probe()[0] == 2


@pytest.fixture
def relay_app(app: Flask, settings: Settings, tmp_path: Path) -> Flask:
    return create_app(replace(settings, liveness_file=tmp_path / "alive"))


@contextmanager
def running(relay: Relay) -> Iterator[None]:
    thread = threading.Thread(target=relay.run)
    thread.start()
    try:
        yield
    finally:
        relay.stop()
        thread.join(30)


def with_task(app: Flask, run: object) -> Relay:
    relay = Relay(app)
    relay._due = {"only": (0.0, PeriodicTask("only", 0.0, run))}  # type: ignore[arg-type]
    return relay


def test_a_relay_is_alive_at_work_and_standing_by_and_not_when_a_task_hangs(relay_app: Flask, tmp_path: Path) -> None:
    path, works, goes_on = tmp_path / "alive", threading.Event(), threading.Event()
    goes_on.set()

    def work() -> None:
        works.set()
        goes_on.wait(30)

    def is_fresh() -> bool:
        return find_problem(str(path)) is None

    with running(with_task(relay_app, work)):
        assert works.wait(30)
        grow_old(path)
        wait_until(is_fresh, "it beats at work")
        goes_on.clear()
        works.clear()
        assert works.wait(30)
        grow_old(path)
        with running(standby := with_task(relay_app, lambda: None)):
            wait_until(is_fresh, "the one that stands by beats, too")
            standby.stop()
        grow_old(path)
        time.sleep(1.5)
        assert not is_fresh()
        goes_on.set()


def test_the_relay_that_stands_by_is_at_work_soon_after_the_other_one_is_told_to_end(relay_app: Flask) -> None:
    first, second = threading.Event(), threading.Event()
    ending = with_task(relay_app, first.set)
    with running(ending):
        assert first.wait(30)
        with running(with_task(relay_app, second.set)):
            assert not second.wait(0.2)
            ending.stop()
            with within(6):  # 2 s and a half step; more only because the machine is busy with other tests
                assert second.wait(PATIENCE_SECONDS)
