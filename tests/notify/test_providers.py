"""The outbox with the real clients: the SDK and Flask-Mail, against loopback servers on good and bad days."""

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from grocery.db import transaction
from grocery.notify.extension import Backends
from grocery.notify.sending import sender
from grocery.notify.sending.sender import send_due
from grocery.notify.service import Message, queue_messages
from tests.fakes.africastalking import Answer, FakeAfricasTalking, Fault
from tests.fakes.smtp import FakeSmtp, Trouble
from tests.notify.clients import AMINA, PHONE, mail_client, sms_client
from tests.notify.factories import make_notification, make_notifications, order_context, pick
from tests.notify.scripted import backends_of

pytestmark = pytest.mark.usefixtures("wired")

RunSql = Callable[..., list[tuple[Any, ...]]]


def make_due(run_sql: RunSql) -> None:
    """Let all waits be over, also those of channels that did not work."""
    run_sql("UPDATE channels SET paused_until = now() WHERE paused_until IS NOT NULL")
    run_sql("UPDATE notifications SET next_attempt_at = now() WHERE next_attempt_at IS NOT NULL")


def test_placed_order_reaches_the_customer_and_the_admin(
    at_server: FakeAfricasTalking, smtp_server: FakeSmtp, run_sql: RunSql
) -> None:
    context = order_context(customer={"name": "Amína Ngũgĩ", "phone": PHONE, "email": AMINA})
    told = [("sms", "customer", PHONE), ("email", "customer", AMINA), ("email", "admin", "owner@shop.example")]
    with transaction():
        queue_messages(
            [
                Message(channel, "order_placed", audience, recipient, context, f"1:{channel}:{recipient}")
                for channel, audience, recipient in told
            ]
        )

    assert send_due() == Counter(sent=3)

    [text] = at_server.messages
    assert (text["to"], text["message"]) == (
        PHONE,
        "Test Grocer: order G-7K3M9Q received, KES 1,250. We text you when it is on its way. Thank you!",
    )
    mails = {mail.to: mail for mail in smtp_server.mails}
    assert {to: mail.subject for to, mail in mails.items()} == {
        AMINA: "We have your order G-7K3M9Q - thank you!",
        "owner@shop.example": "New order G-7K3M9Q, KES 1,250",
    }
    assert mails[AMINA].body.startswith("Hello Amína Ngũgĩ,\n")
    rows = run_sql("SELECT channel, provider_id, cost FROM notifications ORDER BY channel, id")
    ids = [mails[to].message_id for to in (AMINA, "owner@shop.example")]
    assert rows == [("email", ids[0], None), ("email", ids[1], None), ("sms", text["id"], "KES 0.8000")]


@pytest.mark.parametrize(
    ("fault", "status", "accepted"),
    [
        (Fault.CHARSET_JSON, "sent", 1),
        (Fault.INSUFFICIENT_BALANCE, "pending", 0),
        (Fault.TOO_MANY_REQUESTS, "pending", 0),
        (Answer(401, b"The supplied authentication is invalid", "text/plain"), "pending", 0),
        (Fault.INVALID_SENDER, "failed", 0),
        (Fault.HANG_BEFORE_ACCEPTING, "unknown", 0),
        (Fault.HANG_AFTER_ACCEPTING, "unknown", 1),
        (Fault.RESET_BEFORE_ACCEPTING, "unknown", 0),
        (Fault.RESET_AFTER_ACCEPTING, "unknown", 1),
        (Fault.HTML_500, "unknown", 0),
        (Fault.EMPTY_RECIPIENTS, "unknown", 0),
        (Fault.WRONG_TYPES, "unknown", 0),
    ],
    ids=lambda value: getattr(value, "name", None),
)
def test_sms_on_a_bad_day_of_the_provider(
    at_server: FakeAfricasTalking, run_sql: RunSql, fault: Fault | Answer, status: str, accepted: int
) -> None:
    at_server.misbehave(fault)
    message = make_notification()

    assert send_due() == Counter([status])

    assert pick(message, "status", "attempts") == {"status": status, "attempts": 1}
    assert (at_server.attempts, len(at_server.messages)) == (1, accepted)
    # The day after: what may still be sent is sent, the rest stays as it is.
    make_due(run_sql)
    is_again = status in ("pending", "unknown")
    assert send_due() == (Counter(sent=1) if is_again else Counter())
    assert len(at_server.messages) == accepted + is_again


