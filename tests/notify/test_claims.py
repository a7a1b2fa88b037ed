"""Taking messages out of the outbox."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask

from grocery.db import db, transaction
from grocery.notify.policy import CODE, OFFER
from grocery.notify.sending import claims
from grocery.notify.sending.claims import Claim, claim_due, count_due, give_back, look
from tests.notify.factories import find_notification, make_notification, make_notifications, pick

pytestmark = pytest.mark.usefixtures("context")

RunSql = Callable[..., list[tuple[Any, ...]]]


def claim(channel: str = "sms", limit: int = 10) -> list[Claim]:
    with transaction():
        return claim_due(channel, limit).claims


def test_claim_takes_a_lease_and_counts_an_attempt() -> None:
    message = make_notification(attempts=2, unknowns=1, body="Habari")

    [claimed] = claim()

    assert (claimed.id, claimed.body, claimed.attempts, claimed.unknowns) == (message, "Habari", 3, 1)
    row = find_notification(message)
    assert (row["status"], row["attempts"], row["unknowns"], row["next_attempt_at"]) == ("sending", 3, 1, None)
    [(lease,)] = db.session.execute(db.text("SELECT leased_until - now() FROM notifications")).all()
    assert timedelta(seconds=55) < lease <= timedelta(seconds=60)


@pytest.mark.parametrize(
    "overrides",
    [
        {"next_attempt_at": "now() + interval '1 second'"},
        {"status": "sending", "next_attempt_at": None, "leased_until": "now() - interval '1 minute'"},
        {"status": "sent", "next_attempt_at": None},
        {"status": "failed", "next_attempt_at": None},
        {"status": "unknown", "next_attempt_at": None},
        {"channel": "email"},
    ],
    ids=str,
)
def test_what_is_not_due_is_not_claimed(overrides: dict[str, Any]) -> None:
    message = make_notification(**overrides)
    before = find_notification(message)

    assert claim() == []
    assert find_notification(message) == before


def test_unknown_message_whose_wait_is_over_is_claimed() -> None:
    message = make_notification(status="unknown", unknowns=1, attempts=1)

    assert [claimed.id for claimed in claim()] == [message]


def test_those_that_wait_longest_are_claimed_first() -> None:
    make_notification(next_attempt_at="now()")
    late = make_notification(next_attempt_at="now() - interval '2 minutes'")
    later = make_notification(next_attempt_at="now() - interval '3 minutes'")

    assert [claimed.id for claimed in claim(limit=2)] == [late, later]
    assert len(claim()) == 1


def test_codes_are_claimed_before_news_and_news_before_offers() -> None:
    offer = make_notification(priority=OFFER, next_attempt_at="now() - interval '3 hours'")
    news = make_notifications(2, next_attempt_at="now() - interval '1 hour'")
    code = make_notification(priority=CODE)

    assert [claimed.id for claimed in claim(limit=2)] == [code, news[0]]
    assert [claimed.id for claimed in claim()] == [news[1], offer]


def test_claim_of_a_message_that_may_have_arrived_is_counted_as_a_repeat() -> None:
    doubtful = make_notification(status="unknown", unknowns=1, attempts=1)
    refused = make_notification(status="pending", unknowns=1, attempts=2)

    assert {claimed.id: claimed.is_repeat for claimed in claim()} == {doubtful: True, refused: False}
    assert (pick(doubtful, "repeats"), pick(refused, "repeats")) == ({"repeats": 1}, {"repeats": 0})


def test_repeat_that_was_not_tried_is_in_doubt_as_before() -> None:
    message = make_notification(status="unknown", unknowns=1, attempts=1)
    held = claim()

    with transaction():
        give_back(held)

    expected = {"status": "unknown", "unknowns": 1, "attempts": 1, "repeats": 0}
    assert pick(message, *expected) == expected


@pytest.mark.parametrize(("hours", "number"), [(None, 2), (0, 1), (12, 2)])
def test_offers_wait_for_the_end_of_quiet_hours(app: Flask, monkeypatch: Any, hours: int | None, number: int) -> None:
    begin = datetime.now(app.config["TIMEZONE"]) - timedelta(minutes=5) + timedelta(hours=hours or 0)
    quiet = (begin.time(), (begin + timedelta(hours=1)).time())
    monkeypatch.setitem(app.config, "QUIET_HOURS", None if hours is None else quiet)
    make_notification(priority=OFFER, channel="email")
    assert look() == (number == 2, False)
    make_notification(channel="email")

    assert count_due() == number
    assert look() == (True, False)
    assert len(claim("email")) == number
    assert (look(), count_due()) == ((False, False), 0)


@pytest.mark.parametrize(
    ("channel", "reason", "error"),
    [("sms", "stop", "The recipient has opted out."), ("email", "bounce", "Mail to this address comes back.")],
)
def test_what_goes_to_an_address_on_the_list_is_given_up_unless_it_is_needed(
    run_sql: RunSql, channel: str, reason: str, error: str
) -> None:
    """Nothing waits there after STOP but what was in a sender's hands at that moment."""
    about = {"channel": channel, "attempts": 1}
    refused, doubtful = make_notification(**about), make_notification(**about, status="unknown", unknowns=1)
    needed = make_notification(**about, is_needed=True)
    address = find_notification(refused)["recipient"]
    run_sql("INSERT INTO suppressions (channel, address, reason) VALUES (:c, :a, :r)", c=channel, a=address, r=reason)

    assert [claimed.id for claimed in claim(channel)] == [needed]

    expected = {"attempts": 1, "repeats": 0, "next_attempt_at": None, "leased_until": None, "error": error}
    assert pick(refused, "status", *expected) == {"status": "failed", **expected}
    assert pick(doubtful, "status", *expected) == {"status": "unknown", **expected}


