"""Whether sending works, trying it, and who gets nothing."""

import pytest
from flask import Flask

from grocery.notify.extension import Backends
from grocery.notify.outcome import Outcome, SendResult
from tests.auth.factories import make_customer
from tests.notify.scripted import ScriptedMail, ScriptedSms, backends_of
from tests.orders.conftest import Caller
from tests.storefront.conftest import Browser, Sql, words_in

REFUSED = SendResult(Outcome.RETRY, error="Connection refused")


def test_paused_channel_says_why_and_until_when(desk: Browser, run_sql: Sql) -> None:
    run_sql(
        "INSERT INTO channels (name, tokens, refilled_at, failures, paused_until, error) VALUES"
        " ('sms', 1, now(), 3, now() + interval '1 minute', 'HTTP 401: no such key <b>')"
    )
    for path in ("/admin/notifications/", "/admin/notifications/channels"):
        page = desk.get(path)
        assert "The provider does not take the shop's user name or key." in words_in(page)
        assert "<b>" not in page.text.partition("no such key")[2][:8]
    words = words_in(desk.get("/admin/notifications/channels"))
    assert "It failed 3 times in a row." in words
    assert "E-mail works" in words


def test_budget_of_the_day(desk: Browser, app: Flask, run_sql: Sql, monkeypatch: pytest.MonkeyPatch) -> None:
    run_sql(
        "INSERT INTO sms_spending (day, currency, amount, messages) VALUES"
        " ((now() AT TIME ZONE 'Africa/Nairobi')::date, 'KES', 25, 30)"
    )
    assert "KSh 25 (no budget is set)" in words_in(desk.get("/admin/notifications/channels"))
    monkeypatch.setitem(app.config, "SMS_DAILY_BUDGET", 100)
    assert "KSh 25 of KSh 100 25 %" in words_in(desk.get("/admin/notifications/channels"))


def test_test_goes_to_ones_own_address_only(desk: Browser, app: Flask, admin: Caller, run_sql: Sql) -> None:
    mail = ScriptedMail()
    form = {"channel": "email", "address": "victim@example.com", "recipient": "victim@example.com"}
    with backends_of(app, Backends(ScriptedSms(), mail)):
        answer = desk.post("/admin/notifications/channels/test", form)
    assert [to for to, *_ in mail.sent] == [admin.person.email]
    assert "The provider has taken a test message to" in words_in(desk.get(answer.location))
    assert run_sql("SELECT action FROM audit_log") == [("desk_notifications.send_test",)]


def test_test_says_why_it_failed(desk: Browser, app: Flask) -> None:
    with backends_of(app, Backends(ScriptedSms(), ScriptedMail([REFUSED]))):
        answer = desk.post("/admin/notifications/channels/test", {"channel": "email"})
    page = words_in(desk.get(answer.location))
    assert "It did not work. The provider could not be reached. (Connection refused)" in page


def test_test_without_an_address_sends_nothing(desk: Browser, app: Flask) -> None:
    sms = ScriptedSms()
    desk.sign_in(make_customer(role="admin", phone=None))
    with backends_of(app, Backends(sms, ScriptedMail())):
        for channel in ("sms", "pigeon", ""):
            answer = desk.post("/admin/notifications/channels/test", {"channel": channel})
            assert "Your account has no address for this." in words_in(desk.get(answer.location))
    assert sms.sent == []


def test_addresses_come_off_the_list_and_stop_only_when_asked_for(desk: Browser, run_sql: Sql) -> None:
    run_sql(
        "INSERT INTO suppressions (channel, address, reason, detail) VALUES"
        " ('sms', '+254700000001', 'stop', NULL), ('email', 'gone@example.com', 'bounce', '550 <script>')"
    )
    page = desk.get("/admin/notifications/suppressions")
    assert "550 &lt;script&gt;" in page.text
    assert "0700 000001 Said STOP" in words_in(page)
    lift = "/admin/notifications/suppressions/lift"
    desk.post(lift, {"channel": "email", "address": "gone@example.com"})
    answer = desk.post(lift, {"channel": "sms", "address": "+254700000001"})
    assert "The holder said STOP." in words_in(desk.get(answer.location))
    assert run_sql("SELECT address FROM suppressions") == [("+254700000001",)]
    desk.post(lift, {"channel": "sms", "address": "+254700000001", "is_forced": "1"})
    assert run_sql("SELECT address FROM suppressions") == []
    answer = desk.post(lift, {"channel": "sms", "address": "\x00"})
    assert "This address is not on the list any more." in words_in(desk.get(answer.location))
