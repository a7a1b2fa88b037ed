"""What 500 people who watch their orders cost: memory, the time until all have seen a status, and lists meanwhile.

    python -m benchmarks.streams

Starts the API and the stream process, on engines of its own, as an operator would. Memory is that of the whole stream
process, not only what the streams add. Lists are read on two connections, with and without the streams, in turns.
"""

import asyncio
import http.client
import statistics
import tempfile
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

from tests.e2e.shop import PASSWORD, Shop, running_shop, wait_until

STREAMS = 500
LIST_SECONDS = 3.0
MAX_MB, MAX_P95_MS, MAX_LAST_MS, MAX_LOSS = 60, 100, 1000, 0.10


class Crowd:
    """Open streams, in a thread and a loop of their own; notes when each hears an event."""

    def __init__(self) -> None:
        self.heard: dict[int, list[float]] = {}
        self._loop = asyncio.new_event_loop()
        self._tasks: list[asyncio.Task[None]] = []
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    def open(self, locations: list[str]) -> None:
        asyncio.run_coroutine_threadsafe(self._open(locations), self._loop).result(60)

    def close(self) -> None:
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(60)

    async def _open(self, locations: list[str]) -> None:
        for location in locations:
            parts = urlsplit(location)
            reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
            writer.write(f"GET {parts.path}?{parts.query} HTTP/1.1\r\nHost: {parts.netloc}\r\n\r\n".encode())
            status = await reader.readline()
            assert b" 200 " in status, status
            self._tasks.append(asyncio.create_task(self._read(reader, writer)))

    async def _read(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async for line in reader:
                if line.startswith(b"id: "):
                    self.heard.setdefault(int(line[4:]), []).append(time.perf_counter())
        finally:
            writer.close()

    async def _close(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()


def main() -> None:
    with tempfile.TemporaryDirectory() as directory, running_shop(Path(directory)) as shop:
        shop.heartbeat_seconds = 15
        shop.start("api", "stream")
        admin, customer = _people(shop)
        order_id = _order(shop, admin, customer)
        crowd = Crowd()
        idle = _memory_mb(shop)
        _gather(shop, crowd, order_id, customer)
        _times(shop, crowd, order_id, admin)
        with_streams, without = [], []
        for _ in range(3):
            with_streams.append(_lists_per_second(shop))
            crowd.close()
            wait_until(lambda: shop.stream_health()["streams"] == 0, 30, "all have left")
            without.append(_lists_per_second(shop))
            _gather(shop, crowd, order_id, customer)
        megabytes = _memory_mb(shop)
        print(f"stream process: {idle:.1f} MB alone, {megabytes:.1f} MB with {STREAMS} streams", end="")
        _verdict(megabytes, MAX_MB, "MB")
        loss = 1 - statistics.median(with_streams) / statistics.median(without)
        print(f"lists: {statistics.median(without):.0f}/s without streams, {loss:+.1%} lost with them", end="")
        _verdict(loss, MAX_LOSS, "of all")
        crowd.close()


def _people(shop: Shop) -> tuple[dict[str, str], dict[str, str]]:
    person = {"name": "Amina", "email": "amina@example.com", "password": PASSWORD}
    shop.post("/auth/register", json=person)
    return shop.sign_in("owner@shop.example"), shop.sign_in("amina@example.com")


def _order(shop: Shop, admin: dict[str, str], customer: dict[str, str]) -> int:
    category = shop.post("/categories/", json={"name": "Flour"}, headers=admin).json()
    wanted = {"name": "Maize Flour", "category_id": category["id"], "price": "189.00", "stock": 10_000}
    product = shop.post("/products/", json=wanted, headers=admin).json()
    for number in range(40):
        shop.post("/products/", json={**wanted, "name": f"Flour {number}"}, headers=admin)
    body = {"items": [{"product_id": product["id"], "quantity": 1}]}
    order_id: int = shop.post("/orders/", json=body, headers=customer).json()["id"]
    return order_id


def _gather(shop: Shop, crowd: Crowd, order_id: int, customer: dict[str, str]) -> None:
    answer = shop.get(f"/orders/{order_id}/stream", headers=customer, allow_redirects=False)
    crowd.open([answer.headers["Location"]] * STREAMS)
    wait_until(lambda: shop.stream_health()["streams"] == STREAMS, 30, "all listen")


def _times(shop: Shop, crowd: Crowd, order_id: int, admin: dict[str, str]) -> None:
    """From before the PATCH is sent until each of them has the event."""
    delays = []
    for status in ("confirmed", "packed", "shipped"):
        known = set(crowd.heard)
        sent_at = time.perf_counter()
        answer = shop.patch(f"/orders/{order_id}/status", json={"status": status}, headers=admin)
        assert answer.status_code == 200, answer.text
        wait_until(lambda known=known: crowd.heard.keys() > known, 10, "the first has heard")
        [history_id] = crowd.heard.keys() - known
        wait_until(lambda history_id=history_id: len(crowd.heard[history_id]) == STREAMS, 10, "all have heard")
        delays += [(heard_at - sent_at) * 1000 for heard_at in crowd.heard[history_id]]
    p95 = statistics.quantiles(delays, n=20)[-1]
    print(f"from PATCH to event, p95: {p95:.1f} ms", end="")
    _verdict(p95, MAX_P95_MS, "ms")
    print(f"from PATCH to event, the last of all: {max(delays):.1f} ms", end="")
    _verdict(max(delays), MAX_LAST_MS, "ms")


def _lists_per_second(shop: Shop) -> float:
    counts = [0, 0]
    until = time.perf_counter() + LIST_SECONDS

    def read(place: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", shop.port, timeout=20)
        while time.perf_counter() < until:
            connection.request("GET", "/products/")
            answer = connection.getresponse()
            answer.read()
            assert answer.status == 200
            counts[place] += 1
        connection.close()

    threads = [threading.Thread(target=read, args=(place,)) for place in range(len(counts))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / LIST_SECONDS


def _memory_mb(shop: Shop) -> float:
    status = Path(f"/proc/{shop.processes['stream'].pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) / 1024


def _verdict(value: float, limit: float, unit: str) -> None:
    print(f" (at most {limit:g} {unit}){'' if value <= limit else '  MISSED'}")


if __name__ == "__main__":
    main()
