"""The worker's steps: an import goes on behind the last committed chunk, whoever does it, and is done once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from grocery.db import db, transaction
from grocery.products.imports import applying, claims, jobs
from grocery.products.imports.claims import is_import_due
from tests.products.factories import make_product
from tests.products.imports.conftest import Import, Send, work
from tests.products.imports.test_api import catalogue_with_bad_rows, counts, products, stored
from tests.products.ledger import select_rows, unbalanced, wait_for_a_lock

Read = Callable[[int], dict[str, Any]]


@pytest.fixture(autouse=True)
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(applying, "CHUNK_ROWS", 10)


def catalogue(rows: int, price: str = "5") -> str:
    lines = [f"S{number},Product {number},Group {number % 3},{price},{number % 2}" for number in range(rows)]
    return "\n".join(["sku,name,category,price,stock", *lines]) + "\n"


def change(**values: Any) -> None:
    """Change the only import behind the worker's back."""
    assignments = ", ".join(f"{name} = {value}" for name, value in values.items())
    with db.engine.begin() as connection:
        connection.execute(text(f"UPDATE product_imports SET {assignments}"))


def test_each_step_goes_on_where_the_last_one_ended(send: Send, read: Read) -> None:
    contents, bad = catalogue_with_bad_rows()
    import_id = send(contents).json["id"]
    seen = []
    while work(1, seconds=0):
        shown = read(import_id)
        assert shown["rows"] == sum(counts(shown)[1:])
        assert len(shown["refusals"]) == shown["refused"]
        assert (shown["percent"] == 100) == (shown["status"] == "done")
        assert select_rows("SELECT count(*) FROM products") == [(shown["created"],)]
        seen.append((shown["status"], shown["rows"], shown["percent"]))
    assert [rows for _, rows, _ in seen] == [*range(10, 260, 10), 258, 258]
    assert [percent for _, _, percent in seen] == sorted(percent for _, _, percent in seen)
    assert [status for status, _, _ in seen] == ["running"] * 26 + ["done"]
    assert counts(shown) == (258, 251, 0, 0, 7)
    assert [(one["row"], one["reason"]) for one in shown["refusals"]] == bad


def test_a_product_that_stands_twice_is_found_by_another_worker(send: Send, read: Read) -> None:
    rows = [
        "A,11111111,Milk,Dairy,65",
        *(f"{number},,Filler,Food,5" for number in range(12)),
        "A,,Cream,Dairy,90",
        ",11111111,Curd,Dairy,90",
        ",,milk,DAIRY,70",
    ]
    make_product("Food", sku="OLD", barcode="22222222", name="Old")
    rows[3:3], rows[20:] = [",22222222,Old,Food,7"], ["OLD,,Old,Food,8"]
    import_id = send("sku,barcode,name,category,price\n" + "\n".join(rows) + "\n").json["id"]
    while work(1, seconds=0):
        pass
    shown = read(import_id)
    assert [(one["row"], one["reason"]) for one in shown["refusals"]] == [
        (16, "same SKU as row 2"),
        (17, "same barcode as row 2"),
        (18, "same product as row 2"),
        (19, "same product as row 5"),
    ]
    assert counts(shown) == (18, 13, 1, 0, 4)


