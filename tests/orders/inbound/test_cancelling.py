"""CANCEL: one answer, once, and only by the order's own phone."""

from decimal import Decimal
from typing import Any

import pytest
from flask import Flask

from grocery.db import db
from grocery.notify.inbound import service
from grocery.notify.inbound.service import answer_received
from tests.fakes.africastalking import Callbacks
from tests.notify.inbound.conftest import Ask, Sql
from tests.orders.conftest import Caller
from tests.orders.factories import move, place
from tests.products.ledger import movements_of, stock_of

PHONE = "+254712345678"
OTHER_PHONE = "+254722000002"

SMS = "SELECT event, recipient, body FROM notifications WHERE channel = 'sms' AND event <> 'order_placed' ORDER BY id"


@pytest.fixture
def order(customer: Caller, flour: int) -> dict[str, Any]:
    return place(customer, {flour: 2})


def status_of(customer: Caller, order: dict[str, Any]) -> str:
    return str(customer.get(f"/orders/{order['id']}").json["status"])


class TestCancel:
    @pytest.mark.parametrize(
        "text",
        ["CANCEL {number}", "cancel my order {number} please!!!", "Ghairi oda {number}", "Stop my order {number}"],
    )
    def test_cancels_and_the_notice_of_it_is_the_answer(
        self, ask: Ask, customer: Caller, order: dict[str, Any], flour: int, run_sql: Sql, text: str
    ) -> None:
        assert ask(text.format(number=order["number"]), PHONE) is None

        assert status_of(customer, order) == "cancelled"
        assert stock_of(flour) == Decimal(10)
        assert run_sql(SMS) == [
            (
                "order_cancelled",
                PHONE,
                f"Test Grocer: order {order['number']} was cancelled. You are always welcome to order again.",
            )
        ]
        history = customer.get(f"/orders/{order['id']}/history").json
        assert (history[-1]["status"], history[-1]["actor_role"]) == ("cancelled", "customer")
        assert history[-1]["actor_id"] == customer.person.id
        assert run_sql("SELECT status, command FROM inbound_sms") == [("answered", "cancelled")]
        mails = run_sql("SELECT recipient FROM notifications WHERE event = 'order_cancelled' AND channel = 'email'")
        assert sorted(mails) == [("amina@example.com",), ("owner@shop.example",)]

    def test_is_answered_by_sms_where_the_notice_comes_by_email(
        self, ask: Ask, order: dict[str, Any], run_sql: Sql
    ) -> None:
        run_sql("UPDATE customers SET notify_by = 'email'")

        said = ask(f"CANCEL {order['number']}", PHONE)

        assert said == (
            f"Test Grocer: order {order['number']} was cancelled, as you asked. You are always welcome to order again."
        )
        assert [event for event, _, _ in run_sql(SMS)] == ["reply_cancelled"]

    def test_is_answered_after_stop_too(self, ask: Ask, customer: Caller, order: dict[str, Any], run_sql: Sql) -> None:
        ask("STOP", PHONE)

        said = ask(f"CANCEL {order['number']}", PHONE)

        assert "was cancelled, as you asked" in (said or "")
        assert [event for event, _, _ in run_sql(SMS)] == ["reply_stopped", "reply_cancelled"]

    def test_twice_cancels_once(
        self, ask: Ask, customer: Caller, order: dict[str, Any], flour: int, run_sql: Sql
    ) -> None:
        ask(f"CANCEL {order['number']}", PHONE)

        assert ask(f"CANCEL {order['number']}", PHONE) == f"Test Grocer: order {order['number']} is cancelled already."

        assert movements_of(flour)[1:] == [(Decimal(-2), "sold", order["id"]), (Decimal(2), "cancelled", order["id"])]

    @pytest.mark.parametrize(("status", "word"), [("packed", "packed"), ("delivered", "collected")])
    def test_after_packing_is_refused_and_changes_nothing(
        self, ask: Ask, app: Flask, customer: Caller, staff: Caller, order: dict[str, Any], status: str, word: str
    ) -> None:
        before = move(staff, order, status)
        app.config["SHOP_PHONE"] = "020 1234567"
        try:
            said = ask(f"CANCEL {order['number']}", PHONE)
        finally:
            app.config["SHOP_PHONE"] = ""

        assert said == (
            f"Test Grocer: order {order['number']} can no longer be cancelled by SMS: {word}. "
            "Please call us: 020 1234567"
        )
        assert staff.get(f"/orders/{order['id']}").json == before

    def test_without_a_number_asks_for_it_and_cancels_nothing(
        self, ask: Ask, customer: Caller, staff: Caller, order: dict[str, Any], flour: int
    ) -> None:
        packed = move(staff, place(customer, {flour: 1}), "packed")

        said = ask("Cancel my order", PHONE)

        assert said == (
            f"Test Grocer: to cancel your order {order['number']} (KES 378), reply CANCEL {order['number']}"
        )
        assert (status_of(customer, order), status_of(customer, packed)) == ("pending", "packed")

    @pytest.mark.parametrize(
        "text", ["Cancel the flour in {number}", "CANCEL {number} and G-777777", "Cancel {number}? NO!"]
    )
    def test_with_more_words_asks_first(
        self, ask: Ask, customer: Caller, order: dict[str, Any], flour: int, text: str
    ) -> None:
        number = order["number"]

        said = ask(text.format(number=number), PHONE)

        assert said == f"Test Grocer: to cancel your order {number} (KES 378), reply CANCEL {number}"
        assert (status_of(customer, order), stock_of(flour)) == ("pending", Decimal(8))

    def test_without_a_number_and_an_open_order_says_so(self, ask: Ask, staff: Caller, order: dict[str, Any]) -> None:
        move(staff, order, "packed")

        assert ask("GHAIRI", PHONE) == "Test Grocer: huna oda inayoweza kughairiwa kwa SMS."

    def test_of_another_phone_is_an_unknown_number(self, ask: Ask, customer: Caller, order: dict[str, Any]) -> None:
        said = ask(f"CANCEL {order['number']}", OTHER_PHONE)

        assert (said or "").startswith(f"Test Grocer: we find no order {order['number']} for this phone.")
        assert status_of(customer, order) == "pending"

    def test_waits_for_who_holds_the_order_and_is_tried_again(
        self,
        provider: Callbacks,
        customer: Caller,
        order: dict[str, Any],
        run_sql: Sql,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        monkeypatch.setattr(service, "LOCK_MS", 200)
        provider.text_from(PHONE, f"CANCEL {order['number']}")
        with db.engine.begin() as connection:
            connection.execute(db.text("SELECT FROM orders WHERE id = :id FOR UPDATE"), {"id": order["id"]})
            assert answer_received() == 1
        assert run_sql("SELECT status, attempts FROM inbound_sms") == [("received", 1)]
        assert status_of(customer, order) == "pending"

        run_sql("UPDATE inbound_sms SET next_attempt_at = now()")
        answer_received()

        assert status_of(customer, order) == "cancelled"
