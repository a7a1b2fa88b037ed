"""Picks that are refused: they write nothing, and say why."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask.testing import FlaskClient

from grocery.db import db
from tests.orders.conftest import Caller, wait_until_blocked
from tests.orders.factories import move, place, snapshot
from tests.orders.fulfilment.factories import assert_books_are_right, assert_refused, pick
from tests.products.ledger import stock_of

Sql = Callable[..., list[tuple[Any, ...]]]


def test_more_than_was_found_before_is_not_taken_from_others(
    customer: Caller, staff: Caller, order: dict[str, Any], soap: int, run_sql: Sql
) -> None:
    pick(staff, order, 1)
    place(customer, {soap: 9})
    before = snapshot(run_sql)
    refused = pick(staff, order, 2)
    missing = [{"product_id": soap, "name": "Soap", "requested": 1, "available": 0}]
    assert_refused(refused, 409, "out_of_stock", items=missing)
    assert snapshot(run_sql) == before


def test_more_pieces_than_ordered_are_refused(staff: Caller, order: dict[str, Any], run_sql: Sql) -> None:
    before = snapshot(run_sql)
    for body in ({}, {"approved": True}):
        assert_refused(pick(staff, order, 4, **body), 409, "picked_too_much", ordered=3)
    assert snapshot(run_sql) == before


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"picked_quantity": None},
        {"picked_quantity": -1},
        {"picked_quantity": 1.5},
        {"picked_quantity": "1"},
        {"picked_quantity": True},
        {"picked_quantity": 0.0001},
        {"picked_quantity": 10**9},
        {"picked_quantity": 1, "reason": "stolen"},
        {"picked_quantity": 1, "reason": 3},
        {"picked_quantity": 1, "approved": "yes"},
        {"picked_quantity": 1, "substitute_product_id": 0},
        {"picked_quantity": 1, "substitute_product_id": "x"},
        {"picked_quantity": 1, "unit_price": "0.01"},
    ],
)
def test_a_pick_that_makes_no_sense_is_refused(
    staff: Caller, order: dict[str, Any], run_sql: Sql, body: dict[str, Any]
) -> None:
    before = snapshot(run_sql)
    path = f"/orders/{order['id']}/lines/{order['items'][0]['id']}/pick"
    assert_refused(staff.post(path, json=body), 422, "validation_failed")
    assert snapshot(run_sql) == before


@pytest.mark.parametrize("status", ["packed", "shipped", "delivered", "cancelled"])
def test_what_is_packed_or_over_is_not_picked(
    staff: Caller, order: dict[str, Any], flour: int, run_sql: Sql, status: str
) -> None:
    move(staff, order, status)
    before = snapshot(run_sql)
    for body in ({}, {"reason": "not_found"}, {"substitute_product_id": flour}):
        assert_refused(pick(staff, order, 1, **body), 409, "not_editable", current=status)
    assert snapshot(run_sql) == before


@pytest.mark.parametrize("body", [{"picked_quantity": 1}, {"picked_quantity": "nonsense"}, {}, []])
def test_an_unknown_line_is_not_found_whatever_is_sent(
    customer: Caller, staff: Caller, order: dict[str, Any], flour: int, run_sql: Sql, body: Any
) -> None:
    other = place(customer, {flour: 1})
    before = snapshot(run_sql)
    for path in (
        "/orders/999999999/lines/1/pick",
        f"/orders/{order['id']}/lines/999999999/pick",
        f"/orders/{order['id']}/lines/{other['items'][0]['id']}/pick",
        f"/orders/{order['id']}/lines/99999999999999999999/pick",
    ):
        assert staff.post(path, json=body).status_code == 404, path
    assert snapshot(run_sql) == before


def test_only_staff_pick(client: FlaskClient, customer: Caller, staff: Caller, order: dict[str, Any]) -> None:
    path = f"/orders/{order['id']}/lines/{order['items'][0]['id']}/pick"
    assert client.post(path, data="x").status_code == 401
    assert pick(customer, order, 1).status_code == 403
    assert customer.post("/orders/999999999/lines/1/pick", data="x").status_code == 403
    assert staff.post(path, data="x", content_type="text/plain").status_code == 415
    assert staff.post(path, data="{", content_type="application/json").status_code == 400
    assert staff.get(f"/orders/{order['id']}").json["version"] == 1


def test_a_stale_version_is_refused(staff: Caller, order: dict[str, Any], run_sql: Sql) -> None:
    stale = {"If-Match": staff.get(f"/orders/{order['id']}").headers["ETag"]}
    assert pick(staff, order, 2, headers=stale).status_code == 200
    before = snapshot(run_sql)
    for headers in (stale, {"If-Match": "x"}):
        assert_refused(pick(staff, order, 1, headers=headers), 412, "stale_version")
        # The same pick once more is no exception.
        assert_refused(pick(staff, order, 2, headers=headers), 412, "stale_version")
    assert snapshot(run_sql) == before
    fresh = {"If-Match": staff.get(f"/orders/{order['id']}").headers["ETag"]}
    assert pick(staff, order, 1, headers=fresh).status_code == 200


def test_of_two_who_pick_at_once_one_wins_and_the_other_is_told(
    staff: Caller, admin: Caller, order: dict[str, Any], soap: int, run_sql: Sql
) -> None:
    with ThreadPoolExecutor(2) as pool, db.engine.connect() as holding:
        holding.exec_driver_sql("SELECT FROM orders FOR UPDATE")
        picks = [pool.submit(pick, staff, order, 1), pool.submit(pick, admin, order, 2)]
        wait_until_blocked(run_sql, 2)
        holding.commit()
        answers = [one.result() for one in picks]
    assert Counter((answer.status_code, answer.json.get("code")) for answer in answers) == {
        (200, None): 1,
        (409, "order_changed"): 1,
    }
    [won] = [answer.json for answer in answers if answer.status_code == 200]
    assert staff.get(f"/orders/{order['id']}").json == won
    assert (won["version"], won["total"], stock_of(soap)) in [(2, "305.00", 9), (2, "421.00", 8)]
    assert run_sql("SELECT count(*) FROM order_history WHERE event = 'lines'") == [(1,)]
    assert_books_are_right(run_sql)
