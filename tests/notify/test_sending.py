"""Claim, commit, send, record: one sender, scripted providers."""

import logging
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from grocery.db import db
from grocery.notify.sending import sender as sending
from grocery.notify.sending.sender import send_due
from tests.notify.clients import AMINA, PHONE
from tests.notify.factories import find_notification, make_notification, make_notifications, pick
from tests.notify.interruption import interrupt_after
from tests.notify.scripted import FAILED, RETRY, SENT, UNKNOWN, ScriptedMail, ScriptedSms

pytestmark = pytest.mark.usefixtures("scripted")

RunSql = Callable[..., list[tuple[Any, ...]]]


class JobTimeout(BaseException):
    """What the worker raises when a job's time is up."""


def test_everything_due_is_sent_in_the_order_it_was_written(sms: ScriptedSms, mail: ScriptedMail) -> None:
    texts = make_notifications(25)
    mails = make_notifications(12, channel="email")
    later = make_notification(next_attempt_at="now() + interval '1 hour'")

    assert send_due() == Counter(sent=37)

    assert sms.sent == [(PHONE, find_notification(message)["body"]) for message in texts]
    rows = [find_notification(message) for message in mails]
    assert [sent[:3] for sent in mail.sent] == [(AMINA, row["subject"], row["body"]) for row in rows]
    assert {row["status"] for row in rows} == {"sent"}
    assert pick(later, "status", "attempts") == {"status": "pending", "attempts": 0}


def test_mails_of_a_batch_share_a_session(mail: ScriptedMail) -> None:
    make_notifications(12, channel="email")

    send_due()

    assert mail.sessions == 2


def test_no_session_is_opened_without_mails(mail: ScriptedMail) -> None:
    make_notification()

    send_due()

    assert mail.sessions == 0


def test_message_id_is_the_same_at_each_attempt(mail: ScriptedMail, run_sql: RunSql) -> None:
    message = make_notification(channel="email")
    mail.results = [UNKNOWN, SENT]

    send_due()
    run_sql("UPDATE notifications SET next_attempt_at = now()")
    send_due()

    created = find_notification(message)["created_at"].timestamp()
    assert [sent[3] for sent in mail.sent] == [f"<notification-{message}.{created:.0f}@localhost>"] * 2


def test_each_outcome_is_recorded_for_its_own_message(sms: ScriptedSms) -> None:
    messages = make_notifications(4)
    sms.results = [RETRY, SENT, FAILED, UNKNOWN]

    assert send_due() == Counter(pending=1, sent=1, failed=1, unknown=1)

    assert [pick(message, "status", "attempts", "error") for message in messages] == [
        {"status": "pending", "attempts": 1, "error": "refused for now"},
        {"status": "sent", "attempts": 1, "error": None},
        {"status": "failed", "attempts": 1, "error": "no such number"},
        {"status": "unknown", "attempts": 1, "error": "no answer"},
    ]


def test_nothing_due_does_nothing(sms: ScriptedSms, mail: ScriptedMail) -> None:
    assert send_due() == Counter()
    assert (sms.sent, mail.sessions) == ([], 0)


def test_no_connection_is_held_while_the_provider_takes_its_time(app: Flask, sms: ScriptedSms) -> None:
    held: list[int] = []

    def count_connections(_body: str) -> None:
        held.append(db.engine.pool.checkedout() + app.extensions["reads"].pool.checkedout())

    sms.meanwhile = count_connections
    make_notifications(2)

    send_due()

    assert held == [0, 0]


def test_claim_is_committed_before_the_provider_is_called(sms: ScriptedSms, run_sql: RunSql) -> None:
    seen: list[Any] = []
    sms.meanwhile = lambda _body: seen.append(
        run_sql("SELECT status, attempts, leased_until > now() FROM notifications")
    )
    make_notification()

    send_due()

    assert seen == [[("sending", 1, True)]]


