"""The log of messages, and sending again."""

import pytest

from tests.auth.factories import make_customer
from tests.notify.factories import make_notification, pick
from tests.orders.conftest import Caller
from tests.storefront.conftest import Browser, Sql, words_in
from tests.storefront.desk.shop_floor import ordered

MISCHIEF = "<script>alert(1)</script>"


def test_messages_say_what_became_of_them_and_why(desk: Browser) -> None:
    make_notification(status="failed", next_attempt_at=None, attempts=2, error="InvalidPhoneNumber")
    make_notification(status="delivered", event="order_shipped", next_attempt_at=None)
    page = words_in(desk.get("/admin/notifications/"))
    assert "Order placed Failed" in page
    assert "There is no such number or address. InvalidPhoneNumber" in page
    assert "2 attempts" in page
    assert "Order on the way Arrived" in page


def test_bodies_and_recipients_are_escaped(desk: Browser) -> None:
    make_notification(body=f"Habari\n{MISCHIEF}", subject=MISCHIEF, channel="email", error=MISCHIEF, status="failed")
    page = desk.get("/admin/notifications/").text
    assert MISCHIEF not in page
    assert "Habari<br>&lt;script&gt;" in page


def test_codes_are_not_shown(desk: Browser) -> None:
    make_notification(event="sign_in_code", body="Your code is 123456", priority=0)
    assert "123456" not in desk.get("/admin/notifications/").text


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("status=failed", ["failed"]),
        ("channel=email", ["by mail"]),
        ("event=order_shipped", ["shipped"]),
        ("recipient=0712 000 009", ["shipped"]),
        ("recipient=AMINA@Example.com", ["by mail"]),
        ("recipient=nobody@example.com", []),
        ("order=G-NONE", []),
    ],
)
def test_filters(desk: Browser, query: str, found: list[str]) -> None:
    make_notification(status="failed", next_attempt_at=None, body="failed")
    make_notification(channel="email", recipient="amina@example.com", body="by mail")
    make_notification(event="order_shipped", recipient="+254712000009", body="shipped")
    page = desk.get(f"/admin/notifications/?{query}").text
    assert [body for body in ("failed", "by mail", "shipped") if f"<p>{body}</p>" in page] == found


def test_messages_of_an_order_by_its_number(desk: Browser, customer: Caller, soap: int) -> None:
    order = ordered(customer, {soap: 1})
    make_notification(order_id=order["id"], body="about the order")
    make_notification(body="about nothing")
    page = desk.get(f"/admin/notifications/?order={order['number'].lower()}").text
    assert "about the order" in page
    assert "about nothing" not in page


def test_each_press_sends_once(desk: Browser, run_sql: Sql) -> None:
    message = make_notification(status="failed", next_attempt_at=None, attempts=20, error="x")
    path = f"/admin/notifications/{message}/resend"
    first = desk.post(path, {"return_to": "/admin/notifications/?status=failed"})
    assert (first.status_code, first.location) == (303, "/admin/notifications/?status=failed")
    assert "The message waits to be sent." in words_in(desk.get(first.location))
    assert pick(message, "status", "max_attempts") == {"status": "pending", "max_attempts": 40}
    second = desk.post(path, {"return_to": "https://evil.example/"})
    assert second.location == "/admin/notifications/"
    assert "This message cannot be sent again" in words_in(desk.get(second.location))
    assert pick(message, "status", "max_attempts") == {"status": "pending", "max_attempts": 40}
    assert run_sql("SELECT action, subject_type, subject_id FROM audit_log") == [
        ("desk_notifications.resend_notification", "notification", message)
    ]


def test_all_failed_are_sent_again_but_old_ones(desk: Browser) -> None:
    lately = make_notification(status="failed", next_attempt_at=None)
    by_mail = make_notification(status="failed", next_attempt_at=None, channel="email")
    old = make_notification(status="failed", next_attempt_at=None, created_at="now() - interval '2 days'")
    assert "2 failed in the last 24 hours." in words_in(desk.get("/admin/notifications/"))
    answer = desk.post("/admin/notifications/resend-failed", {"channel": "sms"})
    assert "1 message waits to be sent." in words_in(desk.get(answer.location))
    assert [pick(one, "status")["status"] for one in (lately, by_mail, old)] == ["pending", "failed", "failed"]


def test_messages_that_are_not_there(desk: Browser) -> None:
    assert desk.post("/admin/notifications/999999/resend").status_code == 404
    customer = make_customer()
    offer = make_notification(customer_id=customer.id, status="sent", next_attempt_at=None)
    assert "Send again" not in desk.get("/admin/notifications/").text
    answer = desk.post(f"/admin/notifications/{offer}/resend")
    assert "This message cannot be sent again" in words_in(desk.get(answer.location))


def test_received_sms_say_what_was_understood(desk: Browser, run_sql: Sql) -> None:
    run_sql(
        "INSERT INTO inbound_sms (provider_id, phone, body, status, command) VALUES"
        " ('1', '+254712345678', 'STATUS', 'answered', 'status'),"
        " ('2', '+254712345678', :body, 'answered', NULL)",
        body=f"Where are my eggs? {MISCHIEF}",
    )
    page = desk.get("/admin/notifications/inbound")
    assert MISCHIEF not in page.text
    assert "Understood: status" in words_in(page)
    assert "Not understood" in words_in(page)
    unread = words_in(desk.get("/admin/notifications/inbound?is_understood=false"))
    assert ("eggs" in unread, "STATUS" in unread) == (True, False)
