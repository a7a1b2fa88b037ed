"""Taking messages out of the outbox."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from grocery.db import db, transaction
from grocery.notify.sending.claims import Claim, claim_due, count_due, give_back, look
from tests.notify.factories import find_notification, make_notification, make_notifications, pick

pytestmark = pytest.mark.usefixtures("context")

RunSql = Callable[..., list[tuple[Any, ...]]]


def claim(channel: str = "sms", limit: int = 10) -> list[Claim]:
    with transaction():
        return claim_due(channel, limit)


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


def test_rows_that_another_sender_locks_are_passed_over() -> None:
    first, second = make_notifications(2)
    with transaction():
        assert [claimed.id for claimed in claim_due("sms", 1)] == [first]
        with db.engine.connect() as other:
            rows = other.execute(db.text("SELECT id FROM notifications FOR UPDATE SKIP LOCKED")).all()
            assert [row.id for row in rows] == [second]


def test_what_is_given_back_is_due_as_if_never_taken() -> None:
    message = make_notification(attempts=4, unknowns=2)
    claims = claim()

    with transaction():
        give_back(claims)

    expected = {"status": "pending", "attempts": 4, "unknowns": 2, "leased_until": None}
    assert pick(message, *expected) == expected
    assert [claimed.attempts for claimed in claim()] == [5]


def test_what_was_taken_over_cannot_be_given_back(run_sql: RunSql) -> None:
    message = make_notification()
    claims = claim()
    run_sql("UPDATE notifications SET status = 'unknown', next_attempt_at = now()")
    claim()

    with transaction():
        give_back(claims)

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
    """The rows of the other channel, and those long done, must not be read for a batch."""
    run_sql(
        """INSERT INTO notifications (dedupe_key, channel, event, recipient, body, status, next_attempt_at)
           SELECT 'bulk:' || n, CASE WHEN n % 100 = 0 THEN 'email' ELSE 'sms' END, 'order_placed', 'x', 'x',
                  CASE WHEN n % 2 = 0 THEN 'sent' ELSE 'pending' END, CASE WHEN n % 2 = 1 THEN now() END
           FROM generate_series(1, 20000) AS n"""
    )
    run_sql("ANALYZE notifications")
    plan = run_sql(
        """EXPLAIN (ANALYZE, FORMAT TEXT) SELECT id FROM notifications
           WHERE channel = 'sms' AND next_attempt_at <= now() AND status IN ('pending', 'unknown')
           ORDER BY next_attempt_at, id LIMIT 10 FOR UPDATE SKIP LOCKED"""
    )
    lines = "\n".join(line for (line,) in plan)

    assert "ix_notifications_due" in lines
    assert "Sort" not in lines
    assert "Seq Scan" not in lines