def test_outcome_is_recorded_before_the_next_message_is_sent(sms: ScriptedSms, run_sql: RunSql) -> None:
    seen: list[Any] = []
    sms.meanwhile = lambda _body: seen.append(run_sql("SELECT count(*) FROM notifications WHERE status = 'sent'"))
    make_notifications(3)

    send_due()

    assert seen == [[(0,)], [(1,)], [(2,)]]


def test_what_the_turn_leaves_no_time_for_is_given_back_and_sent_next(
    sms: ScriptedSms, mail: ScriptedMail, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow provider neither runs into the lease nor keeps the other channel waiting."""
    monkeypatch.setattr(sending, "TURN_SECONDS", 0.05)
    order: list[str] = []
    sms.meanwhile = lambda body: (order.append(body), time.sleep(0.1))
    texts = make_notifications(3)
    [message] = make_notifications(1, channel="email")

    assert send_due() == Counter(sent=4)

    bodies = [find_notification(text)["body"] for text in texts]
    assert order == bodies
    assert mail.sent[0][2] == find_notification(message)["body"]
    assert [pick(text, "status", "attempts") for text in texts] == [{"status": "sent", "attempts": 1}] * 3


def test_run_ends_in_time_and_gives_the_rest_back(sms: ScriptedSms, run_sql: RunSql) -> None:
    sms.meanwhile = lambda _body: time.sleep(0.1)
    make_notifications(15)

    started = time.monotonic()
    tally = send_due(0.25)

    assert time.monotonic() - started < 0.6
    assert tally == Counter(sent=3)
    rest = run_sql(
        "SELECT attempts, leased_until, next_attempt_at <= now(), count(*) FROM notifications "
        "WHERE status = 'pending' GROUP BY 1, 2, 3"
    )
    assert rest == [(0, None, True, 12)]


def test_end_of_the_job_is_not_swallowed_and_the_rest_is_given_back(sms: ScriptedSms, run_sql: RunSql) -> None:
    first, *rest = make_notifications(4)
    sms.meanwhile = lambda _body: time.sleep(5)

    with pytest.raises(JobTimeout), interrupt_after(0.2, JobTimeout):
        send_due()

    # What the provider made of the first is not known: its lease runs out.
    assert pick(first, "status", "attempts") == {"status": "sending", "attempts": 1}
    assert [pick(message, "status", "attempts") for message in rest] == [{"status": "pending", "attempts": 0}] * 3


def test_fault_of_ours_while_sending_gives_the_rest_back(sms: ScriptedSms) -> None:
    def fail(_body: str) -> None:
        raise ZeroDivisionError

    first, second = make_notifications(2)
    sms.meanwhile = fail

    with pytest.raises(ZeroDivisionError):
        send_due()

    assert pick(first, "status", "attempts") == {"status": "sending", "attempts": 1}
    assert pick(second, "status", "attempts") == {"status": "pending", "attempts": 0}


def test_message_of_a_dead_sender_is_waited_for_before_it_is_sent_again(sms: ScriptedSms, run_sql: RunSql) -> None:
    message = make_notification(
        status="sending", attempts=1, next_attempt_at=None, leased_until="now() - interval '1 second'"
    )

    assert send_due() == Counter()
    assert pick(message, "status", "unknowns") == {"status": "unknown", "unknowns": 1}
    assert sms.sent == []

    run_sql("UPDATE notifications SET next_attempt_at = now()")
    assert send_due() == Counter(sent=1)
    assert pick(message, "status", "attempts") == {"status": "sent", "attempts": 2}


def test_texts_and_recipients_are_not_logged(sms: ScriptedSms, caplog: pytest.LogCaptureFixture) -> None:
    message = make_notification(body="Your code is 123456")
    sms.results = [FAILED]

    with caplog.at_level(logging.DEBUG):
        send_due()

    assert f"notification {message}, order_placed by sms: failed in 0 ms" in caplog.text
    assert "123456" not in caplog.text
    assert PHONE not in caplog.text
