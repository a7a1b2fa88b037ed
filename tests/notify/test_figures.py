"""/metrics and `flask notify status`: what waits, what became of the last day's messages, what works."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from grocery.db import transaction
from grocery.notify.policy import CODE, OFFER
from grocery.notify.suppressions.service import suppress
from tests.notify.clients import PHONE
from tests.notify.factories import make_notification, make_notifications, pick

pytestmark = pytest.mark.usefixtures("context")

RunSql = Callable[..., list[tuple[Any, ...]]]


def figures(client: FlaskClient) -> dict[str, float]:
    response = client.get("/metrics")
    assert (response.status_code, response.content_type) == (200, "text/plain; version=0.0.4; charset=utf-8")
    return {
        match[1]: float(match[2]) for match in re.finditer(r"^(\w+(?:\{[^}]*\})?) (\S+)$", response.text, re.MULTILINE)
    }


def test_an_idle_shop_has_zeros_and_no_gaps(client: FlaskClient) -> None:
    seen = figures(client)

    for channel in ("sms", "email"):
        for priority in ("code", "news", "offer"):
            labels = f'{{channel="{channel}",priority="{priority}"}}'
            assert seen[f"grocery_notifications_waiting{labels}"] == 0
            assert seen[f"grocery_notifications_oldest_unsent_seconds{labels}"] == 0
        assert seen[f'grocery_channel_paused{{channel="{channel}"}}'] == 0
    assert seen["grocery_inbound_sms_waiting"] == 0
    assert seen["grocery_delivery_reports_unmatched"] == 0
    assert "grocery_sms_daily_budget" not in seen


def test_what_waits_is_counted_with_the_age_of_the_oldest(client: FlaskClient) -> None:
    make_notification(created_at="now() - interval '90 seconds'")
    make_notification(status="sending", next_attempt_at=None, leased_until="now()")
    make_notification(status="unknown", next_attempt_at="now() + interval '1 minute'")
    make_notification(priority=OFFER)
    make_notification(priority=CODE, channel="email")
    make_notification(status="sent", next_attempt_at=None, created_at="now() - interval '1 hour'")

    seen = figures(client)

    assert seen['grocery_notifications_waiting{channel="sms",priority="news"}'] == 3
    assert seen['grocery_notifications_waiting{channel="sms",priority="offer"}'] == 1
    assert seen['grocery_notifications_waiting{channel="email",priority="code"}'] == 1
    assert 90 <= seen['grocery_notifications_oldest_unsent_seconds{channel="sms",priority="news"}'] < 120


def test_an_email_that_may_not_be_needed_is_not_late(client: FlaskClient) -> None:
    text_message = make_notification(status="sent", next_attempt_at=None)
    make_notification(channel="email", fallback_for_id=text_message, next_attempt_at="now() + interval '9 minutes'")

    assert figures(client)['grocery_notifications_waiting{channel="email",priority="news"}'] == 0


def test_the_last_hour_is_counted_by_status(client: FlaskClient) -> None:
    make_notification(status="failed", next_attempt_at=None, created_at="now() - interval '61 minutes'", repeats=5)
    make_notifications(2, status="delivered", next_attempt_at=None)
    make_notification(status="failed", next_attempt_at=None, repeats=2)

    seen = figures(client)

    assert seen['grocery_notifications_last_hour{channel="sms",status="delivered"}'] == 2
    assert seen['grocery_notifications_last_hour{channel="sms",status="failed"}'] == 1
    assert seen['grocery_notifications_last_hour{channel="email",status="failed"}'] == 0
    assert seen['grocery_notifications_repeats_last_hour{channel="sms"}'] == 2


def test_spending_and_pauses_are_told(client: FlaskClient, run_sql: RunSql, app: Flask) -> None:
    run_sql("""
        INSERT INTO sms_spending (day, currency, amount, messages)
        VALUES ((now() AT TIME ZONE 'Africa/Nairobi')::date, 'KES', 12.8, 16),
               ((now() AT TIME ZONE 'Africa/Nairobi')::date - 1, 'KES', 99, 100)
    """)
    run_sql("""
        INSERT INTO channels (name, tokens, refilled_at, failures, paused_until, error)
        VALUES ('sms', 0, now(), 3, now() + interval '8 seconds', 'refused'), ('email', 0, now(), 0, NULL, NULL)
    """)

    seen = figures(client)
    result = app.test_cli_runner().invoke(args=["notify", "status"])

    assert seen['grocery_sms_spent_today{currency="KES"}'] == 12.8
    assert seen['grocery_channel_paused{channel="sms"}'] == 1
    assert seen['grocery_channel_paused{channel="email"}'] == 0
    assert result.exit_code == 0
    assert "sms: paused until" in result.output
    assert "refused" in result.output
    assert "email: works" in result.output
    assert "Today's SMS have cost 12.80 KES." in result.output


def test_odd_calls_are_counted_for_all_processes(client: FlaskClient) -> None:
    for _ in range(2):
        client.post("/notify/sms/callback-secret-for-tests/delivery", data={"id": "ATXid_1"})

    assert figures(client)['grocery_callback_oddities_total{kind="bad form for take_delivery_report"}'] == 2


def test_status_is_there_for_programs(app: Flask) -> None:
    make_notification(priority=OFFER)

    result = app.test_cli_runner().invoke(args=["notify", "status", "--json"])

    answer = json.loads(result.output)
    assert answer["waiting"] == [{"channel": "sms", "priority": "offer", "number": 1, "oldest_seconds": 0}]
    assert answer["last_day"] == [{"channel": "sms", "status": "pending", "number": 1, "repeats": 0}]
    assert (answer["spent"], answer["inbound_waiting"]) == ("0", 0)


class TestResendingAll:
    def test_only_failed_ones_of_the_last_hours_that_match(self, app: Flask) -> None:
        gone = {"status": "failed", "next_attempt_at": None, "attempts": 20}
        matching = make_notification(**gone)
        others = [
            make_notification(**gone, event="order_shipped"),
            make_notification(**gone, channel="email"),
            make_notification(**gone, created_at="now() - interval '3 hours'"),
            make_notification(status="sent", next_attempt_at=None),
        ]

        arguments = ["--all-failed", "--channel", "sms", "--event", "order_placed", "--hours", "2"]
        result = app.test_cli_runner().invoke(args=["notify", "resend", *arguments])

        assert (result.exit_code, result.output) == (0, "1 message waits to be sent.\n")
        assert pick(matching, "status", "attempts", "max_attempts") == {
            "status": "pending",
            "attempts": 20,
            "max_attempts": 40,
        }
        assert [pick(one, "status")["status"] for one in others] == ["failed", "failed", "failed", "sent"]

    def test_offers_are_not_sent_anew(self, app: Flask, run_sql: RunSql) -> None:
        [(campaign,)] = run_sql("""
            INSERT INTO campaigns (name, channel, texts) VALUES ('Friday', 'sms', '{}') RETURNING id
        """)
        offer = make_notification(status="failed", next_attempt_at=None, priority=OFFER, campaign_id=campaign)

        everything = app.test_cli_runner().invoke(args=["notify", "resend", "--all-failed"])
        one = app.test_cli_runner().invoke(args=["notify", "resend", str(offer)])

        assert everything.output == "0 messages wait to be sent.\n"
        assert f"Notification {offer} is an offer, which its reader may not want any more." in one.output
        assert pick(offer, "status") == {"status": "failed"}

    def test_neither_codes_nor_what_goes_to_those_who_have_said_stop(self, app: Flask) -> None:
        code = make_notification(status="failed", next_attempt_at=None, priority=CODE, is_needed=True)
        stopped = make_notification(status="failed", next_attempt_at=None)
        needed = make_notification(status="failed", next_attempt_at=None, is_needed=True)
        with transaction():
            suppress("sms", PHONE, "stop")

        everything = app.test_cli_runner().invoke(args=["notify", "resend", "--all-failed"])
        one = app.test_cli_runner().invoke(args=["notify", "resend", str(stopped)])

        assert everything.output == "1 message waits to be sent.\n"
        assert f"Notification {stopped} is for an address that gets no such messages any more" in one.output
        assert [pick(message, "status")["status"] for message in (code, stopped, needed)] == [
            "failed",
            "failed",
            "pending",
        ]

    @pytest.mark.parametrize("arguments", [[], ["7", "--all-failed"]])
    def test_ids_or_all_but_not_both(self, app: Flask, arguments: list[str]) -> None:
        result = app.test_cli_runner().invoke(args=["notify", "resend", *arguments])

        assert result.exit_code == 2
        assert "Name messages by their ids, or all by --all-failed." in result.output
