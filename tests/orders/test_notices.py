"""Who is told of an order by which channel, and in which language."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from grocery.notify.wording.texts import render
from grocery.orders.payments.methods import METHODS
from tests.notify.factories import order_context
from tests.orders.conftest import Caller, caller
from tests.orders.factories import move, place

Sql = Callable[..., list[tuple[Any, ...]]]

PHONE, EMAIL = "+254712345678", "amina@example.com"
LIFE = ("order_placed", "order_confirmed", "order_packed", "order_shipped", "order_delivered")
BY_SMS = ("order_placed", "order_shipped", "order_delivered")
# Of these there is no SMS.
NOT_BY_SMS = [("order_confirmed", "sms"), ("order_packed", "sms")]


def choose(run_sql: Sql, customer: Caller, **columns: str | None) -> None:
    for name, value in columns.items():
        run_sql(f"UPDATE customers SET {name} = :value WHERE id = :id", value=value, id=customer.person.id)


def stop(run_sql: Sql, phone: str = PHONE) -> None:
    run_sql("INSERT INTO suppressions (channel, address, reason) VALUES ('sms', :phone, 'stop')", phone=phone)


def told(run_sql: Sql) -> list[tuple[Any, ...]]:
    """Event, channel and recipient of the customer's messages, in the order of events."""
    return run_sql("""
        SELECT event, channel, recipient FROM notifications WHERE customer_id IS NOT NULL
        ORDER BY CAST(split_part(dedupe_key, ':', 1) AS bigint), channel
    """)


def bodies(run_sql: Sql, event: str) -> dict[str, str]:
    """Language and body by channel of the customer's, and "admin"."""
    rows = run_sql(
        """
        SELECT CASE WHEN customer_id IS NULL THEN 'admin' ELSE channel END, language || ' ' || body
        FROM notifications WHERE event = :event
    """,
        event=event,
    )
    return dict(rows)


def live(customer: Caller, staff: Caller, product: int) -> dict[str, Any]:
    """An order's whole life, step by step."""
    order = place(customer, {product: 1})
    for status in ("confirmed", "packed", "shipped", "delivered"):
        move(staff, order, status)
    return order


@pytest.mark.parametrize(
    ("notify_by", "channels"),
    [
        (
            "sms_and_email",
            [(event, way) for event in LIFE for way in ("email", "sms") if (event, way) not in NOT_BY_SMS],
        ),
        ("sms", [(event, channel) for event in BY_SMS for channel in ("email", "sms")]),
        ("email", [(event, "email") for event in LIFE]),
    ],
)
def test_who_has_both_addresses_is_told_as_chosen(
    customer: Caller, staff: Caller, soap: int, run_sql: Sql, notify_by: str, channels: list[tuple[str, str]]
) -> None:
    choose(run_sql, customer, notify_by=notify_by)
    live(customer, staff, soap)
    addresses = {"sms": PHONE, "email": EMAIL}
    assert told(run_sql) == [(event, channel, addresses[channel]) for event, channel in channels]


@pytest.mark.parametrize("notify_by", ["sms_and_email", "sms", "email"])
def test_who_has_one_address_is_told_there(
    customer: Caller, staff: Caller, soap: int, run_sql: Sql, notify_by: str
) -> None:
    choose(run_sql, customer, notify_by=notify_by, email=None)
    live(customer, staff, soap)
    assert told(run_sql) == [(event, "sms", PHONE) for event in BY_SMS]
    run_sql("DELETE FROM notifications")
    choose(run_sql, customer, email=EMAIL, phone=None)
    live(customer, staff, soap)
    assert told(run_sql) == [(event, "email", EMAIL) for event in LIFE]


def test_admins_are_told_whatever_the_customer_chose(customer: Caller, staff: Caller, soap: int, run_sql: Sql) -> None:
    choose(run_sql, customer, notify_by="sms")
    live(customer, staff, soap)
    assert run_sql("SELECT event, channel FROM notifications WHERE customer_id IS NULL ORDER BY id") == [
        ("order_placed", "email"),
        *[("order_updated", "email")] * 4,
    ]


def test_email_stands_in_the_place_of_the_chosen_sms(customer: Caller, soap: int, run_sql: Sql) -> None:
    choose(run_sql, customer, notify_by="sms")
    place(customer, {soap: 1})
    assert run_sql("""
        SELECT email.status, first.channel, first.recipient, email.fallback_for_id = first.id,
               email.next_attempt_at - email.created_at = interval '10 minutes', first.next_attempt_at <= now()
        FROM notifications AS email LEFT JOIN notifications AS first ON first.id = email.fallback_for_id
        WHERE email.channel = 'email' AND email.customer_id IS NOT NULL
    """) == [("pending", "sms", PHONE, True, True, True)]
    assert run_sql("SELECT count(*) FROM notifications WHERE fallback_for_id IS NOT NULL") == [(1,)]


