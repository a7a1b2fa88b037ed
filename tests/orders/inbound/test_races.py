"""CANCEL while others change the same things: nothing deadlocks, nothing is done twice."""

import threading
from collections.abc import Callable
from decimal import Decimal

import pytest
from flask import Flask

from grocery.db import db
from grocery.notify.inbound.service import answer_received
from tests.fakes.africastalking import Callbacks
from tests.notify.inbound.conftest import Sql
from tests.orders.conftest import Caller, caller
from tests.orders.factories import place
from tests.products.ledger import stock_of, unbalanced

PHONE = "+254712345678"


def at_once(app: Flask, *works: Callable[[], object]) -> None:
    """Run these at the same moment, each in a context of its own."""
    start = threading.Barrier(len(works))
    failures: list[BaseException] = []

    def run(work: Callable[[], object]) -> None:
        with app.app_context():
            try:
                start.wait()
                work()
            except BaseException as error:
                failures.append(error)
            finally:
                db.session.remove()

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert failures == []


@pytest.mark.parametrize("attempt", range(4))
def test_of_a_customer_who_is_being_erased_leaves_nothing_behind(
    app: Flask, provider: Callbacks, client: object, admin: Caller, flour: int, run_sql: Sql, attempt: int
) -> None:
    customer = caller(client, name="Amina Otieno", phone=PHONE)  # type: ignore[arg-type]
    order = place(customer, {flour: 2})
    provider.text_from(PHONE, f"CANCEL {order['number']}")
    statuses: list[int] = []

    def erase() -> None:
        statuses.append(admin.delete(f"/auth/users/{customer.person.id}").status_code)

    at_once(app, answer_received, erase)
    run_sql("UPDATE inbound_sms SET next_attempt_at = now()")
    answer_received()  # an order that goes while it is being cancelled is asked for again

    assert statuses == [204]
    assert (stock_of(flour), unbalanced()) == (Decimal(10), [])
    assert run_sql("SELECT 1 FROM orders") == []
    # Either it was answered first, and went with the customer, or the customer was gone, and the number unknown.
    assert run_sql("SELECT customer_id, command FROM inbound_sms") in ([], [(None, "order_unknown")])
    assert run_sql("SELECT 1 FROM notifications WHERE customer_id IS NOT NULL") == []


@pytest.mark.parametrize("attempt", range(4))
def test_of_an_order_that_is_being_cancelled_cancels_once(
    app: Flask, provider: Callbacks, customer: Caller, flour: int, run_sql: Sql, attempt: int
) -> None:
    order = place(customer, {flour: 2})
    for _ in range(3):
        provider.text_from(PHONE, f"CANCEL {order['number']}")
    statuses: list[int] = []

    def cancel() -> None:
        statuses.append(customer.post(f"/orders/{order['id']}/cancel").status_code)

    at_once(app, answer_received, answer_received, cancel)
    answer_received()

    assert statuses in ([200], [409])
    assert (stock_of(flour), unbalanced()) == (Decimal(10), [])
    history = customer.get(f"/orders/{order['id']}/history").json
    assert [entry["status"] for entry in history] == ["pending", "cancelled"]
    sms = run_sql("SELECT event FROM notifications WHERE channel = 'sms' AND event <> 'order_placed' ORDER BY event")
    refused = [("reply_not_cancelled",)] * (2 if statuses == [409] else 3)
    assert sms == [("order_cancelled",), *refused]
    assert run_sql("SELECT DISTINCT status, attempts FROM inbound_sms") == [("answered", 0)]
