"""What is collected when an order is delivered."""

import pytest
from sqlalchemy import text

from grocery.db import transaction
from grocery.orders.actors import SYSTEM, Actor
from grocery.orders.payments.errors import NotACollectorError, OrderCancelledError, PaymentExceedsTotalError
from grocery.orders.payments.service import settle_delivered
from tests.auth.factories import make_customer
from tests.orders.payments.factories import make_order, paid, pay, payments_of

pytestmark = pytest.mark.usefixtures("context")

_LOCK = text("SELECT * FROM orders WHERE id = :id FOR UPDATE")


@pytest.fixture
def rider(context: None) -> Actor:
    return Actor(make_customer(role="staff").id, "staff")


def settle(order_id: int, actor: Actor, collected_cents: int | None = None, collector_id: int | None = None) -> int:
    with transaction() as session:
        order = session.execute(_LOCK, {"id": order_id}).mappings().one()
        return settle_delivered(session, order, collected_cents=collected_cents, collector_id=collector_id, actor=actor)


def test_all_that_is_due_is_collected_unless_told(rider: Actor) -> None:
    order = make_order(1000_00)
    assert settle(order, rider) == 1000_00
    assert (paid(order), payments_of(order)) == (1000_00, [("capture", 1000_00, rider.id, rider.id)])


def test_only_the_rest_is_collected_of_an_order_paid_in_part(rider: Actor) -> None:
    order = make_order(1000_00)
    pay(order, 300_00, None, "2026-11-20T10:00:00Z")
    assert settle(order, rider) == 1000_00
    assert payments_of(order)[1:] == [("capture", 700_00, rider.id, rider.id)]


def test_less_may_have_been_collected(rider: Actor) -> None:
    order = make_order(1000_00)
    assert settle(order, rider, collected_cents=950_00) == 950_00
    assert (paid(order), [row[1] for row in payments_of(order)]) == (950_00, [950_00])


def test_nothing_may_have_been_collected(rider: Actor) -> None:
    order = make_order(1000_00)
    assert settle(order, rider, collected_cents=0) == 0
    assert (paid(order), payments_of(order)) == (0, [])


@pytest.mark.parametrize("collected_cents", [None, 0])
def test_nothing_is_written_for_an_order_that_is_paid(rider: Actor, collected_cents: int | None) -> None:
    order = make_order(1000_00)
    pay(order, 1000_00, None, "2026-11-20T10:00:00Z")
    assert settle(order, rider, collected_cents) == 1000_00
    assert len(payments_of(order)) == 1


@pytest.mark.parametrize("total_cents", [0, 800_00])
def test_nothing_is_collected_for_an_order_that_costs_nothing_or_less_than_was_paid(
    rider: Actor, total_cents: int
) -> None:
    order = make_order(total_cents)
    if total_cents:
        pay(order, 1000_00, None, "2026-11-20T10:00:00Z")
    before = payments_of(order)
    assert settle(order, rider) == paid(order) == (1000_00 if total_cents else 0)
    assert payments_of(order) == before


@pytest.mark.parametrize(("paid_before", "due"), [(0, "1000.00"), (400_00, "600.00"), (1000_00, "0.00")])
def test_more_than_is_due_is_refused(rider: Actor, paid_before: int, due: str) -> None:
    order = make_order(1000_00)
    if paid_before:
        pay(order, paid_before, None, "2026-11-20T10:00:00Z")
    with pytest.raises(PaymentExceedsTotalError) as refused:
        settle(order, rider, collected_cents=1000_01)
    assert refused.value.members["due"] == due
    assert paid(order) == paid_before


def test_who_notes_it_and_who_collected_may_be_two(rider: Actor) -> None:
    order, clerk = make_order(1000_00), Actor(make_customer(role="admin").id, "admin")
    settle(order, clerk, collector_id=rider.id)
    assert payments_of(order) == [("capture", 1000_00, rider.id, clerk.id)]


def test_the_system_and_commands_name_no_collector() -> None:
    for actor in (SYSTEM, Actor(None, "admin")):
        order = make_order(1000_00)
        assert settle(order, actor) == 1000_00
        assert payments_of(order) == [("capture", 1000_00, None, None)]


@pytest.mark.parametrize("collected_cents", [None, 0])
def test_a_customer_is_no_collector_even_of_nothing(rider: Actor, collected_cents: int | None) -> None:
    order, customer = make_order(1000_00), make_customer().id
    for collector_id in (customer, customer + 1_000_000):
        with pytest.raises(NotACollectorError) as refused:
            settle(order, rider, collected_cents, collector_id)
        assert list(refused.value.members["errors"]) == ["collected_by"]
    assert (paid(order), payments_of(order)) == (0, [])


def test_nothing_is_collected_for_a_cancelled_order(rider: Actor) -> None:
    order = make_order(1000_00, "cancelled")
    with pytest.raises(OrderCancelledError):
        settle(order, rider)
    assert payments_of(order) == []
