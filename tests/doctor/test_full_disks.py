"""Full disks, for real: what the shop answers, that nothing acknowledged is lost, and that it recovers by itself."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg2
import pytest
import requests
from redis.exceptions import RedisError

from grocery.embedded.engines import find_engines
from grocery.queues import connect
from tests.data.postgres import Cluster, clusters
from tests.doctor.small_disk import SmallDisk, needs_root, small_disk
from tests.e2e.shop import PASSWORD, ROOT, Shop, running_shop
from tests.products.images.pictures import encode, make_image
from tests.waiting import wait_until

pytestmark = [pytest.mark.prove, pytest.mark.e2e, needs_root]

CUSTOMER = {"name": "Amina Otieno", "email": "amina@example.com", "password": PASSWORD, "phone": "0712 345 678"}


def stocked(shop: Shop) -> tuple[dict[str, str], dict[str, str], int]:
    """Headers of the admin and of a customer, and a product with plenty in stock."""
    admin = shop.sign_in("owner@shop.example")
    category = shop.post("/categories/", json={"name": "Flour"}, headers=admin).json()["id"]
    body = {"name": "Maize Flour 2 kg", "category_id": category, "price": "189.00", "stock": 100_000}
    product = shop.post("/products/", json=body, headers=admin).json()["id"]
    assert shop.post("/auth/register", json=CUSTOMER).status_code == 201
    return admin, shop.sign_in(CUSTOMER["email"]), product


def order(shop: Shop, customer: dict[str, str], product: int) -> requests.Response:
    body = {"items": [{"product_id": product, "quantity": 1}], "note": "x" * 400}
    return shop.post("/orders/", json=body, headers=customer)


@pytest.fixture
def on_a_small_disk(tmp_path: Path) -> Iterator[tuple[Shop, Cluster, SmallDisk]]:
    with clusters() as making, small_disk(making.root / "small", 160) as disk:
        subprocess.run(["chown", "nobody", str(disk.path)], check=True)
        cluster = making.new("small/data")
        cluster.settings |= {"wal_keep_size": "0", "max_wal_size": "32MB", "min_wal_size": "32MB", "fsync": "on"}
        cluster.create()
        with running_shop(tmp_path, DATABASE_URL=cluster.url, RATE_LIMIT_ORDERS="none") as shop:
            shop.start("api", "worker-orders", "worker-notify", "relay")
            yield shop, cluster, disk


def test_postgresql_on_a_full_disk_refuses_orders_and_keeps_all_that_it_took(
    on_a_small_disk: tuple[Shop, Cluster, SmallDisk],
) -> None:
    shop, cluster, disk = on_a_small_disk
    _, customer, product = stocked(shop)
    taken = [order(shop, customer, product).json()["id"] for _ in range(5)]
    disk.fill()
    refused = order_until_refused(shop, customer, product, taken)
    assert {answer.json()["code"] for answer in refused} == {"database_unavailable"}
    assert {answer.headers["Retry-After"] for answer in refused} == {"2"}
    assert shop.get(f"/products/{product}").status_code == 200
    assert shop.get("/readyz").status_code == 200
    assert "No space left on device" in (shop.logs / "api.log").read_text()
    disk.empty()
    expect_all(shop, cluster, customer, product, taken)


def test_postgresql_without_room_for_its_log_ends_and_keeps_all_that_it_took(
    on_a_small_disk: tuple[Shop, Cluster, SmallDisk],
) -> None:
    shop, cluster, disk = on_a_small_disk
    _, customer, product = stocked(shop)
    taken = [order(shop, customer, product).json()["id"] for _ in range(5)]
    disk.fill()
    for _ in range(4):  # each begins another file of the log
        with suppress(psycopg2.Error):
            cluster.execute("SELECT pg_switch_wal()")
            cluster.execute("CREATE TABLE filler AS SELECT 1; DROP TABLE filler")
    wait_until(lambda: shop.get("/readyz").status_code == 503, "the shop says that it is not ready")
    refused = order_until_refused(shop, customer, product, taken)
    assert {answer.status_code for answer in refused} == {503}
    disk.empty()
    if not cluster.is_answering():  # a supervisor starts it again
        cluster.stop()
        cluster.start()
    expect_all(shop, cluster, customer, product, taken)


def order_until_refused(
    shop: Shop, customer: dict[str, str], product: int, taken: list[int]
) -> list[requests.Response]:
    """Some answers that are no 201; the ids of those that are go to `taken`."""
    refused: list[requests.Response] = []
    for _ in range(2000):
        answer = order(shop, customer, product)
        if answer.status_code == 201:
            taken.append(answer.json()["id"])
        else:
            refused.append(answer)
        if len(refused) == 5:
            return refused
    raise AssertionError("the disk does not fill up")


def expect_all(shop: Shop, cluster: Cluster, customer: dict[str, str], product: int, taken: list[int]) -> None:
    """The shop works again by itself, and has every order that it took, with its messages sent."""
    wait_until(lambda: order(shop, customer, product).status_code == 201, "orders are taken again")
    kept = {number for (number,) in cluster.execute("SELECT id FROM orders")}
    assert set(taken) - kept == set()
    unconfirmed = "SELECT count(*) FROM orders WHERE status = 'pending'"
    wait_until(lambda: cluster.execute(unconfirmed) == [(0,)], "all are confirmed")


def test_valkey_on_a_full_disk_stops_rings_and_no_order(tmp_path: Path) -> None:
    with small_disk(tmp_path / "small", 8) as disk, running_shop(tmp_path, RATE_LIMIT_ORDERS="none") as shop:
        shop.environ["REDIS_URL"] = url = f"unix://{disk.path}/socket"
        valkey = start_valkey(disk.path)
        try:
            shop.start("api", "worker-orders", "worker-notify", "relay")
            _, customer, product = stocked(shop)
            disk.fill()
            client = connect(url)
            with suppress(RedisError):
                for number in range(2000):
                    client.set(f"filler:{number}", "x" * 4096)
            with pytest.raises(RedisError, match="MISCONF"):
                client.set("more", "x")
            assert [order(shop, customer, product).status_code for _ in range(3)] == [201] * 3
            assert shop.get("/readyz").json()["redis"] == "degraded"
            report = doctor(shop, "redis")
            assert any("MISCONF" in finding["what"] for finding in report["redis"]), report
            disk.empty()
            pending = "SELECT count(*) FROM orders WHERE status = 'pending'"
            wait_until(lambda: shop.sql(pending) == [(0,)], "the orders are confirmed")
        finally:
            shop.end_all()
            valkey.kill()
            valkey.wait()


def start_valkey(directory: Path) -> subprocess.Popen[bytes]:
    """One that keeps what it is told on disk, for a shop that tests fill up."""
    command = [str(find_engines().valkey), "--port", "0", "--unixsocket", "socket", "--appendonly", "yes"]
    process = subprocess.Popen(command, cwd=directory, stdout=subprocess.DEVNULL)
    wait_until(lambda: (directory / "socket").exists(), "Valkey listens")
    return process


def doctor(shop: Shop, check: str) -> dict[str, list[dict[str, str]]]:
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "doctor", "--json", "--only", check]
    done = subprocess.run(command, cwd=ROOT, env=shop.environ, capture_output=True, text=True, timeout=60)
    report: dict[str, list[dict[str, str]]] = json.loads(done.stdout)
    return report


def test_pictures_and_sheets_on_full_disks_are_refused_and_leave_nothing(tmp_path: Path) -> None:
    with (
        small_disk(tmp_path / "pictures", 4) as pictures,
        small_disk(tmp_path / "temporary", 4) as temporary,
        running_shop(tmp_path, MEDIA_DIR=str(tmp_path / "pictures"), SERVER_PROCESSES="1") as shop,
    ):
        shop.environ["TMPDIR"] = str(temporary.path)
        shop.start("api")
        admin, _, product = stocked(shop)
        picture = photo(1600)
        assert upload(shop, admin, product, picture).status_code == 200
        kept = sorted(path for path in pictures.path.rglob("*") if path.is_file())
        pictures.fill()
        answer = upload(shop, admin, product, photo(1500))
        assert (answer.status_code, answer.json()["code"]) == (503, "media_unavailable")
        assert shop.get(f"/products/{product}").json()["image_url"]
        pictures.empty()
        assert sorted(path for path in pictures.path.rglob("*") if path.is_file()) == kept
        assert upload(shop, admin, product, photo(1500)).status_code == 200

        large = photo(2000) + b"\0" * 2_000_000
        sheet = "sku,name,category,price\n" + "".join(f"S{n},Product {n},Flour,10.00\n" for n in range(60_000))
        # Python chooses its temporary directory at the first use: it would pass by one that is full then.
        assert upload(shop, admin, product, large).status_code == 200
        there = set(temporary.path.iterdir())
        temporary.fill()
        answers = [
            upload(shop, admin, product, large),
            shop.post("/products/import", data=sheet, headers={**admin, "Content-Type": "text/csv"}),
            shop.post("/products/import", files={"file": ("sheet.csv", sheet, "text/csv")}, headers=admin),
        ]
        assert [(answer.status_code, answer.json().get("code")) for answer in answers] == [(503, "no_room")] * 3
        temporary.empty()
        assert set(temporary.path.iterdir()) == there
        answer = shop.post("/products/import", data=sheet, headers={**admin, "Content-Type": "text/csv"})
        assert answer.status_code in (201, 202), answer.text


def upload(shop: Shop, admin: dict[str, str], product: int, picture: bytes) -> requests.Response:
    return shop.post(f"/products/{product}/image", data=picture, headers={**admin, "Content-Type": "image/jpeg"})


def photo(width: int) -> bytes:
    return encode(make_image((width, 1200)))
