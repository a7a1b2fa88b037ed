"""A shop in which something is sold, and people who look and buy while a test does things to what is behind it."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

import requests

from tests.e2e.conftest import CUSTOMER, forget_messages
from tests.e2e.shop import COMMANDS, Shop
from tests.waiting import wait_until


def start_all(shop: Shop) -> None:
    """Start every process of the shop, with more patience than most tests have: these start much besides."""
    with suppress(AssertionError):
        shop.start(*COMMANDS)
    wait_until(lambda: shop.get("/readyz").status_code == 200, "the API is ready", 120)
    wait_until(lambda: shop.stream_health()["status"] == "alive", "the stream process is ready")


class Trade:
    """The owner, a customer and a product of a shop that runs."""

    def __init__(self, shop: Shop):
        self.shop = shop
        self.owner = shop.sign_in("owner@shop.example")
        assert shop.post("/auth/register", json=CUSTOMER).status_code == 201
        forget_messages(shop)
        self.customer = shop.sign_in(CUSTOMER["email"])
        category = shop.post("/categories/", json={"name": "Flour"}, headers=self.owner).json()
        body = {"name": "Maize Flour 2 kg", "category_id": category["id"], "price": "189.00", "stock": 100_000}
        made = shop.post("/products/", json=body, headers=self.owner)
        assert made.status_code == 201, made.text
        self.product_id: int = made.json()["id"]

    def order(self) -> requests.Response:
        body = {"items": [{"product_id": self.product_id, "quantity": 1}]}
        return self.shop.post("/orders/", json=body, headers=self.customer)

    def place(self) -> str:
        """The number of a new order."""
        placed = self.order()
        assert placed.status_code == 201, placed.text
        number: str = placed.json()["number"]
        return number

    def check_books(self) -> None:
        """All orders are confirmed, every one was told of, once; the stock is what the ledger says."""
        waiting = "SELECT 1 FROM orders WHERE status = 'pending' LIMIT 1"
        wait_until(lambda: not self.shop.sql(waiting), "all orders are confirmed", 90)
        unsent = "SELECT 1 FROM notifications WHERE status <> 'sent' LIMIT 1"
        wait_until(lambda: not self.shop.sql(unsent), "all messages are sent", 90)
        numbers = [number for (number,) in self.shop.sql("SELECT number FROM orders")]
        texts = [sms["message"] for sms in self.shop.sms.messages]
        told = Counter(number for number in numbers for text in texts if number in text)
        assert told == Counter(numbers)
        [(stock, moved)] = self.shop.sql("""
            SELECT stock, (SELECT sum(delta) FROM stock_movements WHERE product_id = products.id) FROM products
        """)
        assert stock == moved == 100_000 - len(numbers)


class Crowd:
    """What became of the requests: how many of each kind had which status, `None` for a lost connection."""

    def __init__(self) -> None:
        self.seen: Counter[tuple[str, int | None]] = Counter()
        self.slowest_seconds = 0.0
        self._lock = threading.Lock()

    def note(self, kind: str, ask: Callable[[], requests.Response]) -> None:
        started = time.monotonic()
        try:
            status: int | None = ask().status_code
        except requests.ConnectionError:
            status = None
        with self._lock:
            self.seen[kind, status] += 1
            self.slowest_seconds = max(self.slowest_seconds, time.monotonic() - started)

    def count(self, status: int | None = None) -> int:
        """How many requests there were; with a status, of those."""
        return sum(number for (_, got), number in self.seen.items() if status in (None, got))

    @property
    def failed(self) -> dict[tuple[str, int | None], int]:
        return {key: number for key, number in self.seen.items() if key[1] not in (200, 201, 304)}


@contextmanager
def crowd(trade: Trade, *, lookers: int = 3, buyers: int = 1, pause_seconds: float = 0.02) -> Iterator[Crowd]:
    """People who look (as visitors and signed in, at the API and the pages) and buy until the end of the block."""
    stop, people = threading.Event(), Crowd()
    shop, product_id = trade.shop, trade.product_id
    ways: dict[str, Callable[[], requests.Response]] = {
        "product": lambda: shop.get(f"/products/{product_id}"),
        "product, signed in": lambda: shop.get(f"/products/{product_id}", headers=trade.customer),
        "list, signed in": lambda: shop.get("/products/?q=flour", headers=trade.customer),
        "page": lambda: shop.get(f"/p/{product_id}-maize-flour-2-kg"),
        "home": lambda: shop.get("/"),
    }

    def look() -> None:
        while not stop.is_set():
            for kind, ask in ways.items():
                people.note(kind, ask)
                stop.wait(pause_seconds)

    def buy() -> None:
        while not stop.is_set():
            people.note("order", trade.order)
            stop.wait(5 * pause_seconds)

    threads = [threading.Thread(target=look) for _ in range(lookers)]
    threads += [threading.Thread(target=buy) for _ in range(buyers)]
    for thread in threads:
        thread.start()
    try:
        yield people
    finally:
        stop.set()
        for thread in threads:
            thread.join()