def test_default_email_stands_in_nobody_s_place(customer: Caller, soap: int, run_sql: Sql) -> None:
    place(customer, {soap: 1})
    assert run_sql("SELECT count(*), count(fallback_for_id) FROM notifications") == [(3, 0)]


def test_who_chose_sms_and_stopped_it_gets_the_email_at_once(customer: Caller, soap: int, run_sql: Sql) -> None:
    choose(run_sql, customer, notify_by="sms")
    stop(run_sql)
    place(customer, {soap: 1})
    assert told(run_sql) == [("order_placed", "email", EMAIL)]
    assert run_sql("""
        SELECT fallback_for_id, next_attempt_at <= now() FROM notifications WHERE customer_id IS NOT NULL
    """) == [(None, True)]


def test_after_stop_who_has_a_phone_only_gets_what_was_agreed_and_no_news(
    customer: Caller, staff: Caller, soap: int, run_sql: Sql
) -> None:
    choose(run_sql, customer, email=None)
    stop(run_sql)
    live(customer, staff, soap)
    cancelled = place(customer, {soap: 1})
    assert customer.post(f"/orders/{cancelled['id']}/cancel").status_code == 200
    assert told(run_sql) == [(event, "sms", PHONE) for event in ("order_placed", "order_placed", "order_cancelled")]


def test_after_stop_who_has_an_email_address_gets_no_sms(
    customer: Caller, staff: Caller, soap: int, run_sql: Sql
) -> None:
    stop(run_sql)
    live(customer, staff, soap)
    assert told(run_sql) == [(event, "email", EMAIL) for event in LIFE]


def test_after_stop_nobody_else_s_order_writes_to_the_phone(customer: Caller, soap: int, run_sql: Sql) -> None:
    choose(run_sql, customer, email=None)
    order = place(customer, {soap: 1})
    run_sql("DELETE FROM notifications")
    run_sql("UPDATE orders SET phone = '+254733000001'")
    stop(run_sql, "+254733000001")
    assert customer.post(f"/orders/{order['id']}/cancel").status_code == 200
    assert told(run_sql) == []


def test_customer_reads_their_own_language_and_the_admin_the_shop_s(
    customer: Caller, staff: Caller, soap: int, run_sql: Sql
) -> None:
    choose(run_sql, customer, language="sw")
    order = live(customer, staff, soap)
    placed = bodies(run_sql, "order_placed")
    assert placed["sms"].startswith(f"sw Test Grocer: tumepokea oda {order['number']}, KES 116. Kuchukua dukani. ")
    assert placed["email"].startswith("sw Habari Amina Otieno,\n\nasante kwa oda yako kwa Test Grocer.\n")
    assert placed["admin"].startswith("en A new order has come in.\n")
    languages = run_sql("SELECT DISTINCT customer_id IS NULL, language FROM notifications ORDER BY 1")
    assert languages == [(False, "sw"), (True, "en")]
    assert bodies(run_sql, "order_updated")["admin"].startswith("en Order")


def test_who_chose_no_language_reads_the_shop_s(
    app: Flask, customer: Caller, soap: int, run_sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app.config, "SHOP_LANGUAGE", "sw")
    place(customer, {soap: 1})
    assert {name: text[:8] for name, text in bodies(run_sql, "order_placed").items()} == {
        "sms": "sw Test ",
        "email": "sw Habar",
        "admin": "sw Oda m",
    }
    run_sql("DELETE FROM notifications")
    choose(run_sql, customer, language="en")
    place(customer, {soap: 1})
    assert {name: text[:8] for name, text in bodies(run_sql, "order_placed").items()} == {
        "sms": "en Test ",
        "email": "en Hello",
        "admin": "sw Oda m",
    }


