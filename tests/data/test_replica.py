"""What comes from the replica and what does not, on a real one that is held back."""

import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import psycopg2
import pytest
import redis
from flask import Flask
from flask.testing import FlaskClient

from grocery.app import create_app
from grocery.config import Settings
from grocery.db import replica_reader
from grocery.doctor.findings import Level
from grocery.replica.figures import read_figures
from grocery.replica.monitor import Monitor
from tests.auth.factories import make_customer, sign_in
from tests.data.conftest import Pair
from tests.data.postgres import Cluster, clusters
from tests.doctor.looking import look
from tests.products.factories import make_product
from tests.waiting import wait_until, within

ChangePrice = Callable[[int, int], None]
Headers = dict[str, str]


@pytest.fixture
def monitor(replicated_app: Flask) -> Monitor:
    found: Monitor = replicated_app.extensions["replica_monitor"]
    return found


def price(client: FlaskClient, product_id: int, headers: Headers | None = None) -> str:
    answer = client.get(f"/products/{product_id}", headers=headers)
    assert answer.status_code == 200
    return str(answer.json["price"])  # type: ignore[index]  # JSON


def prices(client: FlaskClient, path: str, headers: Headers | None = None) -> list[str]:
    return [row["price"] for row in client.get(path, headers=headers).json]  # type: ignore[union-attr]  # JSON


def test_a_visitor_and_a_customer_read_products_from_the_replica(
    shopper: FlaskClient, change_price: ChangePrice
) -> None:
    product_id, customer = make_product(price_cents=100_00), sign_in(make_customer())
    change_price(product_id, 200_00)
    assert price(shopper, product_id) == "100.00"
    assert price(shopper, product_id, customer) == "100.00"
    assert prices(shopper, "/products/", customer) == ["100.00"]


def test_pages_are_made_from_the_replica(shopper: FlaskClient, change_price: ChangePrice) -> None:
    product_id = make_product(price_cents=111_11, name="Ugali flour")
    change_price(product_id, 222_22)
    for path in (f"/p/{product_id}-ugali-flour", "/search?q=ugali", "/"):
        page = shopper.get(path).text
        assert "111.11" in page, path
        assert "222.22" not in page, path


@pytest.mark.parametrize("role", ["staff", "admin"])
def test_staff_read_the_primary(shopper: FlaskClient, change_price: ChangePrice, role: str) -> None:
    product_id, person = make_product(price_cents=100_00), sign_in(make_customer(role=role))
    change_price(product_id, 200_00)
    assert price(shopper, product_id, person) == "200.00"
    assert prices(shopper, "/products/", person) == ["200.00"]


def test_who_has_written_reads_the_primary_and_others_do_not(shopper: FlaskClient, change_price: ChangePrice) -> None:
    product_id, writer, other = make_product(), sign_in(make_customer()), sign_in(make_customer())
    change_price(product_id, 200_00)
    assert price(shopper, product_id, writer) == "100.00"
    assert shopper.put(f"/cart/items/{product_id}", json={"quantity": 1}, headers=writer).status_code == 200
    assert price(shopper, product_id, writer) == "200.00"
    assert price(shopper, product_id, other) == "100.00"
    # Suggestions are for everyone, so their route does not ask who somebody is.
    assert shopper.get("/products/suggest?q=x", headers=writer).status_code == 200


def test_an_order_is_seen_at_once_in_the_stock_that_is_left(shopper: FlaskClient, pair: Pair) -> None:
    product_id, buyer = make_product(stock=10), sign_in(make_customer())
    pair.pause()
    order = {"items": [{"product_id": product_id, "quantity": 4}]}
    assert shopper.post("/orders/", json=order, headers=buyer).status_code == 201
    assert shopper.get(f"/products/{product_id}", headers=buyer).json["stock"] == 6  # type: ignore[index]  # JSON
    assert shopper.get(f"/products/{product_id}").json["stock"] == 10  # type: ignore[index]  # JSON


def test_the_mark_of_a_writer_goes_by_itself(
    shopper: FlaskClient, change_price: ChangePrice, settings: Settings
) -> None:
    product_id, writer = make_product(), make_customer()
    headers = sign_in(writer)
    change_price(product_id, 200_00)
    shopper.put(f"/cart/items/{product_id}", json={"quantity": 1}, headers=headers)
    marks = redis.Redis.from_url(settings.redis_url or "")
    assert 0 < marks.ttl(f"grocery:wrote:{writer.id}") <= 10
    marks.delete(f"grocery:wrote:{writer.id}")
    marks.close()
    assert price(shopper, product_id, headers) == "100.00"


def test_what_the_replica_does_not_have_yet_is_found(shopper: FlaskClient, pair: Pair) -> None:
    pair.pause()
    product_id = make_product(price_cents=123_00, name="New")
    assert price(shopper, product_id) == "123.00"
    assert shopper.get(f"/p/{product_id}-new").status_code == 200


def test_a_page_that_was_renamed_leads_nowhere_old(shopper: FlaskClient, pair: Pair) -> None:
    product_id = make_product(name="Old name")
    pair.pause()
    pair.primary.execute(f"UPDATE products SET name = 'New name' WHERE id = {product_id}")
    assert shopper.get(f"/p/{product_id}-new-name").status_code == 200
    moved = shopper.get(f"/p/{product_id}-other")
    assert (moved.status_code, moved.location) == (301, f"/p/{product_id}-new-name")


def test_a_read_that_fails_is_repeated_on_the_primary(shopper: FlaskClient, pair: Pair, monitor: Monitor) -> None:
    product_id = make_product(price_cents=100_00)
    pair.wait()
    assert price(shopper, product_id) == "100.00"
    pair.replica.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'grocery'")
    assert price(shopper, product_id) == "100.00"
    wait_until(lambda: monitor.is_fresh, "the replica is read again")