def test_blank_lines_and_parts_of_the_file_change_nothing(
    send: Send, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every part ends in the middle of something: a record, a line end, a character, the byte order mark."""
    monkeypatch.setattr("grocery.products.imports.staging.PART_BYTES", 2)
    monkeypatch.setattr(applying, "CHUNK_ROWS", 1)
    contents = '\ufeffname,category,price\r\n"Crème\r\nbrûlée, 2 ½",Süßes,5\r\n\r\nUgali 🌽,Food,6\r\n;,,\r\n\r\n\r\n'
    import_id = send(contents).json["id"]
    while work(1, seconds=0):
        pass
    shown = read(import_id)
    assert products("name") == [("Crème brûlée, 2 ½",), ("Ugali 🌽",)]
    assert shown["refusals"] == [{"row": 5, "reason": "category and price missing"}]
    assert (shown["status"], counts(shown)) == ("done", (3, 2, 0, 0, 1))


class Killed(BaseException):
    """A worker that is killed: whatever was not committed is gone."""


@pytest.mark.parametrize("moment", ["apply_chunk", "note_chunk", "finish"])
def test_a_killed_worker_s_import_goes_on_exactly_behind_its_last_chunk(
    send: Send, read: Read, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    place = jobs if moment == "apply_chunk" else claims
    original = getattr(place, moment)
    calls = 0

    def die(*args: Any, **kwargs: Any) -> Any:
        nonlocal calls
        calls += 1
        result = original(*args, **kwargs)
        if calls in (1, 3):
            raise Killed
        return result

    monkeypatch.setattr(place, moment, die)
    import_id = send(catalogue(35)).json["id"]
    deaths = 0
    while True:
        try:
            if not work(1):
                break
        except Killed:
            db.session.remove()
            deaths += 1
            assert (is_import_due(), work()) == (False, 0)  # its lease has not run out
            change(leased_until="now() - interval '1 second'")
            assert is_import_due()
    assert deaths == (1 if moment == "finish" else 2)
    shown = read(import_id)
    assert (shown["status"], counts(shown), shown["refusals"]) == ("done", (35, 35, 0, 0, 0), [])
    assert select_rows("SELECT count(*), count(DISTINCT sku) FROM products") == [(35, 35)]
    assert unbalanced() == []
    assert stored() == [(1, 0, 0)]


def test_an_import_that_breaks_off_three_times_in_the_same_place_has_failed(
    send: Send, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    original = jobs.apply_chunk

    def break_off(chunk: Any, *args: Any, **kwargs: Any) -> Any:
        if chunk.end.row > 11:
            raise ValueError("broken")
        return original(chunk, *args, **kwargs)

    monkeypatch.setattr(jobs, "apply_chunk", break_off)
    import_id = send(catalogue(35)).json["id"]
    for _ in range(4):
        with pytest.raises(ValueError, match="broken"):
            work(1)
        db.session.remove()
        change(leased_until="now()")
    assert work() == 1
    shown = read(import_id)
    assert (shown["status"], shown["is_applied"], counts(shown)) == ("failed", True, (10, 10, 0, 0, 0))
    assert shown["error"] == (
        "It broke off 3 times behind row 11. The rows up to 11 were applied, those behind were not."
    )
    assert shown["percent"] < 100
    assert stored() == [(1, 0, 0)]
    assert not is_import_due()


def test_a_worker_that_was_taken_for_dead_applies_nothing_more(
    app: Flask, send: Send, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It wakes up in the middle of a chunk that another worker has meanwhile done."""
    import_id = send(catalogue(35)).json["id"]
    original = jobs.apply_chunk

    def sleep(chunk: Any, *args: Any, **kwargs: Any) -> Any:
        outcome = original(chunk, *args, **kwargs)
        if chunk.end.row == 21:
            monkeypatch.setattr(jobs, "apply_chunk", original)
            # What it has written must not hold up the other one, as it would until PostgreSQL ends its session.
            db.session.rollback()
            change(leased_until="now()")
            with ThreadPoolExecutor(1) as pool:
                assert pool.submit(work_elsewhere, app).result() == 1
        return outcome

    monkeypatch.setattr(jobs, "apply_chunk", sleep)
    assert work(1) == 1
    shown = read(import_id)
    assert (shown["status"], counts(shown)) == ("done", (35, 35, 0, 0, 0))
    assert select_rows("SELECT count(*) FROM products") == [(35,)]
    assert unbalanced() == []


def work_elsewhere(app: Flask) -> int:
    with app.app_context():
        try:
            return work()
        finally:
            db.session.remove()


def test_two_workers_do_two_imports_at_once(app: Flask, send: Send, read: Read) -> None:
    first, second = send(catalogue(3)).json["id"], send(catalogue(3, price="6")).json["id"]
    with transaction():
        claim = claims.claim_import()
        assert claim is not None
        assert claim.id == first
    assert work_elsewhere(app) == 1
    assert [read(one)["status"] for one in (first, second)] == ["running", "done"]
    assert products("price_cents") == [(600,)] * 3


@pytest.mark.parametrize(("options", "is_applied"), [({}, True), ({"dry_run": "true"}, False)])
def test_a_header_alone_is_an_import_of_nothing(run_import: Import, options: dict[str, str], is_applied: bool) -> None:
    shown = run_import("name,category,price\n", **options)
    assert (shown["status"], shown["percent"], shown["is_applied"]) == ("done", 100, is_applied)
    assert counts(shown) == (0, 0, 0, 0, 0)


# Strict


def test_a_strict_import_applies_a_good_file_at_once(send: Send, read: Read) -> None:
    make_product("Group 0", sku="S3", name="Product 3", price_cents=4_00)
    import_id = send(catalogue(25), strict="true").json["id"]
    percents = []
    while work(1, seconds=0):
        shown = read(import_id)
        percents.append(shown["percent"])
        if shown["status"] == "running":
            assert shown["is_applied"] is False
            assert select_rows("SELECT sku FROM products") == [("S3",)]
    assert (percents == sorted(percents), percents[-2:]) == (True, [50, 100])
    assert (shown["status"], shown["is_applied"], counts(shown)) == ("done", True, (25, 24, 1, 0, 0))
    assert select_rows("SELECT count(*) FROM products WHERE price_cents = 500") == [(25,)]
    assert unbalanced() == []
    assert stored() == [(1, 0, 0)]


def test_a_strict_import_with_a_bad_row_applies_nothing(run_import: Import) -> None:
    contents, bad = catalogue_with_bad_rows()
    shown = run_import(contents, strict="true")
    assert (shown["status"], shown["is_applied"], shown["percent"]) == ("done", False, 100)
    assert counts(shown) == (258, 251, 0, 0, 7)
    assert [(one["row"], one["reason"]) for one in shown["refusals"]] == bad
    assert select_rows("SELECT count(*) FROM products") == [(0,)]
    assert select_rows("SELECT count(*) FROM categories") == [(0,)]


def test_a_strict_dry_run_is_a_dry_run(run_import: Import) -> None:
    shown = run_import(catalogue(25), strict="true", dry_run="true")
    assert (shown["status"], shown["is_applied"], counts(shown)) == ("done", False, (25, 25, 0, 0, 0))
    assert products("sku") == []


def test_a_strict_import_that_has_become_impossible_applies_nothing(send: Send, read: Read) -> None:
    import_id = send("sku,barcode,name,category,price\nA,,A,Food,5\nB,12345678,B,Food,5\n", strict="true").json["id"]
    assert work(1) == 1
    assert read(import_id)["percent"] == 50
    make_product("Food", sku="C", barcode="12345678")
    assert work() == 1
    shown = read(import_id)
    assert (shown["status"], shown["is_applied"], counts(shown)) == ("done", False, (2, 1, 0, 0, 1))
    assert shown["refusals"] == [{"row": 3, "reason": "barcode: 12345678 belongs to another product (SKU C)"}]
    assert products("sku") == [("C",)]


def test_a_strict_import_whose_worker_is_killed_while_applying_is_applied_by_the_next(
    send: Send, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    import_id = send(catalogue(25), strict="true").json["id"]
    work(1)
    original = jobs.apply_whole

    def die(*args: Any) -> Any:
        original(*args)
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(jobs, "apply_whole", die)
        with pytest.raises(Killed):
            work(1)
    db.session.remove()
    assert products("sku") == []
    [[lease]] = select_rows("SELECT leased_until - now() FROM product_imports")
    assert timedelta(seconds=50) < lease <= timedelta(seconds=60)  # longer than the job of the killed one may run
    change(leased_until="now()")
    work()
    assert counts(read(import_id)) == (25, 25, 0, 0, 0)
    assert len(products("sku")) == 25


# Cancelling, forgetting


def test_a_waiting_import_is_cancelled(send: Send, read: Read, client: FlaskClient, admin: dict[str, str]) -> None:
    import_id = send(catalogue(25)).json["id"]
    answer = client.post(f"/imports/{import_id}/cancel", headers=admin)
    assert (answer.status_code, answer.json["status"], answer.json["percent"]) == (200, "cancelled", 0)
    assert (is_import_due(), work(), products("sku"), stored()) == (False, 0, [], [(1, 0, 0)])
    answer = client.post(f"/imports/{import_id}/cancel", headers=admin)
    assert (answer.status_code, answer.json["code"]) == (409, "import_finished")


def test_a_running_import_stops_at_a_chunk_and_keeps_what_was_applied(
    send: Send, read: Read, client: FlaskClient, admin: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    import_id = send(catalogue(35)).json["id"]
    original = jobs.apply_chunk

    def cancel_meanwhile(chunk: Any, *args: Any, **kwargs: Any) -> Any:
        outcome = original(chunk, *args, **kwargs)
        if chunk.end.row == 21:
            assert client.post(f"/imports/{import_id}/cancel", headers=admin).status_code == 200
        return outcome

    monkeypatch.setattr(jobs, "apply_chunk", cancel_meanwhile)
    assert work(1) == 1
    shown = read(import_id)
    assert (shown["status"], shown["error"], counts(shown)) == ("cancelled", None, (10, 10, 0, 0, 0))
    assert select_rows("SELECT count(*) FROM products") == [(10,)]
    assert (work(), stored()) == (0, [(1, 0, 0)])


def test_an_import_that_was_cancelled_while_its_file_is_read_is_no_error(
    send: Send, client: FlaskClient, admin: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grocery.products.imports.staging.PART_BYTES", 100)
    import_id = send(catalogue(35)).json["id"]
    original = jobs.open_table

    def cancel_after(*args: Any) -> Any:
        table = original(*args)
        client.post(f"/imports/{import_id}/cancel", headers=admin)
        return table

    monkeypatch.setattr(jobs, "open_table", cancel_after)
    assert work(1) == 1
    assert products("sku") == []


def test_finished_imports_are_forgotten_after_90_days(run_import: Import) -> None:
    run_import("name,category,price\n,Food,5\n")
    for days, left in ((89, 1), (91, 0)):
        change(finished_at=f"now() - interval '{days} days'")
        jobs.forget_old_imports()
        assert select_rows("SELECT count(*) FROM product_imports") == [(left,)]
        assert select_rows("SELECT count(*) FROM import_refusals") == [(left,)]


def test_an_import_that_waits_is_never_forgotten(send: Send) -> None:
    send(catalogue(1))
    change(created_at="now() - interval '1 year'")
    jobs.forget_old_imports()
    assert stored() == [(1, 1, 0)]


def test_an_import_goes_on_around_sales(app: Flask, send: Send, read: Read) -> None:
    """A chunk waits for the products that an order has locked; nothing is lost and nothing deadlocks."""
    product_id = make_product("Group 1", sku="S1", name="Product 1")
    import_id = send(catalogue(25)).json["id"]
    with ThreadPoolExecutor(1) as pool, transaction() as session:
        session.execute(text("UPDATE products SET price_cents = 1 WHERE id = :id"), {"id": product_id})
        working = pool.submit(work_elsewhere, app)
        wait_for_a_lock()
        assert read(import_id)["rows"] == 0
        session.commit()
        assert working.result() == 1
    assert counts(read(import_id)) == (25, 24, 1, 0, 0)
