"""Who changes an order says so, once, after the commit; and whatever Redis does, the change stands."""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis

from grocery.config import Settings
from grocery.db import transaction
from grocery.orders.tracking.watchers import tell_watchers
from grocery.tickets import CHANNEL
from tests.orders.conftest import Caller
from tests.orders.factories import move, place
from tests.products.factories import make_product


@pytest.fixture
def said(settings: Settings) -> Iterator[Callable[[], list[int]]]:
    """The order ids that were said since this was last asked."""
    with redis.Redis.from_url(settings.redis_url or "") as client, client.pubsub() as subscription:
        subscription.subscribe(CHANNEL)
        assert subscription.get_message(timeout=60)

        def ask() -> list[int]:
            ids = []
            while message := subscription.get_message(timeout=0.1):
                ids.append(int(message["data"]))
            return ids

        yield ask


@pytest.fixture
def order(customer: Caller) -> dict[str, Any]:
    return place(customer, {make_product(): 2})


def test_each_change_is_said_once(
    staff: Caller, customer: Caller, order: dict[str, Any], said: Callable[[], list[int]]
) -> None:
    assert said() == []  # nobody can watch an order before it is there
    move(staff, order, "confirmed")
    assert said() == [order["id"]]
    line = order["items"][0]
    path = f"/orders/{order['id']}/lines/{line['id']}"
    assert staff.patch(path, json={"quantity": 3}).status_code == 200
    assert said() == [order["id"]]
    move(staff, order, "delivered")  # three steps
    assert said() == [order["id"]]
    assert customer.post(f"/orders/{order['id']}/cancel").status_code == 409
    assert said() == []


def test_what_is_rolled_back_is_not_said(context: None, said: Callable[[], list[int]]) -> None:
    with contextlib.suppress(ZeroDivisionError), transaction():
        tell_watchers(7)
        raise ZeroDivisionError
    with transaction():
        tell_watchers(8)
        tell_watchers(8)
        tell_watchers(9)
    assert said() == [8, 9]
