"""What a page, an order and a message cost each part of the shop: processor time, disk, log to be shipped, memory.

    python -m benchmarks.costs [--write]

Starts the whole shop as processes on engines of its own, with 20,000 products, sends each kind of request many times on
one connection, and reads what the processes have used meanwhile. Processor time hardly depends on what else the machine
does, so these figures can be carried to other machines, where requests per second cannot. `--write` keeps them for
`benchmarks.load_model` in `costs.json`.
"""

import argparse
import http.client
import json
import os
import random
import tempfile
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from benchmarks.streams import Crowd
from tests.e2e.shop import PASSWORD, Shop, running_shop, wait_until

PRODUCTS, CUSTOMERS = 20_000, 200
KEPT = Path(__file__).with_name("costs.json")

_TICKS = os.sysconf("SC_CLK_TCK")
_PARTS = {"api": "api", "stream": "stream", "relay": "relay", "orders": "worker-orders", "notify": "worker-notify"}
_ORDERS = 400
_STREAMS = 200
_IDLE_SECONDS = 20.0

_FILL = f"""
    WITH top AS (INSERT INTO categories (name, path) VALUES ('Food', 'Food') RETURNING id),
    category AS (
        INSERT INTO categories (name, path, parent_id)
        SELECT 'Kind ' || n, 'Food/Kind ' || n, id FROM top, generate_series(1, 40) AS n RETURNING id, path
    ),
    product AS (
        INSERT INTO products (sku, name, category_id, category_path, price_cents, stock)
        SELECT 'SKU-' || id || '-' || n, 'Word' || n || ' Flour ' || id, id, path, 10000 + n, 1000000
        FROM category, generate_series(1, {PRODUCTS // 40}) AS n RETURNING id, stock
    )
    INSERT INTO stock_movements (product_id, delta, reason, stock_after) SELECT id, stock, 'opening', stock FROM product
"""  # noqa: S608


