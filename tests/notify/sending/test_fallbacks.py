"""The e-mail in the place of an SMS goes out when that one does not arrive, and only then."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask

from grocery.db import transaction
from grocery.notify.sending.fallbacks import settle_fallbacks
from grocery.notify.sending.records import expire_leases
from grocery.notify.sending.sender import send_due
from tests.notify.factories import find_notification, make_notification, pick
from tests.notify.scripted import FAILED, RETRY, SENT, UNKNOWN, ScriptedMail, ScriptedSms

pytestmark = pytest.mark.usefixtures("scripted")

RunSql = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def reports(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """The provider tells what became of each SMS."""
    monkeypatch.setitem(app.config, "SMS_BACKEND", "africastalking")


def make_pair(**overrides: Any) -> tuple[int, int]:
    """An SMS and the e-mail in its place."""
    sms = make_notification(**overrides)
    mail = make_notification(channel="email", fallback_for_id=sms, next_attempt_at="now() + interval '10 minutes'")
    return sms, mail


def settle(statuses: dict[int, str]) -> None:
    with transaction():
        settle_fallbacks(statuses)


def exists(run_sql: RunSql, notification_id: int) -> bool:
    return run_sql("SELECT 1 FROM notifications WHERE id = :id", id=notification_id) == [(1,)]


@pytest.mark.usefixtures("reports")
def test_mail_of_an_sms_that_was_refused_goes_out_in_the_same_run(sms: ScriptedSms, mail: ScriptedMail) -> None:
    sms.results = [FAILED]
    text, letter = make_pair()

    send_due()

    assert (pick(text, "status"), pick(letter, "status")) == ({"status": "failed"}, {"status": "sent"})
    assert len(mail.sent) == 1


@pytest.mark.usefixtures("reports")
def test_mail_of_an_sms_that_is_sent_waits_for_the_report(mail: ScriptedMail, run_sql: RunSql) -> None:
    text, letter = make_pair()
    before = find_notification(letter)

    send_due()

    assert pick(text, "status") == {"status": "sent"}
    assert find_notification(letter) == before
    settle({text: "delivered"})
    assert not exists(run_sql, letter)
    assert mail.sent == []


@pytest.mark.parametrize("backend", ["console", "no secret"])
def test_sent_is_believed_to_have_arrived_when_no_reports_can_come(
    app: Flask, monkeypatch: pytest.MonkeyPatch, run_sql: RunSql, mail: ScriptedMail, backend: str
) -> None:
    if backend != "console":
        monkeypatch.setitem(app.config, "SMS_BACKEND", "africastalking")
        monkeypatch.setitem(app.config, "AT_CALLBACK_SECRET", "")
    text, letter = make_pair()

    send_due()

    assert pick(text, "status") == {"status": "sent"}
    assert not exists(run_sql, letter)
    assert mail.sent == []


@pytest.mark.usefixtures("reports")
@pytest.mark.parametrize("result", [RETRY, UNKNOWN], ids=["retry", "unknown"])
def test_mail_of_an_sms_that_is_tried_again_waits(sms: ScriptedSms, mail: ScriptedMail, result: Any) -> None:
    sms.results = [result]
    _, letter = make_pair()
    before = find_notification(letter)

    send_due()

    assert find_notification(letter) == before
    assert mail.sent == []


@pytest.mark.usefixtures("reports")
def test_mail_of_an_sms_that_is_given_up_goes_out(sms: ScriptedSms, run_sql: RunSql) -> None:
    sms.results = [UNKNOWN]
    text, letter = make_pair(unknowns=2)

    send_due()

    assert pick(text, "status", "next_attempt_at") == {"status": "unknown", "next_attempt_at": None}
    assert pick(letter, "status") == {"status": "sent"}


@pytest.mark.usefixtures("reports")
def test_mail_of_an_sms_whose_third_sender_died_becomes_due(run_sql: RunSql) -> None:
    lease = {"status": "sending", "next_attempt_at": None, "leased_until": "now() - interval '1 second'"}
    _, letter = make_pair(**lease, attempts=3, unknowns=2)
    _, waiting = make_pair(**lease, attempts=1)

    with transaction():
        assert expire_leases() == 2

    assert run_sql("SELECT id FROM notifications WHERE fallback_for_id > 0 AND next_attempt_at <= now()") == [(letter,)]
    assert pick(waiting, "status") == {"status": "pending"}


@pytest.mark.parametrize("status", ["sending", "sent", "failed", "unknown"])
@pytest.mark.parametrize("news", ["delivered", "failed"])
def test_mail_that_is_on_its_way_or_gone_stays_as_it_is(status: str, news: str) -> None:
    text, _ = make_pair()
    other = make_notification(channel="email", status=status, fallback_for_id=text, next_attempt_at=None)
    before = find_notification(other)

    settle({text: news})

    assert find_notification(other) == before


def test_mails_of_other_sms_and_their_waits_stay_as_they_are(run_sql: RunSql) -> None:
    text, _ = make_pair()
    _, other = make_pair()
    before = find_notification(other)

    settle({text: "failed"})
    settle({text: "delivered"})
    settle({})

    assert find_notification(other) == before


def test_mail_that_is_due_already_does_not_lose_its_place() -> None:
    text = make_notification()
    letter = make_notification(channel="email", fallback_for_id=text, next_attempt_at="now() - interval '5 minutes'")
    due_at = find_notification(letter)["next_attempt_at"]

    settle({text: "failed"})

    assert find_notification(letter)["next_attempt_at"] - due_at == timedelta(0)


@pytest.mark.usefixtures("reports")
def test_mail_goes_out_when_the_sms_is_not_delivered_in_time(mail: ScriptedMail, run_sql: RunSql) -> None:
    text, letter = make_pair()
    send_due()
    assert mail.sent == []

    run_sql("UPDATE notifications SET next_attempt_at = now() WHERE id = :id", id=letter)
    send_due()

    assert pick(letter, "status") == {"status": "sent"}
    assert SENT.provider_id == find_notification(text)["provider_id"]
