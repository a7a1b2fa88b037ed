"""The id of a request, from the row that it wrote to all that jobs make of it."""

import io
import json
import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from grocery import logs
from grocery.db import transaction
from grocery.logs import JsonFormatter
from grocery.notify.sending.claims import claim_due
from grocery.notify.sending.records import Answered, record_results
from grocery.notify.sending.sender import send_due
from grocery.notify.service import Message, queue_messages
from grocery.notify.verdicts import MAX_UNKNOWNS
from grocery.orders import processing
from grocery.orders.jobs import process_orders
from grocery.origins import Origin, current_origin, working_on
from grocery.products.imports.jobs import work_on_imports
from grocery.products.imports.staging import apply_dry_run
from tests.auth.factories import make_customer, sign_in
from tests.notify.factories import make_notification, order_context
from tests.notify.scripted import UNKNOWN
from tests.orders.conftest import Caller, caller
from tests.orders.factories import place
from tests.products.factories import make_product

Sql = Callable[..., list[tuple[Any, ...]]]

TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
def lines() -> Iterator[Callable[[], list[dict[str, Any]]]]:
    """All that is logged from INFO on, as JSON."""
    written, root = io.StringIO(), logging.getLogger()
    handler = logging.StreamHandler(written)
    handler.setFormatter(JsonFormatter())
    level = root.level
    root.setLevel(logging.INFO)
    root.addHandler(handler)
    yield lambda: [json.loads(line) for line in written.getvalue().splitlines()]
    root.removeHandler(handler)
    root.setLevel(level)


@pytest.fixture
def customer(context: None, client: FlaskClient) -> Caller:
    return caller(client, name="Amina Otieno", email="amina@example.com", phone="+254712345678")


def order_of(customer: Caller, request_id: str) -> int:
    body = {"items": [{"product_id": make_product(stock=5), "quantity": 1}]}
    placed = customer.post("/orders/", json=body, headers={"X-Request-ID": request_id})
    assert placed.status_code == 201, placed.json
    order_id: int = placed.json["id"]
    return order_id


def test_an_order_its_confirmation_and_its_messages_have_the_id_of_the_request(
    customer: Caller, run_sql: Sql, lines: Callable[[], list[dict[str, Any]]]
) -> None:
    before = current_origin(), logs.bound_ids()
    order_id = order_of(customer, "abc-1")
    assert run_sql("SELECT request_id, traceparent FROM orders") == [("abc-1", None)]
    assert set(run_sql("SELECT event, request_id FROM notifications")) == {("order_placed", "abc-1")}
    process_orders()
    events = set(run_sql("SELECT event, request_id FROM notifications WHERE order_id = :id", id=order_id))
    assert events == {("order_placed", "abc-1"), ("order_confirmed", "abc-1")}
    send_due()
    found = [line for line in lines() if line["request_id"] == "abc-1"]
    [confirmed] = [line for line in found if line["message"] == f"order {order_id} is confirmed"]
    assert confirmed["order_id"] == order_id
    sent = [line for line in found if "notification_id" in line and line["message"].startswith("notification ")]
    assert {line["order_id"] for line in sent} == {order_id}
    assert len(sent) == run_sql("SELECT count(*) FROM notifications")[0][0] == 4
    # Nothing of it is left for the next work of this process.
    assert (current_origin(), logs.bound_ids()) == before


def test_what_came_later_has_the_id_of_what_caused_it(customer: Caller, run_sql: Sql) -> None:
    order_id = order_of(customer, "placed-it")
    process_orders()
    cancelled = customer.post(f"/orders/{order_id}/cancel", json={}, headers={"X-Request-ID": "took-it-back"})
    assert cancelled.status_code == 200
    found = set(run_sql("SELECT event, request_id FROM notifications"))
    assert found >= {("order_confirmed", "placed-it"), ("order_cancelled", "took-it-back")}
    assert ("order_cancelled", "placed-it") not in found


