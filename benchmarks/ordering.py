"""How many orders the shop takes, against the floor: the same statements by pgbench on the same server.

    python -m benchmarks.ordering

An order of three lines is placed once while its SQL is written down, byte for byte; pgbench then sends those statements
in one transaction, with other customers, products and ids. Beside it, two API processes take orders over HTTP. Eight of
each at once, one after the other, medians of several rounds. Runs on embedded engines of its own in a temporary
directory. Quote the ratio: orders per second belong to one machine.
"""

import http.client
import json
import os
import random
import re
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from flask import Flask
from sqlalchemy import event, text

from benchmarks.shop import ready_app, settle
from grocery.auth.sessions import start_session
from grocery.config import setting_names
from grocery.db import db, transaction
from grocery.embedded.engines import find_engines

CUSTOMERS, PRODUCTS = 500, 2_000
AT_ONCE = 8
ROUNDS = 3
SECONDS = 5

# Ids that can be told from all other numbers in the recorded statements.
_SEQUENCES = text("""
    ALTER SEQUENCE customers_id_seq RESTART 1000001; ALTER SEQUENCE products_id_seq RESTART 2000001;
    ALTER SEQUENCE orders_id_seq RESTART 3000001; ALTER SEQUENCE order_history_id_seq RESTART 4000001;
    ALTER SEQUENCE order_lines_id_seq RESTART 5000001
""")
_CUSTOMERS = text("""
    INSERT INTO customers (name, email, phone, role)
    SELECT 'Customer ' || n, 'customer' || n || '@example.com', '+2547' || lpad(n::text, 8, '0'), 'customer'
    FROM generate_series(1, :number) AS n RETURNING id
""")
_PRODUCTS = text("""
    WITH top AS (INSERT INTO categories (name, path) VALUES ('Food', 'Food') RETURNING id),
    category AS (INSERT INTO categories (name, path, parent_id) SELECT 'Flour', 'Food/Flour', id FROM top RETURNING id),
    product AS (
        INSERT INTO products (sku, name, category_id, category_path, price_cents, stock)
        SELECT 'SKU-' || n, 'Maize Flour ' || n, category.id, 'Food/Flour', 10000 + n, 10000000
        FROM category, generate_series(1, :number) AS n RETURNING id, stock
    )
    INSERT INTO stock_movements (product_id, delta, reason, stock_after) SELECT id, stock, 'opening', stock FROM product
    RETURNING product_id
""")

_PRODUCT_VARIABLES = (":p1", ":p2", ":p3")


def main() -> None:
    with tempfile.TemporaryDirectory() as directory:
        app, data_dir = ready_app(Path(directory, "data"))
        with app.app_context():
            tokens, customers, products = _fill()
            statements = _record_order(app, tokens[0], products[:3])
            url = urlsplit(app.extensions["engines"].database_url)
        script = Path(directory, "order.sql")
        script.write_text(_pgbench_script(statements, customers, products, products[:3], customers[0]))
        settle(app)
        floor, taken, times = [], [], []
        with _api(data_dir) as ports:
            for _ in range(ROUNDS):
                floor.append(_run_pgbench(script, url.path.lstrip("/"), parse_qs(url.query)["host"][0]))
                rate, seconds = _place_orders(ports, tokens, products)
                taken.append(rate)
                times.append(seconds)
    ratio = statistics.median(one / of for one, of in zip(taken, floor, strict=True))
    print(f"orders per second: {statistics.median(taken):.0f}, pgbench {statistics.median(floor):.0f}")
    print(f"of the floor: {ratio:.2f} (at least 0.33)")
    last, middle = (statistics.median(_percentile(one, part) for one in times) for part in (0.99, 0.5))
    print(f"99th percentile: {last / middle:.1f} times the median of {middle * 1000:.1f} ms (below 10)")


def _fill() -> tuple[list[str], list[int], list[int]]:
    """Access tokens, customers and products of a new shop."""
    with transaction() as session:
        session.execute(_SEQUENCES)
        customers = list(session.execute(_CUSTOMERS, {"number": CUSTOMERS}).scalars())
        products = list(session.execute(_PRODUCTS, {"number": PRODUCTS}).scalars())
    with transaction():
        tokens = [start_session(customer_id).access_token for customer_id in customers]
    return tokens, customers, products


def _record_order(app: Flask, token: str, products: list[int]) -> list[str]:
    """The statements, but for that of the authentication, which placing an order sends."""
    sent: list[str] = []

    def note(_connection: Any, cursor: Any, *_: Any) -> None:
        sent.append(cursor.query.decode())

    event.listen(db.engine, "after_cursor_execute", note)
    try:
        answer = app.test_client().post("/orders/", json=_body(products), headers=_headers(token))
        assert answer.status_code == 201, answer.get_data(as_text=True)
    finally:
        event.remove(db.engine, "after_cursor_execute", note)
    return sent


def _body(products: list[int]) -> dict[str, Any]:
    return {
        "items": [{"product_id": product_id, "quantity": 2} for product_id in products],
        "delivery": {"landmark": "near Shell, blue gate"},
    }


