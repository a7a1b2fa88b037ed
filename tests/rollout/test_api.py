"""Servers are replaced while customers use the shop: not one request fails, and each order is there once."""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from tests.rollout.fleet import Fleet, Version
from tests.rollout.load import EXPECTED, Buyer, Customer, Seen, customers_at, seen_by
from tests.waiting import wait_until

pytestmark = pytest.mark.e2e

Sql = Callable[..., list[tuple[Any, ...]]]


def check_orders(run_sql: Sql, seen: Seen) -> None:
    """No request failed; every order that was acknowledged is there, and no other: nobody has tried again."""
    assert seen.failures == []
    placed = [number for (number,) in run_sql("SELECT id FROM orders")]
    assert Counter(placed) == Counter(seen.orders)
    assert run_sql("SELECT count(*) FROM idempotency_keys") == [(len(placed),)]


def wait_until_all_order(customers: Sequence[Customer]) -> None:
    """Wait until each has placed two more orders, or something has failed."""
    before = [len(customer.seen.orders) for customer in customers]

    def is_so() -> bool:
        counts = [len(customer.seen.orders) for customer in customers]
        have_ordered = all(now >= then + 2 for now, then in zip(counts, before, strict=True))
        return have_ordered or seen_by(customers).failures != []

    wait_until(is_so, "all have ordered")


def test_a_server_is_replaced_and_no_request_fails(
    fleet: Fleet, version: Version, buyers: Sequence[Buyer], product_id: int, run_sql: Sql
) -> None:
    small = version.with_settings(DRAIN_SECONDS="1", SERVER_PROCESSES="1")
    fleet.start(small)
    with customers_at(fleet.nginx.port, buyers[:3], product_id) as customers:
        wait_until_all_order(customers)
        codes = fleet.replace_all(small)
        wait_until_all_order(customers)
    seen = seen_by(customers)
    check_orders(run_sql, seen)
    assert seen.counts.keys() == EXPECTED.keys()
    assert codes == [0]


@pytest.mark.prove
@pytest.mark.timeout(1200)
def test_ten_thousand_requests_survive_roll_outs_and_roll_backs(
    fleet: Fleet, version: Version, buyers: Sequence[Buyer], product_id: int, run_sql: Sql
) -> None:
    other = version.with_settings(KEPT_ANSWERS_MB="0")
    for _ in range(2):
        fleet.start(version)
    codes: list[int] = []
    with customers_at(fleet.nginx.port, buyers, product_id) as customers:
        while seen_by(customers).requests < 10_000 or len(codes) < 8:
            codes += fleet.replace_all(version if len(codes) % 4 else other)
    seen = seen_by(customers)
    print(f"{seen.requests} requests, {len(seen.orders)} orders, {len(codes)} servers replaced")  # noqa: T201
    check_orders(run_sql, seen)
    assert set(codes) == {0}
    assert "[error]" not in fleet.nginx.errors


@pytest.mark.prove
@pytest.mark.timeout(600)
def test_without_draining_requests_would_fail(
    fleet: Fleet, version: Version, buyers: Sequence[Buyer], product_id: int
) -> None:
    """So the tests above would see it if draining did nothing."""
    hasty = version.with_settings(DRAIN_SECONDS="0")
    for _ in range(2):
        fleet.start(hasty)
    replaced = 0
    with customers_at(fleet.nginx.port, buyers, product_id) as customers:
        while replaced < 10 and not seen_by(customers).failures:
            wait_until_all_order(customers)
            replaced += len(fleet.replace_all(hasty))
    seen = seen_by(customers)
    print(f"{len(seen.failures)} of {seen.requests} requests failed, {replaced} servers replaced")  # noqa: T201
    assert seen.failures != []