def test_each_order_of_a_batch_keeps_its_own(
    customer: Caller,
    run_sql: Sql,
    lines: Callable[[], list[dict[str, Any]]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, broken, last = (order_of(customer, name) for name in ("first", "broken", "last"))
    process = processing.process_order

    def process_or_break(session: Session, order_id: int) -> None:
        if order_id == broken:
            raise ValueError("broken")
        process(session, order_id)

    monkeypatch.setattr(processing, "process_order", process_or_break)
    process_orders()
    confirmed = run_sql("SELECT order_id, request_id FROM notifications WHERE event = 'order_confirmed'")
    assert set(confirmed) == {(first, "first"), (last, "last")}
    told = [(line["message"], line["request_id"]) for line in lines() if line["logger"] == "grocery.orders.processing"]
    assert told == [
        (f"order {broken} could not be processed", "broken"),
        (f"order {first} is confirmed", "first"),
        (f"order {last} is confirmed", "last"),
    ]


def test_a_roll_back_says_nothing_of_a_confirmation(
    customer: Caller, lines: Callable[[], list[dict[str, Any]]]
) -> None:
    order_of(customer, "abc-1")

    def break_off(session: Session) -> None:
        assert processing.process_batch(session) == 1
        raise OSError("the disk is full")

    with pytest.raises(OSError, match="full"), transaction() as session:
        break_off(session)
    assert [line["message"] for line in lines() if "confirmed" in line["message"]] == []


def test_an_alarm_goes_back_to_the_message_that_it_is_about(context: None, run_sql: Sql) -> None:
    for name in ("first", "second"):
        with logs.bound(name):
            make_notification(unknowns=MAX_UNKNOWNS - 1)
    run_sql("UPDATE notifications SET request_id = CASE id % 2 WHEN 0 THEN 'even' ELSE 'odd' END")
    with transaction():
        claims = claim_due("sms", 2).claims
    with logs.bound("somebody else"), transaction():
        record_results([Answered(claim, UNKNOWN) for claim in claims])
    alarms = run_sql("SELECT dedupe_key, request_id FROM notifications WHERE event = 'notification_unknown'")
    assert len(alarms) == 2
    for key, request_id in alarms:
        assert request_id == ("odd" if int(key.split(":")[1]) % 2 else "even")


def test_a_trace_is_written_with_the_message(context: None, run_sql: Sql) -> None:
    message = Message(
        "sms", "order_placed", "customer", "+254712345678", order_context(), "k", origin=Origin("abc-1", TRACEPARENT)
    )
    with transaction():
        queue_messages([message])
    assert run_sql("SELECT request_id, traceparent FROM notifications") == [("abc-1", TRACEPARENT)]
    assert Origin("abc-1", TRACEPARENT).trace_ids == {
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
        "span_id": "00f067aa0ba902b7",
    }
    assert Origin("abc-1", "nonsense").trace_ids == {}


def test_an_import_and_its_copy_have_the_ids_of_their_requests(
    client: FlaskClient, context: None, run_sql: Sql, lines: Callable[[], list[dict[str, Any]]]
) -> None:
    signed_in = sign_in(make_customer(role="admin"))
    file = b"name,category,price\nMaize Flour,Flour,189\n"
    sent = client.post(
        "/products/import?dry_run=true",
        data=file,
        headers={**signed_in, "X-Request-ID": "tried", "Content-Type": "text/csv"},
    )
    assert sent.status_code == 202, sent.json
    assert work_on_imports()
    with logs.bound("applied"), transaction():
        applied_id = apply_dry_run(sent.json["id"], actor_id=None)
    assert work_on_imports()
    assert run_sql("SELECT request_id, status FROM product_imports ORDER BY id") == [
        ("tried", "done"),
        ("applied", "done"),
    ]
    found = [(line["request_id"], line["import_id"]) for line in lines() if "import_id" in line]
    assert found == [("tried", sent.json["id"]), ("applied", applied_id)]


def test_a_row_from_before_is_worked_on_without_an_origin(customer: Caller, run_sql: Sql) -> None:
    place(customer, {make_product(stock=5): 1})
    run_sql("UPDATE orders SET request_id = NULL, traceparent = NULL")
    process_orders()
    assert run_sql("SELECT status FROM orders") == [("confirmed",)]
    assert run_sql("SELECT DISTINCT request_id FROM notifications WHERE event = 'order_confirmed'") == [(None,)]


def test_without_a_collector_there_is_no_span(app: Flask) -> None:
    with working_on(Origin("abc-1", TRACEPARENT), "process order", order_id=5) as span:
        assert span is None
        assert current_origin() == Origin("abc-1", None)