def _headers(token: str) -> dict[str, str]:
    return {
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        "Idempotency-Key": str(uuid.uuid4()),
    }


def _pgbench_script(
    statements: list[str], customers: list[int], products: list[int], ordered: list[int], customer: int
) -> str:
    """The recorded order as a script: its ids become variables, those that were read with `\\gset`."""
    script = "\n".join(["BEGIN;", *(_combine(statement) for statement in statements), "COMMIT;"])
    order = re.search(r"UPDATE idempotency_keys SET answer = '(\{.*?\})', order_id = (\d+)", script)
    assert order is not None
    answer = json.loads(order[1])
    lines = [str(item["id"]) for item in answer["items"]]
    history = re.search(rf"VALUES \((\d+), {answer['id']}, 'placed'", script)
    key = re.search(r"key = '([0-9a-f-]{36})'", script)
    assert history is not None
    assert key is not None
    script = re.sub(
        r"\(SELECT array_agg\((nextval\(.*?'id'\)\))\) FROM wanted\) AS line_ids",
        r"\1 AS l1, \1 AS l2, \1 AS l3",
        script,
    )
    variables = {
        key[1]: ":key",
        answer["number"]: "G-:key",
        history[1]: ":history_id",
        str(answer["id"]): ":order_id",
        **dict(zip(lines, (":l1", ":l2", ":l3"), strict=True)),
        **dict(zip(map(str, ordered), _PRODUCT_VARIABLES, strict=True)),
        str(customer): ":customer_id",
    }
    for value, variable in variables.items():
        # In JSON, a space keeps a colon before it from being taken for a part of the variable.
        script = re.sub(rf"(?<![\w.-]){re.escape(value)}(?![\w.-])", f" {variable}", script)
    third = (len(products) - 1) // 3
    first = products[0]
    return "\n".join(
        [
            f"\\set customer_id random({customers[1]}, {customers[-1]})",
            # Those that are not read again after they were made up are in the order in which all lock them.
            *(
                f"\\set p{n + 1} random({first + n * third}, {first + (n + 1) * third - 1})"
                for n in range(len(_PRODUCT_VARIABLES))
            ),
            "\\set key random(1, 1000000000000000)",
            script,
        ]
    )


def _combine(statement: str) -> str:
    """What the shop sends at once, pgbench sends at once; what the first one reads, it keeps."""
    parts = re.findall(r"(?:'(?:[^']|'')*'|--[^\n]*|[^;'])+", statement)
    sent = " \\;\n".join(part.strip() for part in parts if part.strip())
    return sent + (" \\gset" if "AS order_id" in sent else ";")


def _run_pgbench(script: Path, database: str, host: str) -> float:
    """Orders per second."""
    command = [find_engines().postgres.with_name("pgbench"), "-n", "-M", "simple", "-f", script, "-c", str(AT_ONCE)]
    command += ["-j", "2", "-T", str(SECONDS), "-h", host, "-U", "grocery", database]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stderr)
    output = done.stdout
    found = re.search(r"tps = ([0-9.]+)", output)
    assert found is not None, output
    return float(found[1])


@contextmanager
def _api(data_dir: Path) -> Iterator[list[int]]:
    """Two API processes, each with a port of its own, so that both get half of the work."""
    environ = {**dict.fromkeys(setting_names(), ""), "PATH": os.environ["PATH"], "DATA_DIR": str(data_dir)}
    environ |= {"LOG_LEVEL": "WARNING", "MAX_OPEN_UNPAID_ORDERS": "0"}
    ports, processes = [_free_port() for _ in range(2)], []
    for port in ports:
        command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--workers", "1", "--no-ws"]
        command += ["--blocking-threads", str(AT_ONCE // 2), "--port", str(port), "wsgi:app"]
        processes.append(subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
    try:
        for port in ports:
            _wait_for(port)
        yield ports
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(20)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        with suppress(OSError):
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        time.sleep(0.1)
    raise RuntimeError("the API did not start")


def _place_orders(ports: list[int], tokens: list[str], products: list[int]) -> tuple[float, list[float]]:
    """Orders per second, and how many seconds each took."""
    times: list[float] = []
    ends_at = time.monotonic() + SECONDS

    def buy(port: int, seed: int) -> None:
        dice = random.Random(seed)
        connection = http.client.HTTPConnection("127.0.0.1", port)
        while time.monotonic() < ends_at:
            body = json.dumps(_body(dice.sample(products, 3)))
            started = time.perf_counter()
            connection.request("POST", "/orders/", body, _headers(dice.choice(tokens)))
            answer = connection.getresponse()
            said = answer.read()
            times.append(time.perf_counter() - started)
            assert answer.status == 201, said

    started = time.monotonic()
    buyers = [threading.Thread(target=buy, args=(ports[n % 2], random.random())) for n in range(AT_ONCE)]
    for buyer in buyers:
        buyer.start()
    for buyer in buyers:
        buyer.join()
    return len(times) / (time.monotonic() - started), times


def _percentile(values: list[float], part: float) -> float:
    return sorted(values)[int(len(values) * part)]


if __name__ == "__main__":
    main()
