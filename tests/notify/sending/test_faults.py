"""What fails while messages are sent: the database, the job's time, a sender that dies, a fault of ours."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

import pytest
from flask import Flask

from grocery.db import db
from grocery.notify.extension import Backends
from grocery.notify.sending import sender as sending
from grocery.notify.sending import slots
from grocery.notify.sending.sender import send_due
from tests.notify.factories import make_notification, make_notifications, pick
from tests.notify.interruption import interrupt_after
from tests.notify.scripted import ScriptedMail, ScriptedSms, backends_of
from tests.waiting import within

pytestmark = pytest.mark.usefixtures("scripted")

RunSql = Callable[..., list[tuple[Any, ...]]]

# As a restart of PostgreSQL does.
END_CONNECTIONS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
)


class JobTimeout(BaseException):
    """What the worker raises when a job's time is up."""


def test_call_that_never_ends_is_left_to_its_lease(
    sms: ScriptedSms, run_sql: RunSql, monkeypatch: pytest.MonkeyPatch, never: threading.Event
) -> None:
    monkeypatch.setattr(sending, "GRACE_SECONDS", 0.1)
    hanging = make_notification(body="hang")
    other = make_notification()
    sms.meanwhile = lambda body: None if body != "hang" else never.wait(60) and None

    with within(1):
        assert send_due(0.2) == Counter(sent=1)
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
    sms.meanwhile = lambda body: None if body != "hang" else never.wait(60) and None

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
            never.wait(60)
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
