"""What one machine carries: people who shop as the load model assumes, until its processors are used up.

    python -m benchmarks.node

Starts the whole shop on engines of its own, has eight clients look at pages, change carts, sign in and order in the
shares of `benchmarks.load_model`, each as fast as it is answered, and says how many orders a minute that makes, and how
far the processor time of it is what the model expects of the parts. The clients run on the same machine and take their
share of it, which is named: without them it would carry that much more.
"""

import json
import os
import random
import resource
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.costs import Client, fill, register, settled, used
from benchmarks.load_model import COSTS, Habits, page_shares
from tests.e2e.shop import PASSWORD, Shop, running_shop

CLIENTS = 8
SECONDS = 30.0

_PARTS = ("api", "postgres", "orders", "notify")
_SETTINGS = {"LOG_LEVEL": "WARNING", **{f"RATE_LIMIT_{name}": "none" for name in ("LOGIN", "REGISTER", "ORDERS")}}


def main() -> None:
    costs, habits = json.loads(COSTS.read_text()), Habits()
    with tempfile.TemporaryDirectory() as directory, running_shop(Path(directory), **_SETTINGS) as shop:
        names = fill(shop)
        shop.start("api", "relay", "worker-orders", "worker-notify", "worker-bulk", "stream")
        customers = register(Client(shop.port), 50)
        settled(shop)
        before, own = used(shop), _own_seconds()
        started = time.monotonic()
        done = _shop_around(shop, names, customers, habits)
        settled(shop)
        seconds = time.monotonic() - started
        after, own = used(shop), _own_seconds() - own
    spent = {part: (after[part] - before[part]) / 1000 for part in _PARTS}
    _print(done, seconds, own, spent)
    for part in _PARTS:
        expected = sum(number * _expected_ms(costs, kind, part) for kind, number in done.items()) / 1000
        print(f"{part}: {spent[part]:.1f} s of a processor, {spent[part] / expected:.2f} times what the parts cost")


def _expected_ms(costs: dict[str, Any], kind: str, part: str) -> float:
    """What one of a kind costs a part when it is alone."""
    of_one = costs["placed_cpu_ms"] if kind == "order" else costs["cpu_ms"][kind]
    return of_one[part]


def _print(done: Counter[str], seconds: float, own: float, spent: dict[str, float]) -> None:
    cores = os.cpu_count() or 1
    pages = sum(done[kind] for kind in page_shares())
    print(f"{cores} processors, {seconds:.0f} s: {dict(done)}")
    print(f"orders a minute: {done['order'] / seconds * 60:.0f}, pages a second: {pages / seconds:.0f}")
    print(f"of {cores * seconds:.0f} s of processors the shop took {sum(spent.values()):.1f}, the clients {own:.1f}")


def _own_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def _shop_around(shop: Shop, names: dict[int, str], customers: list[dict[str, str]], habits: Habits) -> Counter[str]:
    """How many of each kind were done."""
    ends_at = time.monotonic() + SECONDS
    counts: list[Counter[str]] = []
    failures: list[BaseException] = []

    def shop_around(seed: int) -> None:
        counts.append(done := Counter())
        try:
            acts, weights = _acts(Client(shop.port), random.Random(seed), names, customers[seed::CLIENTS], habits)
            dice = random.Random(-seed)
            kinds = list(acts)
            while time.monotonic() < ends_at:
                [kind] = dice.choices(kinds, weights)
                acts[kind]()
                done[kind] += 1
        except BaseException as error:
            failures.append(error)

    clients = [threading.Thread(target=shop_around, args=(seed,)) for seed in range(CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    if failures:
        raise failures[0]
    return sum(counts, Counter())


def _acts(
    client: Client, dice: random.Random, names: dict[int, str], customers: list[dict[str, str]], habits: Habits
) -> tuple[dict[str, Callable[[], object]], list[float]]:
    """What there is to do, and how often for each order."""
    products = list(names)

    def page() -> bytes:
        product_id = dice.choice(products)
        return client.ask("GET", f"/p/{product_id}-{names[product_id].lower().replace(' ', '-')}")

    def put() -> bytes:
        return client.ask("PUT", f"/cart/items/{dice.choice(products)}", {"quantity": 1}, **dice.choice(customers))

    def sign_in() -> bytes:
        body = {"email": f"customer{dice.randrange(50)}@example.com", "password": PASSWORD}
        return client.ask("POST", "/auth/login", body)

    def order() -> bytes:
        items = [{"product_id": product_id, "quantity": 2} for product_id in dice.sample(products, 5)]
        headers = {"Idempotency-Key": str(uuid.uuid4()), **dice.choice(customers)}
        return client.ask("POST", "/orders/", {"items": items}, 201, **headers)

    acts: dict[str, Callable[[], object]] = {
        "home_page": lambda: client.ask("GET", "/"),
        "search_page": lambda: client.ask("GET", f"/search?q=word{dice.randrange(500)}"),
        "product_page": page,
        "cart_change": put,
        "sign_in": sign_in,
        "order": order,
    }
    pages = habits.visits * habits.pages
    weights = [*(pages * share for share in page_shares().values()), habits.cart_changes, habits.sign_ins, 1.0]
    return acts, weights


if __name__ == "__main__":
    main()
