"""The whole shop with a streaming replica that is stopped, killed, frozen and promoted while people look and buy."""

import signal
from collections.abc import Iterator

import pytest

from tests.data.conftest import Pair, replicating
from tests.data.trade import Crowd, Trade, crowd, start_all
from tests.e2e.shop import Shop, running_shop
from tests.waiting import wait_until

pytestmark = [pytest.mark.prove, pytest.mark.e2e]

_BY_REPLICA = "SELECT sum(idx_scan + seq_scan) FROM pg_stat_user_tables WHERE relname = 'products'"


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    """Of this file's own, since it crashes and promotes them."""
    with replicating() as pair:
        yield pair


@pytest.fixture(scope="module")
def shop(pair: Pair, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    urls = {"DATABASE_URL": pair.primary.url, "DATABASE_REPLICA_URL": pair.replica.url}
    with running_shop(tmp_path_factory.mktemp("shop"), **urls, RATE_LIMIT_ORDERS="none") as shop:
        shop.sql = pair.primary.execute  # type: ignore[method-assign]  # its own stack is not the one in use
        start_all(shop)
        yield shop


@pytest.fixture(scope="module")
def trade(shop: Shop) -> Trade:
    return Trade(shop)


def reads(pair: Pair) -> int:
    """How often the replica has looked into its products."""
    return int(pair.replica.execute(_BY_REPLICA)[0][0] or 0)


def is_read(pair: Pair, people: Crowd) -> None:
    before = reads(pair)
    wait_until(lambda: reads(pair) > before + 50, "people read the replica")
    go_on(people)


def go_on(people: Crowd, requests: int = 200) -> None:
    before = people.count(200)
    wait_until(lambda: people.count(200) > before + requests, "people go on looking", 120)


def test_nothing_that_befalls_the_replica_costs_a_request(pair: Pair, shop: Shop, trade: Trade) -> None:
    with crowd(trade) as people:
        is_read(pair, people)
        pair.replica.stop()
        go_on(people)
        pair.replica.start()
        is_read(pair, people)
        pair.replica.stop(signal.SIGQUIT)
        go_on(people)
        pair.replica.start()
        is_read(pair, people)
        pair.replica.freeze()
        go_on(people)
        pair.replica.unfreeze()
        is_read(pair, people)
    assert people.failed == {}
    assert people.count(200) > 1000
    assert people.slowest_seconds < 15
    trade.check_books()


def test_who_writes_finds_it_in_every_process_while_the_replica_lags(pair: Pair, shop: Shop, trade: Trade) -> None:
    address = f"/products/{trade.product_id}"
    for _ in range(3):
        pair.pause()
        trade.place()
        stocks = {shop.get(address, headers=trade.customer).json()["stock"] for _ in range(20)}
        [(stock,)] = pair.primary.execute(f"SELECT stock FROM products WHERE id = {trade.product_id}")
        assert stocks == {stock}
        pair.resume()


def test_a_replica_that_lags_is_not_read_and_comes_back(pair: Pair, shop: Shop, trade: Trade) -> None:
    with crowd(trade) as people:
        is_read(pair, people)
        pair.pause()

        def is_unread() -> bool:
            before = reads(pair)
            go_on(people, 100)
            return reads(pair) == before

        wait_until(is_unread, "it is not read any more")
        pair.resume()
        is_read(pair, people)
    assert people.failed == {}


def test_a_replica_that_is_promoted_is_not_read_any_more(pair: Pair, shop: Shop, trade: Trade) -> None:
    with crowd(trade) as people:
        is_read(pair, people)
        pair.replica.execute("SELECT pg_promote()")
        pair.replica.execute("UPDATE products SET price_cents = 1")
        go_on(people, 400)
        assert {shop.get(f"/products/{trade.product_id}").json()["price"] for _ in range(20)} == {"189.00"}
    assert people.failed == {}
