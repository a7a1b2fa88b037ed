"""The catalogue as CSV: what stands in it, and that importing it again changes nothing."""

import csv
import io
import re
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from grocery.db import db
from grocery.products import exports
from grocery.products.imports import import_products
from grocery.products.imports.cells import RowReader, join_list
from grocery.products.imports.formulas import escape, unescape
from grocery.products.imports.reading import COLUMNS
from tests.products.factories import make_product
from tests.products.imports.conftest import Import
from tests.products.ledger import select_rows, unbalanced

pytestmark = pytest.mark.usefixtures("context")

COMPARED = (
    "sku, barcode, name, description, brand, (SELECT path FROM categories WHERE id = category_id), price_cents,"
    " compare_at_price_cents, unit, quantity_step, net_content, vat_class, stock, is_active, image_url, ingredients,"
    " allergens, country_of_origin, is_age_restricted"
)

NASTY = [
    '=cmd|\' /C calc\'!A0', "+254712345678", "-5 %", "@home", "＝full width", "'=quoted formula", "''=twice",
    "'apostrophe", '"', '"quoted", and, more', "semi;colon", "tab\tinside", "Crème brûlée", "سكر", "🌽 maize",
    "a\u2028b", "NULL", "1e5", "007", "true", "O'Brien's", "back\\slash", "=", "'", "''", "'@",
]  # fmt: skip


def make_nasty_catalogue() -> int:
    """Products with every text that breaks a CSV file, everywhere; answers how many."""
    for number, value in enumerate(NASTY):
        name = " ".join(value.split())
        make_product(
            f"{name.replace('/', '_')}/Sub",
            sku=f"{name}-{number}",
            name=name,
            brand=name,
            description=f"{value}\r\nline two\n\n=three\r{value}" if number % 2 else value,
            ingredients=value,
            net_content=name,
            allergens=[name, "b, c", '"d', "e|f"],
        )
    make_product("Veg", sku=None, barcode="00012345", name="Sukuma", unit="kg", quantity_step=Decimal("0.250"))
    make_product("Veg", sku=None, barcode=None, name="Bare", brand=None, stock=Decimal(0), is_active=False)
    make_product(
        "Veg/Roots", sku="K", name="Kilo", unit="kg", quantity_step=Decimal("0.001"), stock=Decimal("12.345"),
        price_cents=0, vat_class="exempt", country_of_origin="KE", is_age_restricted=True, image_url="/i/1.webp",
    )  # fmt: skip
    make_product("Veg", sku="O", price_cents=1, compare_at_price_cents=10_000_000_00, stock=Decimal(10_000_000))
    # With the same name as others, which have an SKU or a barcode.
    for sku, barcode in (("N1", None), (None, "87654321"), (None, None)):
        make_product("Veg", sku=sku, barcode=barcode, name="Namesake", brand="Brand")
    # A cancelled order can bring back a part of what is sold by piece since.
    make_product("Veg", sku="P", unit="each", stock=Decimal("0.500"))
    return len(NASTY) + 8


def catalogue() -> list[tuple]:
    return select_rows(f"SELECT {COMPARED} FROM products ORDER BY id")


@pytest.fixture
def export(app: Flask, tmp_path: Path) -> Callable[..., Path]:
    def run_export(*options: str) -> Path:
        path = tmp_path / "export.csv"
        result = app.test_cli_runner().invoke(args=["products", "export", str(path), *options])
        assert (result.exit_code, result.stdout) == (0, ""), result.output
        return path

    return run_export


@pytest.mark.parametrize("options", [[], ["--bom"]])
def test_importing_an_export_changes_nothing(export: Callable[..., Path], options: list[str]) -> None:
    count = make_nasty_catalogue()
    before = select_rows("SELECT xmin, * FROM products ORDER BY id")
    path = export(*options)
    for strict in (False, True):
        report = import_products(path, strict=strict)
        assert (report.refusals, report.created, report.updated, report.unchanged) == ([], 0, 0, count)
    assert select_rows("SELECT xmin, * FROM products ORDER BY id") == before
    assert unbalanced() == []


def test_an_export_fills_an_empty_shop_with_the_same(export: Callable[..., Path]) -> None:
    count = make_nasty_catalogue() - 2
    with db.engine.begin() as connection:
        # What no import can make: a part of a piece, and another one of the same name.
        connection.execute(text("DELETE FROM products WHERE sku = 'P'"))
        connection.execute(text("DELETE FROM products WHERE name = 'Namesake' AND sku IS NULL AND barcode IS NULL"))
    before, path = catalogue(), export()
    with db.engine.begin() as connection:
        connection.execute(text("DELETE FROM products"))
        connection.execute(text("DELETE FROM categories WHERE parent_id IS NOT NULL"))
        connection.execute(text("DELETE FROM categories"))
    report = import_products(path)
    assert (report.refusals, report.created) == ([], count)
    assert catalogue() == before
    assert unbalanced() == []


