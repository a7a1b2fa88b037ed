"""The bulk task that writes a campaign's messages: each subscriber exactly once, whatever happens meanwhile."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from random import Random
from threading import Barrier
from typing import Any

import pytest
from flask import Flask

from grocery.bulk import run_bulk
from grocery.db import db
from grocery.notify.campaigns.writing import BATCH, MAX_WAITING, is_campaign_due, work_on_campaigns
from grocery.notify.sending.sender import send_due
from grocery.queues import BULK, NOTIFY, doorbell
from tests.auth.factories import make_customer
from tests.notify.campaigns.factories import (
    deliver_all,
    find_campaign,
    make_campaign,
    make_subscribers,
    move,
    work_until_idle,
)
from tests.notify.scripted import ScriptedSms
from tests.waiting import wait_until, within

pytestmark = pytest.mark.usefixtures("context")

RunSql = Callable[..., list[tuple[Any, ...]]]

_RECEIVED = """
    SELECT count(*), count(DISTINCT recipient), count(DISTINCT customer_id) FROM notifications WHERE campaign_id = :id
"""

_COUNT_WAITING = "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'transactionid'"

# One process makes the app, and of it, for each line, a child that writes: an app takes a second to make.
_WORKERS = """
import os, sys
from grocery.app import create_app
from grocery.notify.campaigns.writing import work_on_campaigns
app = create_app()
for _ in sys.stdin:
    worker = os.fork()
    if not worker:
        with app.app_context():
            while work_on_campaigns():
                pass
        os._exit(0)
    print(worker, flush=True)
    print(os.waitpid(worker, 0)[1], flush=True)
