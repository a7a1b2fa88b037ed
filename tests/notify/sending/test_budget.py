"""What SMS cost, and what a day of them may cost."""

import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask

from grocery.db import transaction
from grocery.notify.outcome import Outcome, SendResult
from grocery.notify.policy import CODE, OFFER
from grocery.notify.sending import sender as sending
from grocery.notify.sending.budget import note_costs, parse_cost
from grocery.notify.sending.claims import count_due, look
from grocery.notify.sending.sender import send_due
from tests.notify.factories import make_notification, make_notifications, pick
from tests.notify.scripted import FAILED, SENT, ScriptedMail, ScriptedSms

pytestmark = pytest.mark.usefixtures("scripted")

RunSql = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def budget(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "SMS_DAILY_BUDGET", Decimal(100))


@pytest.fixture
def used_up(budget: None, app: Flask, run_sql: RunSql) -> None:
    spend(app, run_sql, "100.0000")


def spend(app: Flask, run_sql: RunSql, amount: str) -> None:
    """What was spent today before the test."""
    run_sql(
        "INSERT INTO sms_spending VALUES (:day, 'KES', :amount, 1)",
        day=datetime.now(app.config["TIMEZONE"]).date(),
        amount=amount,
    )


def cost(amount: str) -> SendResult:
    return replace(SENT, cost=amount)


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("KES 0.8000", ("KES", Decimal("0.8"))),
        ("UGX 35", ("UGX", Decimal(35))),
        ("KES0.80", ("KES", Decimal("0.8"))),
        ("0", None),
        ("", None),
        (None, None),
        ("KES", None),
        ("KES -1", None),
        ("kes 1", None),
        ("KES 1e9", None),
        ("KES 9999999999", None),
    ],
)
def test_cost_is_read_as_the_provider_writes_it(written: str | None, expected: Any) -> None:
    assert parse_cost(written) == expected


def test_costs_of_the_day_are_added_up_by_currency(app: Flask, sms: ScriptedSms, run_sql: RunSql) -> None:
    refused = SendResult(Outcome.FAILED, cost="0", error="406 UserInBlacklist")
    sms.results = [cost("KES 0.8000"), cost("KES 1.6000"), cost("UGX 35.0000"), refused, cost("KES 0.8000")]
    make_notifications(5)
    make_notification(channel="email")

    send_due()

    today = datetime.now(app.config["TIMEZONE"]).date()
    assert run_sql("SELECT * FROM sms_spending ORDER BY currency") == [
        (today, "KES", Decimal("3.2000"), 3),
        (today, "UGX", Decimal("35.0000"), 1),
    ]


