"""A real Prometheus asks a real shop: it takes the rules, and every panel of the dashboard has something to show."""

import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
import requests
import yaml

from tests.e2e.shop import PASSWORD, Shop, free_port, running_shop
from tests.monitoring.test_alerts import ALERTS, MONITORING, PANELS
from tests.waiting import wait_until

pytestmark = [
    pytest.mark.prove,
    pytest.mark.e2e,
    pytest.mark.skipif(not shutil.which("prometheus"), reason="Prometheus (Debian: prometheus) is not there"),
]

#: What a shop that does well, has sent nothing odd, and has no replica and no certificate does not have.
EMPTY = {"Odd calls of providers", "Replica"}


class Prometheus:
    def __init__(self, url: str):
        self.url = url

    def get(self, path: str, **parameters: str) -> Any:
        return requests.get(f"{self.url}/api/v1/{path}", params=parameters, timeout=20).json()["data"]

    def query(self, expression: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.get("query", query=expression)["result"]
        return found

    def value(self, expression: str) -> float:
        """Of the only series that it finds; -1 while there is none."""
        found = self.query(expression)
        return float(found[0]["value"][1]) if len(found) == 1 else -1.0


@contextmanager
def prometheus(shop: Shop, directory: Path) -> Iterator[Prometheus]:
    settings = yaml.safe_load((MONITORING / "prometheus.yaml").read_text())
    settings["global"] = {"scrape_interval": "2s", "evaluation_interval": "2s"}
    settings["rule_files"] = [str(MONITORING / name) for name in settings["rule_files"]]
    ports = {"api:8000": shop.port, "stream:8001": shop.stream_port}
    for job in settings["scrape_configs"]:
        for config in job["static_configs"]:
            config["targets"] = [f"127.0.0.1:{ports[target]}" for target in config["targets"]]
    directory.mkdir()
    (directory / "prometheus.yaml").write_text(yaml.safe_dump(settings))
    port = free_port()
    process = subprocess.Popen(
        [
            *("prometheus", f"--config.file={directory}/prometheus.yaml", f"--storage.tsdb.path={directory}/data"),
            f"--web.listen-address=127.0.0.1:{port}",
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        asked = Prometheus(f"http://127.0.0.1:{port}")
        wait_until(lambda: requests.get(f"{asked.url}/-/ready", timeout=60).ok, "Prometheus is ready")
        yield asked
    finally:
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(20)
        process.kill()


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    directory = tmp_path_factory.mktemp("observed")
    figures = directory / "counted"
    with running_shop(directory, SMS_DAILY_BUDGET="500", PROMETHEUS_MULTIPROC_DIR=str(figures)) as shop:
        shop.start("api", "stream", "relay", "worker-orders", "worker-notify", "worker-bulk")
        yield shop


@pytest.fixture(scope="module")
def asked(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prometheus]:
    with prometheus(shop, tmp_path_factory.mktemp("prometheus") / "here") as asked:
        yield asked


def buy(shop: Shop, admin: dict[str, str]) -> None:
    """A round of what customers do."""
    product = {"name": "Maize Flour", "category_id": 0, "price": "189.00", "stock": 500}
    category = shop.post(
        "/categories/", json={"name": f"Flour {shop.sql('SELECT count(*) FROM categories')[0][0]}"}, headers=admin
    )
    product["category_id"] = category.json()["id"]
    made = shop.post("/products/", json=product, headers=admin)
    assert made.status_code == 201, made.text
    for _ in range(5):
        shop.get("/products/")
        shop.get(f"/products/{made.json()['id']}")
    items = [{"product_id": made.json()["id"], "quantity": 1}]
    assert shop.post("/orders/", json={"items": items}, headers=admin).status_code == 201
    shop.get("/nowhere")


def test_every_panel_has_something_to_show(shop: Shop, asked: Prometheus) -> None:
    admin = shop.sign_in("owner@shop.example", PASSWORD)
    for _ in range(4):
        buy(shop, admin)

    def empty_panels() -> set[str]:
        buy(shop, admin)  # a rate needs something that moves
        return {
            panel["title"]
            for panel in PANELS
            for target in panel["targets"]
            if not asked.query(target["expr"].replace("$__rate_interval", "1m"))
        }

    # Errors by route: there are none.
    wait_until(lambda: empty_panels() <= {*EMPTY, "Errors by route"}, "the panels have figures", 120)
    assert asked.value("max(grocery_relay_leading)") == 1
    assert asked.value('max(grocery_queue_workers{queue="notify"})') == 1
    confirmed = "max(grocery_orders_last_day{status='confirmed'})"
    wait_until(lambda: asked.value(confirmed) >= 4, "the orders are confirmed, and counted")


def test_the_rules_are_loaded_and_none_of_them_fails(asked: Prometheus) -> None:
    def rules() -> list[dict[str, Any]]:
        return [rule for group in asked.get("rules")["groups"] for rule in group["rules"]]

    wait_until(lambda: all(rule["health"] == "ok" for rule in rules()), "all rules were tried")
    assert {rule["name"] for rule in rules()} == {rule["alert"] for rule in ALERTS}
    assert [rule["name"] for rule in rules() if rule["state"] == "firing"] == []


def test_what_both_processes_count_is_added_up_and_never_falls(shop: Shop, asked: Prometheus) -> None:
    """Each scrape is answered by one of them; one is killed meanwhile, and another comes in its place."""
    sum_of = 'sum(grocery_http_requests_total{route="/healthz",status="200"})'
    for _ in range(300):
        shop.get("/healthz")
    wait_until(lambda: asked.value(sum_of) >= 300, "all were counted")
    shop.end("api", signal.SIGKILL)
    shop.start("api")
    for _ in range(100):
        shop.get("/healthz")
    wait_until(lambda: asked.value(sum_of) >= 400, "those that were counted before are there still")
    assert asked.value(f"resets({sum_of.removeprefix('sum(').removesuffix(')')}[5m])") == 0
    assert asked.query("grocery_http_requests_under_way < 0") == []


def test_alerts_that_wait_for_a_worker_ring(shop: Shop, asked: Prometheus) -> None:
    shop.end("relay")
    shop.end("worker-notify")
    wait_until(
        lambda: (
            asked.value('count(ALERTS{alertname="RelayAway"})') == 1
            and asked.value('count(ALERTS{alertname="QueueWithoutWorker",queue="notify"})') == 1
        ),
        "both are pending",
        120,
    )
