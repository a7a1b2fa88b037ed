"""`flask products import`: what is applied, refused, left alone; what a file may look like."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import insert, text

from grocery.db import db, transaction
from grocery.products.imports import applying, import_products
from grocery.products.models import Product
from grocery.products.stock import take_stock
from tests.products.factories import make_category, make_order_row, make_product
from tests.products.imports.outcomes import BAD_PRICE, MILK_AND_BREAD, counts, last_line, products, refusals
from tests.products.imports.test_api import catalogue_with_bad_rows
from tests.products.ledger import movements_of, select_rows, unbalanced, wait_for_a_lock

pytestmark = pytest.mark.usefixtures("context")

Import = Callable[..., Result]


def test_new_products_are_made_with_their_categories(run: Import) -> None:
    result = run(MILK_AND_BREAD)
    assert (result.exit_code, result.stdout) == (0, counts(created=2) + "\n")
    assert products("sku", "name", "price_cents", "stock", "unit", "quantity_step", "vat_class", "is_active") == [
        ("M", "Milk", 65_00, 0, "each", 1, "standard", True),
        ("B", "Bread", 70_50, 0, "each", 1, "standard", True),
    ]
    assert select_rows("SELECT path FROM categories ORDER BY path") == [("Bakery",), ("Bakery/Loaves",), ("Dairy",)]
    assert select_rows("SELECT 1 FROM stock_movements") == []


def test_every_column_is_read(run: Import) -> None:
    header = (
        "sku,barcode,name,description,brand,category,price,compare_at_price,unit,quantity_step,net_content,vat_class,"
        "stock,is_active,image_url,ingredients,allergens,country_of_origin,is_age_restricted"
    )
    row = (
        'S,12345678,"Sukuma, wiki","Line one\nline two",Farm,Veg/Greens,60,80.5,KG,0.25,500 g,Exempt,42.125,no,'
        '/i/1.webp,Kale,"wheat, milk",ke,TRUE'
    )
    result = run(f"{header}\n{row}\n")
    assert last_line(result) == counts(created=1), result.output
    columns = header.replace("category,", "").replace("price", "price_cents")
    assert products(*columns.split(",")) == [
        ("S", "12345678", "Sukuma, wiki", "Line one\nline two", "Farm", 60_00, 80_50, "kg", Decimal("0.250"), "500 g",
         "exempt", Decimal("42.125"), False, "/i/1.webp", "Kale", ["wheat", "milk"], "KE", True)
    ]  # fmt: skip
    [[product]] = products("id")
    assert movements_of(product) == [(Decimal("42.125"), "opening", None)]


def test_importing_the_same_file_again_changes_nothing(run: Import) -> None:
    contents = (
        "sku,barcode,name,brand,category,price,compare_at_price,unit,quantity_step,stock,allergens\n"
        "A,,Rice,Pishori,Food/Rice,250,300,kg,0.5,20,\n"
        ",12345678,Beans,,Food,200,200,kg,,7.5,\n"
        ',,Bread,Supa,Bakery,70,,each,,3,"wheat,soya"\n'
        ",,bread,Supa Loaf,Bakery,75,,,,,\n"
    )
    assert last_line(run(contents)) == counts(created=4)
    before = select_rows("SELECT * FROM products ORDER BY id")
    for options in ((), ("--strict",), ("--dry-run",)):
        assert last_line(run(contents, *options)) == counts(unchanged=4)
    assert select_rows("SELECT * FROM products ORDER BY id") == before
    assert len(select_rows("SELECT 1 FROM stock_movements")) == 3
    assert unbalanced() == []


def test_changed_rows_change_their_products_but_not_the_stock(run: Import) -> None:
    run("sku,name,category,price,stock\nA,Rice,Food,250,20\nB,Beans,Food,200,5\n")
    result = run("sku,name,category,price,stock\nA,Rice,Food/Dry,260,99\nB,Beans,Food,200,99\n")
    assert last_line(result) == counts(updated=1, unchanged=1)
    assert products("sku", "price_cents", "stock", "version") == [("A", 260_00, 20, 2), ("B", 200_00, 5, 1)]
    assert select_rows("SELECT path FROM categories ORDER BY path") == [("Food",), ("Food/Dry",)]
    assert select_rows("SELECT updated_at > created_at FROM products ORDER BY id") == [(True,), (False,)]
    assert unbalanced() == []


def test_columns_that_the_file_does_not_have_stay(run: Import) -> None:
    make_product(
        "Dairy", sku="M", name="Milk", price_cents=60_00, description="Fresh", brand="Brookside", allergens=["milk"],
        is_active=False, unit="kg", quantity_step=Decimal("0.250"), vat_class="exempt",
    )  # fmt: skip
    assert last_line(run("sku,name,category,price\nM,Milk,Dairy,65\n")) == counts(updated=1)
    assert products("price_cents", "description", "brand", "allergens", "is_active", "unit", "vat_class") == [
        (65_00, "Fresh", "Brookside", ["milk"], False, "kg", "exempt")
    ]


def test_an_empty_cell_empties_what_may_be_empty_and_keeps_the_rest(run: Import) -> None:
    make_product(
        "Dairy", sku="M", barcode="12345678", name="Milk", price_cents=65_00, compare_at_price_cents=70_00,
        description="Fresh", allergens=["milk"], is_active=False, vat_class="exempt",
    )  # fmt: skip
    contents = (
        "sku,barcode,name,category,price,compare_at_price,description,allergens,is_active,vat_class\n"
        "M,,Milk,Dairy,65,,,,,\n"
    )
    assert last_line(run(contents)) == counts(updated=1)
    assert products("barcode", "compare_at_price_cents", "description", "allergens", "is_active", "vat_class") == [
        ("12345678", None, None, [], False, "exempt")
    ]
    assert last_line(run(contents)) == counts(unchanged=1)


def test_251_good_and_7_bad_rows_are_reported_exactly(run: Import) -> None:
    contents, bad = catalogue_with_bad_rows()
    result = run(contents)
    assert refusals(result) == [f"row {number}: {reason}" for number, reason in bad]
    assert last_line(result) == counts(created=251, refused=7)
    assert len(products("sku")) == 251
    assert last_line(run(contents)) == counts(unchanged=251, refused=7)


def test_a_refused_row_does_not_stand_in_the_way_of_a_good_one(run: Import) -> None:
    result = run("sku,name,category,price\nA,Milk,Dairy,-5\nA,Milk,Dairy,65\n")
    assert last_line(result) == counts(created=1, refused=1)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("A,,Dairy,65,,,,,", "name missing"),
        ("A,,,,,,,,", "name and category and price missing"),
        ("A,Milk,Dairy,,,,,,", "price missing"),
        ("A,Milk,Dairy,-1,,,,,", BAD_PRICE),
        ("A,Milk,Dairy,1.005,,,,,", BAD_PRICE),
        ("A,Milk,Dairy,1e9,,,,,", BAD_PRICE),
        ("A,Milk,Dairy,KES 65,,,,,", BAD_PRICE),
        ("A,Milk,Dairy,99999999,,,,,", "price: Must be an amount from 0.00 to 10000000.00."),
        ("A,Milk,Dairy//Milk,65,,,,,", "category: Length must be between 1 and 100."),
        ("A,Milk,/,65,,,,,", "category: Length must be between 1 and 100."),
        (f"A,Milk,{'/'.join('a' * 101)},65,,,,,", "category: Has more than 100 levels."),
        (f"A,Milk,{'/'.join(['a' * 100] * 100)},65,,,,,", "category: Longer than 10000 characters."),
        ("A,Milk,Dai\x00ry,65,,,,,", "category: Has a character that cannot be stored."),
        ("A,Mi\x00lk,Dairy,65,,,,,", "name: Has a character that cannot be stored."),
        (f"A,{'x' * 201},Dairy,65,,,,,", "name: Length must be between 1 and 200."),
        ("A,Milk,Dairy,65,litre,,,,", "unit: Must be one of: each, kg."),
        ("A,Milk,Dairy,65,each,0.5,,,", "quantity_step: Must be a whole number for what is sold by piece."),
        ("A,Milk,Dairy,65,kg,0,,,", "quantity_step: Must be from 0.001 to 1000."),
        ("A,Milk,Dairy,65,kg,x,,,", "quantity_step: Must be a number."),
        ("A,Milk,Dairy,65,,,-1,,", "stock: Must be from 0 to 10000000."),
        ("A,Milk,Dairy,65,,,nan,,", "stock: Must be a number."),
        ("A,Milk,Dairy,65,each,,1.5,,", "unit: a part of a piece is in stock"),
        ("A,Milk,Dairy,65,kg,,0.0001,,", "stock: Must have at most 3 decimals."),
        ("A,Milk,Dairy,65,,,,maybe,", "is_active: Not a valid boolean."),
        ("A,Milk,Dairy,65,,,,,1234", "barcode: Must be 8 to 14 digits."),
        ("A,Milk,Dairy,x,cup,,,,12", f"{BAD_PRICE}; unit: Must be one of: each, kg.; barcode: Must be 8 to 14 digits."),
        ("A,Milk,Dairy,65", "has 4 cells, the header has 9"),
        ("A,Milk,Dairy,65,,,,,,extra", "has 10 cells, the header has 9"),
    ],
)  # fmt: skip
def test_a_bad_row_is_refused_with_its_number_and_reason_and_the_others_applied(
    run: Import, row: str, reason: str
) -> None:
    header = "sku,name,category,price,unit,quantity_step,stock,is_active,barcode"
    result = run(f"{header}\nG1,Good,Food,5,,,,,\n{row}\nG2,Good,Food,5,,,,,\n")
    assert refusals(result) == [f"row 3: {reason}"]
    assert last_line(result) == counts(created=2, refused=1)
    assert products("sku") == [("G1",), ("G2",)]
    assert select_rows("SELECT path FROM categories") == [("Food",)]


def test_values_must_fit_with_those_that_stay(run: Import) -> None:
    make_product("Veg", sku="S", name="Sukuma", unit="kg", quantity_step=Decimal("0.250"), stock=Decimal("1.500"))
    result = run("sku,name,category,price,unit\nS,Sukuma,Veg,60,each\n")
    assert refusals(result) == ["row 2: quantity_step: Must be a whole number for what is sold by piece."]
    result = run("sku,name,category,price,unit,quantity_step\nS,Sukuma,Veg,60,each,1\n")
    assert refusals(result) == ["row 2: unit: a part of a piece is in stock"]
    assert products("unit", "version") == [("kg", 1)]


def test_a_former_price_that_is_not_higher_is_no_offer(run: Import) -> None:
    contents = "sku,name,category,price,compare_at_price\nA,a,C,100,120\nB,b,C,100,100\nC,c,C,100,80\nD,d,C,0,0\n"
    assert last_line(run(contents)) == counts(created=4)
    assert products("compare_at_price_cents") == [(120_00,), (None,), (None,), (None,)]
    assert last_line(run(contents)) == counts(unchanged=4)


def test_a_price_that_rises_to_the_former_one_ends_the_offer(run: Import) -> None:
    make_product("C", sku="A", name="a", price_cents=100_00, compare_at_price_cents=120_00)
    assert last_line(run("sku,name,category,price\nA,a,C,120\n")) == counts(updated=1)
    assert products("price_cents", "compare_at_price_cents") == [(120_00, None)]


def test_a_product_whose_price_is_below_the_former_one_keeps_it(run: Import) -> None:
    make_product("C", sku="A", name="a", price_cents=100_00, compare_at_price_cents=120_00)
    assert last_line(run("sku,name,category,price\nA,a,C,110\n")) == counts(updated=1)
    assert products("price_cents", "compare_at_price_cents") == [(110_00, 120_00)]


# Options


def test_a_dry_run_writes_nothing_and_says_what_would_be(run: Import) -> None:
    make_product("Dairy", sku="M", name="Milk", price_cents=65_00)
    before = select_rows("SELECT xmin, * FROM products")
    result = run("sku,name,category,price\nM,Milk,Dairy,70\nN,New,New/Category,5\nO,,Dairy,5\n", "--dry-run")
    assert refusals(result) == ["row 4: name missing"]
    assert result.stdout.splitlines()[-2:] == [
        "Nothing was written. It would have been:", counts(created=1, updated=1, refused=1)
    ]  # fmt: skip
    assert select_rows("SELECT xmin, * FROM products") == before
    assert select_rows("SELECT path FROM categories") == [("Dairy",)]


def test_strict_applies_nothing_when_a_row_is_bad(run: Import, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(applying, "CHUNK_ROWS", 2)
    rows = "".join(f"N{number},New,Food,{number}\n" for number in range(5))
    result = run(f"sku,name,category,price\n{rows}BAD,,Food,5\n", "--strict")
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "row 7: name missing", "Nothing was written. It would have been:", counts(created=5, refused=1)
    ]  # fmt: skip
    assert products("sku") == []
    assert select_rows("SELECT path FROM categories") == []


def test_strict_applies_a_good_file(run: Import) -> None:
    result = run(MILK_AND_BREAD, "--strict")
    assert (result.exit_code, last_line(result)) == (0, counts(created=2))
    assert products("sku") == [("M",), ("B",)]


def test_json_says_the_same(run: Import) -> None:
    result = run("sku,name,category,price,colour\nM,Milk,Dairy,65,red\nN,,Dairy,5,red\n", "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == {
        "created": 1,
        "updated": 0,
        "unchanged": 0,
        "refused": 1,
        "is_applied": True,
        "ignored_columns": ["colour"],
        "refusals": [{"row": 3, "reason": "name missing"}],
    }


def test_no_file_a_directory_and_an_unknown_option_are_usage_errors(app: Flask, tmp_path: Path) -> None:
    runner = app.test_cli_runner()
    for arguments in (["/no/such/file.csv"], [str(tmp_path)], [], [str(tmp_path), "--fast"]):
        assert runner.invoke(args=["products", "import", *arguments]).exit_code == 2


def test_the_help_names_every_column(app: Flask) -> None:
    result = app.test_cli_runner().invoke(args=["products", "import", "--help"])
    assert result.exit_code == 0
    assert "quantity_step" in result.stdout
    assert "{columns}" not in result.stdout


# Size and races


def test_many_rows_in_many_transactions_add_up(app: Flask, run: Import, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(applying, "CHUNK_ROWS", 50)
    rows = [f"S{n},Product {n},Group {n % 7}/Part {n % 13},{n % 500},{n % 3}" for n in range(730)]
    rows[100] = "S100,,Food,5,1"
    contents = "sku,name,category,price,stock\n" + "\n".join(rows)
    assert last_line(run(contents)) == counts(created=729, refused=1)
    assert last_line(run(contents)) == counts(unchanged=729, refused=1)
    assert last_line(run(contents.replace(",Product 7", ",Renamed 7"))) == counts(updated=41, unchanged=688, refused=1)
    assert unbalanced() == []
    assert select_rows("SELECT count(*) FROM stock_movements") == [(sum(n % 3 > 0 for n in range(730) if n != 100),)]


def test_the_statements_do_not_grow_with_the_rows(run: Import, statements: list[str]) -> None:
    run("sku,name,category,price\nX,x,Food,1\n")
    counted = []
    for size in (10, 200):
        del statements[:]
        run("sku,name,category,price\n" + "".join(f"{size}-{n},x,Food,1\n" for n in range(size)))
        counted.append(len(statements))
    assert counted[0] == counted[1]


def test_progress_ends_with_the_size_of_the_file(write: Callable[..., Path]) -> None:
    path = write(MILK_AND_BREAD)
    read: list[int] = []
    report = import_products(path, on_progress=read.append)
    assert report.created == 2
    assert read[-1] == path.stat().st_size


def test_imports_of_the_same_file_at_once_make_each_product_once(app: Flask, write: Callable[..., Path]) -> None:
    contents = "sku,name,category,price,stock\n" + "".join(f"S{n},P{n},G{n % 5},5,2\n" for n in range(300))
    path = write(contents)

    def run_import(_number: int) -> Any:
        with app.app_context():
            try:
                return import_products(path)
            finally:
                db.session.remove()

    with ThreadPoolExecutor(4) as pool:
        reports = list(pool.map(run_import, range(4)))
    assert sum(report.created for report in reports) == 300
    assert sum(report.unchanged for report in reports) == 900
    assert select_rows("SELECT count(*), sum(stock) FROM products") == [(300, Decimal(600))]
    assert unbalanced() == []


def test_a_strict_import_and_sales_of_its_products_do_not_deadlock(
    app: Flask, write: Callable[..., Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(applying, "CHUNK_ROWS", 1)
    low, high, order_id = make_product(sku="LOW"), make_product(sku="HIGH"), make_order_row()
    path = write("sku,name,category,price\nHIGH,H,Pantry,5\nLOW,L,Pantry,5\n")

    def import_strictly() -> Any:
        with app.app_context():
            try:
                return import_products(path, strict=True)
            finally:
                db.session.remove()

    with ThreadPoolExecutor(1) as pool, transaction():
        take_stock({low: Decimal(1)}, order_id=order_id, actor_id=None)
        importing = pool.submit(import_strictly)
        wait_for_a_lock()
        take_stock({high: Decimal(1)}, order_id=order_id, actor_id=None)
        db.session.commit()
        assert importing.result().updated == 2
    assert products("price_cents", "stock") == [(500, Decimal(9)), (500, Decimal(9))]


def test_an_import_that_deadlocked_with_the_maker_of_the_same_products_is_tried_again(
    app: Flask, write: Callable[..., Path]
) -> None:
    category = make_category("Food")
    path = write("sku,name,category,price\nA,A,Food,5\nB,B,Food,5\n")

    def run_import() -> Any:
        with app.app_context():
            try:
                return import_products(path)
            finally:
                db.session.remove()

    with ThreadPoolExecutor(1) as pool, transaction() as session:
        values = {"category_id": category, "price_cents": 500}
        session.execute(insert(Product).values(sku="B", name="B", **values))
        importing = pool.submit(run_import)
        wait_for_a_lock()
        # PostgreSQL ends the one whose patience is over first: the import, after a second.
        session.execute(text("SET LOCAL deadlock_timeout = '1min'"))
        session.execute(insert(Product).values(sku="A", name="A", **values))
        session.commit()
        report = importing.result()
    assert (report.created, report.unchanged, report.refusals) == (0, 2, [])
    assert select_rows("SELECT sku FROM products ORDER BY sku") == [("A",), ("B",)]


def test_a_category_in_another_letter_case_is_the_same(run: Import) -> None:
    make_category("Dairy/Milk")
    assert last_line(run("name,category,price\nA,DAIRY / milk,5\nB,dairy/Cheese,5\n")) == counts(created=2)
    assert select_rows("SELECT path FROM categories ORDER BY path") == [("Dairy",), ("Dairy/Cheese",), ("Dairy/Milk",)]
