"""The whole shop as compose.yaml runs it: used from outside, broken, started again."""

import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.containers.engine import ComposedShop, names_of_zombies, wait_for
from tests.containers.files import compose
from tests.e2e.watching import Watcher, statuses
from tests.products.images.pictures import jpeg

pytestmark = pytest.mark.prove

PASSWORD = "a long enough passphrase"
LASTING = ("api", "stream", "worker-orders", "worker-notify", "worker-bulk", "relay")


class Client:
    """Somebody who is signed in, through the published address."""

    def __init__(self, url: str, email: str):
        self.url = url
        answer = requests.post(f"{url}/auth/login", json={"email": email, "password": PASSWORD}, timeout=30)
        assert answer.status_code == 200, answer.text
        self.headers = {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def send(self, method: str, path: str, **options: Any) -> requests.Response:
        headers = {**self.headers, **options.pop("headers", {})}
        return requests.request(method, f"{self.url}{path}", headers=headers, timeout=30, **options)

    def order(self, product: int, key: str | None = None) -> requests.Response:
        body = {"items": [{"product_id": product, "quantity": 1}]}
        return self.send("POST", "/orders/", json=body, headers={"Idempotency-Key": key or str(uuid.uuid4())})

    def status(self, order: int) -> str:
        status: str = self.send("GET", f"/orders/{order}").json()["status"]
        return status


@pytest.fixture(scope="module")
def admin(shop: ComposedShop) -> Client:
    words = ("flask", "--app", "wsgi", "auth", "create-admin", "--email", "owner@example.com", "--name", "Owner")
    shop.execute("api", *words, "--password-stdin", input=f"{PASSWORD}\n")
    return Client(shop.url, "owner@example.com")


@pytest.fixture(scope="module")
def product(admin: Client) -> int:
    category = admin.send("POST", "/categories/", json={"name": "Flour"}).json()["id"]
    body = {"name": "Maize flour 2 kg", "sku": "FLR-1", "category_id": category, "price": "189.00", "unit": "each"}
    made = admin.send("POST", "/products/", json=body)
    assert made.status_code == 201, made.text
    product: int = made.json()["id"]
    assert admin.send("POST", f"/products/{product}/stock", json={"delta": 500, "reason": "received"}).ok
    return product


@pytest.fixture(scope="module")
def customer(shop: ComposedShop) -> Iterator[Client]:
    body = {"name": "Amina", "email": "amina@example.com", "password": PASSWORD, "phone": "0712345678"}
    assert requests.post(f"{shop.url}/auth/register", json=body, timeout=30).status_code == 201
    return Client(shop.url, "amina@example.com")


def all_are_healthy(shop: ComposedShop) -> bool:
    names = set(compose()["services"]) - {"migrate"}
    return {shop.state(name).get("Health", {}).get("Status") for name in names} == {"healthy"}


def test_an_order_is_confirmed_told_and_followed_live(
    shop: ComposedShop, customer: Client, admin: Client, product: int
) -> None:
    placed = customer.order(product)
    assert placed.status_code == 201, placed.text
    order = placed.json()["id"]
    ticket = customer.send("GET", f"/orders/{order}/stream", allow_redirects=False)
    assert ticket.status_code == 307
    watcher = Watcher(f"{shop.url}{ticket.headers['Location']}")
    wait_for(lambda: customer.status(order) == "confirmed", 60, "the worker confirms the order")
    assert admin.send("PATCH", f"/orders/{order}/status", json={"status": "cancelled"}).ok
    assert statuses(list(watcher.events(60)))[-1] == "cancelled"
    sent = "SELECT count(*) FROM notifications WHERE status = 'sent' AND channel = '{}'"
    wait_for(lambda: int(shop.sql(sent.format("sms"))[0]) >= 1, 60, "the SMS goes out")
    wait_for(lambda: int(shop.sql(sent.format("email"))[0]) >= 1, 60, "the e-mails go out")
    assert re.search(r"sms", shop.log("worker-notify"), re.IGNORECASE)


def test_what_the_image_left_out_is_not_missed(
    shop: ComposedShop, customer: Client, admin: Client, product: int
) -> None:
    order = customer.order(product).json()["id"]
    invoice = customer.send("GET", f"/orders/{order}/invoice")
    assert invoice.content.startswith(b"%PDF-"), invoice.text
    uploaded = admin.send("POST", f"/products/{product}/image", data=jpeg(), headers={"Content-Type": "image/jpeg"})
    assert uploaded.ok, uploaded.text
    [address, *_] = re.findall(r"/media/[^\"]+\.webp", uploaded.text)
    assert requests.get(f"{shop.url}{address}", timeout=30).content[8:12] == b"WEBP"
    wait_for(lambda: "Maize" in search(shop, "maiez flour"), 60, "a word that was misspelt is found")
    page = requests.get(f"{shop.url}/", headers={"Accept-Language": "sw"}, timeout=30)
    assert '<html lang="sw"' in page.text
    bundle = requests.get(f"{shop.url}/docs/ui/swagger-ui-bundle.js", timeout=30)
    assert bundle.ok
    assert len(bundle.content) > 1_000_000


def search(shop: ComposedShop, words: str) -> str:
    return requests.get(f"{shop.url}/products/", params={"q": words}, timeout=30).text


def test_the_proxy_believes_nobody_and_hides_the_figures(shop: ComposedShop) -> None:
    assert requests.get(f"{shop.url}/metrics", timeout=30).status_code == 404
    assert "grocery_" in shop.execute(
        "api", "python", "-c", "import urllib.request as r; print(r.urlopen('http://127.0.0.1:8000/metrics').read())"
    )
    wrong = {"email": "nobody@example.com", "password": "a wrong passphrase"}
    answers = []
    for number in range(12):
        claimed = {"X-Forwarded-For": f"203.0.113.{number}"}
        answers.append(requests.post(f"{shop.url}/auth/login", json=wrong, headers=claimed, timeout=30).status_code)
    # RATE_LIMIT_LOGIN counts ten a minute from one address, and this is one.
    assert answers[0] == 401
    assert answers[-1] == 429


def test_nobody_writes_where_nothing_should_be_written(shop: ComposedShop) -> None:
    for service in LASTING:
        done = shop.execute(service, "sh", "-c", "touch /app/x /x 2>&1 || true; touch /tmp/x && echo writable")
        assert done.count("Read-only file system") == 2
        assert done.endswith("writable\n")


def test_processes_bury_their_children(shop: ComposedShop, customer: Client, product: int) -> None:
    for _ in range(5):
        assert customer.order(product).status_code == 201
    # Each job is a fork. A server's worker that dies is granian's to bury, and what it leaves behind the first one's.
    worker = shop.execute("api", "sh", "-c", "pgrep -f granian | tail -n 1").strip()
    shop.execute("api", "kill", "-9", worker)
    shop.execute("api", "sh", "-c", "(sleep 0.2 &) ; true")
    wait_for(lambda: shop.sql("SELECT count(*) FROM orders WHERE status = 'pending'") == ["0"], 60, "all confirmed")
    for service in LASTING:
        wait_for(lambda s=service: not names_of_zombies(shop.execute(s, "ps", "-o", "stat,comm")), 20, f"{service}")


@pytest.mark.parametrize("victim", ["worker-orders", "worker-notify", "relay", "stream", "api", "valkey", "pgbouncer"])
def test_what_crashes_comes_back_and_nothing_is_lost(
    shop: ComposedShop, customer: Client, product: int, victim: str
) -> None:
    before = shop.state(victim)["RestartCount"]
    placed = [customer.order(product) for _ in range(3)]
    shop.kill(victim)
    answers = [customer.order(product) for _ in range(3)]
    acknowledged = [answer.json()["id"] for answer in (*placed, *answers) if answer.status_code == 201]
    assert len(acknowledged) >= 3
    wait_for(lambda: shop.state(victim)["RestartCount"] > before and all_are_healthy(shop), 180, "all are healthy")
    for order in acknowledged:
        wait_for(lambda number=order: customer.status(number) == "confirmed", 120, f"order {order}")


def test_postgres_crashes_and_keeps_every_order(shop: ComposedShop, customer: Client, product: int) -> None:
    key = str(uuid.uuid4())
    acknowledged = [customer.order(product).json()["id"] for _ in range(3)]
    shop.kill("postgres")
    assert customer.order(product, key).status_code in (201, 502, 503, 504)
    wait_for(lambda: customer.order(product, key).status_code == 201, 180, "orders can be placed again")
    for order in acknowledged:
        wait_for(lambda number=order: customer.status(number) == "confirmed", 120, f"order {order}")
    stocks = "SELECT stock - (SELECT sum(delta) FROM stock_movements m WHERE m.product_id = p.id) FROM products p"
    assert {float(line) for line in shop.sql(stocks)} == {0.0}


def test_up_a_second_time_changes_nothing(shop: ComposedShop) -> None:
    before = {name: shop.container(name) for name in LASTING}
    shop.compose("up", "--detach", seconds=600)
    assert {name: shop.container(name) for name in LASTING} == before
    assert "up to date" in shop.log("migrate")


def test_memory_is_well_below_the_limits(shop: ComposedShop) -> None:
    for name in LASTING:
        assert 0 < shop.memory_share(name) < 60, name


def test_all_end_when_told_and_data_outlives_them(shop: ComposedShop, customer: Client, product: int) -> None:
    order = customer.order(product).json()["id"]
    shop.compose("stop", *LASTING, seconds=300)
    assert {name: shop.state(name)["ExitCode"] for name in LASTING} == dict.fromkeys(LASTING, 0)
    shop.compose("down")
    shop.compose("up", "--detach", seconds=600)
    wait_for(lambda: customer.status(order) == "confirmed", 120, "the order is there")
