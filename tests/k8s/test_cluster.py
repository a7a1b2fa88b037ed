"""A cluster in which the shop runs: what becomes ready, an order through the Service, and an update under load.

`KUBECONFIG` names the cluster; `SHOP_IN_CLUSTER` the address at which the Service `api` answers here. That is the one
of the ingress or of a Service of type NodePort, not of `kubectl port-forward`, which stays with one pod.
"""

import json
import os
import shutil
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
import requests

from tests.waiting import wait_until

PASSWORD = "a long enough passphrase"
URL = os.environ.get("SHOP_IN_CLUSTER", "").rstrip("/")
BROWSING = 4
# Fewer than the orders that one customer may have open (MAX_OPEN_UNPAID_ORDERS).
ORDERS_UNDER_LOAD = 6


def kubectl(*words: str, given: str = "", seconds: float = 60) -> str:
    """Standard output of a command in the shop's namespace that must succeed."""
    command = ["kubectl", "-n", "grocery", *words]
    done = subprocess.run(command, input=given, capture_output=True, text=True, timeout=seconds)
    assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def why_not() -> str | None:
    if not os.environ.get("KUBECONFIG") or not URL:
        return "KUBECONFIG and SHOP_IN_CLUSTER name no cluster with the shop"
    if not shutil.which("kubectl"):
        return "kubectl is not installed"
    asked = ["kubectl", "--request-timeout=10s", "-n", "grocery", "get", "deployment/api"]
    done = subprocess.run(asked, capture_output=True, text=True, timeout=60)
    return f"the shop is not in the cluster: {done.stderr.strip()}" if done.returncode else None


pytestmark = pytest.mark.prove


@pytest.fixture(scope="module", autouse=True)
def cluster() -> None:
    if reason := why_not():
        pytest.skip(reason)


@dataclass
class Person:
    """Somebody who is signed in."""

    headers: dict[str, str]

    @classmethod
    def signed_in(cls, email: str) -> "Person":
        answer = requests.post(f"{URL}/auth/login", json={"email": email, "password": PASSWORD}, timeout=30)
        assert answer.status_code == 200, answer.text
        return cls({"Authorization": f"Bearer {answer.json()['access_token']}"})

    def post(self, path: str, body: dict[str, Any], **headers: str) -> requests.Response:
        return requests.post(f"{URL}{path}", json=body, headers={**self.headers, **headers}, timeout=30)

    def order(self, product: int) -> requests.Response:
        body = {"items": [{"product_id": product, "quantity": 1}]}
        return self.post("/orders/", body, **{"Idempotency-Key": str(uuid.uuid4())})

    def wait_for_confirmation(self, order: int) -> None:
        def is_confirmed() -> bool:
            found = requests.get(f"{URL}/orders/{order}", headers=self.headers, timeout=30)
            return found.json()["status"] == "confirmed"

        wait_until(is_confirmed, f"order {order} is confirmed", 120)


@pytest.fixture(scope="module")
def product() -> int:
    email = f"owner-{uuid.uuid4().hex[:8]}@example.com"
    words = ("flask", "--app", "wsgi", "auth", "create-admin", "--email", email, "--name", "Owner", "--password-stdin")
    kubectl("exec", "-i", "deploy/api", "-c", "api", "--", *words, given=f"{PASSWORD}\n")
    admin, name = Person.signed_in(email), uuid.uuid4().hex[:8]
    category = admin.post("/categories/", {"name": f"Flour {name}"}).json()["id"]
    body = {"name": "Maize flour 2 kg", "sku": name, "category_id": category, "price": "189.00", "unit": "each"}
    product: int = admin.post("/products/", body).json()["id"]
    assert admin.post(f"/products/{product}/stock", {"delta": 100, "reason": "received"}).ok
    return product


@pytest.fixture
def customer() -> Person:
    email = f"amina-{uuid.uuid4().hex[:8]}@example.com"
    body = {"name": "Amina", "email": email, "password": PASSWORD, "phone": f"07{uuid.uuid4().int % 10**8:08d}"}
    answer = requests.post(f"{URL}/auth/register", json=body, timeout=30)
    assert answer.status_code == 201, answer.text
    return Person.signed_in(email)


def pods_of(component: str) -> list[dict[str, Any]]:
    listed = kubectl("get", "pods", "-l", f"app.kubernetes.io/component={component}", "-o", "json")
    pods: list[dict[str, Any]] = json.loads(listed)["items"]
    return pods


@dataclass
class Load:
    """What became of requests: how many were sent, and those that were not answered as they should be."""

    sent: int = 0
    failed: list[str] = field(default_factory=list)

    def browse(self, is_over: threading.Event) -> None:
        while not is_over.is_set():
            self.sent += 1
            try:
                answer = requests.get(f"{URL}/products/", timeout=30)
                if answer.status_code != 200:
                    self.failed.append(f"{answer.status_code} {answer.text[:100]}")
            except requests.RequestException as error:
                self.failed.append(repr(error))
            time.sleep(0.1)


@contextmanager
def browsing() -> Iterator[Load]:
    load, is_over = Load(), threading.Event()
    threads = [threading.Thread(target=load.browse, args=(is_over,)) for _ in range(BROWSING)]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        is_over.set()
        for thread in threads:
            thread.join()


def test_every_deployment_is_rolled_out() -> None:
    for found in json.loads(kubectl("get", "deployments", "-o", "json"))["items"]:
        kubectl("rollout", "status", f"deployment/{found['metadata']['name']}", "--timeout=240s", seconds=300)


def test_pods_are_what_the_manifests_say() -> None:
    status = kubectl("exec", "deploy/api", "-c", "api", "--", "cat", "/proc/1/status")
    facts = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert facts["Uid"].split() == ["10001"] * 4
    assert {int(facts[name], 16) for name in ("CapPrm", "CapEff", "CapBnd")} == {0}
    assert facts["NoNewPrivs"] == "1"
    assert facts["Seccomp"] == "2"
    tried = kubectl(
        "exec", "deploy/api", "-c", "api", "--", "sh", "-c", "touch /app/x 2>&1 || touch /tmp/x && echo done"
    )
    assert tried.count("Read-only file system") == 1
    assert tried.endswith("done\n")


def test_an_order_is_confirmed_by_a_worker(customer: Person, product: int) -> None:
    placed = customer.order(product)
    assert placed.status_code == 201, placed.text
    customer.wait_for_confirmation(placed.json()["id"])


def test_an_update_of_the_api_fails_no_request_and_loses_no_order(customer: Person, product: int) -> None:
    before = {pod["metadata"]["name"] for pod in pods_of("api")}
    with browsing() as load:
        kubectl("rollout", "restart", "deployment/api")
        placed = []
        for _ in range(ORDERS_UNDER_LOAD):
            placed.append(customer.order(product))
            time.sleep(3)
        kubectl("rollout", "status", "deployment/api", "--timeout=240s", seconds=300)
        # The old ones drain for a while after that.
        wait_until(lambda: not before & {pod["metadata"]["name"] for pod in pods_of("api")}, "the old ones end", 120)
    assert load.failed == []
    assert load.sent > 100
    assert [answer.status_code for answer in placed] == [201] * ORDERS_UNDER_LOAD
    for number in [answer.json()["id"] for answer in placed]:
        customer.wait_for_confirmation(number)
