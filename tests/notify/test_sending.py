"""Claim, commit, send, record: one sender, scripted providers."""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
from flask import Flask

from grocery.db import db, transaction
from grocery.notify.policy import CODE, NEWS, OFFER
from grocery.notify.sending import sender as sending
from grocery.notify.sending.sender import send_due
from grocery.notify.suppressions.service import suppress
from tests.notify.clients import AMINA, PHONE
from tests.notify.factories import find_notification, make_notification, make_notifications, pick
from tests.notify.scripted import FAILED, RETRY, SENT, UNKNOWN, ScriptedMail, ScriptedSms
from tests.waiting import within

pytestmark = pytest.mark.usefixtures("scripted")

RunSql = Callable[..., list[tuple[Any, ...]]]


def test_everything_due_is_sent(sms: ScriptedSms, mail: ScriptedMail) -> None:
    texts = make_notifications(25)
    mails = make_notifications(12, channel="email")
    later = make_notification(next_attempt_at="now() + interval '1 hour'")

    assert send_due() == Counter(sent=37)

    assert sorted(sms.sent) == sorted((PHONE, find_notification(message)["body"]) for message in texts)
    rows = [find_notification(message) for message in mails]
    assert sorted(sent[:3] for sent in mail.sent) == sorted((AMINA, row["subject"], row["body"]) for row in rows)
    assert {row["status"] for row in rows} == {"sent"}
    assert pick(later, "status", "attempts") == {"status": "pending", "attempts": 0}


@pytest.mark.usefixtures("one_slot")
def test_codes_go_before_news_and_news_before_offers(sms: ScriptedSms) -> None:
    ids = [make_notification(priority=priority) for priority in (OFFER, NEWS, CODE, OFFER, NEWS, CODE)]

    assert send_due() == Counter(sent=6)

    bodies = [find_notification(message)["body"] for message in ids]
    assert sms.bodies == [bodies[index] for index in (2, 5, 1, 4, 0, 3)]


def test_messages_wait_for_the_provider_at_the_same_time(sms: ScriptedSms) -> None:
    meeting = threading.Barrier(sending.SMS_SLOTS, timeout=60)
    sms.meanwhile = lambda _body: meeting.wait()
    make_notifications(sending.SMS_SLOTS)

    assert send_due() == Counter(sent=sending.SMS_SLOTS)


def test_mails_share_the_sessions_of_their_slots(mail: ScriptedMail) -> None:
    make_notifications(40, channel="email")

    assert send_due() == Counter(sent=40)

    assert 1 <= mail.sessions <= sending.MAIL_SLOTS


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
    first, second = [sent[3] for sent in mail.sent]
    assert first == second
    assert first.startswith(f"<notification-{message}.{created:.0f}.")


@pytest.mark.usefixtures("one_slot")
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


@pytest.mark.usefixtures("one_slot")
def test_outcome_is_recorded_before_the_next_message_is_sent(sms: ScriptedSms, run_sql: RunSql) -> None:
    seen: list[Any] = []
    sms.meanwhile = lambda _body: seen.append(run_sql("SELECT count(*) FROM notifications WHERE status = 'sent'"))
    make_notifications(3)

    send_due()

    assert seen == [[(0,)], [(1,)], [(2,)]]


def test_provider_that_hangs_over_messages_keeps_the_others_from_nothing(
    sms: ScriptedSms, mail: ScriptedMail, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two of three slots hang until everything else is sent, on both channels."""
    monkeypatch.setattr(sending, "SMS_SLOTS", 3)
    all_sent = threading.Event()
    were_last: list[bool] = []

    def hang(body: str) -> None:
        if body == "hang":
            were_last.append(all_sent.wait(60))
        elif len(sms.sent) + len(mail.sent) == 18:
            all_sent.set()

    sms.meanwhile = hang
    make_notification(body="hang")
    make_notification(body="hang")
    make_notifications(8, channel="email")
    make_notifications(7)
    make_notification(next_attempt_at="now() + interval '0.3 seconds'")  # due only when the mails are long done

    assert send_due() == Counter(sent=18)
    assert were_last == [True, True]


@pytest.mark.usefixtures("one_slot")
def test_other_work_has_its_turn_about_once_a_second(sms: ScriptedSms, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "_MEANWHILE_SECONDS", 0.1)
    sms.meanwhile = lambda body: time.sleep(0.02)
    make_notifications(30)
    turns: list[float] = []

    started = time.monotonic()
    assert send_due(meanwhile=lambda: turns.append(time.monotonic())) == {"sent": 30}
    took = time.monotonic() - started

    assert 1 <= len(turns) <= took / 0.1
    assert all(later - earlier >= 0.1 for earlier, later in pairwise(turns))


@pytest.mark.usefixtures("one_slot")
def test_run_ends_in_time_and_leaves_the_rest(sms: ScriptedSms, run_sql: RunSql) -> None:
    sms.meanwhile = lambda _body: time.sleep(0.1)
    make_notifications(15)

    with within(0.8):
        tally = send_due(0.25)
    assert tally == Counter(sent=3)
    rest = run_sql(
        "SELECT attempts, leased_until, next_attempt_at <= now(), count(*) FROM notifications "
        "WHERE status = 'pending' GROUP BY 1, 2, 3"
    )
    assert rest == [(0, None, True, 12)]


def test_who_says_stop_while_their_message_is_being_refused_is_not_tried_again(
    sms: ScriptedSms, mail: ScriptedMail, run_sql: RunSql
) -> None:
    message = make_notification()
    sms.results = [RETRY]

    def stop(_body: str) -> None:
        with transaction():
            suppress("sms", PHONE, "stop")

    sms.meanwhile = stop
    letter = make_notification(channel="email", fallback_for_id=message, next_attempt_at="now() + interval '1 minute'")
    assert send_due() == Counter(pending=1)

    run_sql("UPDATE notifications SET next_attempt_at = now() WHERE id = :id", id=message)
    assert send_due() == Counter(sent=1)

    expected = {"status": "failed", "attempts": 1, "error": "The recipient has opted out."}
    assert pick(message, *expected) == expected
    assert pick(letter, "status") == {"status": "sent"}
    assert len(sms.sent) == 1


def test_texts_and_recipients_are_not_logged(sms: ScriptedSms, caplog: pytest.LogCaptureFixture) -> None:
    message = make_notification(body="Your code is 123456")
    sms.results = [FAILED]

    with caplog.at_level(logging.DEBUG):
        send_due()

    assert f"notification {message}, order_placed by sms: failed in 0 ms" in caplog.text
    assert "123456" not in caplog.text
    assert PHONE not in caplog.text