def test_a_replica_that_is_stopped_costs_no_request_and_is_used_again(
    shopper: FlaskClient, pair: Pair, monitor: Monitor
) -> None:
    product_id = make_product(price_cents=100_00)
    pair.wait()
    pair.replica.stop()
    assert price(shopper, product_id) == "100.00"
    wait_until(lambda: not monitor.is_fresh, "the replica is not read")
    pair.primary.execute("UPDATE products SET price_cents = 20000")
    assert price(shopper, product_id) == "200.00"
    exported = shopper.get("/products/export", headers=sign_in(make_customer(role="admin")))
    assert (exported.status_code, "200.00" in exported.text) == (200, True)
    pair.replica.start()
    wait_until(lambda: monitor.is_fresh, "the replica is read again")
    pair.pause()
    pair.primary.execute("UPDATE products SET price_cents = 30000")
    assert price(shopper, product_id) == "200.00"


def test_who_waits_for_a_replica_that_is_frozen_is_answered_by_the_primary(
    shopper: FlaskClient, pair: Pair, monitor: Monitor
) -> None:
    product_id = make_product(price_cents=100_00)
    pair.wait()
    assert price(shopper, product_id) == "100.00"  # there is a connection now
    pair.replica.freeze()
    try:
        with within(10):  # it would wait for ever
            assert price(shopper, product_id) == "100.00"
    finally:
        pair.replica.unfreeze()
    wait_until(lambda: monitor.is_fresh, "the replica is read again")


def test_a_replica_that_falls_behind_is_not_read(
    shopper: FlaskClient, change_price: ChangePrice, monitor: Monitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grocery.replica.monitor.MAX_LAG_SECONDS", 0.5)
    product_id = make_product(price_cents=100_00)
    change_price(product_id, 200_00)
    wait_until(lambda: not monitor.is_fresh, "the replica is not read")
    assert price(shopper, product_id) == "200.00"
    assert (monitor.lag_seconds or 0) > 0.5


def watch(cluster: Cluster, database: str) -> Callable[[], Any]:
    return lambda: psycopg2.connect(cluster.url_of(database), async_=True)


def assert_not_read(monitor: Monitor, caplog: pytest.LogCaptureFixture, why: str) -> None:
    """The monitor does not let the replica be read, and says why."""
    try:
        assert not monitor.is_fresh
        wait_until(lambda: monitor.is_fresh or any(line.endswith(why) for line in caplog.messages), why)
        assert not monitor.is_fresh
    finally:
        monitor.stop()


def test_a_replica_that_has_another_database_is_not_read(pair: Pair, caplog: pytest.LogCaptureFixture) -> None:
    monitor = Monitor(watch(pair.primary, "grocery"), watch(pair.replica, "postgres"))
    assert_not_read(monitor, caplog, "it has another database than the primary")


def test_exports_are_read_from_what_follows_the_primary_only(
    pair: Pair, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    urls = {"database_url": pair.primary.url, "database_direct_url": pair.primary.url}

    def who_answers(replica_url: str) -> str:
        app = create_app(replace(settings, **urls, database_replica_url=replica_url))
        with app.app_context(), replica_reader() as connection:
            answer: str = connection.exec_driver_sql("SELECT current_setting('port')").scalar_one()
        for engine in ("reads", "replica_reads"):
            app.extensions[engine].dispose()
        return answer

    assert who_answers(pair.replica.url) == str(pair.replica.port)
    for wrong in (pair.replica.url_of("postgres"), pair.primary.url_of("postgres")):
        caplog.clear()
        assert who_answers(wrong) == str(pair.primary.port)
        assert "leads to no replica of the primary" in caplog.text


@pytest.mark.prove
def test_the_replica_of_another_shop_is_not_read_and_the_doctor_says_so(
    pair: Pair, replicated_app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    with clusters() as making:
        stranger = making.new("stranger")
        stranger.create()
        stranger.stop()
        (stranger.directory / "standby.signal").touch()
        stranger.own()
        stranger.start()
        monitor = Monitor(watch(pair.primary, "grocery"), watch(stranger, "grocery"))
        assert_not_read(monitor, caplog, "it has another database than the primary")
        settings = replace(replicated_app.extensions["settings"], database_replica_url=stranger.url)
        findings = look(replicated_app, "database", settings)
    what = "DATABASE_REPLICA_URL leads to a replica of another database."
    assert what in [finding.what for finding in findings if finding.level is Level.FAILURE]


def test_figures_tell_of_the_replica(replicated_app: Flask, shopper: FlaskClient, app: Flask) -> None:
    up, lag = (family.samples for family in read_figures(replicated_app))
    assert [(sample.name, sample.value) for sample in up] == [("grocery_replica_up", 1.0)]
    assert [(sample.name, 0 <= sample.value < 5) for sample in lag] == [("grocery_replica_lag_seconds", True)]
    assert read_figures(app) == []


def test_without_redis_people_are_answered_by_the_primary_and_visitors_are_not(
    shopper: FlaskClient, change_price: ChangePrice, replicated_app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    product_id, customer = make_product(price_cents=100_00), sign_in(make_customer())
    change_price(product_id, 200_00)
    marks = replicated_app.extensions["replica_marks"]
    monkeypatch.setattr(marks, "_redis", redis.Redis(port=1, retry=None))
    assert price(shopper, product_id, customer) == "200.00"
    assert price(shopper, product_id) == "100.00"


def test_nobody_looks_for_a_replica_that_is_not_there(app: Flask, client: FlaskClient) -> None:
    threads: set[Any] = set(threading.enumerate())
    assert client.get("/products/").status_code == 200
    assert "replica" not in app.extensions
    assert set(threading.enumerate()) <= threads
