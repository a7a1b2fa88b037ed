"""What an import does to prices over time."""

import csv
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask import Flask

from grocery.db import transaction
from grocery.products.exports import export_products
from grocery.products.imports import import_products
from grocery.products.prices.jobs import apply_due_prices
from grocery.products.prices.settling import settle_prices
from tests.auth.factories import make_customer
from tests.products.factories import make_product
from tests.products.ledger import select_rows, wait_for_a_lock
from tests.products.prices.conftest import HOUR, NOW, Schedule, history_of, price_of, statuses_of

pytestmark = pytest.mark.usefixtures("context")

Import = Callable[..., tuple[int, int, int]]


@pytest.fixture
def run(tmp_path: Path) -> Import:
    """Import rows of SKU, price and compare-at price; answers how many were created, updated, unchanged."""

    def run_import(*rows: str, header: str = "sku,price,compare_at_price", actor_id: int | None = None) -> tuple:
        path = tmp_path / "products.csv"
        lines = [f"name,category,{header}", *(f"{row.split(',')[0]},Pantry,{row}" for row in rows)]
        path.write_text("\n".join(lines))
        report = import_products(path, actor_id=actor_id)
        assert report.refusals == []
        return report.created, report.updated, report.unchanged

    return run_import


def test_prices_of_an_import_are_in_the_history(run: Import) -> None:
    person = make_customer(role="admin").id
    assert run("A,100,", "B,50,60", actor_id=person) == (2, 0, 0)
    assert run("A,110,", "B,50,60", actor_id=person) == (0, 1, 1)
    assert run("A,110,120", "B,50,", actor_id=person) == (0, 2, 0)
    rows = select_rows(
        "SELECT sku, history.price_cents, history.compare_at_price_cents, reason, actor_id"
        " FROM price_history AS history JOIN products ON products.id = product_id ORDER BY sku, history.id"
    )
    assert rows == [
        ("A", 100_00, None, "created", person),
        ("A", 110_00, None, "imported", person),
        ("A", 110_00, 120_00, "imported", person),
        ("B", 50_00, 60_00, "created", person),
        ("B", 50_00, None, "imported", person),
    ]


def test_an_import_of_something_else_is_not_in_the_history(run: Import) -> None:
    product = make_product(sku="A", name="Old", price_cents=100_00)
    assert run("A,100,") == (0, 1, 0)
    assert (history_of(product), price_of(product)) == ([], (100_00, None, 2))


def test_a_sheet_from_before_the_offer_does_not_end_it(run: Import, schedule: Schedule) -> None:
    product = make_product(sku="A", name="A", price_cents=100_00)
    schedule(product, 80_00, 0, 4)
    assert run("A,100,") == (0, 0, 1)
    assert run("A,100", header="sku,price") == (0, 0, 1)
    assert run("A,100,,Brookside", header="sku,price,compare_at_price,brand") == (0, 1, 0)
    assert (price_of(product), statuses_of(product)) == ((80_00, 100_00, 3), ["active"])
    assert len(history_of(product)) == 1


def test_an_offer_that_starts_while_a_sheet_waits_for_the_product_goes_on(
    app: Flask, run: Import, schedule: Schedule
) -> None:
    product = make_product(sku="A", name="A", price_cents=100_00)
    schedule(product, 80_00, 1, 4)

    def import_sheet() -> tuple[int, int, int]:
        with app.app_context():
            return run("A,100,,Brookside", header="sku,price,compare_at_price,brand")

    with ThreadPoolExecutor(1) as pool:
        with transaction():
            settle_prices([product], NOW + HOUR)
            importing = pool.submit(import_sheet)
            wait_for_a_lock()
        assert importing.result(60) == (0, 1, 0)
    assert (price_of(product), statuses_of(product)) == ((80_00, 100_00, 3), ["active"])
    assert [reason for *_, reason in history_of(product)] == ["offer_started"]


def test_a_sheet_from_during_the_offer_changes_nothing(run: Import, schedule: Schedule) -> None:
    product = make_product(sku="A", name="A", price_cents=100_00)
    schedule(product, 80_00, 0, 4)
    assert run("A,80,100") == (0, 0, 1)
    assert (price_of(product), statuses_of(product)) == ((80_00, 100_00, 2), ["active"])


def test_an_export_during_the_offer_has_the_price_that_returns_and_imported_again_changes_nothing(
    schedule: Schedule, tmp_path: Path
) -> None:
    product = make_product(sku="A", price_cents=100_00, compare_at_price_cents=120_00)
    schedule(product, 80_00, 0, 4)
    sheet = tmp_path / "sheet.csv"
    sheet.write_text("".join(block.text for block in export_products()))
    [row] = csv.DictReader(sheet.read_text().splitlines())
    assert (row["price"], row["compare_at_price"]) == ("100.00", "120.00")
    for _ in range(2):
        report = import_products(sheet)
        assert (report.unchanged, report.updated, report.refusals) == (1, 0, [])
        apply_due_prices(NOW + 4 * HOUR)
    assert (price_of(product), statuses_of(product)) == ((100_00, 120_00, 3), ["ended"])


@pytest.mark.parametrize(
    ("row", "price"), [("A,90,", (90_00, None, 3)), ("A,100,130", (100_00, 130_00, 3)), ("A,80,", (80_00, None, 3))]
)
def test_another_price_ends_the_offer_and_stays(
    run: Import, schedule: Schedule, row: str, price: tuple[int, int | None, int]
) -> None:
    product, other = make_product(sku="A", name="A", price_cents=100_00), make_product(price_cents=100_00)
    schedule(product, 80_00, 0, 4)
    schedule(other, 80_00, 0, 4)
    assert run(row) == (0, 1, 0)
    assert (price_of(product), statuses_of(product)) == (price, ["ended"])
    assert history_of(product)[-1] == (*price[:2], "imported")
    assert statuses_of(other) == ["active"]
    assert apply_due_prices(NOW + 4 * HOUR) == 1
    assert price_of(product) == price


def test_the_history_costs_an_import_no_statement_of_its_own(run: Import, statements: list[str]) -> None:
    def count_statements(rows: int) -> int:
        run(*(f"S{number},100," for number in range(rows)))
        del statements[:]
        run(*(f"S{number},90," for number in range(rows)))
        return len(statements)

    assert count_statements(2) == count_statements(9)
    assert not [one for one in statements if "INSERT INTO price_history" in one and "UPDATE products" not in one]
