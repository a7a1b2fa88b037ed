"""Delivery runs: /delivery/runs, and the rider who leaves with one."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from grocery.db import transaction
from grocery.orders.fulfilment import runs
from tests.orders.conftest import Caller, wait_until_blocked
from tests.orders.delivery.factories import make_slot, make_zone
from tests.orders.factories import move, place
from tests.orders.fulfilment_runs.factories import PLACE, body_of, orders_of, plan, run_ids
from tests.problems import assert_problem
from tests.products.factories import make_product

pytestmark = pytest.mark.usefixtures("context")

Sql = Callable[..., list[tuple[Any, ...]]]
Order = dict[str, Any]

UNKNOWN = 2**63 - 1


def test_a_run_says_where_to_go_whom_to_call_and_what_to_collect(
    staff: Caller, rider: Caller, order: Order, another: Order, run_sql: Sql
) -> None:
    answer = staff.post(f"/orders/{order['id']}/payments", json={"amount": "100.00"})
    assert answer.status_code == 201
    run = plan(staff, rider, another, order, note="Motorbike")
    assert (run["rider_id"], run["rider"], run["note"]) == (rider.person.id, "Otieno Rider", "Motorbike")
    assert (run["departed_at"], run["to_collect"]) == (None, "500.00")
    [first, second] = run["stops"]
    assert first == {
        "order_id": order["id"],
        "number": order["number"],
        "status": "pending",
        "customer": "Amina Otieno",
        "phone": "+254712345678",
        "address": "Moi Avenue 12",
        "landmark": "near Shell, blue gate",
        "note": "Ring twice",
        "slot_starts_at": order["delivery"]["slot_starts_at"],
        "slot_ends_at": order["delivery"]["slot_ends_at"],
        "items": first["items"],
        "to_collect": "250.00",
        "currency": "KES",
    }
    assert (second["customer"], second["landmark"], second["address"]) == ("Brian Kiprop", "behind the mosque", None)
    assert (second["phone"], second["to_collect"]) == ("+254733000001", "250.00")
    assert staff.get(f"/delivery/runs/{run['id']}").json == run
    assert run_ids(run_sql) == [run["id"]] * 2


def test_stops_come_in_the_order_of_their_slots(staff: Caller, rider: Caller, customer: Caller, order: Order) -> None:
    zone = make_zone()
    late, early = (make_slot(zone, hours=hours) for hours in (60, 5))
    items = {make_product(): 1}
    later, earlier = (
        place(customer, items, delivery={"slot_id": slot, "address": "Moi Avenue 1"}) for slot in (late, early)
    )
    some_time = place(customer, items, delivery={"zone_id": zone, "address": "Moi Avenue 1"})
    run = plan(staff, rider, later, some_time, order, earlier)
    assert orders_of(run) == [earlier["id"], order["id"], later["id"], some_time["id"]]


def test_only_lines_that_are_in_the_bag_are_counted(staff: Caller, rider: Caller, customer: Caller) -> None:
    order = place(customer, {make_product(): 1, make_product(): 2}, delivery=PLACE | {"zone_id": make_zone()})
    run = plan(staff, rider, order)
    picked = staff.post(f"/orders/{order['id']}/lines/{order['items'][0]['id']}/pick", json={"picked_quantity": 0})
    assert picked.status_code == 200
    move(staff, order, "packed")
    [stop] = staff.get(f"/delivery/runs/{run['id']}").json["stops"]
    assert (stop["items"], stop["to_collect"]) == (1, "350.00")


def test_nothing_is_collected_for_an_order_that_is_cancelled_or_paid(
    staff: Caller, rider: Caller, order: Order, another: Order
) -> None:
    run = plan(staff, rider, order, another)
    move(staff, order, "cancelled")
    staff.post(f"/orders/{another['id']}/payments", json={"amount": "250.00"})
    read = staff.get(f"/delivery/runs/{run['id']}").json
    assert [(stop["status"], stop["to_collect"]) for stop in read["stops"]] == [
        ("cancelled", "0.00"),
        ("pending", "0.00"),
    ]
    assert read["to_collect"] == "0.00"


def test_nothing_is_collected_again_for_goods_that_came_back(staff: Caller, rider: Caller, order: Order) -> None:
    run = plan(staff, rider, order)
    move(staff, order, "delivered")
    items = [{"line_id": order["items"][0]["id"], "quantity": 1}]
    taken = staff.post(
        f"/orders/{order['id']}/returns", json={"items": items, "reason": "spoiled", "is_paid_back": True}
    )
    assert taken.status_code == 201
    assert staff.get(f"/delivery/runs/{run['id']}").json["to_collect"] == "0.00"


def test_runs_are_listed_newest_first_page_by_page_and_by_rider(
    staff: Caller, rider: Caller, order: Order, another: Order
) -> None:
    first, second = plan(staff, rider, order), plan(staff, rider, another)
    own = plan(staff, staff)
    page = staff.get("/delivery/runs?limit=2")
    assert page.json == [own, second]
    rest = staff.get(page.headers["Link"].split(">")[0].strip("<"))
    assert rest.json == [first]
    assert "Link" not in rest.headers
    assert staff.get(f"/delivery/runs?rider_id={rider.person.id}").json == [second, first]
    page = staff.get(f"/delivery/runs?rider_id={rider.person.id}&limit=1")
    assert page.json == [second]
    assert staff.get(page.headers["Link"].split(">")[0].strip("<")).json == [first]
    assert staff.get(f"/delivery/runs?rider_id={UNKNOWN}").json == []
    assert_problem(staff.get("/delivery/runs?rider_id=x"), 422, "validation_failed")
    assert_problem(staff.get("/delivery/runs?cursor=x"), 422, "bad_cursor")


def test_a_run_is_planned_anew_with_another_rider_and_other_orders(
    staff: Caller, rider: Caller, order: Order, another: Order, run_sql: Sql
) -> None:
    run = plan(staff, rider, order, note="Motorbike")
    answer = staff.put(f"/delivery/runs/{run['id']}", json=body_of(staff, another))
    assert answer.status_code == 200
    assert (answer.json["rider"], answer.json["note"], orders_of(answer.json)) == (
        "Njeri Staff",
        None,
        [another["id"]],
    )
    assert run_ids(run_sql) == [None, run["id"]]
    both = staff.put(f"/delivery/runs/{run['id']}", json=body_of(staff, another, order))
    assert sorted(orders_of(both.json)) == [order["id"], another["id"]]
    # Nobody is told of plans.
    assert run_sql("SELECT count(*) FROM notifications WHERE event <> 'order_placed'") == [(0,)]
    assert run_sql("SELECT count(*) FROM order_history WHERE event <> 'placed'") == [(0,)]


def test_orders_of_a_run_that_is_called_off_wait_for_another_one(
    staff: Caller, rider: Caller, order: Order, another: Order, run_sql: Sql
) -> None:
    run = plan(staff, rider, order, another)
    answer = staff.delete(f"/delivery/runs/{run['id']}")
    assert (answer.status_code, answer.data) == (204, b"")
    assert run_ids(run_sql) == [None, None]
    assert_problem(staff.get(f"/delivery/runs/{run['id']}"), 404, "not_found")
    assert sorted(orders_of(plan(staff, rider, order, another))) == [order["id"], another["id"]]


def test_all_orders_of_a_run_are_shipped_when_the_rider_leaves(
    staff: Caller, rider: Caller, order: Order, another: Order, run_sql: Sql
) -> None:
    run = plan(staff, rider, order, another)
    move(staff, order, "packed")
    move(staff, another, "packed")
    answer = rider.post(f"/delivery/runs/{run['id']}/depart")
    assert answer.status_code == 200
    assert answer.json["departed_at"] is not None
    assert [stop["status"] for stop in answer.json["stops"]] == ["shipped", "shipped"]
    assert staff.get(f"/delivery/runs/{run['id']}").json == answer.json
    shipped = (
        "SELECT order_id, from_status, actor_id, actor_role FROM order_history WHERE status = 'shipped' ORDER BY 1"
    )
    assert run_sql(shipped) == [
        (order["id"], "packed", rider.person.id, "staff"),
        (another["id"], "packed", rider.person.id, "staff"),
    ]
    notices = "SELECT order_id, channel, recipient FROM notifications WHERE event = 'order_shipped' ORDER BY 1, 2"
    assert run_sql(notices) == [
        (order["id"], "email", "amina@example.com"),
        (order["id"], "sms", "+254712345678"),
        (another["id"], "email", "brian@example.com"),
        (another["id"], "sms", "+254733000001"),
    ]


def test_the_run_of_a_deleted_rider_keeps_its_stops(staff: Caller, rider: Caller, admin: Caller, order: Order) -> None:
    run = plan(staff, rider, order)
    assert admin.delete(f"/auth/users/{rider.person.id}").status_code == 204
    read = staff.get(f"/delivery/runs/{run['id']}").json
    assert (read["rider_id"], read["rider"]) == (None, None)
    assert read["stops"] == run["stops"]
    move(staff, order, "packed")
    assert staff.post(f"/delivery/runs/{run['id']}/depart").status_code == 200


def test_a_customer_who_is_erased_is_no_stop_any_more(
    staff: Caller, rider: Caller, admin: Caller, customer: Caller, order: Order, another: Order
) -> None:
    run = plan(staff, rider, order, another)
    move(staff, order, "packed")
    move(staff, another, "packed")
    assert admin.delete(f"/auth/users/{customer.person.id}").status_code == 204
    read = staff.get(f"/delivery/runs/{run['id']}").json
    assert (orders_of(read), read["to_collect"]) == ([another["id"]], "250.00")
    assert orders_of(staff.post(f"/delivery/runs/{run['id']}/depart").json) == [another["id"]]


def test_of_many_who_give_an_order_to_a_rider_at_once_one_does(
    staff: Caller, rider: Caller, order: Order, run_sql: Sql
) -> None:
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: staff.post("/delivery/runs", json=body_of(rider, order)), range(4)))
    assert Counter(answer.status_code for answer in answers) == {201: 1, 409: 3}
    assert {answer.json["code"] for answer in answers if answer.status_code == 409} == {"orders_not_ready"}
    [won] = [answer.json["id"] for answer in answers if answer.status_code == 201]
    assert run_sql("SELECT id FROM delivery_runs") == [(won,)]
    assert run_ids(run_sql) == [won]


def test_who_waits_for_an_order_that_another_run_gets_is_told_so(
    staff: Caller, rider: Caller, order: Order, run_sql: Sql
) -> None:
    with ThreadPoolExecutor(1) as pool:
        with transaction() as session:
            won = runs.create_run(session, rider_id=rider.person.id, order_ids=[order["id"]], note=None)
            waiting = pool.submit(staff.post, "/delivery/runs", json=body_of(rider, order))
            wait_until_blocked(run_sql)
        answer = waiting.result()
    assert_problem(answer, 409, "orders_not_ready")
    assert answer.json["problems"] == {str(order["id"]): f"It goes with run {won['id']}."}
    assert run_ids(run_sql) == [won["id"]]


def test_a_rider_who_leaves_twice_at_once_leaves_once(staff: Caller, rider: Caller, order: Order, run_sql: Sql) -> None:
    run = plan(staff, rider, order)
    move(staff, order, "packed")
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: rider.post(f"/delivery/runs/{run['id']}/depart"), range(4)))
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: 3}
    assert {answer.json["code"] for answer in answers if answer.status_code == 409} == {"run_departed"}
    assert run_sql("SELECT count(*) FROM order_history WHERE status = 'shipped'") == [(1,)]
