"""Scheduling and calling off, with the clock in hand."""

from datetime import timedelta
from typing import Any

import pytest

from grocery.db import db, transaction
from grocery.errors import InvalidError
from grocery.products.errors import ProductNotFoundError
from grocery.products.prices.errors import (
    OfferOverlapsError,
    PriceChangeNotFoundError,
    PriceChangeOverError,
    TooManyPriceChangesError,
)
from grocery.products.prices.jobs import apply_due_prices
from grocery.products.prices.service import GRACE, HORIZON, MAX_OPEN, cancel_price_change, schedule_price
from tests.auth.factories import make_customer
from tests.products.factories import make_product
from tests.products.ledger import select_rows
from tests.products.prices.conftest import HOUR, NOW, Schedule, history_of, price_of, statuses_of

pytestmark = pytest.mark.usefixtures("context")

SECOND = timedelta(seconds=1)


def cancel(product_id: int, change_id: int, hours: float = 0) -> None:
    with transaction():
        cancel_price_change(product_id, change_id, actor_id=None, now=NOW + hours * HOUR)


def test_what_begins_now_is_carried_out_at_once(schedule: Schedule) -> None:
    product = make_product(price_cents=100_00)
    row = schedule(product, 80_00, 0, 2, note="Jamhuri")
    assert (row.status, row.started_at, row.price_before_cents, row.note) == ("active", NOW, 100_00, "Jamhuri")
    assert price_of(product) == (80_00, 100_00, 2)
    assert history_of(product) == [(80_00, 100_00, "offer_started")]
    assert schedule(product, 110_00, 0).status == "applied"
    assert price_of(product) == (80_00, 100_00, 2)
    apply_due_prices(NOW + 2 * HOUR)
    assert price_of(product)[0] == 110_00


def test_a_start_without_a_time_is_now() -> None:
    product = make_product(price_cents=100_00)
    with transaction():
        row = schedule_price(product, price_cents=90_00, actor_id=None, now=NOW)
    assert (row.starts_at, row.status) == (NOW, "applied")


def test_a_start_just_before_now_counts_as_now(schedule: Schedule) -> None:
    product = make_product(price_cents=100_00)
    row = schedule(product, 80_00, starts_at=NOW - GRACE, ends_at=NOW + HOUR)
    assert (row.status, row.started_at) == ("active", NOW)


@pytest.mark.parametrize(
    ("times", "field"),
    [
        ({"starts_at": NOW - GRACE - SECOND}, "starts_at"),
        ({"starts_at": NOW + HORIZON + SECOND}, "starts_at"),
        ({"starts_at": NOW + HOUR, "ends_at": NOW + HOUR}, "ends_at"),
        ({"starts_at": NOW + HOUR, "ends_at": NOW}, "ends_at"),
        ({"starts_at": NOW - GRACE, "ends_at": NOW - SECOND}, "ends_at"),
        ({"starts_at": NOW - GRACE, "ends_at": NOW}, "ends_at"),
        ({"starts_at": NOW, "ends_at": NOW + HORIZON + SECOND}, "ends_at"),
    ],
)
def test_times_out_of_order_are_refused_and_nothing_is_written(
    schedule: Schedule, times: dict[str, Any], field: str
) -> None:
    product = make_product(price_cents=100_00)
    with pytest.raises(InvalidError) as refusal:
        schedule(product, 80_00, **times)
    assert list(refusal.value.members["errors"]) == [field]
    assert (statuses_of(product), price_of(product)) == ([], (100_00, None, 1))


def test_an_offer_must_be_below_the_price_before(schedule: Schedule) -> None:
    product = make_product(price_cents=100_00)
    for price, compare_at in ((100_00, None), (120_00, None), (110_00, 150_00)):
        with pytest.raises(InvalidError) as refusal:
            schedule(product, price, 1, 2, compare_at_price_cents=compare_at)
        assert refusal.value.members["errors"] == {"price": ["An offer must be below the price before, 100.00."]}
    assert statuses_of(product) == []


def test_the_price_before_is_the_one_that_the_offer_will_find(schedule: Schedule) -> None:
    product = make_product(price_cents=100_00)
    schedule(product, 80_00, 0, 1)
    schedule(product, 70_00, 2)
    schedule(product, 90_00, 1, 2)
    with pytest.raises(InvalidError):
        schedule(product, 75_00, 3, 4)
    schedule(product, 69_00, 3, 4)
    assert statuses_of(product) == ["active", "scheduled", "scheduled", "scheduled"]