"""


def drain(campaign_id: int) -> int:
    """Write and deliver by turns until the campaign is finished; answers the most messages that waited at once."""
    most = 0
    while find_campaign(campaign_id, "status") == {"status": "running"}:
        assert is_campaign_due()
        work_until_idle()
        most = max(most, deliver_all())
    return most


def test_messages_are_written_in_the_customers_language_and_marked_as_offers(run_sql: RunSql) -> None:
    english, swahili, other = make_subscribers(3)
    run_sql("UPDATE customers SET language = 'sw' WHERE id = :id", id=swahili)
    run_sql("UPDATE customers SET language = 'en' WHERE id = :id", id=english)
    make_customer(phone="+254700000009")
    campaign_id = make_campaign(status="running")
    assert doorbell().depth(BULK) == 1

    assert work_on_campaigns() is True

    rows = run_sql("SELECT customer_id, recipient, language, body, priority, campaign_id FROM notifications ORDER BY 2")
    assert [(row[0], row[1], row[2], row[4], row[5]) for row in rows] == [
        (english, "+254700000001", "en", 2, campaign_id),
        (swahili, "+254700000002", "sw", 2, campaign_id),
        (other, "+254700000003", "en", 2, campaign_id),
    ]
    assert rows[0][3].startswith("Test Grocer: Sugar 2 kg at 299")
    assert rows[1][3].startswith("Test Grocer: Sukari kilo 2 kwa 299")
    assert rows[2][3] == rows[0][3]
    assert doorbell().depth(NOTIFY) == 1


def test_language_that_the_campaign_lacks_becomes_the_shops(run_sql: RunSql) -> None:
    make_subscribers(1)
    run_sql("UPDATE customers SET language = 'sw'")
    make_campaign("email", status="running")

    work_until_idle()

    [row] = run_sql("SELECT channel, recipient, language, subject, body FROM notifications")
    assert row[:4] == ("email", "person1@people.example", "en", "Jamhuri offers")
    assert row[4].startswith("Good morning!\n\nSugar 2 kg at 299\n\nMilk at 55\n")


def test_suppressed_and_inactive_ones_get_nothing(run_sql: RunSql) -> None:
    make_subscribers(4)
    run_sql("INSERT INTO suppressions (channel, address, reason) VALUES ('sms', '+254700000001', 'stop')")
    run_sql("INSERT INTO suppressions (channel, address, reason) VALUES ('email', 'person2@people.example', 'bounce')")
    run_sql("UPDATE customers SET is_active = false WHERE phone = '+254700000003'")
    campaign_id = make_campaign(status="running")

    work_until_idle()

    assert run_sql("SELECT recipient FROM notifications ORDER BY 1") == [("+254700000002",), ("+254700000004",)]
    assert find_campaign(campaign_id, "queued", "audience") == {"queued": 2, "audience": 3}


def test_number_that_accounts_share_gets_one_message(run_sql: RunSql) -> None:
    make_subscribers(BATCH + 2)
    run_sql("UPDATE customers SET phone = '+254799999999' WHERE phone IN ('+254700000001', '+254700000002')")
    run_sql("UPDATE customers SET phone = '+254799999999' WHERE phone = :last", last=f"+2547{BATCH + 2:08}")
    campaign_id = make_campaign(status="running")

    work_until_idle()

    assert run_sql("SELECT count(*) FROM notifications WHERE recipient = '+254799999999'") == [(1,)]
    assert find_campaign(campaign_id, "queued") == {"queued": BATCH}


def test_campaign_without_subscribers_is_finished_at_once() -> None:
    campaign_id = make_campaign(status="running")

    work_until_idle()

    assert find_campaign(campaign_id, "status", "queued", "audience") == {
        "status": "finished",
        "queued": 0,
        "audience": 0,
    }
    assert is_campaign_due() is False


def test_nothing_is_due_when_nothing_runs() -> None:
    make_subscribers(1)
    make_campaign()
    make_campaign(status="paused")

    assert is_campaign_due() is False
    assert work_on_campaigns() is False


def test_it_is_finished_when_the_last_one_was_sent(run_sql: RunSql) -> None:
    make_subscribers(2)
    campaign_id = make_campaign(status="running")
    work_until_idle()
    for status, next_attempt in (("pending", "now()"), ("sending", "NULL"), ("unknown", "now()")):
        run_sql(f"UPDATE notifications SET status = '{status}', next_attempt_at = {next_attempt}")
        work_until_idle()
        assert find_campaign(campaign_id, "status") == {"status": "running"}
        assert is_campaign_due() is False

    run_sql("UPDATE notifications SET status = 'unknown', next_attempt_at = NULL")
    assert is_campaign_due() is True
    work_until_idle()

    campaign = find_campaign(campaign_id)
    assert (campaign["status"], campaign["counts"]["unknown"], campaign["allowed_actions"]) == ("finished", 2, [])
    assert campaign["finished_at"] is not None


def test_five_thousand_get_it_once_and_never_crowd_the_outbox(run_sql: RunSql) -> None:
    ids = make_subscribers(5_000)
    campaign_id = make_campaign(status="running")

    most = drain(campaign_id)

    assert most == MAX_WAITING
    assert run_sql(_RECEIVED, id=campaign_id) == [(5_000, 5_000, 5_000)]
    assert run_sql("SELECT queued, last_customer_id FROM campaigns") == [(5_000, ids[-1])]


@pytest.mark.prove
def test_fifty_thousand_get_it_once(run_sql: RunSql) -> None:
    make_subscribers(50_000)
    campaign_id = make_campaign("email", status="running")
    with within(120):
        most = drain(campaign_id)
    assert most == MAX_WAITING
    assert run_sql(_RECEIVED, id=campaign_id) == [(50_000, 50_000, 50_000)]


def test_bulk_job_and_senders_bring_a_campaign_to_its_end(scripted: Flask, sms: ScriptedSms, run_sql: RunSql) -> None:
    make_subscribers(30)
    campaign_id = make_campaign(status="running")

    run_bulk()
    assert find_campaign(campaign_id, "queued", "status") == {"queued": 30, "status": "running"}
    doorbell().answer(BULK)
    send_due()
    assert is_campaign_due() is True
    run_bulk()

    assert sorted(to for to, _ in sms.sent) == [f"+2547{number:08}" for number in range(1, 31)]
    assert find_campaign(campaign_id, "status", "counts") == {
        "status": "finished",
        "counts": {"pending": 0, "sent": 30, "delivered": 0, "failed": 0, "unknown": 0},
    }


def test_full_outbox_holds_back_its_own_channel_only(run_sql: RunSql) -> None:
    make_subscribers(BATCH)
    first, second, by_mail = (make_campaign(channel, status="running") for channel in ("sms", "sms", "email"))
    for _ in range(MAX_WAITING // BATCH - 1):
        run_sql(
            """INSERT INTO notifications (dedupe_key, channel, event, recipient, body, priority)
               SELECT gen_random_uuid(), 'sms', 'campaign', 'x', 'x', 2 FROM generate_series(1, :number)""",
            number=BATCH,
        )

    work_until_idle()

    assert [find_campaign(one, "queued")["queued"] for one in (first, second, by_mail)] == [BATCH, 0, BATCH]
    assert is_campaign_due() is False
    deliver_all()
    assert is_campaign_due() is True


def test_news_that_wait_do_not_hold_back_offers(run_sql: RunSql) -> None:
    make_subscribers(1)
    campaign_id = make_campaign(status="running")
    run_sql(
        """INSERT INTO notifications (dedupe_key, channel, event, recipient, body)
           SELECT n, 'sms', 'order_placed', 'x', 'x' FROM generate_series(1, :number) AS n""",
        number=MAX_WAITING,
    )
    work_until_idle()
    assert find_campaign(campaign_id, "queued") == {"queued": 1}


def test_two_workers_at_once_write_each_message_once(app: Flask, run_sql: RunSql) -> None:
    make_subscribers(1_500)
    campaigns = [make_campaign(status="running"), make_campaign("email", status="running")]
    barrier = Barrier(2)

    def work(_number: int) -> None:
        with app.app_context():
            barrier.wait(timeout=60)
            for _ in range(30):
                work_on_campaigns()

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(work, range(2)))

    for campaign_id in campaigns:
        assert run_sql(_RECEIVED, id=campaign_id) == [(1_500, 1_500, 1_500)]
        assert find_campaign(campaign_id, "queued") == {"queued": 1_500}


@pytest.fixture(scope="module")
def workers(environ: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    command = [sys.executable, "-c", _WORKERS]
    with subprocess.Popen(command, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.kill()


@contextmanager
def worker(workers: subprocess.Popen[str]) -> Iterator[None]:
    """A process that writes; killed in any case."""
    assert workers.stdin is not None
    assert workers.stdout is not None
    workers.stdin.write("\n")
    workers.stdin.flush()
    pid = int(workers.stdout.readline())
    try:
        yield
    finally:
        os.kill(pid, signal.SIGKILL)
        assert int(workers.stdout.readline()) == signal.SIGKILL


def test_worker_killed_in_the_middle_of_a_batch_has_written_nothing_of_it(
    workers: subprocess.Popen[str], run_sql: RunSql
) -> None:
    """It is stopped in its INSERT by somebody who holds the key of one of its messages."""
    make_subscribers(BATCH * 2)
    campaign_id = make_campaign(status="running")
    key = f"campaign:{campaign_id}:+2547{BATCH + BATCH // 2:08}"
    with db.engine.connect() as holder:
        holder.exec_driver_sql(
            "INSERT INTO notifications (dedupe_key, channel, event, recipient, body) VALUES (%s, 'sms', 'x', 'x', 'x')",
            (key,),
        )
        with worker(workers):
            wait_until(lambda: run_sql(_COUNT_WAITING) == [(1,)])
        assert find_campaign(campaign_id, "queued") == {"queued": BATCH}
        holder.rollback()

    # PostgreSQL notices that its client is gone when it comes to answer; until then the campaign is somebody else's.
    wait_until(lambda: not work_on_campaigns() and find_campaign(campaign_id, "queued") == {"queued": BATCH * 2})
    assert run_sql(_RECEIVED, id=campaign_id) == [(BATCH * 2,) * 3]


@pytest.mark.parametrize("kills", [3, pytest.param(20, marks=pytest.mark.prove)])
def test_workers_killed_at_any_moment_lose_and_double_nothing(
    workers: subprocess.Popen[str], run_sql: RunSql, kills: int
) -> None:
    """Each writes at least one batch, and has more to write than it has time for."""
    number = kills * MAX_WAITING
    make_subscribers(number)
    campaign_id = make_campaign(status="running")
    random = Random(kills)
    for _ in range(kills):
        [(before,)] = run_sql("SELECT queued FROM campaigns")
        with worker(workers):
            wait_until(lambda before=before: run_sql("SELECT queued FROM campaigns") > [(before,)])
            time.sleep(random.uniform(0, 0.1))
        # In one statement: a commit that was sent before the death may come after it.
        assert run_sql("SELECT queued = (SELECT count(*) FROM notifications) FROM campaigns") == [(True,)]
        deliver_all()

    assert find_campaign(campaign_id, "queued")["queued"] < number
    drain(campaign_id)

    assert run_sql(_RECEIVED, id=campaign_id) == [(number,) * 3]
    assert find_campaign(campaign_id, "queued") == {"queued": number}


def test_batch_that_fails_is_written_again(app: Flask, monkeypatch: pytest.MonkeyPatch, run_sql: RunSql) -> None:
    make_subscribers(BATCH + 1)
    campaign_id = make_campaign(status="running")
    state = app.extensions["notify"]
    find = state.find_subscribers
    work_on_campaigns()

    def fail(*_: Any) -> Any:
        raise RuntimeError("the database hiccups")

    monkeypatch.setattr(state, "find_subscribers", fail)
    with pytest.raises(RuntimeError, match="hiccups"):
        work_on_campaigns()
    assert find_campaign(campaign_id, "status", "queued") == {"status": "running", "queued": BATCH}

    monkeypatch.setattr(state, "find_subscribers", find)
    work_until_idle()
    assert run_sql(_RECEIVED, id=campaign_id) == [(BATCH + 1,) * 3]


def test_deleted_customers_are_passed_over(run_sql: RunSql) -> None:
    ids = make_subscribers(BATCH + 10)
    campaign_id = make_campaign(status="running")
    work_on_campaigns()
    run_sql("DELETE FROM customers WHERE id = ANY(:ids)", ids=[ids[0], *ids[BATCH : BATCH + 5]])

    work_until_idle()

    assert run_sql(_RECEIVED, id=campaign_id) == [(BATCH + 4,) * 3]
    assert find_campaign(campaign_id, "queued") == {"queued": BATCH + 5}


def test_cancelled_campaign_is_not_gone_on_with(run_sql: RunSql) -> None:
    make_subscribers(BATCH * 2)
    campaign_id = make_campaign(status="running")
    work_on_campaigns()
    move(campaign_id, "cancel")

    assert work_on_campaigns() is False
    assert run_sql("SELECT count(*) FROM notifications") == [(0,)]
    assert find_campaign(campaign_id, "status", "queued") == {"status": "cancelled", "queued": BATCH}
