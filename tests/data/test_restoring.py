"""The commands of docs/data.md are run: a dump and its restore, and a restore to a moment between two orders."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_migrate import upgrade

from grocery.app import create_app
from grocery.config import Settings
from grocery.db import db
from tests.auth.factories import make_customer, sign_in
from tests.conftest import IsolatedClient
from tests.data.postgres import Cluster, Clusters, clusters
from tests.e2e.shop import ROOT
from tests.products.factories import make_product
from tests.waiting import wait_until

pytestmark = pytest.mark.prove

PAGE = (ROOT / "docs" / "data.md").read_text()


def command(heading: str, number: int = 0) -> str:
    """A block of the page that is to be run, by the heading above it."""
    section = re.split(r"^#+ ", PAGE.partition(f"# {heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    return re.findall(r"```sh\n(.*?)```", section, re.DOTALL)[number]


def run(block: str, cluster: Cluster, **variables: str) -> str:
    programs = Path(cluster.program("psql")).parent
    environ = {**os.environ, "DATABASE_DIRECT_URL": cluster.url, "MAINTENANCE_URL": cluster.url_of("postgres")}
    environ |= {"PATH": f"{programs}:{Path(sys.executable).parent}:{os.environ['PATH']}", **variables}
    done = subprocess.run(["bash", "-eu", "-c", block], cwd=ROOT, env=environ, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def making() -> Iterator[Clusters]:
    with clusters() as making:
        yield making


@contextmanager
def shop_on(cluster: Cluster, settings: Settings) -> Iterator[Flask]:
    app = create_app(replace(settings, database_url=cluster.url, database_direct_url=cluster.url))
    with app.app_context():
        yield app
        db.session.remove()
        db.engine.dispose()
    for engine in ("reads", "replica_reads"):
        app.extensions[engine].dispose()


def place(client: FlaskClient, product_id: int, customer: dict[str, str]) -> str:
    order = {"items": [{"product_id": product_id, "quantity": 2}]}
    placed = client.post("/orders/", json=order, headers=customer)
    assert placed.status_code == 201, placed.text
    return str(placed.json["number"])  # type: ignore[index]  # JSON


def numbers(cluster: Cluster) -> list[str]:
    return [number for (number,) in cluster.execute("SELECT number FROM orders ORDER BY id")]


def check_books(cluster: Cluster) -> None:
    wrong = """
        SELECT id FROM products
        WHERE stock <> (SELECT coalesce(sum(delta), 0) FROM stock_movements WHERE product_id = products.id)
    """
    assert cluster.execute(wrong) == []


def schema_of(cluster: Cluster) -> str:
    """What pg_dump says of it, without parentheses: of comparisons of rows it writes fewer once they were restored."""
    dump = run('pg_dump --schema-only --no-owner --no-privileges "$DATABASE_DIRECT_URL"', cluster)
    dump = re.sub(r"^\\(un)?restrict .*$", "", dump, flags=re.MULTILINE)  # a random word against forged dumps
    return re.sub(r"[()]", "", dump)


def test_a_dump_is_restored_and_sends_nothing_twice(making: Clusters, settings: Settings) -> None:
    lost, new, backup = making.new("lost"), making.new("new"), making.directory("backup")
    lost.create()
    with shop_on(lost, settings) as app:
        upgrade()
        # A role that a new cluster does not have, and its rights are in the dump.
        lost.execute((ROOT / "k8s" / "overlays" / "prod" / "scaler.sql").read_text())
        client = IsolatedClient(app, app.response_class)
        product_id, person = make_product(stock=100), make_customer(phone="+254712345678")
        placed = [place(client, product_id, sign_in(person)) for _ in range(3)]
        run(command("A dump", 0), lost, BACKUP=str(backup))
        place(client, product_id, sign_in(person))
        given = lost.execute("SELECT max(id) FROM orders")[0][0]

    new.create()
    new.execute("DROP DATABASE grocery", database="postgres")
    run(command("A dump", 1), new, BACKUP=str(backup))
    assert numbers(new) == placed
    assert schema_of(new) == schema_of(lost)
    check_books(new)
    new.execute((ROOT / "k8s" / "overlays" / "prod" / "scaler.sql").read_text())

    [(waiting,)] = new.execute("SELECT count(*) FROM notifications WHERE status = 'pending'")
    assert waiting > 0
    environ = {"DATABASE_URL": new.url, "REDIS_URL": settings.redis_url or "", "RESTORED_AT": _now()}
    said = run(command("After a restore"), new, **environ)
    assert f"{waiting} messages are not sent any more." in said
    with shop_on(new, settings) as app:
        client = IsolatedClient(app, app.response_class)
        assert client.get("/readyz").status_code == 200
        place(client, product_id, sign_in(person))
        [(next_id, unsent)] = new.execute("""
            SELECT max(id), (SELECT count(DISTINCT order_id) FROM notifications WHERE next_attempt_at IS NOT NULL)
            FROM orders
        """)
        assert next_id > given
        assert unsent == 1
        assert client.get("/products/?q=product").json[0]["id"] == product_id  # type: ignore[index]  # JSON
    check_books(new)


def test_the_shop_goes_back_to_a_moment_between_two_orders(making: Clusters, settings: Settings) -> None:
    lost, new, backup = making.new("lost"), making.new("new"), making.directory("backup")
    archive = making.directory("backup/wal")
    archiving = re.search(r"^archive_command = '(.*)'$", PAGE, re.MULTILINE)
    assert archiving
    lost.settings |= {
        "archive_mode": "on",
        "archive_timeout": "60",
        "archive_command": archiving[1].replace("/backup/", f"{backup}/"),
    }
    lost.create()
    with shop_on(lost, settings) as app:
        upgrade()
        client = IsolatedClient(app, app.response_class)
        product_id, customer = make_product(stock=100), sign_in(make_customer())
        run(command("Any point in time", 0), lost, BACKUP=str(backup))
        first = place(client, product_id, customer)
        time.sleep(0.1)
        [(moment,)] = lost.execute("SELECT clock_timestamp()::text")
        time.sleep(0.1)
        second = place(client, product_id, customer)
    assert numbers(lost) == [first, second]
    [(segment,)] = lost.execute("SELECT pg_walfile_name(pg_switch_wal())")
    wait_until(lambda: any(path.name >= segment for path in archive.iterdir()), "the log is archived")
    lost.stop()

    run(command("Any point in time", 1), new, BACKUP=str(backup), PGDATA=str(new.directory), MOMENT=moment)
    new.own()
    new.start()
    wait_until(lambda: new.execute("SELECT pg_is_in_recovery()") == [(False,)], "it is at the moment")
    assert numbers(new) == [first]
    check_books(new)
    with shop_on(new, settings) as app:
        place(IsolatedClient(app, app.response_class), product_id, customer)


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
