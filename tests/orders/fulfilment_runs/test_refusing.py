"""Delivery runs that are refused: they write nothing, and say why."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.orders.conftest import Caller
from tests.orders.factories import move, place
from tests.orders.fulfilment_runs.factories import PLACE, body_of, orders_of, plan, state_of
from tests.problems import assert_problem
from tests.products.factories import make_product

pytestmark = pytest.mark.usefixtures("context")

Sql = Callable[..., list[tuple[Any, ...]]]
Order = dict[str, Any]

UNKNOWN = 2**63 - 1


def test_a_run_that_has_left_stays_as_it_is(
    staff: Caller, rider: Caller, order: Order, another: Order, run_sql: Sql
) -> None:
    run = plan(staff, rider, order)
    move(staff, order, "packed")
    staff.post(f"/delivery/runs/{run['id']}/depart")
    before = state_of(run_sql)
    path = f"/delivery/runs/{run['id']}"
    assert_problem(staff.put(path, json=body_of(rider, another)), 409, "run_departed")
    assert_problem(staff.delete(path), 409, "run_departed")
    assert_problem(staff.post(f"{path}/depart"), 409, "run_departed")
    assert state_of(run_sql) == before


def test_orders_that_cannot_go_along_are_named_and_change_nothing(
    staff: Caller, rider: Caller, customer: Caller, order: Order, another: Order, slot: int, run_sql: Sql
) -> None:
    items = {make_product(stock=100): 1}
    pickup = place(customer, items)
    shipped, cancelled = (place(customer, items, delivery={**PLACE, "slot_id": slot}) for _ in range(2))
    move(staff, shipped, "shipped")
    move(staff, cancelled, "cancelled")
    taken = plan(staff, rider, another)
    body = body_of(rider, order, pickup, shipped, cancelled, another)
    body["order_ids"].append(UNKNOWN)
    problems = {
        str(pickup["id"]): "Its customer collects it.",
        str(shipped["id"]): "It is shipped.",
        str(cancelled["id"]): "It is cancelled.",
        str(another["id"]): f"It goes with run {taken['id']}.",
        str(UNKNOWN): "There is no such order.",
    }
    before = state_of(run_sql)
    answer = staff.post("/delivery/runs", json=body)
    assert_problem(answer, 409, "orders_not_ready")
    assert answer.json["problems"] == problems
    own = plan(staff, rider)
    assert_problem(staff.put(f"/delivery/runs/{own['id']}", json=body), 409, "orders_not_ready")
    staff.delete(f"/delivery/runs/{own['id']}")
    assert state_of(run_sql) == before


def test_the_rider_does_not_leave_before_all_is_packed(
    staff: Caller, rider: Caller, order: Order, another: Order, run_sql: Sql
) -> None:
    run = plan(staff, rider, order, another)
    move(staff, order, "packed")
    before = state_of(run_sql)
    answer = staff.post(f"/delivery/runs/{run['id']}/depart")
    assert_problem(answer, 409, "orders_not_ready")
    assert answer.json["problems"] == {str(another["id"]): "It is pending."}
    assert state_of(run_sql) == before
    # One that is cancelled meanwhile is taken out of the bags, and of the run.
    move(staff, another, "cancelled")
    assert staff.post(f"/delivery/runs/{run['id']}/depart").json["problems"] == {str(another["id"]): "It is cancelled."}
    assert staff.put(f"/delivery/runs/{run['id']}", json=body_of(rider, order)).status_code == 200
    assert orders_of(staff.post(f"/delivery/runs/{run['id']}/depart").json) == [order["id"]]


def test_nobody_leaves_with_nothing(staff: Caller, rider: Caller) -> None:
    run = plan(staff, rider)
    assert (run["stops"], run["to_collect"]) == ([], "0.00")
    answer = staff.post(f"/delivery/runs/{run['id']}/depart")
    assert_problem(answer, 409, "orders_not_ready")
    assert answer.json["problems"] == {}
    assert staff.get(f"/delivery/runs/{run['id']}").json == run


def test_only_the_staff_ride(
    staff: Caller, rider: Caller, admin: Caller, customer: Caller, order: Order, run_sql: Sql
) -> None:
    run = plan(staff, admin, order)
    before = state_of(run_sql)
    for rider_id in (customer.person.id, UNKNOWN):
        body = {"rider_id": rider_id, "order_ids": []}
        for answer in (
            staff.post("/delivery/runs", json=body),
            staff.put(f"/delivery/runs/{run['id']}", json=body),
        ):
            assert_problem(answer, 422, "validation_failed")
            assert list(answer.json["errors"]) == ["rider_id"]
    assert state_of(run_sql) == before


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"order_ids": [1, 2, 1]}, "order_ids"),
        ({"order_ids": list(range(1, 202))}, "order_ids"),
        ({"order_ids": [0]}, "order_ids"),
        ({"rider_id": None}, "rider_id"),
        ({"rider_id": "1"}, "rider_id"),
        ({"note": "x" * 301}, "note"),
        ({"riders": 1}, "riders"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused(
    staff: Caller, rider: Caller, change: dict[str, Any], field: str, run_sql: Sql
) -> None:
    answer = staff.post("/delivery/runs", json={**body_of(rider), **change})
    assert_problem(answer, 422, "validation_failed")
    assert list(answer.json["errors"]) == [field]
    assert run_sql("SELECT FROM delivery_runs") == []


def test_an_unknown_run_is_not_found_whatever_is_sent(staff: Caller, rider: Caller) -> None:
    for path in (f"/delivery/runs/{UNKNOWN}", "/delivery/runs/0"):
        assert_problem(staff.put(path, json={"order_ids": "x"}), 404, "not_found")
        assert_problem(staff.put(path, json=body_of(rider)), 404, "not_found")
        assert_problem(staff.get(path), 404, "not_found")
        assert_problem(staff.delete(path), 404, "not_found")
        assert_problem(staff.post(f"{path}/depart"), 404, "not_found")


def test_runs_are_for_the_staff_alone(client: FlaskClient, customer: Caller, staff: Caller, rider: Caller) -> None:
    run = plan(staff, rider)
    path = f"/delivery/runs/{run['id']}"
    calls = [
        ("get", "/delivery/runs"),
        ("post", "/delivery/runs"),
        ("get", path),
        ("put", path),
        ("delete", path),
        ("post", f"{path}/depart"),
    ]
    for method, called in calls:
        assert getattr(customer, method)(called, json={}).status_code == 403
        assert getattr(client, method)(called, json={}).status_code == 401
