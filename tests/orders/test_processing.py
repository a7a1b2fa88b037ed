from collections.abc import Callable, Iterator
from typing import Any

import pytest
from redis import Redis

from grocery.config import Settings
from grocery.orders.jobs import process_orders, ring_if_due
from grocery.queues import ORDERS, doorbell
from tests.orders.conftest import Caller
from tests.orders.factories import move, place
from tests.products.factories import make_product

Sql = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def flour(context: None) -> int:
    return make_product(stock=1000)


@pytest.fixture
def refuse_confirming(run_sql: Sql) -> Iterator[None]:
    """PostgreSQL refuses to confirm orders with the note "cursed"."""
    run_sql("""
        CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
            IF NEW.status = 'confirmed' AND NEW.note = 'cursed' THEN RAISE 'no'; END IF; RETURN NEW;
        END $$
    """)
    run_sql("CREATE TRIGGER refuse BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION refuse()")
    yield
    run_sql("DROP FUNCTION refuse CASCADE")


@pytest.fixture
def refuse_alarms(run_sql: Sql) -> Iterator[None]:
    """PostgreSQL refuses to tell that an order is stuck."""
    run_sql("ALTER TABLE notifications ADD CONSTRAINT no_alarms CHECK (event <> 'order_stuck')")
    yield
    run_sql("ALTER TABLE notifications DROP CONSTRAINT no_alarms")


def test_the_worker_confirms_what_is_pending_and_writes_who(customer: Caller, flour: int, run_sql: Sql) -> None:
    orders = [place(customer, {flour: 1}) for _ in range(45)]
    process_orders()
    assert run_sql("SELECT status, version, process_at, count(*) FROM orders GROUP BY 1, 2, 3") == [
        ("confirmed", 2, None, 45)
    ]
    history = customer.get(f"/orders/{orders[0]['id']}/history").json
    assert [(entry["status"], entry["actor_role"], entry["actor_id"]) for entry in history] == [
        ("pending", "customer", customer.person.id),
        ("confirmed", "system", None),
    ]


def test_the_confirmation_is_told_to_the_customer_by_mail_only(customer: Caller, flour: int, run_sql: Sql) -> None:
    place(customer, {flour: 1})
    process_orders()
    assert run_sql("SELECT channel, event, recipient FROM notifications WHERE event <> 'order_placed'") == [
        ("email", "order_confirmed", "amina@example.com")
    ]


def test_orders_that_staff_have_moved_already_are_left_alone(
    customer: Caller, staff: Caller, flour: int, run_sql: Sql
) -> None:
    move(staff, place(customer, {flour: 1}), "shipped")
    move(staff, place(customer, {flour: 1}), "cancelled")
    process_orders()
    assert run_sql("SELECT status FROM orders ORDER BY id") == [("shipped",), ("cancelled",)]


def test_an_order_that_cannot_be_processed_holds_up_no_other(
    customer: Caller, flour: int, refuse_confirming: None, run_sql: Sql
) -> None:
    place(customer, {flour: 1}, note="cursed")
    place(customer, {flour: 1})
    process_orders()
    assert run_sql("SELECT status, process_attempts, process_at > now() FROM orders ORDER BY id") == [
        ("pending", 1, True),
        ("confirmed", 0, None),
    ]
    assert run_sql("SELECT count(*) FROM notifications WHERE event = 'order_stuck'") == [(0,)]


def test_admins_are_told_once_of_an_order_that_stays_stuck(
    customer: Caller, flour: int, refuse_confirming: None, run_sql: Sql
) -> None:
    order = place(customer, {flour: 1}, note="cursed")
    for _ in range(7):
        run_sql("UPDATE orders SET process_at = now()")
        process_orders()
    assert run_sql("SELECT status, process_attempts FROM orders") == [("pending", 7)]
    told = run_sql("SELECT recipient, order_id, channel FROM notifications WHERE event = 'order_stuck'")
    assert told == [("owner@shop.example", order["id"], "email")]


def test_an_order_of_which_nobody_can_be_told_holds_up_no_other(
    customer: Caller, flour: int, refuse_confirming: None, refuse_alarms: None, run_sql: Sql
) -> None:
    place(customer, {flour: 1}, note="cursed")
    run_sql("UPDATE orders SET process_attempts = 4")
    place(customer, {flour: 1})
    process_orders()
    assert run_sql("SELECT status, process_attempts, process_at > now() FROM orders ORDER BY id") == [
        ("pending", 5, True),
        ("confirmed", 0, None),
    ]


def test_an_order_that_is_stuck_for_weeks_is_still_tried_every_quarter_of_an_hour(
    customer: Caller, flour: int, refuse_confirming: None, run_sql: Sql
) -> None:
    place(customer, {flour: 1}, note="cursed")
    run_sql("UPDATE orders SET process_attempts = 2000")
    process_orders()
    assert run_sql(
        "SELECT process_attempts, process_at - now() BETWEEN interval '880 s' AND interval '900 s' FROM orders"
    ) == [(2001, True)]


def test_an_order_is_rung_for_and_a_lost_ring_is_repeated(
    customer: Caller, flour: int, settings: Settings, app: Any
) -> None:
    redis = Redis.from_url(settings.redis_url or "")
    place(customer, {flour: 1})
    assert doorbell().depth(ORDERS) == 1
    redis.flushall()
    ring_if_due()
    assert doorbell().depth(ORDERS) == 1
    redis.flushall()
    process_orders()
    ring_if_due()
    assert doorbell().depth(ORDERS) == 0
