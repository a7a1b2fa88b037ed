"""What nobody needs any more goes; what is still needed stays."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from grocery.auth.privacy import retention
from grocery.notify import forgetting
from grocery.notify.inbound.forgetting import KEPT_DAYS as INBOUND_DAYS
from grocery.orders.cart.service import KEEP_DAYS as CART_DAYS
from grocery.orders.idempotency import KEEP_HOURS as KEY_HOURS
from grocery.products.requests.tasks import KEPT_DAYS as WISH_DAYS
from grocery.products.requests.tasks import forget_old_requests
from grocery.queues import periodic_task
from tests.auth.factories import make_customer
from tests.notify.clients import PHONE
from tests.notify.factories import make_notification

Sql = Callable[..., list[tuple[Any, ...]]]

DOCUMENT = Path(__file__).parent.parent.parent / "docs" / "privacy.md"


def test_codes_go_a_day_after_they_have_run_out(context: None, run_sql: Sql) -> None:
    insert = """
        INSERT INTO one_time_codes (purpose, target, secret_hash, tries_left, expires_at, created_at)
        VALUES ('sign_in', :target, '\\xbeef', 5, now() + make_interval(mins => 5) - make_interval(hours => :hours),
                now() - make_interval(hours => :hours))
    """
    for hours in (0, 23, 24, 25):
        run_sql(insert, target=f"+25471234560{hours % 10}", hours=hours)
    retention.forget_old()
    assert run_sql("SELECT target FROM one_time_codes ORDER BY id") == [
        ("+254712345600",),
        ("+254712345603",),
        ("+254712345604",),
    ]


def test_devices_go_when_they_were_not_seen_for_400_days(context: None, run_sql: Sql) -> None:
    insert = """
        INSERT INTO known_devices (token_hash, customer_id, created_at, used_at)
        VALUES (CAST(:token AS bytea), :id, now() - make_interval(days => 900), now() - make_interval(days => :days))
    """
    for days in (399, 401):
        run_sql(insert, token=f"device {days}", id=make_customer().id, days=days)
    retention.forget_old()
    assert run_sql("SELECT convert_from(token_hash, 'UTF8') FROM known_devices") == [("device 399",)]


def test_wishes_go_after_400_days(context: None, run_sql: Sql) -> None:
    insert = "INSERT INTO product_requests (words, created_at) VALUES (:words, now() - make_interval(days => :days))"
    for days in (0, 399, 401):
        run_sql(insert, words=f"{days} days", days=days)
    forget_old_requests()
    assert run_sql("SELECT words FROM product_requests ORDER BY id") == [("0 days",), ("399 days",)]


def test_messages_are_emptied_after_a_year(context: None, run_sql: Sql) -> None:
    old = {"next_attempt_at": None, "status": "delivered", "channel": "email", "cost": "KES 0.8"}
    young_id = make_notification(**old, created_at="now() - interval '364 days'", body="Young")
    old_id = make_notification(**old, created_at="now() - interval '366 days'", body="Old", error="+254712345678")
    waiting_id = make_notification(created_at="now() - interval '366 days'", body="Waits")
    run_sql("UPDATE notifications SET request_id = 'amina@example.com', traceparent = '00-1-2-01'")
    forgetting.forget_texts()
    forgetting.forget_texts()
    columns = "SELECT id, subject, body, recipient, error, cost, status FROM notifications WHERE id = :id"
    assert run_sql(columns, id=old_id) == [(old_id, None, "", "", None, "KES 0.8", "delivered")]
    assert run_sql("SELECT dedupe_key FROM notifications WHERE id = :id", id=old_id) == [(f"forgotten:{old_id}",)]
    assert run_sql("SELECT id FROM notifications WHERE request_id IS NULL AND traceparent IS NULL") == [(old_id,)]
    assert run_sql("SELECT id, body FROM notifications WHERE body <> '' ORDER BY id") == [
        (young_id, "Young"),
        (waiting_id, "Waits"),
    ]


def test_the_text_of_a_code_goes_after_a_day(context: None, run_sql: Sql) -> None:
    sent = {"next_attempt_at": None, "status": "sent", "event": "sign_in_code"}
    old_id = make_notification(**sent, created_at="now() - interval '25 hours'", body="Code 1")
    make_notification(**sent, created_at="now() - interval '23 hours'", body="Code 2")
    make_notification(**{**sent, "event": "order_placed"}, created_at="now() - interval '25 hours'", body="Order")
    forgetting.forget_texts()
    assert run_sql("SELECT body FROM notifications ORDER BY id") == [("",), ("Code 2",), ("Order",)]
    assert run_sql("SELECT recipient FROM notifications WHERE id = :id", id=old_id) == [(PHONE,)]


@pytest.mark.parametrize("number", [1000, 2001])
def test_there_may_be_more_than_a_batch(context: None, run_sql: Sql, number: int) -> None:
    run_sql(
        """
        INSERT INTO audit_log (actor_role, action, at)
        SELECT 'admin', 'old', now() - interval '3 years' FROM generate_series(1, :number);
        INSERT INTO notifications (dedupe_key, channel, event, recipient, body, status, next_attempt_at, created_at)
        SELECT 'old:' || n, 'sms', 'order_placed', '+254712345678', 'Text', 'sent', NULL, now() - interval '2 years'
        FROM generate_series(1, :number) AS n
        """,
        number=number,
    )
    retention.forget_old()
    forgetting.forget_texts()
    assert run_sql("SELECT count(*) FROM audit_log") == [(0,)]
    assert run_sql("SELECT count(*) FROM notifications WHERE recipient <> '' OR body <> ''") == [(0,)]


def test_the_relay_does_it_every_day(app: Flask) -> None:
    paces = {task.name: task.every_seconds for _, tasks in periodic_task.send(app) for task in tasks}
    assert paces["auth.forget_old"] == 86_400
    assert paces["notify.forget_texts"] == 86_400
    assert paces["product_requests.forget_old"] == 86_400
    assert {"carts.expire", "orders.forget_keys", "auth.delete_expired_sessions"} <= paces.keys()


@pytest.mark.parametrize(
    ("what", "how_long"),
    [
        ("Codes by SMS and e-mail", f"{retention.CODES_DAYS} day"),
        ("Devices that have signed in", f"{retention.DEVICES_DAYS} days"),
        ("Audit log", f"{retention.AUDIT_DAYS} days"),
        ("Messages to people", f"{forgetting.KEPT_DAYS} days"),
        ("Texts of messages with a code", f"{forgetting.CODES_KEPT_DAYS} day"),
        ("SMS to the shop", f"{INBOUND_DAYS} days"),
        ("What the shop was asked to stock", f"{WISH_DAYS} days"),
        ("Carts of visitors", f"{CART_DAYS} days"),
        ("Idempotency keys", f"{KEY_HOURS} hours"),
    ],
)
def test_the_document_says_how_long_things_are_kept(what: str, how_long: str) -> None:
    [row] = [line for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if line.startswith(f"| {what} |")]
    assert how_long in row
