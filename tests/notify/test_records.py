"""Every transition after a claim, with exact values."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from grocery.db import transaction
from grocery.notify.outcome import SendResult
from grocery.notify.sending.claims import Claim, claim_due
from grocery.notify.sending.records import Answered, expire_leases, record_results
from grocery.notify.verdicts import MAX_ATTEMPTS
from tests.notify.clients import PHONE
from tests.notify.factories import find_notification, make_notification, pick
from tests.notify.scripted import FAILED, RETRY, SENT, UNKNOWN

pytestmark = pytest.mark.usefixtures("context")

RunSql = Callable[..., list[tuple[Any, ...]]]


def claimed(**overrides: Any) -> Claim:
    make_notification(**overrides)
    with transaction():
        [claim] = claim_due(overrides.get("channel", "sms"), 1).claims
    return claim


def record(claim: Claim, result: SendResult) -> str:
    with transaction():
        [status] = record_results([Answered(claim, result)])
        return status


def wait_of(notification_id: int, now: datetime) -> timedelta:
    return find_notification(notification_id)["next_attempt_at"] - now


@pytest.fixture
def now(run_sql: RunSql) -> datetime:
    [(moment,)] = run_sql("SELECT now()")
    return moment


def test_sent(now: datetime) -> None:
    claim = claimed(error="refused for now", attempts=1)

    assert record(claim, SENT) == "sent"

    row = find_notification(claim.id)
    sent_at = row["sent_at"]
    expected = {
        "status": "sent",
        "attempts": 2,
        "unknowns": 0,
        "next_attempt_at": None,
        "leased_until": None,
        "provider_id": "id-1",
        "cost": "KES 0.8000",
        "error": None,
    }
    assert {name: row[name] for name in expected} == expected
    assert timedelta(0) <= sent_at - now < timedelta(seconds=5)


def test_refused_for_good() -> None:
    claim = claimed()

    assert record(claim, FAILED) == "failed"

    expected = {
        "status": "failed",
        "attempts": 1,
        "unknowns": 0,
        "next_attempt_at": None,
        "leased_until": None,
        "provider_id": None,
        "error": "no such number",
        "sent_at": None,
    }
    assert pick(claim.id, *expected) == expected


@pytest.mark.parametrize(("attempts_before", "low", "high"), [(0, 4, 6), (1, 8, 12), (8, 720, 1080)])
def test_refused_for_now_waits(now: datetime, attempts_before: int, low: int, high: int) -> None:
    claim = claimed(attempts=attempts_before)

    assert record(claim, RETRY) == "pending"

    expected = {
        "status": "pending",
        "attempts": attempts_before + 1,
        "leased_until": None,
        "error": "refused for now",
        "sent_at": None,
    }
    assert pick(claim.id, *expected) == expected
    assert timedelta(seconds=low) <= wait_of(claim.id, now) <= timedelta(seconds=high + 5)


def test_refused_for_now_at_the_last_attempt(run_sql: RunSql) -> None:
    claim = claimed(attempts=MAX_ATTEMPTS - 1)

    assert record(claim, RETRY) == "failed"

    expected = {"status": "failed", "attempts": MAX_ATTEMPTS, "next_attempt_at": None, "error": "refused for now"}
    assert pick(claim.id, *expected) == expected
    assert run_sql("SELECT count(*) FROM notifications") == [(1,)]


@pytest.mark.parametrize("channel", ["sms", "email"])
@pytest.mark.parametrize("unknowns", [0, 1])
def test_unknown_waits_for_a_report(
    app: Flask, run_sql: RunSql, monkeypatch: pytest.MonkeyPatch, now: datetime, channel: str, unknowns: int
) -> None:
    monkeypatch.setitem(app.config, "SMS_UNKNOWN_WAIT", 70)
    claim = claimed(channel=channel, unknowns=unknowns)

    assert record(claim, UNKNOWN) == "unknown"

    expected = {"status": "unknown", "unknowns": unknowns + 1, "leased_until": None, "error": "no answer"}
    assert pick(claim.id, *expected) == expected
    assert timedelta(seconds=70) <= wait_of(claim.id, now) < timedelta(seconds=75)
    assert run_sql("SELECT count(*) FROM notifications") == [(1,)]


def test_third_unknown_is_final_and_admins_are_told_once(app: Flask, run_sql: RunSql, monkeypatch: Any) -> None:
    monkeypatch.setitem(app.config, "ADMIN_EMAILS", ("owner@shop.example", "boss@shop.example"))
    claim = claimed(unknowns=2, attempts=2)

    assert record(claim, UNKNOWN) == "unknown"
    assert record(claim, UNKNOWN) == "lost"

    expected = {"status": "unknown", "unknowns": 3, "attempts": 3, "next_attempt_at": None, "leased_until": None}
    assert pick(claim.id, *expected) == expected
    alarms = run_sql(
        "SELECT channel, event, recipient, subject, status FROM notifications WHERE id <> :id ORDER BY recipient",
        id=claim.id,
    )
    subject = f"We cannot tell whether a message arrived (no. {claim.id})"
    assert alarms == [
        ("email", "notification_unknown", "boss@shop.example", subject, "pending"),
        ("email", "notification_unknown", "owner@shop.example", subject, "pending"),
    ]
    [(body,)] = run_sql("SELECT body FROM notifications WHERE recipient = 'boss@shop.example'")
    assert f"A text message to {PHONE} was sent 3 times" in body
    assert "Reason: no answer" in body
    assert claim.body not in body


@pytest.mark.parametrize("result", [UNKNOWN, FAILED])
def test_alarm_that_is_lost_itself_is_told_to_nobody(run_sql: RunSql, result: SendResult) -> None:
    claim = claimed(channel="email", event="notification_unknown", unknowns=2)

    record(claim, result)

    assert run_sql("SELECT count(*), min(next_attempt_at) FROM notifications") == [(1, None)]


@pytest.mark.parametrize("result", [SENT, RETRY, FAILED, UNKNOWN])
@pytest.mark.parametrize(
    "change",
    [
        "attempts = 2",
        "status = 'sent', leased_until = NULL",
        "status = 'pending', attempts = 0, next_attempt_at = now()",
    ],
)
def test_outcome_of_an_attempt_that_is_not_ones_own_changes_nothing(
    run_sql: RunSql, result: SendResult, change: str
) -> None:
    claim = claimed(unknowns=2)
    run_sql(f"UPDATE notifications SET {change}")
    before = find_notification(claim.id)

    assert record(claim, result) == "lost"

    assert find_notification(claim.id) == before
    assert run_sql("SELECT count(*) FROM notifications") == [(1,)]


@pytest.mark.parametrize(
    ("result", "status", "unknowns"),
    [(SENT, "sent", 0), (RETRY, "pending", 0), (FAILED, "failed", 0), (UNKNOWN, "lost", 1)],
)
def test_sender_that_was_taken_for_dead_may_tell_as_long_as_nobody_else_tries(
    run_sql: RunSql, result: SendResult, status: str, unknowns: int
) -> None:
    """As after a jump of the clock, or a night of a sleeping machine. What has arrived is not sent again."""
    claim = claimed()
    run_sql("UPDATE notifications SET leased_until = now() - interval '1 second'")
    assert expire() == 1

    assert record(claim, result) == status

    expected = {"status": "unknown" if status == "lost" else status, "unknowns": unknowns, "attempts": 1}
    assert pick(claim.id, *expected) == expected


def test_outcome_of_a_message_that_was_deleted_meanwhile_is_dropped(run_sql: RunSql) -> None:
    claim = claimed()
    run_sql("DELETE FROM notifications")

    assert record(claim, SENT) == "lost"
    assert run_sql("SELECT count(*) FROM notifications") == [(0,)]


def dead_sender(**overrides: Any) -> int:
    lease = {"status": "sending", "attempts": 1, "next_attempt_at": None, "leased_until": "now() - interval '1 second'"}
    return make_notification(**{**lease, **overrides})


def expire() -> int:
    with transaction():
        return expire_leases()


def test_message_of_a_dead_sender_is_unknown(app: Flask, monkeypatch: pytest.MonkeyPatch, now: datetime) -> None:
    monkeypatch.setitem(app.config, "SMS_UNKNOWN_WAIT", 70)
    message = dead_sender()

    assert expire() == 1
    assert expire() == 0

    expected = {
        "status": "unknown",
        "attempts": 1,
        "unknowns": 1,
        "leased_until": None,
        "error": "The sender died or hung before it could tell what became of it.",
    }
    assert pick(message, *expected) == expected
    assert timedelta(seconds=70) <= wait_of(message, now) < timedelta(seconds=75)


def test_message_of_the_third_dead_sender_is_given_up_and_admins_are_told(run_sql: RunSql) -> None:
    message = dead_sender(unknowns=2, attempts=3)

    assert expire() == 1

    expected = {"status": "unknown", "unknowns": 3, "next_attempt_at": None}
    assert pick(message, *expected) == expected
    [(event, recipient)] = run_sql("SELECT event, recipient FROM notifications WHERE id <> :id", id=message)
    assert (event, recipient) == ("notification_unknown", "owner@shop.example")


def test_living_sender_keeps_its_message() -> None:
    message = dead_sender(leased_until="now() + interval '1 second'")
    before = find_notification(message)

    assert expire() == 0
    assert find_notification(message) == before


def test_many_outcomes_are_written_at_once_each_to_its_own_message(run_sql: RunSql) -> None:
    claims = [claimed(body=f"Text {number}") for number in range(5)]
    run_sql("UPDATE notifications SET attempts = attempts + 1 WHERE id = :id", id=claims[4].id)
    results = [SENT, RETRY, FAILED, UNKNOWN, SENT]

    with transaction():
        statuses = record_results([Answered(claim, result) for claim, result in zip(claims, results, strict=True)])

    assert statuses == ["sent", "pending", "failed", "unknown", "lost"]
    assert [pick(claim.id, "status")["status"] for claim in claims] == [*statuses[:4], "sending"]


def test_failure_that_would_meet_everyone_costs_no_attempt(now: datetime) -> None:
    claim = claimed(attempts=MAX_ATTEMPTS - 1)

    assert record(claim, replace(RETRY, is_general=True)) == "pending"

    expected = {"status": "pending", "attempts": MAX_ATTEMPTS, "max_attempts": MAX_ATTEMPTS + 1}
    assert pick(claim.id, *expected) == expected
    assert timedelta(seconds=1) <= wait_of(claim.id, now) <= timedelta(seconds=7)


def test_id_of_an_earlier_attempt_stays_until_there_is_a_newer_one(run_sql: RunSql) -> None:
    """A report may still name it."""
    claim = claimed()
    record(claim, replace(UNKNOWN, provider_id="first"))
    run_sql("UPDATE notifications SET next_attempt_at = now()")
    with transaction():
        [again] = claim_due("sms", 1).claims
    record(again, UNKNOWN)
    assert pick(claim.id, "provider_id", "repeats") == {"provider_id": "first", "repeats": 1}

    run_sql("UPDATE notifications SET next_attempt_at = now()")
    with transaction():
        [again] = claim_due("sms", 1).claims
    record(again, SENT)

    assert pick(claim.id, "provider_id", "repeats") == {"provider_id": "id-1", "repeats": 2}
