"""The queue's worker as it is started in earnest, killed while it sends."""

import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from grocery.notify.jobs import watch_outbox
from grocery.queues import NOTIFY, doorbell
from tests.fakes.africastalking import FakeAfricasTalking, Fault
from tests.fakes.smtp import FakeSmtp
from tests.notify.factories import make_notification, make_notifications
from tests.notify.sending.processes import kill, running_worker, sms_settings
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("context")

RunSql = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def worker_environ(environ: dict[str, str], at_server: FakeAfricasTalking, smtp_server: FakeSmtp) -> dict[str, str]:
    return {
        **environ,
        **sms_settings(at_server.url),
        "MAIL_BACKEND": "smtp",
        "MAIL_SERVER": smtp_server.host,
        "MAIL_PORT": str(smtp_server.port),
        "MAIL_USE_TLS": "false",
        "MAIL_FROM": "shop@duka.example",
    }


def statuses(run_sql: RunSql) -> dict[str, int]:
    return dict(run_sql("SELECT status, count(*) FROM notifications GROUP BY 1"))  # type: ignore[arg-type]


def test_messages_are_sent_within_two_seconds(worker_environ: dict[str, str], tmp_path: Path, run_sql: RunSql) -> None:
    with running_worker(worker_environ, tmp_path / "log"):
        make_notification()
        make_notifications(2, channel="email")
        doorbell().ring(NOTIFY)

        wait_until(lambda: statuses(run_sql) == {"sent": 3}, "the messages")


def test_no_message_is_lost_when_the_worker_is_killed_while_it_sends(
    worker_environ: dict[str, str],
    at_server: FakeAfricasTalking,
    tmp_path: Path,
    run_sql: RunSql,
    app: Flask,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(app.config, "SMS_UNKNOWN_WAIT", 1)
    at_server.misbehave(Fault.HANG_BEFORE_ACCEPTING, times=2)
    at_server.misbehave(Fault.HANG_AFTER_ACCEPTING, times=2)
    for number in range(4):
        make_notification(body=f"Text {number}")
    with running_worker(worker_environ, tmp_path / "first") as worker:
        doorbell().ring(NOTIFY)
        wait_until(lambda: at_server.attempts == 4, "the first attempts")
        kill(worker)
    assert statuses(run_sql) == {"sending": 4}
    taken = {message["message"] for message in at_server.messages}
    assert len(taken) == 2

    with running_worker(worker_environ, tmp_path / "second"):
        doorbell().ring(NOTIFY)
        time.sleep(0.5)
        assert at_server.attempts == 4, "the lease of the dead worker must be waited for"
        run_sql("UPDATE notifications SET leased_until = now()")
        watch_outbox_until(lambda: statuses(run_sql) == {"sent": 4})

    # The provider knows no message by its sender's name: one that it had taken comes twice, rather than not at all.
    copies = Counter(message["message"] for message in at_server.messages)
    assert copies == {f"Text {number}": 2 if f"Text {number}" in taken else 1 for number in range(4)}
    assert run_sql("SELECT DISTINCT attempts, unknowns, repeats FROM notifications") == [(2, 1, 1)]


def watch_outbox_until(holds: Callable[[], object]) -> None:
    """Be the relay."""

    def watch_and_ask() -> object:
        watch_outbox()
        return holds()

    wait_until(watch_and_ask, "the messages")
