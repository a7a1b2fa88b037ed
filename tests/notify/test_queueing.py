"""Messages become rows in the transaction of what they tell about."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from flask import Flask
from jinja2 import UndefinedError
from sqlalchemy import event as sqlalchemy_event

from grocery.db import db, transaction
from grocery.notify.service import Message, admin_recipients, queue_messages
from grocery.queues import NOTIFY, doorbell
from tests.notify.clients import AMINA, PHONE
from tests.notify.factories import order_context

RunSql = Callable[..., list[tuple[Any, ...]]]


def message(**overrides: Any) -> Message:
    known: dict[str, Any] = {
        "channel": "sms",
        "event": "order_placed",
        "audience": "customer",
        "recipient": PHONE,
        "context": order_context(),
        "dedupe_key": "1:sms",
    }
    return Message(**{**known, **overrides})


@contextmanager
def statements() -> Iterator[list[str]]:
    """What is sent to PostgreSQL meanwhile."""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        seen.append(statement)

    sqlalchemy_event.listen(db.engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        sqlalchemy_event.remove(db.engine, "before_cursor_execute", note)


@pytest.mark.usefixtures("context")
class TestQueueMessages:
    def test_message_becomes_a_row_that_is_due(self, run_sql: RunSql) -> None:
        with transaction():
            queue_messages([message(channel="email", recipient=AMINA, dedupe_key="1:email")])

        [row] = run_sql(
            """SELECT dedupe_key, channel, event, recipient, subject, left(body, 21), status, attempts, unknowns,
               next_attempt_at = created_at, leased_until, provider_id, cost, error, customer_id, order_id, sent_at
               FROM notifications"""
        )
        assert row == (
            "1:email",
            "email",
            "order_placed",
            AMINA,
            "We have your order G-7K3M9Q - thank you!",
            "Hello Amina Odhiambo,",
            "pending",
            0,
            0,
            True,
            *[None] * 7,
        )

    def test_many_messages_are_one_statement_and_one_ring_after_the_commit(self, run_sql: RunSql) -> None:
        messages = [message(dedupe_key=f"{number}:sms") for number in range(250)]
        with statements() as seen, transaction():
            queue_messages(messages)
            queue_messages(messages)
            assert doorbell().depth(NOTIFY) == 0

        assert [statement.split()[0] for statement in seen] == ["WITH", "WITH"]
        assert run_sql("SELECT count(*) FROM notifications") == [(250,)]
        assert doorbell().depth(NOTIFY) == 1

    def test_same_key_is_written_once(self, run_sql: RunSql) -> None:
        with transaction():
            queue_messages([message(recipient="+254711000001"), message(recipient="+254711000002")])
        with transaction():
            queue_messages([message(recipient="+254711000003"), message(dedupe_key="2:sms")])

        rows = run_sql("SELECT dedupe_key, recipient FROM notifications ORDER BY dedupe_key")
        assert rows == [("1:sms", "+254711000001"), ("2:sms", PHONE)]

    def test_roll_back_takes_the_messages_and_the_ring_with_it(self, run_sql: RunSql) -> None:
        def fail_after_queueing() -> None:
            with transaction():
                queue_messages([message()])
                raise RuntimeError("the order failed")

        with pytest.raises(RuntimeError, match="the order failed"):
            fail_after_queueing()

        assert run_sql("SELECT count(*) FROM notifications") == [(0,)]
        assert doorbell().depth(NOTIFY) == 0

    def test_text_that_cannot_be_written_writes_nothing(self, run_sql: RunSql) -> None:
        context = order_context()
        del context["order"]
        with pytest.raises(UndefinedError), transaction():
            queue_messages([message(), message(context=context, dedupe_key="2:sms")])

        assert run_sql("SELECT count(*) FROM notifications") == [(0,)]

    def test_nothing_to_queue_costs_nothing(self) -> None:
        with statements() as seen, transaction():
            queue_messages([])

        assert seen == []
        assert doorbell().depth(NOTIFY) == 0

    def test_context_is_left_as_it_was(self) -> None:
        context = order_context(note="two\nlines")
        with transaction():
            queue_messages([message(context=context)])

        assert context == order_context(note="two\nlines")

    def test_outside_of_a_transaction_it_is_refused(self, run_sql: RunSql) -> None:
        with pytest.raises(RuntimeError, match="outside transaction"):
            queue_messages([message()])
        db.session.rollback()

        assert run_sql("SELECT count(*) FROM notifications") == [(0,)]


@pytest.mark.usefixtures("context")
class TestAdminRecipients:
    def test_configured_addresses_come_first(self) -> None:
        assert admin_recipients() == ["owner@shop.example"]

    def test_without_them_the_admins_are_asked_for(self, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setitem(app.config, "ADMIN_EMAILS", ())
        monkeypatch.setattr(app.extensions["notify"], "find_admin_emails", lambda: ["boss@example.com"])

        assert admin_recipients() == ["boss@example.com"]
