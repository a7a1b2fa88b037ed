"""Claim, commit, send, record: one sender, scripted providers."""

import logging
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from itertools import pairwise
from typing import Any

import pytest
from flask import Flask

from grocery.db import db, transaction
from grocery.notify.extension import Backends
from grocery.notify.policy import CODE, NEWS, OFFER
from grocery.notify.sending import sender as sending
from grocery.notify.sending import slots
from grocery.notify.sending.sender import send_due
from grocery.notify.suppressions.service import suppress
from tests.notify.clients import AMINA, PHONE
from tests.notify.factories import find_notification, make_notification, make_notifications, pick
from tests.notify.interruption import interrupt_after
from tests.notify.scripted import FAILED, RETRY, SENT, UNKNOWN, ScriptedMail, ScriptedSms, backends_of

pytestmark = pytest.mark.usefixtures("scripted")

RunSql = Callable[..., list[tuple[Any, ...]]]


# As a restart of PostgreSQL does.
END_CONNECTIONS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
)


class JobTimeout(BaseException):
    """What the worker raises when a job's time is up."""


@pytest.fixture
def one_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    """One message of a channel after the other."""
    monkeypatch.setattr(sending, "SMS_SLOTS", 1)
    monkeypatch.setattr(sending, "MAIL_SLOTS", 1)


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
    meeting = threading.Barrier(sending.SMS_SLOTS, timeout=5)
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
            were_last.append(all_sent.wait(5))
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

    started = time.monotonic()
    tally = send_due(0.25)

    assert time.monotonic() - started < 0.8
    assert tally == Counter(sent=3)
    rest = run_sql(
        "SELECT attempts, leased_until, next_attempt_at <= now(), count(*) FROM notifications "
        "WHERE status = 'pending' GROUP BY 1, 2, 3"
    )
    assert rest == [(0, None, True, 12)]


def test_call_that_never_ends_is_left_to_its_lease(
    sms: ScriptedSms, run_sql: RunSql, monkeypatch: pytest.MonkeyPatch, never: threading.Event
) -> None:
    monkeypatch.setattr(sending, "GRACE_SECONDS", 0.1)
    hanging = make_notification(body="hang")
    other = make_notification()
    sms.meanwhile = lambda body: None if body != "hang" else never.wait(10) and None

    started = time.monotonic()
    assert send_due(0.2) == Counter(sent=1)

    assert time.monotonic() - started < 1
    assert pick(hanging, "status", "attempts") == {"status": "sending", "attempts": 1}
    assert pick(other, "status", "attempts") == {"status": "sent", "attempts": 1}


@pytest.fixture
def never() -> Iterator[threading.Event]:
    """What hanging calls of this test wait for."""
    event = threading.Event()
    yield event
    event.set()


def test_end_of_the_job_is_not_swallowed_and_what_is_known_is_recorded(
    sms: ScriptedSms, monkeypatch: pytest.MonkeyPatch, never: threading.Event
) -> None:
    monkeypatch.setattr(sending, "SMS_SLOTS", 2)
    monkeypatch.setattr(sending, "_GATHER_SECONDS", 5.0)  # the end comes while the first answer waits for the second
    hanging = make_notification(body="hang")
    answered, *rest = make_notifications(3)
    sms.meanwhile = lambda body: None if body != "hang" else never.wait(10) and None

    with pytest.raises(JobTimeout), interrupt_after(0.3, JobTimeout):
        send_due()

    # What the provider made of it is not known: its lease runs out.
    assert pick(hanging, "status", "attempts") == {"status": "sending", "attempts": 1}
    assert pick(answered, "status", "attempts") == {"status": "sent", "attempts": 1}
    assert [pick(message, "status", "attempts") for message in rest] == [{"status": "pending", "attempts": 0}] * 2


def test_what_no_thread_had_begun_is_given_back_at_the_end_of_the_job(
    app: Flask, mail: ScriptedMail, monkeypatch: pytest.MonkeyPatch, never: threading.Event
) -> None:
    monkeypatch.setattr(slots, "_GOODBYE_SECONDS", 0.1)

    class Unopened(ScriptedSms):
        @contextmanager
        def session(self) -> Iterator[ScriptedSms]:
            never.wait(10)
            yield self

    message = make_notification(attempts=3)
    with (
        backends_of(app, Backends(Unopened(), mail)),
        pytest.raises(JobTimeout),
        interrupt_after(0.3, JobTimeout),
    ):
        send_due()

    expected = {"status": "pending", "attempts": 3, "leased_until": None}
    assert pick(message, *expected) == expected


@pytest.mark.usefixtures("one_slot")
def test_fault_of_ours_leaves_its_message_in_doubt_and_stops_no_other(sms: ScriptedSms) -> None:
    def fail(body: str) -> None:
        if body == "fail":
            raise ZeroDivisionError

    first, second = make_notification(body="fail"), make_notification()
    sms.meanwhile = fail

    assert send_due() == Counter(unknown=1, sent=1)

    expected = {"status": "unknown", "attempts": 1, "error": "A fault of the program: ZeroDivisionError"}
    assert pick(first, *expected) == expected
    assert pick(second, "status", "attempts") == {"status": "sent", "attempts": 1}


@pytest.mark.usefixtures("one_slot")
def test_outcomes_survive_a_lost_connection_to_the_database(app: Flask, sms: ScriptedSms) -> None:
    """What the provider has answered is kept and written when PostgreSQL is back."""
    engines = app.extensions["engines"]

    def restart(_body: str) -> None:
        with closing(engines.connect_directly()) as connection, connection, connection.cursor() as cursor:
            cursor.execute(END_CONNECTIONS)

    sms.meanwhile = restart
    messages = make_notifications(2)

    assert send_due() == Counter(sent=2)
    assert [pick(message, "status", "attempts") for message in messages] == [{"status": "sent", "attempts": 1}] * 2


def test_outcomes_survive_a_database_that_is_away_when_more_is_to_be_claimed(app: Flask, sms: ScriptedSms) -> None:
    """The message waits for its provider while the claim of the next ones fails."""
    message = make_notification()
    engines = app.extensions["engines"]

    def hold_the_channel(_body: str) -> None:
        with closing(engines.connect_directly()) as connection, connection, connection.cursor() as cursor:
            cursor.execute(END_CONNECTIONS)
            cursor.execute("SELECT FROM channels FOR UPDATE")
            time.sleep(0.3)
            cursor.execute(END_CONNECTIONS)

    sms.meanwhile = hold_the_channel

    assert send_due() == Counter(sent=1)
    assert pick(message, "status", "attempts") == {"status": "sent", "attempts": 1}


def test_database_that_is_away_for_other_work_leaves_no_message_in_doubt(
    app: Flask, sms: ScriptedSms, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is on its way at that moment is waited for, and its answer written."""
    monkeypatch.setattr(sending, "_MEANWHILE_SECONDS", 0.0)
    monkeypatch.setattr(sending, "_REST_SECONDS", 0.01)
    turns: list[bool] = []

    def fail() -> None:
        turns.append(True)
        with db.engine.connect() as connection:
            connection.execute(db.text("SELECT pg_terminate_backend(pg_backend_pid())"))

    sms.meanwhile = lambda _body: time.sleep(0.1)
    messages = make_notifications(2)

    assert send_due(meanwhile=fail) == Counter(sent=2)
    assert turns
    assert [pick(message, "status", "attempts") for message in messages] == [{"status": "sent", "attempts": 1}] * 2


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
