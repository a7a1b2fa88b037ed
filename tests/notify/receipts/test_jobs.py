"""What the relay does about reports: matching costs little when nothing can match, and what is old goes."""

import pytest
from flask import Flask

from grocery.notify.receipts import jobs
from grocery.notify.receipts.service import list_waiting
from grocery.queues import periodic_task
from tests.fakes.africastalking import Callbacks
from tests.notify.clients import PHONE
from tests.notify.factories import pick
from tests.notify.receipts.conftest import Sql
from tests.notify.receipts.factories import make_sent, reports

KEEP = """
    INSERT INTO delivery_reports (provider_id, phone, status, notification_id, received_at)
    SELECT 'ATXid_' || :first + number, :phone, 'Sent', :sms, now() - CAST(:age AS interval)
    FROM generate_series(1, :count) AS number
"""


def test_relay_runs_them(app: Flask) -> None:
    known = {task.name: task.every_seconds for _, tasks in periodic_task.send(app) for task in tasks}

    assert {name: seconds for name, seconds in known.items() if name.startswith("receipts.")} == {
        "receipts.match_fresh": 5.0,
        "receipts.match_old": 600.0,
        "receipts.forget_old": 3600.0,
    }


def test_reports_of_others_messages_are_not_looked_at_each_time(provider: Callbacks) -> None:
    provider.deliver("ATXid_of_others", PHONE, "Success")

    assert list_waiting(600) == []


@pytest.mark.parametrize(("age", "by_fresh", "by_old"), [("9 minutes", 1, 1), ("11 minutes", 0, 1), ("4 days", 0, 0)])
def test_how_long_a_report_is_looked_at(
    provider: Callbacks, run_sql: Sql, age: str, by_fresh: int, by_old: int
) -> None:
    run_sql(KEEP, first=0, phone=PHONE, sms=None, age=age, count=1)
    run_sql("UPDATE delivery_reports SET status = 'Success'")
    sms = make_sent("ATXid_1", created_at="now() - interval '5 days'")

    jobs.match_fresh()
    assert (pick(sms, "status")["status"] == "delivered") == by_fresh
    jobs.match_old()
    assert (pick(sms, "status")["status"] == "delivered") == by_old


def test_old_reports_are_deleted_in_batches(provider: Callbacks, run_sql: Sql, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs, "_BATCH", 2)
    sms = make_sent()
    for first, matched, age in ((0, None, "8 days"), (10, None, "6 days"), (20, sms, "91 days"), (30, sms, "89 days")):
        run_sql(KEEP, first=first, phone=PHONE, sms=matched, age=age, count=3)

    jobs.forget_old()

    assert [provider_id for provider_id, _, _ in reports()] == [f"ATXid_{n}" for n in (11, 12, 13, 31, 32, 33)]
    assert pick(sms, "status") == {"status": "sent"}