def test_what_staff_change_is_told_in_the_language_of_each(
    customer: Caller, staff: Caller, soap: int, flour: int, run_sql: Sql
) -> None:
    choose(run_sql, customer, language="sw")
    order = place(customer, {soap: 3})
    response = staff.post(f"/orders/{order['id']}/lines", json={"product_id": flour, "quantity": 2})
    assert response.status_code == 201, response.json
    changed = bodies(run_sql, "order_changed")
    assert changed["sms"] == (
        f"sw Test Grocer: oda {order['number']} imebadilishwa. Imeongezwa: 2 x Maize Flour. Jumla mpya: KES 726."
    )
    assert "\nImeongezwa: 2 x Maize Flour.\n\nSasa oda yako ni hii:\n" in changed["email"]
    assert bodies(run_sql, "order_updated")["admin"].startswith("en Added: 2 x Maize Flour.\n")


def test_what_could_not_be_picked_is_told_in_the_customer_s_language(
    customer: Caller, staff: Caller, soap: int, flour: int, run_sql: Sql
) -> None:
    choose(run_sql, customer, language="sw", notify_by="sms")
    order = place(customer, {soap: 3, flour: 1})
    line = next(line for line in order["items"] if line["product_id"] == soap)
    response = staff.post(f"/orders/{order['id']}/lines/{line['id']}/pick", json={"picked_quantity": 1})
    assert response.status_code == 200, response.json
    move(staff, order, "packed")
    assert bodies(run_sql, "order_changed")["sms"] == (
        f"sw Test Grocer: oda {order['number']} imebadilishwa. Ni 1 x Soap pekee. Jumla mpya: KES 305."
    )
    assert bodies(run_sql, "order_updated")["admin"].startswith("en Only 1 x Soap.\n")


@pytest.mark.parametrize(
    ("language", "method", "reason"),
    [("en", "delivery", "We could not deliver it."), ("sw", "pickup", "Haikuchukuliwa.")],
)
def test_order_that_came_back_says_so(
    customer: Caller, staff: Caller, soap: int, run_sql: Sql, language: str, method: str, reason: str
) -> None:
    choose(run_sql, customer, language=language)
    order = place(customer, {soap: 1})
    run_sql("UPDATE orders SET delivery_method = :method", method=method)
    move(staff, order, "shipped")
    move(staff, order, "cancelled", reason="delivery_failed")
    cancelled = bodies(run_sql, "order_cancelled")
    assert f". {reason} " in cancelled["sms"]
    assert f"\n{reason}\n\n" in cancelled["email"]
    assert "\nReason: " in cancelled["admin"]


def test_order_that_lost_its_only_product_says_why_it_is_cancelled(
    customer: Caller, admin: Caller, soap: int, run_sql: Sql
) -> None:
    choose(run_sql, customer, language="sw")
    order = place(customer, {soap: 1})
    assert admin.delete(f"/products/{soap}").status_code == 204
    cancelled = bodies(run_sql, "order_cancelled")
    assert cancelled["sms"] == (
        f"sw Test Grocer: oda {order['number']} imeghairiwa. Haipatikani tena, imeondolewa: Soap. "
        "Karibu uagize tena wakati wowote."
    )
    assert "\nReason: No longer available and taken out: Soap.\n" in cancelled["admin"]
    # The history is the shop's book, and in one language.
    assert run_sql("SELECT note FROM order_history WHERE status = 'cancelled'") == [
        ("No longer available and taken out: Soap.",)
    ]


def test_order_that_went_with_its_account_is_told_without_the_person(
    client: Any, context: None, admin: Caller, soap: int, run_sql: Sql
) -> None:
    leaving = caller(client, name="Otieno Leaving", phone="+254733000002")
    order = place(leaving, {soap: 1})
    run_sql("DELETE FROM notifications")
    assert admin.delete(f"/auth/users/{leaving.person.id}").status_code == 204
    [(subject, body)] = run_sql("SELECT subject, body FROM notifications")
    assert subject == f"Order {order['number']} was cancelled"
    assert "\nReason: The customer's account was deleted.\n" in body
    assert "\nCustomer: a deleted account\nPhone: none\nE-mail: none\n" in body


def test_status_is_told_to_admins_in_words(customer: Caller, staff: Caller, soap: int, run_sql: Sql) -> None:
    order = place(customer, {soap: 1})
    move(staff, order, "shipped")
    assert run_sql("SELECT subject, split_part(body, E'\\n', 1) FROM notifications WHERE event = 'order_updated'") == [
        (f"Order {order['number']} is shipped", f"Order {order['number']} is now shipped.")
    ]


@pytest.mark.parametrize("language", ["en", "sw"])
@pytest.mark.parametrize("method", METHODS)
def test_every_way_to_pay_has_words(method: str, language: str) -> None:
    body = render("order_placed", "customer", "email", order_context(order={"payment": method}), language).body
    assert method not in body
