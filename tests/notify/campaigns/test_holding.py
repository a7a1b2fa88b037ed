"""What waits is held by a pause, sent after it, and deleted by a cancellation."""

from collections.abc import Callable
from typing import Any

import pytest

from grocery.notify.campaigns.writing import BATCH, is_campaign_due, work_on_campaigns
from grocery.queues import NOTIFY, doorbell
from tests.notify.campaigns.factories import (
    deliver_all,
    find_campaign,
    make_campaign,
    make_subscribers,
    move,
    work_until_idle,
)
from tests.notify.factories import make_notification, pick

pytestmark = pytest.mark.usefixtures("context")

RunSql = Callable[..., list[tuple[Any, ...]]]


def test_pause_in_the_middle_holds_what_waits_and_writes_no_more(run_sql: RunSql) -> None:
    make_subscribers(BATCH * 2)
    order = make_notification()
    campaign_id = make_campaign(status="running")
    work_on_campaigns()
    run_sql("UPDATE notifications SET status = 'sent', next_attempt_at = NULL WHERE recipient = '+254700000001'")

    move(campaign_id, "pause")

    assert work_on_campaigns() is False
    assert is_campaign_due() is False
    assert deliver_all() == 1
    assert pick(order, "status") == {"status": "delivered"}
    campaign = find_campaign(campaign_id)
    assert (campaign["status"], campaign["queued"]) == ("paused", BATCH)
    assert (campaign["counts"]["pending"], campaign["counts"]["sent"]) == (BATCH - 1, 1)


def test_resumed_campaign_reaches_everybody_once(run_sql: RunSql) -> None:
    make_subscribers(BATCH * 2)
    campaign_id = make_campaign(status="running")
    work_on_campaigns()
    run_sql("UPDATE notifications SET status = 'failed', next_attempt_at = NULL WHERE recipient = '+254700000001'")
    move(campaign_id, "pause")
    doorbell().answer(NOTIFY)

    move(campaign_id, "resume")

    assert deliver_all() == BATCH - 1
    work_until_idle()
    assert deliver_all() == BATCH
    work_until_idle()
    assert find_campaign(campaign_id, "status", "queued", "counts") == {
        "status": "finished",
        "queued": BATCH * 2,
        "counts": {"pending": 0, "sent": 0, "delivered": BATCH * 2 - 1, "failed": 1, "unknown": 0},
    }
    assert run_sql("SELECT count(DISTINCT recipient) FROM notifications") == [(BATCH * 2,)]


@pytest.mark.parametrize("is_paused", [False, True])
def test_cancellation_deletes_what_waits_and_keeps_what_was_sent(run_sql: RunSql, is_paused: bool) -> None:
    make_subscribers(4)
    order = make_notification()
    campaign_id, other = (make_campaign(channel, status="running") for channel in ("sms", "email"))
    work_until_idle()
    run_sql("UPDATE notifications SET status = 'sent', next_attempt_at = NULL WHERE recipient = '+254700000001'")
    run_sql("UPDATE notifications SET status = 'unknown' WHERE recipient = '+254700000002'")
    if is_paused:
        move(campaign_id, "pause")

    move(campaign_id, "cancel")

    assert find_campaign(campaign_id, "status", "audience", "queued", "counts") == {
        "status": "cancelled",
        "audience": 4,
        "queued": 4,
        "counts": {"pending": 0, "sent": 1, "delivered": 0, "failed": 0, "unknown": 1},
    }
    assert run_sql("SELECT next_attempt_at FROM notifications WHERE status = 'unknown'") == [(None,)]
    assert find_campaign(other, "counts")["counts"]["pending"] == 4
    assert pick(order, "status") == {"status": "pending"}
    assert deliver_all() == 5


def test_message_that_comes_back_from_its_sender_in_a_pause_is_held(run_sql: RunSql) -> None:
    make_subscribers(1)
    campaign_id = make_campaign(status="running")
    work_until_idle()
    run_sql("UPDATE notifications SET status = 'sending', next_attempt_at = NULL")
    move(campaign_id, "pause")
    assert is_campaign_due() is False
    run_sql("UPDATE notifications SET status = 'pending', next_attempt_at = now() + interval '5 s'")

    assert is_campaign_due() is True
    work_on_campaigns()

    assert run_sql("SELECT status, next_attempt_at FROM notifications") == [("pending", None)]
    assert is_campaign_due() is False
    move(campaign_id, "resume")
    assert deliver_all() == 1


@pytest.mark.parametrize(("status", "left"), [("pending", []), ("unknown", [("unknown", None)])])
def test_message_that_comes_back_after_the_cancellation_is_not_sent_again(
    run_sql: RunSql, status: str, left: list[tuple[Any, ...]]
) -> None:
    make_subscribers(1)
    campaign_id = make_campaign(status="running")
    work_until_idle()
    run_sql("UPDATE notifications SET status = 'sending', next_attempt_at = NULL")
    move(campaign_id, "cancel")
    run_sql("UPDATE notifications SET status = :status, next_attempt_at = now()", status=status)

    work_on_campaigns()

    assert run_sql("SELECT status, next_attempt_at FROM notifications") == left
    assert is_campaign_due() is False