@pytest.mark.parametrize(("starts", "ends"), [(0, 2), (1.5, 1.6), (1, 3), (2.9, 4), (0, 9)])
def test_two_offers_of_a_product_cannot_overlap(schedule: Schedule, starts: float, ends: float) -> None:
    product = make_product(price_cents=100_00)
    first = schedule(product, 80_00, 1, 3)
    with pytest.raises(OfferOverlapsError) as refusal:
        schedule(product, 70_00, starts, ends)
    assert refusal.value.members == {"change_id": first.id}
    assert (statuses_of(product), price_of(product)) == (["scheduled"], (100_00, None, 1))


def test_offers_may_touch_and_those_of_other_products_and_cancelled_ones_do_not_count(schedule: Schedule) -> None:
    product, other = make_product(price_cents=100_00), make_product(price_cents=100_00)
    first = schedule(product, 80_00, 1, 3)
    schedule(other, 70_00, 1, 3)
    schedule(product, 70_00, 0, 1)
    schedule(product, 60_00, 3, 4)
    schedule(product, 110_00, 2)
    cancel(product, first.id)
    schedule(product, 75_00, 1, 3)
    assert statuses_of(product) == ["cancelled", "active", "scheduled", "scheduled", "scheduled"]


def test_an_offer_that_is_overdue_gives_way_to_a_new_one(schedule: Schedule) -> None:
    """The relay has not come by yet."""
    product = make_product(price_cents=100_00)
    schedule(product, 80_00, 0, 1)
    schedule(product, 70_00, starts_at=NOW + 2 * HOUR, ends_at=NOW + 3 * HOUR, now=NOW + 2 * HOUR)
    assert (price_of(product), statuses_of(product)) == ((70_00, 100_00, 4), ["ended", "active"])


def test_there_is_a_limit_to_what_can_be_ahead(schedule: Schedule) -> None:
    product = make_product(price_cents=100_00)
    changes = [schedule(product, 100_00 + number, 1 + number) for number in range(MAX_OPEN)]
    with pytest.raises(TooManyPriceChangesError) as refusal:
        schedule(product, 90_00, 99)
    assert refusal.value.members == {"limit": MAX_OPEN}
    cancel(product, changes[0].id)
    schedule(product, 90_00, 99)


def test_an_unknown_product(schedule: Schedule) -> None:
    with pytest.raises(ProductNotFoundError):
        schedule(make_product() + 1, 80_00)


# Calling off


def test_what_is_called_off_never_happens(schedule: Schedule) -> None:
    product = make_product(price_cents=100_00)
    change = schedule(product, 80_00, 1, 2)
    cancel(product, change.id)
    assert apply_due_prices(NOW + HOUR) == 0
    assert (statuses_of(product), price_of(product), history_of(product)) == (["cancelled"], (100_00, None, 1), [])


def test_an_offer_that_runs_ends_at_once_and_the_price_before_returns(schedule: Schedule) -> None:
    product = make_product(price_cents=100_00, compare_at_price_cents=120_00)
    change = schedule(product, 80_00, 0, 9)
    cancel(product, change.id, hours=1)
    assert (statuses_of(product), price_of(product)) == (["ended"], (100_00, 120_00, 3))
    assert select_rows("SELECT ended_at FROM price_changes") == [(NOW + HOUR,)]
    assert history_of(product)[-1] == (100_00, 120_00, "offer_ended")
    assert apply_due_prices(NOW + 9 * HOUR) == 0


def test_what_is_over_cannot_be_called_off(schedule: Schedule) -> None:
    product = make_product(price_cents=100_00)
    change = schedule(product, 80_00, 0, 9)
    cancel(product, change.id)
    with pytest.raises(PriceChangeOverError) as refusal:
        cancel(product, change.id)
    assert refusal.value.members == {"change_status": "ended"}
    assert price_of(product) == (100_00, None, 3)


def test_a_change_is_called_off_by_its_own_product_only(schedule: Schedule) -> None:
    product, other = make_product(price_cents=100_00), make_product()
    change = schedule(product, 80_00, 1, 2)
    for product_id, change_id in ((other, change.id), (product, change.id + 1)):
        with pytest.raises(PriceChangeNotFoundError):
            cancel(product_id, change_id)
    assert statuses_of(product) == ["scheduled"]


def test_who_has_scheduled_it_may_be_deleted(schedule: Schedule) -> None:
    person = make_customer(role="admin")
    product = make_product(price_cents=100_00)
    schedule(product, 80_00, 0, 2, actor_id=person.id)
    assert select_rows("SELECT actor_id FROM price_changes UNION ALL SELECT actor_id FROM price_history") == [
        (person.id,),
        (person.id,),
    ]
    with db.engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM customers")
    assert select_rows("SELECT actor_id FROM price_changes UNION ALL SELECT actor_id FROM price_history") == [
        (None,),
        (None,),
    ]
    assert apply_due_prices(NOW + 2 * HOUR) == 1
    assert price_of(product)[0] == 100_00
