"""The job of the queue, the relay's part, and many senders at once."""

import threading
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from redis import Redis

from grocery.db import db
from grocery.notify import jobs
from grocery.notify.jobs import send_notifications, watch_outbox
from grocery.notify.sending.sender import send_due
from grocery.queues import JOBS, NOTIFY, doorbell, periodic_task
from tests.notify.factories import make_notification, make_notifications, pick
from tests.notify.scripted import ScriptedMail, ScriptedSms

pytestmark = pytest.mark.usefixtures("scripted")

RunSql = Callable[..., list[tuple[Any, ...]]]


def waiting_jobs() -> int:
    return doorbell().depth(NOTIFY)


def test_job_is_the_one_that_the_queue_names() -> None:
    assert JOBS[NOTIFY] == f"{jobs.__name__}.{send_notifications.__name__}"


def test_job_sends_what_is_due_and_rings_no_more(run_sql: RunSql) -> None:
    make_notifications(12)

    send_notifications()

    assert run_sql("SELECT status, count(*) FROM notifications GROUP BY 1") == [("sent", 12)]
    assert waiting_jobs() == 0


def test_job_may_run_again_and_finds_nothing(sms: ScriptedSms) -> None:
    make_notification()

    send_notifications()
    send_notifications()

    assert len(sms.sent) == 1


def test_bell_rings_anew_while_the_job_sends(sms: ScriptedSms, app: Flask) -> None:
    """What is committed after the job's last claim must not wait for the relay."""
    rung: list[int] = []

    def ring_meanwhile(_body: str) -> None:
        doorbell().ring(NOTIFY)
        rung.append(waiting_jobs())

    sms.meanwhile = ring_meanwhile
    make_notification()
    doorbell().ring(NOTIFY)
    Redis.from_url(app.config["REDIS_URL"]).delete(f"rq:queue:{NOTIFY}")  # a worker has taken the job

    send_notifications()

    assert rung == [1]


def test_job_that_runs_out_of_time_rings_for_the_rest(monkeypatch: pytest.MonkeyPatch, run_sql: RunSql) -> None:
    make_notifications(2)
    monkeypatch.setattr(jobs, "send_due", lambda **options: send_due(0))

    send_notifications()

    assert run_sql("SELECT status, count(*) FROM notifications GROUP BY 1") == [("pending", 2)]
    assert waiting_jobs() == 1


def test_relay_rings_for_what_is_due() -> None:
    watch_outbox()
    assert waiting_jobs() == 0

    make_notification(next_attempt_at="now() + interval '1 minute'")
    watch_outbox()
    assert waiting_jobs() == 0

    make_notification()
    watch_outbox()
    watch_outbox()
    assert waiting_jobs() == 1


def test_relay_frees_what_a_dead_sender_held() -> None:
    message = make_notification(
        status="sending", attempts=1, next_attempt_at=None, leased_until="now() - interval '1 second'"
    )

    watch_outbox()

    assert pick(message, "status", "unknowns") == {"status": "unknown", "unknowns": 1}
    assert waiting_jobs() == 0


def test_relay_costs_one_query_when_all_is_well(app: Flask) -> None:
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    for engine in (db.engine, app.extensions["reads"]):
        db.event.listen(engine, "before_cursor_execute", note)
    try:
        watch_outbox()
    finally:
        for engine in (db.engine, app.extensions["reads"]):
            db.event.remove(engine, "before_cursor_execute", note)

    assert len(seen) == 1


def test_relay_knows_the_task(app: Flask) -> None:
    tasks = [task for _, answered in periodic_task.send(app) for task in answered]

    [task] = [task for task in tasks if task.name == "notify.watch_outbox"]
    assert (task.every_seconds, task.run) == (1.0, watch_outbox)


def test_senders_that_race_send_each_message_once(
    app: Flask, sms: ScriptedSms, mail: ScriptedMail, run_sql: RunSql
) -> None:
    make_notifications(150)
    make_notifications(50, channel="email")
    start = threading.Barrier(4)
    tallies: list[Counter[str]] = []

    def work() -> None:
        with app.app_context():
            start.wait()
            tallies.append(send_due())
            db.session.remove()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert sum(tallies, Counter()) == Counter(sent=200)
    assert len([tally for tally in tallies if tally]) > 1, "they did not race"
    assert (len(sms.bodies), len(set(sms.bodies))) == (150, 150)
    assert (len(mail.sent), len({sent[3] for sent in mail.sent})) == (50, 50)
    assert run_sql("SELECT status, attempts, count(*) FROM notifications GROUP BY 1, 2") == [("sent", 1, 200)]
