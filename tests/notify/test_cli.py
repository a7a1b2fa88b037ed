"""`flask notify …`."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from grocery.db import db
from grocery.queues import NOTIFY, doorbell
from tests.fakes.africastalking import FakeAfricasTalking, Fault
from tests.fakes.smtp import FakeSmtp
from tests.notify.clients import AMINA, PHONE
from tests.notify.factories import find_notification, make_notification, make_notifications, pick
from tests.notify.scripted import ScriptedMail, ScriptedSms

RunSql = Callable[..., list[tuple[Any, ...]]]
Run = Callable[..., Result]


@pytest.fixture
def run(app: Flask, context: None) -> Run:
    """Run a command of the group."""

    def invoke(*arguments: str) -> Result:
        db.session.remove()
        return app.test_cli_runner().invoke(args=["notify", *arguments])

    return invoke


@pytest.mark.usefixtures("scripted")
class TestList:
    def test_table(self, run: Run) -> None:
        first = make_notification(status="failed", attempts=2, error="no such number", created_at="now()")
        second = make_notification(channel="email", event="order_shipped")
        created = f"{find_notification(first)['created_at']:%Y-%m-%d %H:%M:%S}Z"

        result = run("list")

        heading, *lines = result.output.splitlines()
        assert result.exit_code == 0
        assert heading.split() == ["id", "created", "channel", "event", "recipient", "status", "attempts", "error"]
        assert lines[0].split()[0] == str(second)
        assert lines[0].split()[3:] == ["email", "order_shipped", AMINA, "pending", "0"]
        assert lines[1].split(maxsplit=8) == [
            str(first),
            *created.split(),
            "sms",
            "order_placed",
            PHONE,
            "failed",
            "2",
            "no such number",
        ]

    def test_filters_and_limit(self, run: Run) -> None:
        messages = [
            *make_notifications(3),
            make_notification(status="failed"),
            make_notification(channel="email"),
            make_notification(event="order_shipped"),
        ]

        def ids(*options: str) -> list[int]:
            return [row["id"] for row in json.loads(run("list", "--json", *options).output)]

        assert ids() == messages[::-1]
        assert ids("--limit", "2") == messages[:-3:-1]
        assert ids("--status", "failed") == [messages[3]]
        assert ids("--channel", "email") == [messages[4]]
        assert ids("--event", "order_shipped") == [messages[5]]
        assert ids("--event", "order_shipped", "--status", "failed") == []

    def test_json_has_the_fields_of_the_api(self, run: Run) -> None:
        message = make_notification(body="Habari")

        [row] = json.loads(run("list", "--json").output)

        created = find_notification(message)["created_at"].isoformat().replace("+00:00", "Z")
        assert (row["id"], row["body"], row["created_at"], row["order_id"]) == (message, "Habari", created, None)
        assert "dedupe_key" not in row

    def test_nothing(self, run: Run) -> None:
        assert run("list").output == "Nothing found.\n"
        assert run("list", "--json").output == "[]\n"

    @pytest.mark.parametrize("option", [["--status", "lost"], ["--channel", "pigeon"], ["--limit", "0"]])
    def test_wrong_usage(self, run: Run, option: list[str]) -> None:
        assert run("list", *option).exit_code == 2


@pytest.mark.usefixtures("scripted")
class TestResend:
    def test_message_that_was_given_up_waits_again(self, run: Run) -> None:
        message = make_notification(status="failed", attempts=20, next_attempt_at=None)

        result = run("resend", str(message))

        assert (result.exit_code, result.output) == (0, f"Notification {message} waits to be sent.\n")
        assert pick(message, "status", "attempts", "max_attempts") == {
            "status": "pending",
            "attempts": 20,
            "max_attempts": 40,
        }
        assert doorbell().depth(NOTIFY) == 1

    def test_one_that_cannot_be_sent_anew_does_not_hold_up_the_others(self, run: Run) -> None:
        sent = make_notification(status="sent", next_attempt_at=None)
        failed = make_notification(status="failed", next_attempt_at=None)

        result = run("resend", str(sent), str(failed), "999999")

        assert result.exit_code == 1
        assert result.output.splitlines() == [
            f"Notification {sent} was sent, and is not sent twice.",
            f"Notification {failed} waits to be sent.",
            "There is no notification 999999.",
            "Error: 2 of 3 could not be sent anew.",
        ]
        assert pick(sent, "status") == {"status": "sent"}
        assert pick(failed, "status") == {"status": "pending"}

    @pytest.mark.parametrize("ids", [[], ["x"], ["0"], [str(2**63)]])
    def test_wrong_usage(self, run: Run, ids: list[str]) -> None:
        assert run("resend", *ids).exit_code == 2


@pytest.mark.usefixtures("wired")
class TestTestMessages:
    def test_sms(self, run: Run, at_server: FakeAfricasTalking, run_sql: RunSql) -> None:
        result = run("test-sms", "0711 000001")

        [message] = at_server.messages
        assert (message["to"], message["message"]) == (PHONE, "Test Grocer: this is a test message.")
        assert (result.exit_code, result.output) == (0, f"Sent to {PHONE} ({message['id']}, KES 0.8000).\n")
        assert run_sql("SELECT count(*) FROM notifications") == [(0,)]

    def test_sms_with_a_text(self, run: Run, at_server: FakeAfricasTalking) -> None:
        run("test-sms", PHONE, "--text", "Habari")

        assert at_server.messages[0]["message"] == "Habari"

    @pytest.mark.parametrize(
        ("fault", "told"), [(Fault.INSUFFICIENT_BALANCE, "retry: 405"), (Fault.HTML_500, "unknown: HTTP 500")]
    )
    def test_sms_that_is_not_sent(self, run: Run, at_server: FakeAfricasTalking, fault: Fault, told: str) -> None:
        at_server.misbehave(fault)

        result = run("test-sms", PHONE)

        assert result.exit_code == 1
        assert result.output.startswith(f"Error: {PHONE}: {told}")

    def test_sms_to_no_number(self, run: Run, at_server: FakeAfricasTalking) -> None:
        result = run("test-sms", "12")

        assert (result.exit_code, result.output) == (1, "Error: 12 is not a phone number.\n")
        assert at_server.attempts == 0

    def test_email(self, run: Run, smtp_server: FakeSmtp) -> None:
        result = run("test-email", AMINA)

        [mail] = smtp_server.mails
        assert (mail.to, mail.subject) == (AMINA, "A test message of Test Grocer")
        assert (result.exit_code, result.output) == (0, f"Sent to {AMINA} ({mail.message_id}).\n")

    def test_email_that_is_refused(self, run: Run, smtp_server: FakeSmtp) -> None:
        smtp_server.refuse(AMINA, "550 5.1.1 No such user")

        result = run("test-email", AMINA)

        assert (result.exit_code, result.output) == (1, f"Error: {AMINA}: failed: 550 5.1.1 No such user\n")


@pytest.mark.usefixtures("scripted")
class TestRelay:
    def test_rings_for_what_is_due(self, run: Run, sms: ScriptedSms) -> None:
        make_notifications(2)

        assert run("relay").output == "2 messages are due.\n"
        assert doorbell().depth(NOTIFY) == 1
        assert sms.sent == []

    def test_rings_for_nothing(self, run: Run) -> None:
        result = run("relay")

        assert (result.exit_code, result.output) == (0, "0 messages are due.\n")
        assert doorbell().depth(NOTIFY) == 0

    def test_sends_from_here(self, run: Run, sms: ScriptedSms, mail: ScriptedMail) -> None:
        make_notifications(2)
        make_notification(channel="email")

        assert run("relay", "--send").output == "sent: 3\n"
        assert (len(sms.sent), len(mail.sent)) == (2, 1)
        assert doorbell().depth(NOTIFY) == 0
        assert run("relay", "--send").output == "Nothing was due.\n"

    def test_says_when_redis_is_away(self, run: Run, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
        class SilentBell:
            def ring(self, _queue: str) -> bool:
                return False

        monkeypatch.setitem(app.extensions, "doorbell", SilentBell())
        make_notification()

        result = run("relay")

        assert result.exit_code == 1
        assert "Redis is away" in result.output


class TestCallbacks:
    def test_addresses_for_the_providers(self, run: Run) -> None:
        lines = run("callbacks").output.splitlines()

        base = "http://shop.example/notify"
        assert [line.split(": ", 1)[1].strip() for line in lines] == [
            *[f"{base}/sms/callback-secret-for-tests/{name}" for name in ("delivery", "inbound", "opt-out", "ussd")],
            f"{base}/mail/bounce-secret-for-tests/bounce",
        ]

    def test_without_a_secret_there_is_none(self, run: Run, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(app.config, "AT_CALLBACK_SECRET", "")

        assert "none: AT_CALLBACK_SECRET is not set" in run("callbacks").output

    def test_without_an_address_of_the_shop_it_is_an_error(
        self, run: Run, app: Flask, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setitem(app.config, "SHOP_URL", "")

        result = run("callbacks")
        assert (result.exit_code, "SHOP_URL is not set" in result.output) == (1, True)
