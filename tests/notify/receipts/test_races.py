"""Reports that come together, and together with what the senders and the deleters do."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Event
from typing import Any

from flask import Flask
from sqlalchemy import text

from grocery.db import db, transaction
from grocery.notify.receipts.jobs import match_fresh
from tests.fakes.africastalking import Callbacks
from tests.notify.clients import PHONE
from tests.notify.factories import find_notification, pick
from tests.notify.receipts.conftest import Sql
from tests.notify.receipts.factories import make_fallback, make_in_doubt, make_sending, make_sent, reports

WAIT_SECONDS = 10

RECORD = "UPDATE notifications SET status = 'sent', provider_id = 'ATXid_1', leased_until = NULL WHERE id = :id"


def in_context(app: Flask, act: Callable[..., Any]) -> Callable[..., Any]:
    def run(*arguments: Any) -> Any:
        with app.app_context():
            try:
                return act(*arguments)
            finally:
                db.session.remove()

    return run


def while_uncommitted(app: Flask, statement: str, notification_id: int, act: Callable[[], Any]) -> Any:
    """Run `act` in another thread while a transaction that has changed a message waits with its commit."""
    with ThreadPoolExecutor(1) as pool, db.engine.connect() as connection:
        with connection.begin():
            connection.execute(text(statement), {"id": notification_id})
            running = pool.submit(in_context(app, act))
            with suppress(TimeoutError):  # it waits for the row, or it need not
                running.result(timeout=0.3)
        return running.result(timeout=WAIT_SECONDS)


def test_report_before_our_own_commit_is_applied_after_it(app: Flask, provider: Callbacks) -> None:
    sms = make_sending()

    reply = while_uncommitted(app, RECORD, sms, lambda: provider.deliver("ATXid_1", PHONE, "Success"))

    assert reply.status == 200
    assert pick(sms, "status") == {"status": "sent"}
    assert reports() == [("ATXid_1", "Success", None)]

    match_fresh()
    assert pick(sms, "status") == {"status": "delivered"}
    assert reports() == [("ATXid_1", "Success", sms)]


def test_report_during_the_commit_settles_no_other_message_of_the_number(app: Flask, provider: Callbacks) -> None:
    doubtful, sms = make_in_doubt(), make_sending()

    while_uncommitted(app, RECORD, sms, lambda: provider.deliver("ATXid_1", PHONE, "Success"))
    match_fresh()

    assert pick(doubtful, "status") == {"status": "unknown"}
    assert pick(sms, "status") == {"status": "delivered"}


def test_sweep_waits_for_a_message_that_is_being_claimed_and_leaves_it(app: Flask, provider: Callbacks) -> None:
    sms = make_sending()
    provider.deliver("ATXid_1", PHONE, "Success")
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE notifications SET status = 'unknown', provider_id = 'ATXid_1'"))
    claim = "UPDATE notifications SET status = 'sending', attempts = 2 WHERE id = :id"

    while_uncommitted(app, claim, sms, match_fresh)

    assert pick(sms, "status", "attempts") == {"status": "sending", "attempts": 2}
    assert reports() == [("ATXid_1", "Success", None)]


def test_twenty_identical_reports_at_once_are_one(app: Flask, provider: Callbacks, run_sql: Sql) -> None:
    sms = make_sent()
    mail = make_fallback(sms)

    with ThreadPoolExecutor(20) as pool:
        replies = list(pool.map(lambda _: provider.deliver("ATXid_1", PHONE, "Failed"), range(20)))

    assert [reply.status for reply in replies] == [200] * 20
    assert reports() == [("ATXid_1", "Failed", sms)]
    assert pick(sms, "status") == {"status": "failed"}
    assert pick(mail, "status") == {"status": "pending"}


def test_reports_about_two_settle_one_message_only(app: Flask, provider: Callbacks) -> None:
    sms = make_in_doubt()

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda number: provider.deliver(f"ATXid_{number}", PHONE, "Success"), range(10)))

    assert pick(sms, "status") == {"status": "delivered"}
    matched = [provider_id for provider_id, _, notification_id in reports() if notification_id == sms]
    assert matched == [find_notification(sms)["provider_id"]]


def test_all_words_at_once_end_in_one_of_the_final_ones(app: Flask, provider: Callbacks) -> None:
    messages = [make_sent(f"ATXid_{number}") for number in range(8)]
    words = [(f"ATXid_{n}", word) for n in range(8) for word in ("Sent", "Submitted", "Success", "Failed")]

    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda told: provider.deliver(told[0], PHONE, told[1]), words))

    assert {reply.status for reply in replies} == {200}
    for sms in messages:
        row = find_notification(sms)
        assert row["status"] in ("delivered", "failed")
        assert (row["error"] is None, row["delivered_at"] is None) == (
            row["status"] == "delivered",
            row["status"] == "failed",
        )
    assert [matched for _, _, matched in reports()].count(None) == 0


def test_message_that_is_being_deleted(app: Flask, provider: Callbacks, run_sql: Sql) -> None:
    sms = make_sent()
    delete = "DELETE FROM notifications WHERE id = :id"

    reply = while_uncommitted(app, delete, sms, lambda: provider.deliver("ATXid_1", PHONE, "Success"))

    assert reply.status == 200
    assert run_sql("SELECT count(*) FROM notifications") == [(0,)]
    assert reports() == [("ATXid_1", "Success", None)]


def test_two_sweeps_at_once_apply_each_report_once(app: Flask, provider: Callbacks) -> None:
    for number in range(10):
        provider.deliver(f"ATXid_{number}", PHONE, "Success")
    messages = [make_sent(f"ATXid_{number}") for number in range(10)]
    begin = Event()

    def sweep() -> None:
        begin.wait(WAIT_SECONDS)
        match_fresh()

    with ThreadPoolExecutor(3) as pool:
        sweeps = [pool.submit(in_context(app, sweep)) for _ in range(3)]
        begin.set()
        for running in sweeps:
            running.result(timeout=WAIT_SECONDS)

    assert [matched for _, _, matched in reports()] == messages
    assert {pick(sms, "status")["status"] for sms in messages} == {"delivered"}


def test_failure_in_the_middle_of_a_report_leaves_nothing(app: Flask, provider: Callbacks, run_sql: Sql) -> None:
    """The answer is not 200, so the provider sends it again, and it is new then."""
    sms = make_sent()
    run_sql("ALTER TABLE notifications ADD CONSTRAINT broken CHECK (status <> 'delivered')")
    try:
        assert provider.deliver("ATXid_1", PHONE, "Success").status == 500
        assert reports() == []
    finally:
        run_sql("ALTER TABLE notifications DROP CONSTRAINT broken")

    assert provider.deliver("ATXid_1", PHONE, "Success").status == 200
    assert pick(sms, "status") == {"status": "delivered"}
    with transaction() as session:
        assert session.execute(text("SELECT count(*) FROM delivery_reports")).scalar() == 1
