"""The suppression list: who comes onto it, what that stops, and who comes off it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from grocery.db import transaction
from grocery.notify.hooks import marketing_chosen
from grocery.notify.service import Message, queue_messages
from grocery.notify.suppressions.errors import StoppedByHolderError, SuppressionNotFoundError
from grocery.notify.suppressions.service import (
    is_suppressed,
    lift,
    lift_for_holder,
    list_suppressions,
    suppress,
)
from tests.conftest import IsolatedClient
from tests.notify.clients import AMINA, PHONE
from tests.notify.factories import find_notification, make_notification, pick

pytestmark = pytest.mark.usefixtures("context")

Sql = Callable[..., list[tuple[Any, ...]]]
OPT_OUT = "/notify/sms/callback-secret-for-tests/opt-out"


def put(channel: str, address: str, reason: str, detail: str | None = None) -> None:
    with transaction():
        suppress(channel, address, reason, detail)


def listed() -> list[tuple[Any, ...]]:
    rows = list_suppressions(limit=100)
    return [(row["channel"], row["address"], row["reason"], row["detail"]) for row in rows]


class TestSuppressing:
    def test_address_is_on_the_list_of_its_channel_only(self) -> None:
        put("sms", PHONE, "stop")

        assert listed() == [("sms", PHONE, "stop", None)]
        assert (is_suppressed("sms", PHONE), is_suppressed("email", PHONE)) == (True, False)

    def test_email_is_kept_as_recipients_are(self) -> None:
        put("email", " Amina@Example.COM ", "bounce", "550 5.1.1")

        assert listed() == [("email", "amina@example.com", "bounce", "550 5.1.1")]
        assert is_suppressed("email", "AMINA@example.com")

    @pytest.mark.parametrize(
        ("first", "second", "kept"),
        [
            ("provider", "provider", ("provider", "first")),
            ("provider", "stop", ("stop", "second")),
            ("stop", "provider", ("stop", "first")),
            ("stop", "stop", ("stop", "first")),
        ],
    )
    def test_what_the_holder_said_counts_most(self, first: str, second: str, kept: tuple[str, str]) -> None:
        put("sms", PHONE, first, "first")
        put("sms", PHONE, second, "second")

        assert listed() == [("sms", PHONE, *kept)]

    def test_roll_back_takes_all_back(self) -> None:
        waiting = make_notification()

        def stop_in_vain() -> None:
            with transaction():
                suppress("sms", PHONE, "stop")
                raise RuntimeError

        with pytest.raises(RuntimeError):
            stop_in_vain()

        assert listed() == []
        assert pick(waiting, "status") == {"status": "pending"}


class TestWhatWaits:
    def test_it_fails_at_once(self) -> None:
        waiting = make_notification(next_attempt_at="now() + interval '5 minutes'")

        put("sms", PHONE, "stop")

        expected = {"status": "failed", "next_attempt_at": None, "error": "The recipient has opted out."}
        assert pick(waiting, *expected) == expected

    @pytest.mark.parametrize(
        "overrides",
        [
            {"event": "sign_in_code", "priority": 0, "is_needed": True},
            {"event": "reply_stopped", "is_needed": True},
            {"is_needed": True},
            {"recipient": "+254711000002"},
            {"channel": "email"},
            {"status": "sending", "next_attempt_at": None, "leased_until": "now() + interval '1 minute'"},
            {"status": "sent", "next_attempt_at": None},
            {"status": "unknown", "next_attempt_at": None},
        ],
    )
    def test_others_stay_as_they_are(self, overrides: dict[str, Any]) -> None:
        other = make_notification(**overrides)
        before = find_notification(other)

        put("sms", PHONE, "stop")

        assert find_notification(other) == before

    def test_one_that_may_have_arrived_is_not_sent_again(self) -> None:
        doubtful = make_notification(status="unknown", unknowns=1, next_attempt_at="now() + interval '1 minute'")

        put("sms", PHONE, "provider")

        assert pick(doubtful, "status", "next_attempt_at") == {"status": "unknown", "next_attempt_at": None}

    @pytest.mark.parametrize("status", ["pending", "unknown"])
    def test_email_in_its_place_goes_at_once(self, run_sql: Sql, status: str) -> None:
        sms = make_notification(status=status)
        mail = make_notification(channel="email", fallback_for_id=sms, next_attempt_at="now() + interval '10 minutes'")

        put("sms", PHONE, "stop")

        due = "SELECT status, next_attempt_at <= now() FROM notifications WHERE id = :id"
        assert run_sql(due, id=mail) == [("pending", True)]

    def test_mail_to_a_mailbox_that_is_gone(self) -> None:
        mail = make_notification(channel="email")

        put("email", AMINA, "bounce")

        assert pick(mail, "status", "error") == {"status": "failed", "error": "Mail to this address comes back."}

    def test_what_is_queued_later_is_left_out_unless_needed(self, run_sql: Sql) -> None:
        put("sms", PHONE, "stop")
        context = {"shop": "Test Grocer", "code": "123456", "minutes": 5, "origin": None, "domain": None}

        with transaction():
            queue_messages([Message("sms", "sign_in_code", "customer", PHONE, context, "code:1")])
            queue_messages([Message("sms", "sign_in_code", "customer", PHONE, context, "code:1", is_needed=True)])

        assert run_sql("SELECT event FROM notifications") == [("sign_in_code",)]


class TestLifting:
    @pytest.mark.parametrize("reason", ["stop", "provider"])
    def test_holder_comes_back(self, reason: str) -> None:
        put("sms", PHONE, reason)

        with transaction():
            lift("sms", PHONE)
            lift("sms", "+254711000002")

        assert listed() == []

    def test_others_lift_what_others_said(self) -> None:
        put("email", AMINA, "bounce")

        with transaction():
            lift_for_holder("email", AMINA.upper())

        assert listed() == []

    def test_nobody_else_lifts_what_the_holder_said_unless_forced(self) -> None:
        put("sms", PHONE, "stop")

        with pytest.raises(StoppedByHolderError), transaction():
            lift_for_holder("sms", PHONE)
        assert listed() == [("sms", PHONE, "stop", None)]

        with transaction():
            lift_for_holder("sms", PHONE, is_forced=True)
        assert listed() == []

    def test_address_that_is_not_on_the_list(self) -> None:
        with pytest.raises(SuppressionNotFoundError), transaction():
            lift_for_holder("sms", PHONE)


class TestOptOut:
    @pytest.fixture
    def choices(self) -> Iterator[list[tuple[str, str, bool]]]:
        heard: list[tuple[str, str, bool]] = []

        def hear(_sender: object, *, channel: str, address: str, is_wanted: bool) -> None:
            heard.append((channel, address, is_wanted))

        with marketing_chosen.connected_to(hear):
            yield heard

    def test_phone_gets_no_offers_and_no_news(self, app: Flask, choices: list[tuple[str, str, bool]]) -> None:
        waiting = make_notification()

        answer = IsolatedClient(app, app.response_class).post(
            OPT_OUT, data={"senderId": "SHOP", "phoneNumber": "0711 000001"}
        )

        assert (answer.status_code, answer.data, answer.content_type) == (200, b"", "text/plain; charset=utf-8")
        assert listed() == [("sms", PHONE, "provider", "SHOP")]
        assert choices == [("sms", PHONE, False)]
        assert pick(waiting, "status") == {"status": "failed"}

    def test_repeated_it_changes_nothing(self, app: Flask, choices: list[tuple[str, str, bool]]) -> None:
        client = IsolatedClient(app, app.response_class)
        for sender in ("FIRST", "SECOND"):
            assert client.post(OPT_OUT, data={"senderId": sender, "phoneNumber": PHONE}).status_code == 200

        assert listed() == [("sms", PHONE, "provider", "FIRST")]

    def test_holders_own_word_stays(self, app: Flask) -> None:
        put("sms", PHONE, "stop")

        IsolatedClient(app, app.response_class).post(OPT_OUT, data={"phoneNumber": PHONE})

        assert listed() == [("sms", PHONE, "stop", None)]
