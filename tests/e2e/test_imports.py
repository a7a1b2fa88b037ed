"""A worker killed in the middle of an import: another one goes on, and each row is done once."""

import os
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.shop import Shop
from tests.waiting import wait_until

pytestmark = pytest.mark.e2e

ROWS = 4000


def kill_worker(shop: Shop) -> None:
    """With its fork, which does the work in a process group of its own and would go on."""
    pid = shop.processes["worker-bulk"].pid
    [fork] = map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
    shop.end("worker-bulk", signal.SIGKILL)
    os.kill(fork, signal.SIGKILL)
    wait_until(lambda: not Path(f"/proc/{fork}/exe").exists(), "the fork has ended")


def test_an_import_goes_on_when_its_worker_is_killed(shop: Shop, admin: dict[str, str]) -> None:
    shop.sql("DELETE FROM product_imports")
    lines = [f"S{number},Product {number},Food,{number % 90 + 1},{number % 2}" for number in range(ROWS)]
    lines[7], lines[3900] = "BAD,,Food,5,1", "S5,Twice,Food,5,1"
    contents = "\n".join(["sku,name,category,price,stock", *lines]).encode()
    answer = shop.post("/products/import", data=contents, headers={**admin, "Content-Type": "text/csv"})
    assert answer.status_code == 202, answer.text
    path = answer.headers["Location"]

    def read() -> dict[str, Any]:
        shown: dict[str, Any] = shop.get(path, headers=admin).json()
        assert shown["rows"] == sum(shown[name] for name in ("created", "updated", "unchanged", "refused"))
        return shown

    wait_until(lambda: read()["rows"] > 0, "the import has begun")
    kill_worker(shop)
    killed = read()
    assert (killed["status"], killed["rows"] < ROWS) == ("running", True)
    [[products, created]] = shop.sql("SELECT (SELECT count(*) FROM products), created FROM product_imports")
    assert products == created
    # The lease is half a minute; nobody needs to wait for it here.
    shop.sql("UPDATE product_imports SET leased_until = now()")
    shop.start("worker-bulk")
    wait_until(lambda: read()["status"] == "done", "the import is done")
    shown = read()
    assert [shown[name] for name in ("rows", "created", "updated", "unchanged")] == [ROWS, ROWS - 2, 0, 0]
    assert shown["refusals"] == [{"row": 9, "reason": "name missing"}, {"row": 3902, "reason": "same SKU as row 7"}]
    assert shop.sql("SELECT count(*), count(DISTINCT sku) FROM products") == [(ROWS - 2, ROWS - 2)]
    assert shop.sql("SELECT count(*), sum(delta) FROM stock_movements") == [(ROWS // 2 - 1, ROWS // 2 - 1)]
    assert shop.sql("SELECT count(*) FROM import_parts") == [(0,)]