class Client:
    """One kept connection to the API."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def ask(self, method: str, path: str, body: Any = None, expected: int = 200, **headers: str) -> bytes:
        content = None if body is None else json.dumps(body)
        sent = {"Content-Type": "application/json", **headers} if content else headers
        self._connection.request(method, path, content, sent)
        answer = self._connection.getresponse()
        said = answer.read()
        if answer.status != expected:
            raise RuntimeError(f"{method} {path}: {answer.status} {said[:300]!r}")
        return said

    def locate(self, path: str, headers: dict[str, str]) -> str:
        """Where the answer leads to."""
        self._connection.request("GET", path, headers=headers)
        answer = self._connection.getresponse()
        answer.read()
        return answer.headers["Location"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--write", action="store_true", help=f"keep the figures in {KEPT.name}")
    is_writing = parser.parse_args().write
    limits = {f"RATE_LIMIT_{name}": "none" for name in ("LOGIN", "REGISTER", "ORDERS", "OTP", "OTP_LOGIN", "COSTLY")}
    with (
        tempfile.TemporaryDirectory() as directory,
        running_shop(Path(directory), LOG_LEVEL="WARNING", **limits) as shop,
    ):
        names = fill(shop)
        shop.start("api", "relay", "worker-orders", "worker-notify", "worker-bulk", "stream")
        costs = measure(shop, names)
    print(json.dumps(costs, indent=2))
    if is_writing:
        KEPT.write_text(json.dumps(costs, indent=2) + "\n")


def measure(shop: Shop, names: dict[int, str]) -> dict[str, Any]:
    """All figures: milliseconds of a processor, bytes, megabytes."""
    client, dice = Client(shop.port), random.Random(1)
    customers = register(client, CUSTOMERS)
    idle = _idle(shop)
    costs = {
        "cpu_ms": {name: _cost(shop, act, number) for name, act, number in _requests(client, dice, names, customers)}
    }
    return {
        **costs,
        **_orders(shop, client, dice, list(names), customers),
        "idle_cpu_percent": idle,
        "memory_mb": {name: _memory(shop.processes[process].pid) for name, process in _PARTS.items()},
        **_streams(shop, client, customers[0]),
    }


def fill(shop: Shop) -> dict[int, str]:
    """Put the products in; their names by id."""
    shop.sql(_FILL)
    shop.sql("ANALYZE")
    return dict(shop.sql("SELECT id, name FROM products ORDER BY id"))


def register(client: Client, number_of_customers: int) -> list[dict[str, str]]:
    """Headers of customers with accounts."""
    headers = []
    for number in range(number_of_customers):
        email = f"customer{number}@example.com"
        phone = f"07{number:08d}"
        body = {"name": f"Customer {number}", "email": email, "password": PASSWORD, "phone": phone}
        client.ask("POST", "/auth/register", body, 201)
        pair = json.loads(client.ask("POST", "/auth/login", {"email": email, "password": PASSWORD}))
        headers.append({"Authorization": f"Bearer {pair['access_token']}"})
    return headers


def _requests(
    client: Client, dice: random.Random, names: dict[int, str], customers: list[dict[str, str]]
) -> list[tuple[str, Callable[[], object], int]]:
    """Kinds of requests, and how many of each to send."""

    products = list(names)

    def product() -> int:
        return dice.choice(products)

    def page() -> bytes:
        product_id = product()
        return client.ask("GET", f"/p/{product_id}-{names[product_id].lower().replace(' ', '-')}")

    def search() -> bytes:
        return client.ask("GET", f"/products/?q=word{dice.randrange(500)}+flour+{dice.randrange(40)}")

    def put() -> bytes:
        return client.ask("PUT", f"/cart/items/{product()}", {"quantity": 1}, **dice.choice(customers))

    def sign_in() -> bytes:
        email = f"customer{dice.randrange(CUSTOMERS)}@example.com"
        return client.ask("POST", "/auth/login", {"email": email, "password": PASSWORD})

    return [
        ("kept_list", lambda: client.ask("GET", "/products/"), 4000),
        ("search", search, 600),
        ("product", lambda: client.ask("GET", f"/products/{product()}"), 800),
        ("home_page", lambda: client.ask("GET", "/"), 300),
        ("product_page", page, 300),
        ("search_page", lambda: client.ask("GET", f"/search?q=word{dice.randrange(500)}"), 300),
        ("cart_change", put, 600),
        ("sign_in", sign_in, 100),
    ]


def _cost(shop: Shop, act: Callable[[], object], number: int) -> dict[str, float]:
    """Milliseconds of each part for one request, after some to warm up."""
    for _ in range(max(20, number // 10)):
        act()
    before = used(shop)
    for _ in range(number):
        act()
    return _difference(before, used(shop), number)


def _orders(
    shop: Shop, client: Client, dice: random.Random, products: list[int], customers: list[dict[str, str]]
) -> dict[str, Any]:
    """What an order of five lines costs: until it is confirmed and all are told, and in its whole life."""
    settled(shop)
    before, size, position = used(shop), _size(shop), _position(shop)
    orders = []
    for _ in range(_ORDERS):
        items = [{"product_id": product_id, "quantity": 2} for product_id in dice.sample(products, 5)]
        body = {"items": items, "delivery": {"landmark": "near Shell, blue gate"}}
        headers = {"Idempotency-Key": str(uuid.uuid4()), **dice.choice(customers)}
        orders.append(json.loads(client.ask("POST", "/orders/", body, 201, **headers))["id"])
    settled(shop)
    placed = _difference(before, used(shop), _ORDERS)
    admin = shop.sign_in("owner@shop.example")
    for status in ("packed", "shipped", "delivered"):
        for order_id in orders:
            client.ask("PATCH", f"/orders/{order_id}/status", {"status": status}, **admin)
        settled(shop)
    channels = dict(shop.sql("SELECT channel, count(*) FROM notifications WHERE order_id IS NOT NULL GROUP BY channel"))
    return {
        "placed_cpu_ms": placed,
        "order_cpu_ms": _difference(before, used(shop), _ORDERS),
        "order_messages": {channel: count / _ORDERS for channel, count in channels.items()},
        "order_disk_bytes": round((_size(shop) - size) / _ORDERS),
        "order_wal_bytes": round((_position(shop) - position) / _ORDERS),
    }


def settled(shop: Shop) -> None:
    """Wait until nothing is under way any more."""
    waiting = """
        SELECT 1 FROM notifications WHERE next_attempt_at < now() + '60 s' OR status = 'sending'
        UNION ALL SELECT 1 FROM orders WHERE status = 'pending'
    """
    wait_until(lambda: not shop.sql(waiting), 120, "all is confirmed and sent")


def _idle(shop: Shop) -> dict[str, float]:
    """Which share of a processor each part takes when nobody comes, in per cent."""
    before = used(shop)
    time.sleep(_IDLE_SECONDS)
    after = used(shop)
    return {name: round((after[name] - before[name]) / _IDLE_SECONDS / 10, 2) for name in before}


def _streams(shop: Shop, client: Client, customer: dict[str, str]) -> dict[str, float]:
    """Memory of one who watches an order."""
    orders = json.loads(client.ask("GET", "/orders/?limit=1", **customer))
    if not orders:
        raise RuntimeError("the first customer has no order")
    before = _memory(shop.processes["stream"].pid)
    locations = []
    for _ in range(_STREAMS):
        locations.append(client.locate(f"/orders/{orders[0]['id']}/stream", customer))
    crowd = Crowd()
    crowd.open(locations)
    after = _memory(shop.processes["stream"].pid)
    crowd.close()
    return {"stream_kb": round((after - before) / _STREAMS * 1024, 1)}


def used(shop: Shop) -> dict[str, float]:
    """Milliseconds of processor time that each part has used so far."""
    used = {name: _tree_ms(shop.processes[process].pid) for name, process in _PARTS.items()}
    valkey = shop.valkey.client.info("server")["process_id"]
    return {**used, "postgres": _tree_ms(shop.stack.record.postgres_pid), "valkey": _tree_ms(valkey)}


def _difference(before: dict[str, float], after: dict[str, float], number: int) -> dict[str, float]:
    return {name: round((after[name] - before[name]) / number, 3) for name in before}


def _tree_ms(root: int) -> float:
    """Of a process, all that it started, and those of them that have ended."""
    return sum(sum(map(int, _stat(pid)[11:15])) for pid in _tree(root)) * 1000 / _TICKS


def _memory(root: int) -> float:
    """Proportional set size of a process and all that it started, in MB: shared pages count once."""
    total = 0
    for pid in _tree(root):
        with suppress(OSError):
            rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            total += next(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return round(total / 1024, 1)


def _tree(root: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                children.setdefault(_parent(int(entry.name)), []).append(int(entry.name))
    found, waiting = [], [root]
    while waiting:
        pid = waiting.pop()
        found.append(pid)
        waiting += children.get(pid, [])
    return found


def _parent(pid: int) -> int:
    return int(_stat(pid)[1])


def _stat(pid: int) -> list[str]:
    """The fields behind the name, which may have spaces: the state is the first of them."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def _size(shop: Shop) -> int:
    return int(shop.sql("SELECT pg_database_size(current_database())")[0][0])


def _position(shop: Shop) -> int:
    return int(shop.sql("SELECT pg_current_wal_lsn() - '0/0'::pg_lsn")[0][0])


if __name__ == "__main__":
    main()
