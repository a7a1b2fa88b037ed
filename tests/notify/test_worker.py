"""The queue's worker as it is started in earnest, killed while it sends."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from grocery.notify.jobs import watch_outbox
from grocery.queues import NOTIFY, doorbell
from tests.fakes.africastalking import API_KEY, FakeAfricasTalking, Fault
from tests.fakes.smtp import FakeSmtp
from tests.notify.factories import make_notification, make_notifications

pytestmark = pytest.mark.usefixtures("context")

RunSql = Callable[..., list[tuple[Any, ...]]]
ROOT = Path(__file__).parent.parent.parent
RQ = Path(sys.executable).with_name("rq")


@pytest.fixture
def worker_environ(environ: dict[str, str], at_server: FakeAfricasTalking, smtp_server: FakeSmtp) -> dict[str, str]:
    return {
        "PATH": os.environ["PATH"],
        **environ,
        "SMS_BACKEND": "africastalking",
        "AT_USERNAME": "duka",
        "AT_API_KEY": API_KEY,
        "AT_BASE_URL": at_server.url,
        "SMS_UNKNOWN_WAIT": "1",
        "MAIL_BACKEND": "smtp",
        "MAIL_SERVER": smtp_server.host,
        "MAIL_PORT": str(smtp_server.port),
        "MAIL_USE_TLS": "false",
        "MAIL_FROM": "shop@duka.example",
        "LOG_LEVEL": "INFO",
    }


@contextmanager
def running_worker(environ: dict[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """`rq worker … notify`, ready for work."""
    command = [RQ, "worker", "-w", "grocery.worker.Worker", NOTIFY]
    with log.open("wb") as output:
        worker = subprocess.Popen(command, cwd=ROOT, env=environ, stderr=output)
    try:
        until(lambda: "worker ready" in log.read_text(), f"the worker, see {log}")
        yield worker
    finally:
        kill(worker)


def kill(worker: subprocess.Popen[bytes]) -> None:
    """End the worker and the process of its job as the machine does when memory is short: without a warning."""
    if worker.poll() is None:
        horses = Path(f"/proc/{worker.pid}/task/{worker.pid}/children").read_text().split()
        for pid in (*map(int, horses), worker.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        worker.wait()


def until(holds: Callable[[], object], what: str, seconds: float = 15) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline, f"waited {seconds} s for {what}"
        time.sleep(0.02)


def statuses(run_sql: RunSql) -> dict[str, int]:
    return dict(run_sql("SELECT status, count(*) FROM notifications GROUP BY 1"))  # type: ignore[arg-type]


def test_messages_are_sent_within_two_seconds(worker_environ: dict[str, str], tmp_path: Path, run_sql: RunSql) -> None:
    with running_worker(worker_environ, tmp_path / "log"):
        make_notification()
        make_notifications(2, channel="email")
        doorbell().ring(NOTIFY)

        until(lambda: statuses(run_sql) == {"sent": 3}, "the messages", seconds=2)


@pytest.mark.parametrize(
    ("fault", "copies"), [(Fault.HANG_BEFORE_ACCEPTING, 1), (Fault.HANG_AFTER_ACCEPTING, 2)], ids=lambda one: str(one)
)
def test_no_message_is_lost_when_the_worker_is_killed_while_it_sends(
    worker_environ: dict[str, str],
    at_server: FakeAfricasTalking,
    tmp_path: Path,
    run_sql: RunSql,
    app: Flask,
    monkeypatch: pytest.MonkeyPatch,
    fault: Fault,
    copies: int,
) -> None:
    monkeypatch.setitem(app.config, "SMS_UNKNOWN_WAIT", 1)
    at_server.misbehave(fault)
    for number in range(3):
        make_notification(body=f"Text {number}")
    with running_worker(worker_environ, tmp_path / "first") as worker:
        doorbell().ring(NOTIFY)
        until(lambda: at_server.attempts == 1, "the first attempt")
        kill(worker)
    assert statuses(run_sql) == {"sending": 3}

    with running_worker(worker_environ, tmp_path / "second"):
        doorbell().ring(NOTIFY)
        time.sleep(0.5)
        assert at_server.attempts == 1, "the lease of the dead worker must be waited for"
        run_sql("UPDATE notifications SET leased_until = now()")
        watch_outbox_until(lambda: statuses(run_sql) == {"sent": 3})

    texts = sorted(message["message"] for message in at_server.messages)
    # The provider knows no message by its sender's name: the one it had taken comes twice, rather than not at all.
    assert texts == ["Text 0"] * copies + ["Text 1", "Text 2"]
    assert run_sql("SELECT DISTINCT attempts, unknowns FROM notifications") == [(2, 1)]


def watch_outbox_until(holds: Callable[[], object]) -> None:
    """Be the relay."""

    def watch_and_ask() -> object:
        watch_outbox()
        return holds()

    until(watch_and_ask, "the messages")