def test_senders_that_race_lose_no_cost(app: Flask, run_sql: RunSql, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(app.config, "SMS_DAILY_BUDGET", Decimal(20))

    def work() -> None:
        with app.app_context():
            for _ in range(10):
                with transaction():
                    note_costs(["KES 0.5000", "KES 0.5000"])

    threads = [threading.Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert run_sql("SELECT amount, messages FROM sms_spending") == [(Decimal("30.0000"), 60)]
    assert run_sql("SELECT dedupe_key LIKE '%:80:%', count(*) FROM notifications GROUP BY 1 ORDER BY 1") == [
        (False, 1),
        (True, 1),
    ]


@pytest.mark.usefixtures("budget")
def test_admins_are_told_at_80_percent_and_when_it_is_used_up(
    app: Flask, sms: ScriptedSms, mail: ScriptedMail, run_sql: RunSql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "ADMIN_EMAILS", ("owner@shop.example", "boss@shop.example"))
    spend(app, run_sql, "79.0000")
    sms.results = [cost("KES 0.8000")]
    make_notification()
    send_due()
    assert mail.sent == []

    for _ in range(2):
        make_notification()
        send_due()

    assert sorted(sent[0] for sent in mail.sent) == ["boss@shop.example", "owner@shop.example"]
    [subject, body] = mail.sent[0][1:3]
    assert subject == "Today's SMS have cost 80 % of their budget"
    assert "KES 80.60" in body
    assert "KES 100" in body
    mail.sent.clear()

    sms.results = [cost("KES 40.0000")]
    make_notifications(1)
    send_due()

    assert {sent[1] for sent in mail.sent} == {"The SMS budget of today is used up"}
    assert len(mail.sent) == 2
    warnings = run_sql("SELECT channel, status, count(*) FROM notifications WHERE event = 'sms_budget' GROUP BY 1, 2")
    assert warnings == [("email", "sent", 4)]


def test_without_a_budget_nobody_is_told(sms: ScriptedSms, run_sql: RunSql) -> None:
    sms.results = [cost("KES 100000.0000")]
    make_notifications(2)

    assert send_due() == Counter(sent=2)
    assert run_sql("SELECT count(*) FROM notifications") == [(2,)]


@pytest.mark.usefixtures("used_up")
def test_offers_wait_when_the_budget_is_used_up(sms: ScriptedSms, run_sql: RunSql) -> None:
    offer = make_notification(priority=OFFER)
    mail_offer = make_notification(priority=OFFER, channel="email")
    code = make_notification(priority=CODE)

    assert count_due() == 2
    assert send_due() == Counter(sent=2)

    assert [pick(message, "status")["status"] for message in (offer, mail_offer, code)] == ["pending", "sent", "sent"]
    assert (look(), count_due()) == ((False, False), 0)

    run_sql("UPDATE sms_spending SET day = day - 1")
    assert look() == (True, False)
    assert send_due() == Counter(sent=1)


@pytest.mark.usefixtures("budget")
def test_campaign_stops_in_the_middle_and_what_people_wait_for_goes_on(
    sms: ScriptedSms, run_sql: RunSql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "SMS_SLOTS", 1)
    sms.results = [cost("KES 40.0000")]
    make_notifications(5, priority=OFFER)

    send_due()

    assert run_sql(
        "SELECT status, attempts, count(*) FROM notifications WHERE channel = 'sms' GROUP BY 1, 2 ORDER BY 1"
    ) == [
        ("pending", 0, 2),
        ("sent", 1, 3),
    ]
    make_notification(priority=CODE)
    make_notification()
    send_due()
    assert len(sms.sent) == 3 + 2


@pytest.mark.usefixtures("used_up")
def test_sms_whose_mail_says_the_same_is_left_to_the_mail(
    app: Flask, sms: ScriptedSms, mail: ScriptedMail, run_sql: RunSql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "SMS_BACKEND", "africastalking")
    text = make_notification(status="unknown", unknowns=1, attempts=1)
    letter = make_notification(channel="email", fallback_for_id=text, next_attempt_at="now() + interval '10 minutes'")
    alone = make_notification()

    assert send_due() == Counter(sent=2)

    expected = {
        "status": "unknown",
        "attempts": 1,
        "repeats": 0,
        "leased_until": None,
        "next_attempt_at": None,
        "error": "Not sent by SMS: the budget of the day is used up, and an e-mail says the same.",
    }
    assert pick(text, *expected) == expected
    assert pick(letter, "status") == {"status": "sent"}
    assert pick(alone, "status") == {"status": "sent"}
    assert len(sms.sent) == 1


@pytest.mark.usefixtures("used_up")
@pytest.mark.parametrize(
    ("mail_of", "is_left"),
    [({}, True), ({"event": "order_shipped"}, False), ({"status": "failed", "next_attempt_at": None}, False)],
    ids=["same", "other event", "failed mail"],
)
def test_mail_about_the_same_event_of_the_order_will_do(
    run_sql: RunSql, sms: ScriptedSms, mail_of: dict[str, Any], is_left: bool
) -> None:
    [(customer,)] = run_sql(
        "INSERT INTO customers (name, email, role) VALUES ('A', 'a@example.com', 'customer') RETURNING id"
    )
    [(order,)] = run_sql(
        "INSERT INTO orders (number, customer_id, subtotal_cents, vat_cents, total_cents, currency) "
        "VALUES ('G-AAAAAA', :c, 0, 0, 0, 'KES') RETURNING id",
        c=customer,
    )
    about = {"customer_id": customer, "order_id": order}
    make_notification(channel="email", **{**about, "next_attempt_at": "now() + interval '1 hour'", **mail_of})
    text = make_notification(**about)

    send_due()

    assert pick(text, "status") == {"status": "failed" if is_left else "sent"}
    assert len(sms.sent) == (0 if is_left else 1)


def test_budget_that_is_not_used_up_holds_nothing_back(
    app: Flask, run_sql: RunSql, sms: ScriptedSms, budget: None
) -> None:
    spend(app, run_sql, "99.9900")
    sms.results = [FAILED]
    make_notification(priority=OFFER)

    assert send_due() == Counter(failed=1)
