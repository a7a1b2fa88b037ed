"""What placing an order costs: messages counted on the wire between the application and PostgreSQL."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from socket import socket
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

import grocery.db
from grocery.app import create_app
from grocery.config import Settings
from grocery.db import db
from grocery.embedded import Stack
from tests.answers.proxy import Proxy
from tests.conftest import IsolatedClient
from tests.orders.conftest import Caller
from tests.orders.delivery.factories import make_slot
from tests.orders.factories import place
from tests.orders.promotions.factories import make_promotion
from tests.orders.test_held import held
from tests.products.factories import make_product

Sql = Callable[..., list[tuple[Any, ...]]]

MOST = 6


class CountingProxy(Proxy):
    """Keeps the text of each simple query that a client sends; to each the server answers once."""

    def __init__(self, target: str):
        super().__init__(target)
        self.queries: list[str] = []

    def _copy(self, source: socket, target: socket, change: Callable[[bytes], bytes]) -> None:
        is_from_client = change is bytes
        super()._copy(source, target, Reading(self.queries.append) if is_from_client else change)


@dataclass
class Reading:
    """Cuts what a client sends into its messages. They all have a type and a length, but for the first: no type."""

    note: Callable[[str], None]
    is_started: bool = False
    rest: bytes = b""

    def __call__(self, data: bytes) -> bytes:
        self.rest += data
        while message := self._take():
            if message[:1] == b"Q":
                self.note(message[5:].rstrip(b"\0").decode())
            else:
                assert not self.is_started or message[:1] in b"pX", f"not the simple protocol: {message[:1]!r}"
            self.is_started = True
        return data

    def _take(self) -> bytes:
        """The next message if all of it is here."""
        start = 1 if self.is_started else 0
        if len(self.rest) < start + 4:
            return b""
        end = start + int.from_bytes(self.rest[start : start + 4])
        if len(self.rest) < end:
            return b""
        message, self.rest = self.rest[:end], self.rest[end:]
        return message


@pytest.fixture(scope="module")
def proxy(stack: Stack) -> Iterator[CountingProxy]:
    sockets = parse_qs(urlsplit(stack.database_url).query)["host"][0]
    with CountingProxy(f"{sockets}/.s.PGSQL.5432") as proxy:
        yield proxy


@pytest.fixture(scope="module")
def counted_app(proxy: CountingProxy, migrated_app: Flask, settings: Settings, stack: Stack) -> Iterator[Flask]:
    """The application behind the proxy."""
    url = urlsplit(stack.database_url)
    through = f"postgresql://{url.username}@127.0.0.1:{proxy.port}{url.path}?sslmode=disable&gssencmode=disable"
    app = create_app(replace(settings, database_url=through))
    yield app
    with app.app_context():
        db.engine.dispose()
        app.extensions["reads"].dispose()


@pytest.fixture
def client(counted_app: Flask, app: Flask, context: None, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    # A slow machine must not make connections look idle for so long that they are tried first.
    monkeypatch.setattr(grocery.db, "_TRY_AFTER_IDLE_SECONDS", 3600.0)
    # Nor must it make the shop's own texts look old: they are read every few seconds, by whichever order comes next.
    monkeypatch.setattr(counted_app.extensions["own_texts"], "_fresh_seconds", 3600.0)
    return IsolatedClient(counted_app, counted_app.response_class)


@pytest.fixture
def shelf(customer: Caller) -> list[int]:
    """Three products; connections and statements are made."""
    products = [make_product(stock=1000) for _ in range(3)]
    place(customer, dict.fromkeys(products, 1))
    return products


def round_trips(proxy: CountingProxy, customer: Caller, body: dict[str, Any], **headers: str) -> list[str]:
    """The statements of an order that is placed, after the one that tells who sends it."""
    before = len(proxy.queries)
    response = customer.post("/orders/", json=body, headers=headers)
    assert response.status_code == 201, response.json
    sent = proxy.queries[before:]
    authentication = [query for query in sent if "token_blocklist" in query]
    assert len(authentication) == 1, sent
    return [query for query in sent if query not in authentication]


def test_an_order_with_all_that_there_is_costs_six_round_trips(
    customer: Caller, proxy: CountingProxy, shelf: list[int], run_sql: Sql
) -> None:
    slot = make_slot()
    make_promotion(code="TEN", usage_limit=5, usage_limit_per_customer=1)
    make_promotion(name="One less", product_ids=shelf, usage_limit=5)
    for product_id in shelf:
        assert customer.put(f"/cart/items/{product_id}", json={"quantity": 2}).status_code == 200
    delivery = {"slot_id": slot, "address": "Moi Avenue 12", "landmark": "near Shell", "phone": "+254733000001"}
    body = {"coupon": "TEN", "delivery": delivery, "note": "Ring twice", "expected_total": "636.00"}
    sent = round_trips(proxy, customer, body, **{"Idempotency-Key": "k-1"})
    assert len(sent) == MOST, sent
    assert [sent[0], sent[-1]] == ["BEGIN", "COMMIT"]
    [order] = customer.get("/orders/?limit=1").json
    assert (len(order["items"]), order["coupon"], order["delivery"]["slot_id"]) == (3, "TEN", slot)
    assert held(run_sql) == ([1], [1, 1])
    assert customer.get("/cart").json["items"] == []
    assert run_sql("SELECT order_id FROM idempotency_keys WHERE key = 'k-1'") == [(order["id"],)]


def test_a_plain_order_costs_no_more(customer: Caller, proxy: CountingProxy, shelf: list[int]) -> None:
    body = {"items": [{"product_id": product_id, "quantity": 1} for product_id in shelf]}
    assert len(round_trips(proxy, customer, body)) <= MOST


def test_the_number_of_lines_does_not_matter(customer: Caller, proxy: CountingProxy, shelf: list[int]) -> None:
    products = [make_product(stock=1000) for _ in range(27)]
    body = {"items": [{"product_id": product_id, "quantity": 1} for product_id in products + shelf]}
    assert len(round_trips(proxy, customer, body)) <= MOST


def test_nor_whether_the_shop_names_its_admins(
    customer: Caller,
    admin: Caller,
    counted_app: Flask,
    proxy: CountingProxy,
    shelf: list[int],
    run_sql: Sql,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(counted_app.config, "ADMIN_EMAILS", ())
    body = {"items": [{"product_id": product_id, "quantity": 1} for product_id in shelf]}
    assert len(round_trips(proxy, customer, body)) <= MOST
    assert run_sql("SELECT count(*) FROM notifications WHERE recipient = :email", email=admin.person.email) == [(1,)]


def test_nor_whether_the_last_of_a_product_are_sold(customer: Caller, proxy: CountingProxy, shelf: list[int]) -> None:
    body = {"items": [{"product_id": product_id, "quantity": 999} for product_id in shelf]}
    assert len(round_trips(proxy, customer, body)) <= MOST


def test_an_order_sent_again_with_its_key_costs_less(
    customer: Caller, proxy: CountingProxy, shelf: list[int], run_sql: Sql
) -> None:
    body = {"items": [{"product_id": product_id, "quantity": 1} for product_id in shelf]}
    first = round_trips(proxy, customer, body, **{"Idempotency-Key": "k-1"})
    again = round_trips(proxy, customer, body, **{"Idempotency-Key": "k-1"})
    assert (len(first), len(again)) == (MOST, 3)
    assert run_sql("SELECT count(*) FROM orders") == [(2,)]