def test_the_api_exports_what_it_imports(
    client: FlaskClient, admin: dict[str, str], run_import: Import, export: Callable[..., Path]
) -> None:
    count = make_nasty_catalogue()
    answer = client.get("/products/export", headers=admin)
    assert (answer.status_code, answer.content_type) == (200, "text/csv; charset=utf-8")
    assert re.fullmatch(r'attachment; filename="products-\d{4}-\d\d-\d\d\.csv"', answer.headers["Content-Disposition"])
    assert answer.data == export().read_bytes()
    shown = run_import(answer.data)
    assert (shown["rows"], shown["unchanged"], shown["refusals"]) == (count, count, [])
    with_mark = client.get("/products/export?bom=true", headers=admin).data
    assert with_mark == b"\xef\xbb\xbf" + answer.data
    assert client.get("/products/export?bom=maybe", headers=admin).status_code == 422


def test_exports_are_for_admins(client: FlaskClient, staff: dict[str, str]) -> None:
    assert client.get("/products/export").status_code == 401
    assert client.get("/products/export", headers=staff).status_code == 403


def test_the_columns_are_those_of_an_import(app: Flask) -> None:
    make_product("Dairy/Milk", sku="M", name="=Milk", price_cents=65_50, allergens=["milk", "soya, roasted"], stock=3)
    result = app.test_cli_runner().invoke(args=["products", "export"])
    header, row = csv.reader(io.StringIO(result.stdout))
    assert tuple(header) == COLUMNS
    shown = dict(zip(header, row, strict=True))
    assert {name: cell for name, cell in shown.items() if cell} == {
        "sku": "M", "name": "'=Milk", "category": "Dairy/Milk", "price": "65.50", "unit": "each", "quantity_step": "1",
        "vat_class": "standard", "stock": "3", "is_active": "true", "allergens": 'milk, "soya, roasted"',
        "is_age_restricted": "false",
    }  # fmt: skip


def test_no_text_of_an_export_is_a_formula(export: Callable[..., Path]) -> None:
    make_nasty_catalogue()
    with export().open(newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert [cell for cell in cells if cell[:1] in tuple("=+-@\t\r＝＋－＠")] == []


def test_an_export_is_read_in_batches_by_id(
    export: Callable[..., Path], statements: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "_BATCH_ROWS", 2)
    for number in (3, 1, 2, 5, 4):
        make_product(sku=f"S{number}", is_active=number != 2)
    del statements[:]
    skus = [row[0] for row in csv.reader(export().read_text().splitlines())]
    assert skus == ["sku", "S3", "S1", "S2", "S5", "S4"]
    assert len([one for one in statements if "LIMIT" in one]) == 4


def test_a_category_is_exported_with_those_below_it(app: Flask, export: Callable[..., Path]) -> None:
    for sku, category in (("A", "Drinks"), ("B", "Drinks/Juice"), ("C", "Drinks/Juice/Fresh"), ("D", "Drinks/Juices")):
        make_product(category, sku=sku)
    for path, expected in (("drinks/JUICE", ["B", "C"]), ("Drinks", ["A", "B", "C", "D"])):
        rows = list(csv.reader(export("--category", path).read_text().splitlines()))
        assert [row[0] for row in rows[1:]] == expected
    result = app.test_cli_runner().invoke(args=["products", "export", "--category", "Food"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert "There is no such category." in result.stderr


def test_an_empty_shop_exports_the_header(app: Flask) -> None:
    assert app.test_cli_runner().invoke(args=["products", "export"]).stdout == ",".join(COLUMNS) + "\n"


def test_an_export_that_fails_leaves_the_old_file(app: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_product()
    path = tmp_path / "products.csv"
    path.write_text("precious")

    def fail(*_: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(exports, "_read", fail)
    result = app.test_cli_runner().invoke(args=["products", "export", str(path)])
    assert result.exit_code == 1
    assert result.stderr == f"Error: {path} cannot be written: No space left on device.\n"
    assert [one.name for one in tmp_path.iterdir()] == ["products.csv"]
    assert path.read_text() == "precious"


def test_a_file_in_no_directory_is_a_clear_error(app: Flask) -> None:
    result = app.test_cli_runner().invoke(args=["products", "export", "/no/such/directory/x.csv"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert "/no/such/directory/x.csv cannot be written: No such file or directory." in result.stderr


_cells = st.text(st.sampled_from("ab'\"=+-@＝, ;|\t\r\nü"), max_size=12)


@given(_cells)
def test_escaping_is_undone_exactly(cell: str) -> None:
    assert unescape(escape(cell)) == cell


@given(st.lists(_cells.map(lambda text: " ".join(text.split())).filter(bool), max_size=4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_list_comes_back(items: list[str]) -> None:
    reader = RowReader(["name", "category", "price", "allergens"], decimal_comma=False)
    cell = unescape(escape(join_list(items)).strip())
    row = reader.read(2, {"name": "N", "category": "C", "price": "1", "allergens": cell})
    assert row.values["allergens"] == items