def test_rows_that_another_sender_locks_are_passed_over() -> None:
    first, second = make_notifications(2)
    with transaction():
        assert [claimed.id for claimed in claim_due("sms", 1).claims] == [first]
        with db.engine.connect() as other:
            rows = other.execute(db.text("SELECT id FROM notifications FOR UPDATE SKIP LOCKED")).all()
            assert [row.id for row in rows] == [second]


def test_what_is_given_back_is_due_as_if_never_taken() -> None:
    message = make_notification(attempts=4, unknowns=2)
    held = claim()

    with transaction():
        give_back(held)

    expected = {"status": "pending", "attempts": 4, "unknowns": 2, "leased_until": None}
    assert pick(message, *expected) == expected
    assert [claimed.attempts for claimed in claim()] == [5]


def test_what_was_taken_over_cannot_be_given_back(run_sql: RunSql) -> None:
    message = make_notification()
    held = claim()
    run_sql("UPDATE notifications SET status = 'unknown', next_attempt_at = now()")
    claim()

    with transaction():
        give_back(held)

    assert pick(message, "status", "attempts") == {"status": "sending", "attempts": 2}


def test_look_tells_what_is_due_and_what_has_expired() -> None:
    assert (look(), count_due()) == ((False, False), 0)

    make_notification(next_attempt_at="now() + interval '1 hour'")
    make_notification(status="sending", next_attempt_at=None, leased_until="now() + interval '1 second'")
    assert (look(), count_due()) == ((False, False), 0)

    make_notification(channel="email")
    assert (look(), count_due()) == ((True, False), 1)

    make_notification(status="sending", next_attempt_at=None, leased_until="now() - interval '1 second'")
    assert (look(), count_due()) == ((True, True), 1)


def test_claiming_reads_no_more_than_it_takes(run_sql: RunSql) -> None:
    """The rows of the other channel, those long done, and those that wait for their next attempt are left alone."""
    run_sql(
        """INSERT INTO notifications
               (dedupe_key, channel, event, recipient, body, status, next_attempt_at, priority)
           SELECT 'bulk:' || n, CASE WHEN n % 100 = 0 THEN 'email' ELSE 'sms' END, 'order_placed', 'x', 'x',
                  CASE WHEN n % 2 = 0 THEN 'sent' ELSE 'pending' END,
                  CASE WHEN n % 2 = 1 THEN now() + (n % 7 - 2) * interval '1 minute' END, n % 3
           FROM generate_series(1, 20000) AS n"""
    )
    run_sql("ANALYZE notifications")
    values = {"channel": "sms", "limit": 10, "offer_limit": 10, "lease_seconds": 60, "has_no_budget": True}
    values["refusals"] = claims._REFUSALS
    statement = db.text(f"EXPLAIN (ANALYZE, FORMAT TEXT) {claims._CLAIM.text}")
    lines = "\n".join(db.session.execute(statement, values).scalars())

    assert lines.count("ix_notifications_waiting") == 3
    assert lines.count("never executed") >= 2, "news and offers were read although there were codes enough"
    assert "Sort" not in lines
    assert "Seq Scan on notifications" not in lines


def test_looking_reads_no_more_than_it_needs(run_sql: RunSql) -> None:
    run_sql(
        """INSERT INTO notifications (dedupe_key, channel, event, recipient, body, next_attempt_at, priority)
           SELECT 'bulk:' || n, 'sms', 'campaign', 'x', 'x', now(), 2 FROM generate_series(1, 20000) AS n"""
    )
    run_sql("ANALYZE notifications")
    values = {**claims._terms(), "is_quiet": False}
    lines = "\n".join(db.session.execute(db.text(f"EXPLAIN ANALYZE {claims._LOOK.text}"), values).scalars())

    assert "Seq Scan on notifications" not in lines
    assert lines.count("ix_notifications_waiting") == 1
    assert "rows=20000.00" not in lines
