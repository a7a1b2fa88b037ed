"""The documentation is true: what it shows is run as it stands there."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient

from grocery.dev import sessions
from tests.e2e.shop import ROOT, Shop
from tests.orders.conftest import caller
from tests.orders.factories import place
from tests.orders.promotions.factories import make_promotion
from tests.products.factories import make_product
from tests.products.images.pictures import jpeg
from tests.waiting import wait_until

Sql = Callable[..., list[tuple[Any, ...]]]

CSV = "sku,name,category,price,unit,stock\nFLR-MAIZE-2KG,Maize Flour 2 kg,Flour/Maize,189.00,each,40\n"


def blocks(document: str, heading: str | None = None) -> list[str]:
    """The shell blocks of a document, or of one section of it."""
    text = (ROOT / document).read_text()
    if heading:
        text = re.split(r"^## ", text.partition(f"\n## {heading}\n")[2], flags=re.MULTILINE)[0]
    return re.findall(r"^```sh\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def run(script: str, shop: Shop, directory: Path = ROOT) -> str:
    """Output of a script that must succeed, with the programs of this Python on the path."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{shop.environ['PATH']}"
    environ = {**shop.environ, "PATH": path}
    command = ["bash", "-euo", "pipefail", "-c", script]
    done = subprocess.run(command, cwd=directory, env=environ, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.e2e
@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_the_first_order_of_the_readme_works_as_written(shop: Shop, product: dict[str, Any]) -> None:
    [script] = blocks("README.md", "A first order")
    output = run(script.replace("http://127.0.0.1:8000", shop.url), shop)
    assert '"code"' not in output, output
    assert output.count('"status":"pending"') + output.count('"status":"confirmed"') == 2
    assert '"total":"378.00"' in output
    shop.sms.wait_for(1)
    assert [sms["to"] for sms in shop.sms.messages] == ["+254712345678"]


@pytest.mark.e2e
def test_the_way_without_make_starts_a_shop(shop: Shop, tmp_path: Path) -> None:
    shop.end_all()
    *_, preparing, processes = blocks("README.md", "Without `make`")
    assert "migrate" in preparing
    started = []
    try:
        for line in processes.splitlines():
            log = tmp_path / f"{len(started)}.log"
            path = f"{Path(sys.executable).parent}{os.pathsep}{shop.environ['PATH']}"
            with log.open("wb") as output:
                command = ["bash", "-c", f"exec {line}"]
                environ = {**shop.environ, "PATH": path}
                process = subprocess.Popen(
                    command, cwd=ROOT, env=environ, stdout=output, stderr=output, start_new_session=True
                )
            started.append((line, process, log))
        url = f"{shop.url}/readyz"
        wait_until(lambda: requests.get(url, timeout=20).json()["redis"] == "ok", "flask serve answers", 120)
        for queue, (_, _, log) in zip(("orders", "notify", "bulk"), started[1:4], strict=True):
            wait_until(lambda log=log, q=queue: f"worker ready for queue {q}" in log.read_text(), f"worker {queue}")
        wait_until(lambda: "the relay is at work" in started[4][2].read_text(), "the relay")
        assert [(line, process.poll()) for line, process, _ in started if process.poll() is not None] == []
    finally:
        sessions.kill({process.pid for _, process, _ in started})
        for _, process, _ in started:
            process.wait()


def test_the_grocers_commands_work_as_written(
    context: None, client: FlaskClient, run_sql: Sql, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each in this process: starting Python for every line would take half a minute."""
    # Number 17 is for the one that is sent again.
    run_sql("ALTER SEQUENCE notifications_id_seq RESTART 1000")
    customer = caller(client, email="peter@example.com", phone="+254712345678")
    place(customer, {make_product(): 1})
    make_promotion(code="SAVE10")
    run_sql("UPDATE orders SET number = 'G-7K3M9Q'")
    run_sql("UPDATE notifications SET id = 17, status = 'failed', next_attempt_at = NULL WHERE channel = 'sms'")
    monkeypatch.chdir(tmp_path)
    Path("products.csv").write_text(CSV)
    Path("placed.txt").write_text("{{ shop|short(30) }}: thank you! Order {{ order.number }}, {{ order.total }}.")
    run_sql("ALTER SEQUENCE campaigns_id_seq RESTART")
    Path("pictures").mkdir()
    Path("pictures/FLR-MAIZE-2KG.jpg").write_bytes(jpeg())
    lines = [line for script in blocks("docs/grocer.md") for line in script.splitlines()]
    outputs = []
    for line in lines:
        words = shlex.split(line, comments=True)
        assert words[:3] == ["flask", "--app", "wsgi"]
        given = "Owner\nowner@example.com\na long enough password\na long enough password\n"
        result = client.application.test_cli_runner().invoke(args=words[3:], input=given)
        assert result.exit_code == 0, f"{line}\n{result.output}"
        outputs.append(result.output)
    created, unchanged = ("\n".join(outputs).count(f"{what}: 1") for what in ("created", "unchanged"))
    assert (created, unchanged) == (2, 1)  # tried, applied; then nothing is left to change
    assert run_sql("SELECT price_cents, stock FROM products WHERE sku = 'FLR-MAIZE-2KG'") == [(195_00, 48)]
    assert run_sql("SELECT status FROM orders") == [("shipped",)]
    assert run_sql("SELECT is_active FROM promotions") == [(False,)]
    assert run_sql("SELECT name, status FROM campaigns") == [("Friday", "running")]
    assert any("Test Grocer: thank you! Order" in output for output in outputs)
    assert run_sql("SELECT count(*) FROM text_overrides") == [(0,)]
    assert run_sql("SELECT role, is_active FROM customers WHERE email = 'peter@example.com'") == [("staff", False)]
    assert run_sql("SELECT role FROM customers WHERE email = 'owner@example.com'") == [("admin",)]
    assert run_sql("SELECT status FROM notifications WHERE id = 17") == [("pending",)]


@pytest.mark.e2e
@pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
def test_the_round_trip_of_the_catalogue_works_as_written(
    shop: Shop, admin: dict[str, str], product: dict[str, Any], tmp_path: Path
) -> None:
    [script] = blocks("docs/api.md", "Importing and exporting products")
    token = admin["Authorization"].removeprefix("Bearer ")
    assert run(f"TOKEN={token}\n{script.replace('http://127.0.0.1:8000', shop.url)}", shop, tmp_path) == "[]"
    imported = json.loads((tmp_path / "import.json").read_text())
    assert (imported["status"], imported["rows"], imported["unchanged"]) == ("done", 1, 1)
    assert product["name"] in (tmp_path / "products.csv").read_text()


@pytest.mark.e2e
def test_the_operators_commands_work_as_written(shop: Shop, tmp_path: Path) -> None:
    for name in ("wsgi.py", "grocery", "migrations"):
        (tmp_path / name).symlink_to(ROOT / name)
    (tmp_path / "password.txt").write_text("a long enough password\n")
    shop.sql("DELETE FROM customers")
    try:
        for script in blocks("docs/operator.md"):
            run(script, shop, tmp_path)
        assert shop.sql("SELECT email, role FROM customers") == [("owner@example.com", "admin")]
    finally:
        shop.sql("UPDATE customers SET email = 'owner@shop.example'")


def test_the_contract_lists_what_is_served(app: Flask) -> None:
    names = {
        "public": "anyone",
        "optional": "anyone, or signed in",
        "customer": "signed in",
        "refresh": "refresh token",
    }
    document = app.test_client().get("/openapi.json").json
    served = [
        (f"{method.upper()} {path}", names.get(operation["x-access"], operation["x-access"]))
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method != "parameters"
    ]
    rows = re.findall(r"^\| ([A-Z]+ /\S*) \| (.+) \|$", (ROOT / "docs/contract.md").read_text(), re.MULTILINE)
    assert sorted(rows) == sorted(served)


def test_documents_link_to_what_exists() -> None:
    broken = []
    for document in (ROOT / "README.md", *(ROOT / "docs").glob("*.md")):
        for target in re.findall(r"\]\(([^)#]+)\)", document.read_text()):
            if not target.startswith("http") and not (document.parent / target).exists():
                broken.append((document.name, target))
    assert broken == []
