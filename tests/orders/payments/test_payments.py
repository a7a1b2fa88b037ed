"""Payments of an order over HTTP."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask

from grocery.db import db, transaction
from grocery.orders.actors import SYSTEM, Actor
from grocery.orders.payments import examples
from grocery.orders.payments.schemas import PaymentSchema, RecordPaymentSchema
from grocery.orders.payments.service import record_payment
from tests.auth.factories import make_customer
from tests.orders.conftest import Caller
from tests.orders.payments.factories import erase_customer_of, make_order, paid, pay, payments_of
from tests.problems import assert_problem
from tests.products.ledger import select_rows, wait_for_a_lock

pytestmark = pytest.mark.usefixtures("context")

AT = "2026-11-26T10:00:00Z"


def test_staff_note_what_they_took(staff: Caller) -> None:
    order = make_order(1000_00)
    answer = staff.post(f"/orders/{order}/payments", json={"amount": "1000.00", "note": " At the gate "})
    assert answer.status_code == 201, answer.json
    assert set(answer.json) == set(PaymentSchema().fields) == set(examples.PAYMENT)
    [(number, version)] = select_rows("SELECT number, version FROM orders WHERE id = :id", id=order)
    assert {name: value for name, value in answer.json.items() if name not in ("id", "at")} == {
        "order_id": order,
        "order_number": number,
        "method": "cash_on_delivery",
        "kind": "capture",
        "amount": "1000.00",
        "collector_id": staff.person.id,
        "actor_id": staff.person.id,
        "note": "At the gate",
    }
    assert (paid(order), version) == (1000_00, 1)
    assert staff.get(f"/orders/{order}/payments").json == [answer.json]


def test_an_order_is_paid_in_parts_and_no_further_than_its_total(staff: Caller) -> None:
    order = make_order(1000_00)
    address = f"/orders/{order}/payments"
    assert staff.post(address, json={"amount": 400}).status_code == 201
    over = staff.post(address, json={"amount": "600.01"})
    assert_problem(over, 409, "payment_exceeds_total")
    assert (over.json["due"], over.json["currency"]) == ("600.00", "KES")
    assert paid(order) == 400_00
    assert staff.post(address, json={"amount": "600"}).status_code == 201
    assert staff.post(address, json={"amount": "0.01"}).json["due"] == "0.00"
    assert paid(order) == 1000_00
    assert [(one["kind"], one["amount"]) for one in staff.get(address).json] == [
        ("capture", "400.00"),
        ("capture", "600.00"),
    ]


def test_what_was_credited_for_goods_that_came_back_is_not_collected_again(staff: Caller, run_sql: Any) -> None:
    order = make_order(1000_00, status="delivered")
    pay(order, 1000_00, staff.person.id, AT)
    run_sql(
        "INSERT INTO order_returns (order_id, number, reason, refund_cents, vat_cents)"
        " VALUES (:id, 'R1', 'spoiled', 30000, 0)",
        id=order,
    )
    address = f"/orders/{order}/payments"
    assert staff.post(address, json={"kind": "refund", "amount": 300}).status_code == 201
    again = staff.post(address, json={"amount": 1})
    assert_problem(again, 409, "payment_exceeds_total")
    assert (again.json["due"], paid(order)) == ("0.00", 700_00)


def test_nothing_is_due_when_more_was_paid_than_the_order_costs_now(staff: Caller, run_sql: Any) -> None:
    order = make_order(1000_00)
    pay(order, 1000_00, staff.person.id, AT)
    run_sql("UPDATE orders SET subtotal_cents = 70000, total_cents = 70000")
    over = staff.post(f"/orders/{order}/payments", json={"amount": 1})
    assert_problem(over, 409, "payment_exceeds_total")
    assert over.json["due"] == "0.00"
    assert staff.post(f"/orders/{order}/payments", json={"kind": "refund", "amount": 300}).status_code == 201
    assert paid(order) == 700_00


def test_no_more_is_given_back_than_was_paid(staff: Caller) -> None:
    order = make_order(1000_00)
    address = f"/orders/{order}/payments"
    assert_problem(staff.post(address, json={"kind": "refund", "amount": "0.01"}), 409, "refund_exceeds_paid")
    staff.post(address, json={"amount": 1000})
    refund = staff.post(address, json={"kind": "refund", "amount": "200.00", "note": "Broken eggs"})
    assert (refund.status_code, refund.json["kind"], refund.json["amount"]) == (201, "refund", "200.00")
    over = staff.post(address, json={"kind": "refund", "amount": "800.01"})
    assert_problem(over, 409, "refund_exceeds_paid")
    assert over.json["paid"] == "800.00"
    assert paid(order) == 800_00
    assert [row[:2] for row in payments_of(order)] == [("capture", 1000_00), ("refund", 200_00)]


def test_a_cancelled_order_is_paid_back_and_not_paid(staff: Caller, run_sql: Any) -> None:
    order = make_order(1000_00)
    pay(order, 300_00, None, AT)
    run_sql("UPDATE orders SET status = 'cancelled'")
    assert_problem(staff.post(f"/orders/{order}/payments", json={"amount": 1}), 409, "order_cancelled")
    assert paid(order) == 300_00
    assert staff.post(f"/orders/{order}/payments", json={"kind": "refund", "amount": 300}).status_code == 201
    assert paid(order) == 0


def test_another_member_of_staff_may_have_had_the_money(staff: Caller, admin: Caller) -> None:
    order = make_order(1000_00)
    answer = admin.post(f"/orders/{order}/payments", json={"amount": 10, "collector_id": staff.person.id})
    assert answer.status_code == 201
    assert payments_of(order) == [("capture", 10_00, staff.person.id, admin.person.id)]


def test_only_staff_collect(staff: Caller, customer: Caller) -> None:
    order = make_order(1000_00)
    for collector_id in (customer.person.id, customer.person.id + 1_000_000, 2**63 - 1):
        answer = staff.post(f"/orders/{order}/payments", json={"amount": 10, "collector_id": collector_id})
        assert_problem(answer, 422, "validation_failed")
        assert answer.json["errors"] == {"collector_id": [f"There is no member of staff {collector_id}."]}
    assert (payments_of(order), paid(order)) == ([], 0)


@pytest.mark.parametrize(
    ("overrides", "field"),
    [
        ({"amount": "0.00"}, "amount"),
        ({"amount": "-1"}, "amount"),
        ({"amount": "1.005"}, "amount"),
        ({"amount": None}, "amount"),
        ({"amount": 2**64 - 1}, "amount"),
        ({"amount": 1e300}, "amount"),
        ({"amount": True}, "amount"),
        ({"kind": "gift"}, "kind"),
        ({"kind": None}, "kind"),
        ({"collector_id": 0}, "collector_id"),
        ({"collector_id": 2**63}, "collector_id"),
        ({"collector_id": "3"}, "collector_id"),
        ({"note": "x" * 501}, "note"),
        ({"note": "a\x00b"}, "note"),
        ({"note": ["x"]}, "note"),
        ({"method": "mpesa"}, "method"),
        ({"at": AT}, "at"),
    ],
)
def test_bad_fields_are_refused_by_name_and_nothing_is_written(
    staff: Caller, overrides: dict[str, Any], field: str
) -> None:
    order = make_order(1000_00)
    answer = staff.post(f"/orders/{order}/payments", json={"amount": "10.00", **overrides})
    assert_problem(answer, 422, "validation_failed")
    assert list(answer.json["errors"]) == [field]
    assert (payments_of(order), paid(order)) == ([], 0)


def test_unknown_orders_come_before_bad_bodies(staff: Caller) -> None:
    unknown = make_order(1000_00) + 1
    for sent in ({"json": {"amount": 1}}, {"json": {"nonsense": 1}}, {"data": "x"}, {}):
        assert_problem(staff.post(f"/orders/{unknown}/payments", **sent), 404, "not_found")
    for order_id in (unknown, 2**63 - 1, 2**70):
        assert_problem(staff.get(f"/orders/{order_id}/payments"), 404, "not_found")


def test_customers_see_no_payments_of_their_own_orders_either(customer: Caller, run_sql: Any) -> None:
    order = make_order(1000_00)
    run_sql("UPDATE orders SET customer_id = :id", id=customer.person.id)
    assert customer.get(f"/orders/{order}/payments").status_code == 403
    assert customer.post(f"/orders/{order}/payments", json={"amount": 1}).status_code == 403
    assert payments_of(order) == []


def test_an_order_without_payments_has_an_empty_list(staff: Caller) -> None:
    pay(make_order(1000_00), 1, None, AT)
    assert staff.get(f"/orders/{make_order(1000_00)}/payments").json == []


def test_of_eight_captures_at_once_only_those_that_fit_are_written(staff: Caller) -> None:
    order = make_order(1000_00)

    def collect(_: int) -> int:
        return staff.post(f"/orders/{order}/payments", json={"amount": 400}).status_code

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(collect, range(8))) == [201, 201] + [409] * 6
    assert paid(order) == 800_00
    assert [row[:2] for row in payments_of(order)] == [("capture", 400_00)] * 2


def test_a_capture_waits_for_whoever_has_the_order_and_sees_what_was_paid_then(app: Flask, staff: Caller) -> None:
    order = make_order(1000_00)
    with ThreadPoolExecutor(1) as pool:
        with transaction() as session:
            record_payment(
                session, order, kind="capture", amount_cents=700_00, collector_id=None, actor=SYSTEM, note=None
            )
            late = pool.submit(staff.post, f"/orders/{order}/payments", json={"amount": 700})
            wait_for_a_lock()
        assert_problem(late.result(), 409, "payment_exceeds_total")
        assert late.result().json["due"] == "300.00"
    assert payments_of(order) == [("capture", 700_00, None, None)]


def test_an_order_erased_while_its_payment_waits_is_not_found(app: Flask, staff: Caller, run_sql: Any) -> None:
    order = make_order(1000_00)
    with ThreadPoolExecutor(1) as pool:
        with db.engine.begin() as connection:
            connection.exec_driver_sql(
                f"DELETE FROM customers WHERE id = (SELECT customer_id FROM orders WHERE id = {order})"
            )
            late = pool.submit(staff.post, f"/orders/{order}/payments", json={"amount": 700})
            wait_for_a_lock()
        assert_problem(late.result(), 404, "not_found")
    assert run_sql("SELECT count(*) FROM payments") == [(0,)]


def test_a_command_has_no_collector_unless_it_names_one(context: None) -> None:
    order, rider = make_order(1000_00), make_customer(role="staff").id
    operator = Actor(None, "admin")
    for collector_id in (None, rider):
        with transaction() as session:
            payment = record_payment(
                session, order, kind="capture", amount_cents=1_00, collector_id=collector_id, actor=operator, note=None
            )
        assert (payment["collector_id"], payment["actor_id"]) == (collector_id, None)
    assert payments_of(order) == [("capture", 1_00, None, None), ("capture", 1_00, rider, None)]


def test_payments_stay_when_the_customer_is_erased(staff: Caller, run_sql: Any) -> None:
    order = make_order(1000_00, "delivered")
    [(number,)] = select_rows("SELECT number FROM orders")
    pay(order, 1000_00, staff.person.id, AT)
    erase_customer_of(order)
    assert_problem(staff.get(f"/orders/{order}/payments"), 404, "not_found")
    assert run_sql("SELECT order_id, order_number, amount_cents FROM payments") == [(None, number, 1000_00)]


def test_the_example_is_what_can_be_sent() -> None:
    loaded = RecordPaymentSchema().load(examples.PAID)
    assert loaded == {"kind": "capture", "amount_cents": 1250_00, "collector_id": 3, "note": "At the gate"}
