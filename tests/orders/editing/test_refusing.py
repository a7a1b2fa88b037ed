"""Changes of the lines of an order that are refused: they write nothing, and say why."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from flask.testing import FlaskClient

from grocery.db import db
from tests.orders.conftest import Caller, wait_until_blocked
from tests.orders.editing.factories import add, remove, set_quantity
from tests.orders.factories import move, place, snapshot
from tests.orders.test_races import assert_ledgers_are_right
from tests.products.factories import make_product
from tests.products.ledger import stock_of

Sql = Callable[..., list[tuple[Any, ...]]]


def test_the_only_line_is_not_taken_out(customer: Caller, staff: Caller, flour: int, run_sql: Sql) -> None:
    order = place(customer, {flour: 2})
    before = snapshot(run_sql)
    response = remove(staff, order)
    assert (response.status_code, response.json["code"]) == (409, "last_line")
    assert snapshot(run_sql) == before


def test_a_product_that_is_in_the_order_is_not_added_twice(
    staff: Caller, order: dict[str, Any], flour: int, run_sql: Sql
) -> None:
    before = snapshot(run_sql)
    response = add(staff, order, flour, 1)
    assert (response.status_code, response.json["code"]) == (409, "line_exists")
    assert snapshot(run_sql) == before


@pytest.mark.parametrize("status", ["packed", "shipped", "delivered", "cancelled"])
def test_what_is_packed_or_over_is_not_changed(
    staff: Caller, order: dict[str, Any], beef: int, run_sql: Sql, status: str
) -> None:
    move(staff, order, status)
    before = snapshot(run_sql)
    for response in (add(staff, order, beef, 0.5), set_quantity(staff, order, 1), remove(staff, order)):
        assert (response.status_code, response.json["code"]) == (409, "not_editable")
        assert response.json["current"] == status
    assert snapshot(run_sql) == before


@pytest.mark.parametrize("body", [{"quantity": 1}, {"quantity": "nonsense"}, [], {"product_id": 1, "quantity": 1}])
def test_what_is_not_there_is_not_found_whatever_is_sent(
    customer: Caller, staff: Caller, order: dict[str, Any], flour: int, run_sql: Sql, body: Any
) -> None:
    other = place(customer, {flour: 1})
    before = snapshot(run_sql)
    unknown, strange = f"/orders/{order['id']}/lines/999999999", other["items"][0]["id"]
    for path in (
        "/orders/999999999/lines/1",
        unknown,
        f"/orders/{order['id']}/lines/{strange}",
        f"/orders/{order['id']}/lines/99999999999999999999",
    ):
        assert staff.patch(path, json=body).status_code == 404, path
        assert staff.delete(path).status_code == 404, path
    assert staff.post("/orders/999999999/lines", json=body).status_code == 404
    assert snapshot(run_sql) == before


def test_the_checks_come_in_order(client: FlaskClient, customer: Caller, staff: Caller, order: dict[str, Any]) -> None:
    path = f"/orders/{order['id']}/lines"
    line = f"{path}/{order['items'][0]['id']}"
    for method, address in (("POST", path), ("PATCH", line), ("DELETE", line)):
        assert client.open(address, method=method, data="x").status_code == 401
        assert customer.open(address, method=method, data="x").status_code == 403
        assert customer.open("/orders/999999999/lines/1", method="DELETE").status_code == 403
    for method, address in (("POST", path), ("PATCH", line)):
        assert staff.open(address, method=method, data="x", content_type="text/plain").status_code == 415
        assert staff.open(address, method=method, data="{", content_type="application/json").status_code == 400
    assert staff.get(f"/orders/{order['id']}").json["version"] == 1


def test_more_than_there_is_changes_nothing(
    staff: Caller, order: dict[str, Any], flour: int, beef: int, run_sql: Sql
) -> None:
    before = snapshot(run_sql)
    # Eight are left beside the two that the order has.
    more = set_quantity(staff, order, 11)
    assert (more.status_code, more.json["code"]) == (409, "out_of_stock")
    assert more.json["items"] == [{"product_id": flour, "name": "Maize Flour", "requested": 9, "available": 8}]
    added = add(staff, order, beef, 5.75)
    assert (added.status_code, added.json["code"]) == (409, "out_of_stock")
    assert added.json["items"] == [{"product_id": beef, "name": "Beef", "requested": 5.75, "available": 5.5}]
    assert snapshot(run_sql) == before
    assert set_quantity(staff, order, 10).status_code == 200
    assert stock_of(flour) == 0


def test_of_what_is_withdrawn_there_can_be_less_but_not_more(
    staff: Caller, order: dict[str, Any], flour: int, beef: int, run_sql: Sql
) -> None:
    run_sql("UPDATE products SET is_active = false")
    before = snapshot(run_sql)
    for response, product_id in ((set_quantity(staff, order, 3), flour), (add(staff, order, beef, 0.5), beef)):
        assert (response.status_code, response.json["code"]) == (409, "product_unavailable")
        assert response.json["product_ids"] == [product_id]
    assert snapshot(run_sql) == before
    assert set_quantity(staff, order, 1).status_code == 200
    assert remove(staff, order).status_code == 200
    assert stock_of(flour) == Decimal(10)


def test_an_unknown_product_is_not_added(staff: Caller, order: dict[str, Any], run_sql: Sql) -> None:
    before = snapshot(run_sql)
    response = add(staff, order, 999_999_999, 1)
    assert (response.status_code, response.json["code"]) == (422, "unknown_product")
    assert snapshot(run_sql) == before


@pytest.mark.parametrize("quantity", [0, -1, 1.5, 0.0001, 10**9, "2", True, None, [1]])
def test_a_quantity_that_makes_no_sense_is_refused(
    staff: Caller, order: dict[str, Any], run_sql: Sql, quantity: Any
) -> None:
    candle = make_product(name="Candle")
    before = snapshot(run_sql)
    for response in (set_quantity(staff, order, quantity), add(staff, order, candle, quantity)):
        assert (response.status_code, response.json["code"]) == (422, "validation_failed")
        assert "quantity" in str(response.json["errors"])
    assert snapshot(run_sql) == before


def test_what_is_sold_by_weight_stays_in_its_steps(
    customer: Caller, staff: Caller, beef: int, soap: int, run_sql: Sql
) -> None:
    order = place(customer, {beef: 0.5, soap: 1})
    before = snapshot(run_sql)
    response = set_quantity(staff, order, 0.6)
    assert (response.status_code, list(response.json["errors"])) == (422, ["quantity"])
    assert snapshot(run_sql) == before
    # 149.875, and the soap.
    assert set_quantity(staff, order, 1.25).json["total"] == "265.88"


def test_fields_that_a_line_does_not_have_are_refused(staff: Caller, order: dict[str, Any], run_sql: Sql) -> None:
    before = snapshot(run_sql)
    path = f"/orders/{order['id']}/lines"
    line = f"{path}/{order['items'][0]['id']}"
    assert staff.patch(line, json={"quantity": 1, "unit_price": "0.01"}).status_code == 422
    assert staff.patch(line, json={}).status_code == 422
    assert staff.post(path, json={"product_id": 1, "quantity": 1, "unit_price": "0.01"}).status_code == 422
    assert snapshot(run_sql) == before


def test_a_stale_version_is_refused(staff: Caller, order: dict[str, Any], beef: int, run_sql: Sql) -> None:
    stale = {"If-Match": staff.get(f"/orders/{order['id']}").headers["ETag"]}
    assert set_quantity(staff, order, 3, **stale).status_code == 200
    before = snapshot(run_sql)
    for headers in (stale, {"If-Match": "x"}):
        for response in (
            add(staff, order, beef, 0.5, **headers),
            set_quantity(staff, order, 1, **headers),
            remove(staff, order, **headers),
        ):
            assert (response.status_code, response.json["code"]) == (412, "stale_version")
    assert snapshot(run_sql) == before
    fresh = {"If-Match": staff.get(f"/orders/{order['id']}").headers["ETag"]}
    assert remove(staff, order, **fresh).status_code == 200


def test_of_two_who_change_an_order_at_once_one_wins_and_the_other_is_told(
    staff: Caller, admin: Caller, order: dict[str, Any], flour: int, soap: int, run_sql: Sql
) -> None:
    with ThreadPoolExecutor(2) as pool, db.engine.connect() as holding:
        holding.exec_driver_sql("SELECT FROM orders FOR UPDATE")
        changes = [
            pool.submit(set_quantity, staff, order, 5),
            pool.submit(set_quantity, admin, order, 3, index=1),
        ]
        wait_until_blocked(run_sql, 2)
        holding.commit()
        answers = [change.result() for change in changes]
    assert Counter((answer.status_code, answer.json.get("code")) for answer in answers) == {
        (200, None): 1,
        (409, "order_changed"): 1,
    }
    [won] = [answer.json for answer in answers if answer.status_code == 200]
    assert staff.get(f"/orders/{order['id']}").json == won
    assert won["version"] == 2
    assert {(won["total"], stock_of(flour), stock_of(soap))} <= {
        ("1061.00", Decimal(5), Decimal(9)),
        ("726.00", Decimal(8), Decimal(7)),
    }
    assert run_sql("SELECT count(*) FROM order_history WHERE event = 'lines'") == [(1,)]
    assert run_sql("SELECT count(*) FROM notifications WHERE event = 'order_changed'") == [(2,)]
    assert_ledgers_are_right(run_sql)


@pytest.mark.parametrize("first", ["packed", "cancelled"])
def test_a_change_that_comes_after_a_move_of_the_order_is_refused(
    staff: Caller, admin: Caller, order: dict[str, Any], run_sql: Sql, first: str
) -> None:
    with ThreadPoolExecutor(2) as pool, db.engine.connect() as holding:
        holding.exec_driver_sql("SELECT FROM orders FOR UPDATE")
        moved = pool.submit(move, admin, order, first)
        wait_until_blocked(run_sql)
        change = pool.submit(set_quantity, staff, order, 1)
        wait_until_blocked(run_sql, 2)
        holding.commit()
        assert moved.result()["status"] == first
        response = change.result()
    assert (response.status_code, response.json["code"]) == (409, "order_changed")
    assert run_sql("SELECT status, total_cents FROM orders") == [(first, 494_00)]
    assert_ledgers_are_right(run_sql)