@pytest.mark.parametrize(("code", "status"), [(403, "failed"), (406, "failed"), (407, "failed"), (502, "pending")])
def test_sms_that_is_refused_for_its_number(at_server: FakeAfricasTalking, code: int, status: str) -> None:
    at_server.reject(PHONE, code)
    refused, other = make_notification(), make_notification(recipient="+254711000002")

    assert send_due() == Counter([status, "sent"])
    assert pick(refused, "status", "provider_id") == {"status": status, "provider_id": None}
    assert pick(other, "status") == {"status": "sent"}


def test_provider_that_is_not_there_is_tried_again(app: Flask, smtp_server: FakeSmtp, run_sql: RunSql) -> None:
    with FakeAfricasTalking() as gone:
        client = sms_client(gone)
    message = make_notification()
    with backends_of(app, Backends(client, mail_client(smtp_server))):
        assert send_due() == Counter(pending=1)
        make_due(run_sql)
        assert send_due() == Counter(pending=1)

    assert pick(message, "status", "attempts", "unknowns") == {"status": "pending", "attempts": 2, "unknowns": 0}
    make_due(run_sql)
    assert send_due() == Counter(sent=1)


def test_provider_that_never_answers_is_given_up_and_the_admin_gets_a_mail(
    at_server: FakeAfricasTalking, smtp_server: FakeSmtp, run_sql: RunSql
) -> None:
    at_server.misbehave(Fault.HTML_500, times=None)
    message = make_notification()
    for _ in range(4):
        send_due()
        make_due(run_sql)

    assert at_server.attempts == 3
    assert pick(message, "status", "unknowns", "next_attempt_at") == {
        "status": "unknown",
        "unknowns": 3,
        "next_attempt_at": None,
    }
    [mail] = smtp_server.mails
    assert (mail.to, mail.subject) == (
        "owner@shop.example",
        f"We cannot tell whether a message arrived (no. {message})",
    )


def test_mails_go_out_while_the_sms_provider_hangs(at_server: FakeAfricasTalking, smtp_server: FakeSmtp) -> None:
    at_server.misbehave(Fault.HANG_BEFORE_ACCEPTING, times=None)
    make_notifications(3)
    mails = make_notifications(3, channel="email")

    assert send_due() == Counter(unknown=3, sent=3)
    assert len(smtp_server.mails) == len(mails)


@pytest.mark.parametrize(
    ("command", "trouble", "status", "taken"),
    [
        ("RCPT", "550 5.1.1 No such user", "failed", 0),
        ("RCPT", "451 4.3.0 Later", "pending", 0),
        ("GREETING", "421 4.3.2 Not now", "pending", 0),
        ("EHLO", Trouble.HANG, "pending", 0),
        ("TEXT", "552 5.3.4 Too big", "failed", 0),
        ("TEXT", Trouble.DROP, "unknown", 1),
        ("TEXT", Trouble.HANG, "unknown", 1),
        ("QUIT", Trouble.DROP, "sent", 1),
    ],
    ids=str,
)
def test_mail_on_a_bad_day_of_the_server(
    smtp_server: FakeSmtp, run_sql: RunSql, command: str, trouble: Trouble | str, status: str, taken: int
) -> None:
    smtp_server.misbehave(command, trouble, times=2 if command == "GREETING" else 1)
    message = make_notification(channel="email")

    assert send_due() == Counter([status])

    assert pick(message, "status", "attempts") == {"status": status, "attempts": 1}
    assert len(smtp_server.mails) == taken
    smtp_server.behave()
    make_due(run_sql)
    is_again = status in ("pending", "unknown")
    assert send_due() == (Counter(sent=1) if is_again else Counter())
    assert len(smtp_server.mails) == taken + is_again
    # A mail that came twice can be known by its id.
    assert len({mail.message_id for mail in smtp_server.mails}) <= 1


def test_mails_of_a_slot_use_one_connection_also_when_one_is_refused(
    smtp_server: FakeSmtp, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sender, "MAIL_SLOTS", 1)
    smtp_server.refuse("nobody@example.com", "550 5.1.1 No such user")
    make_notification(channel="email")
    make_notification(channel="email", recipient="nobody@example.com")
    make_notification(channel="email")

    assert send_due() == Counter(sent=2, failed=1)
    assert smtp_server.connections == 1
