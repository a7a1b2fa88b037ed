"""Customers who use the shop over connections that they keep, and who try nothing twice."""

import http.client
import itertools
import json
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

#: How often a customer signs in anew: hashing passwords would be all that the processor does.
_SIGN_IN_EVERY = 60

#: What each request is to be answered.
EXPECTED = {
    **dict.fromkeys(("sign-in", "list", "search", "detail", "put", "cart", "read"), 200),
    "order": 201,
}


@dataclass
class Seen:
    """What a customer saw, or all of them together."""

    counts: Counter[str] = field(default_factory=Counter)
    failures: list[str] = field(default_factory=list)
    orders: list[int] = field(default_factory=list)

    @property
    def requests(self) -> int:
        return self.counts.total()

    def __add__(self, other: "Seen") -> "Seen":
        return Seen(self.counts + other.counts, self.failures + other.failures, self.orders + other.orders)


@dataclass(frozen=True)
class Buyer:
    """Who may sign in, and how."""

    email: str
    password: str


class Customer(threading.Thread):
    """Looks, fills the cart, orders and signs in until told to stop."""

    def __init__(self, port: int, buyer: Buyer, product_id: int, stopping: threading.Event):
        super().__init__()
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self._buyer = buyer
        self._product_id = product_id
        self.seen = Seen()
        self._stopping = stopping
        self._token = ""

    def run(self) -> None:
        for turn in itertools.count():
            if self._stopping.is_set():
                self._connection.close()
                return
            if turn % _SIGN_IN_EVERY == 0:
                self._sign_in()
            self._shop(turn)

    def _sign_in(self) -> None:
        self._token = ""
        answer = self._ask("sign-in", "POST", "/auth/login", vars(self._buyer))
        self._token = answer.get("access_token", "") if answer else ""

    def _shop(self, turn: int) -> None:
        path = f"/products/{self._product_id}"
        self._ask("list", "GET", "/products/?limit=5")
        self._ask("search", "GET", f"/products/?q=maize&limit={turn % 20 + 1}")
        self._ask("detail", "GET", path)
        self._ask("put", "PUT", f"/cart/items/{self._product_id}", {"quantity": turn % 3 + 1})
        self._ask("cart", "GET", "/cart")
        if turn % 2:
            return
        order = self._ask("order", "POST", "/orders/", {"items": [{"product_id": self._product_id, "quantity": 1}]})
        if order:
            self.seen.orders.append(order["id"])
            self._ask("read", "GET", f"/orders/{order['id']}")

    def _ask(self, kind: str, method: str, path: str, body: Any = None) -> Any:
        headers = {"Accept": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        if kind == "order":
            headers["Idempotency-Key"] = uuid.uuid4().hex
        if body is not None:
            headers["Content-Type"] = "application/json"
        self.seen.counts[kind] += 1
        try:
            self._connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            answer = self._connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            return self._note_failure(f"{kind}: {error!r}")
        if answer.status != EXPECTED[kind]:
            return self._note_failure(f"{kind}: {answer.status} {content[:200]!r}")
        return json.loads(content)

    def _note_failure(self, what: str) -> None:
        self.seen.failures.append(what)
        # A proxy without servers fails faster than anything else works.
        time.sleep(0.05)


@contextmanager
def customers_at(port: int, buyers: Sequence[Buyer], product_id: int) -> Iterator[list[Customer]]:
    """Customers who go on until the end of the block; `seen` of each is complete only then."""
    stopping = threading.Event()
    customers = [Customer(port, buyer, product_id, stopping) for buyer in buyers]
    for customer in customers:
        customer.start()
    try:
        yield customers
    finally:
        stopping.set()
        for customer in customers:
            customer.join()


def seen_by(customers: Sequence[Customer]) -> Seen:
    return sum((customer.seen for customer in customers), Seen())
