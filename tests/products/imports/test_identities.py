"""Which product a row of a file is about."""

from collections.abc import Callable

import pytest
from click.testing import Result

from grocery.products.imports import applying
from tests.products.factories import make_product
from tests.products.imports.outcomes import counts, last_line, products, refusals
from tests.products.ledger import select_rows

pytestmark = pytest.mark.usefixtures("context")

Import = Callable[..., Result]


def test_a_row_is_known_by_sku_before_anything_else(run: Import) -> None:
    make_product("Dairy", sku="M1", name="Milk", brand=None, price_cents=65_00)
    result = run("sku,name,category,price\nM2,Milk,Dairy,65\nM1,Maziwa,Dairy,65\n")
    assert last_line(result) == counts(created=1, updated=1)
    assert products("sku", "name") == [("M1", "Maziwa"), ("M2", "Milk")]


def test_a_row_without_sku_is_known_by_barcode(run: Import) -> None:
    make_product("Dairy", sku="M1", barcode="12345678", name="Milk", price_cents=65_00)
    result = run("sku,barcode,name,category,price\n,12345678,Maziwa,Dairy,70\n,87654321,Milk,Dairy,65\n")
    assert last_line(result) == counts(created=1, updated=1)
    assert products("sku", "barcode", "name", "price_cents") == [
        ("M1", "12345678", "Maziwa", 70_00),
        (None, "87654321", "Milk", 65_00),
    ]


def test_a_row_with_neither_is_known_by_name_brand_and_category_in_any_letter_case(run: Import) -> None:
    make_product("Dairy/Milk", sku=None, name="Fresh Milk", brand="Brookside", price_cents=65_00)
    contents = "name,brand,category,price\n"
    assert last_line(run(contents + "FRESH  milk,brookside,dairy/MILK,65\n")) == counts(updated=1)
    assert products("name", "brand") == [("FRESH milk", "brookside")]
    assert last_line(run(contents + "Fresh Milk,Other,Dairy/Milk,65\n")) == counts(created=1)
    assert last_line(run(contents + "Fresh Milk,Brookside,Dairy,65\n")) == counts(created=1)
    assert select_rows("SELECT path FROM categories ORDER BY path") == [("Dairy",), ("Dairy/Milk",)]


def test_a_product_without_sku_gets_the_one_of_its_barcode_s_row(run: Import) -> None:
    make_product("Dairy", sku=None, barcode="12345678", name="Milk", price_cents=65_00)
    assert last_line(run("sku,barcode,name,category,price\nM,12345678,Milk,Dairy,65\n")) == counts(updated=1)
    assert products("sku", "barcode") == [("M", "12345678")]


def test_a_barcode_of_another_product_is_refused(run: Import) -> None:
    make_product("Dairy", sku="A", barcode="12345678")
    make_product("Dairy", sku="B", barcode=None)
    result = run("sku,barcode,name,category,price\nB,12345678,Milk,Dairy,65\nC,12345678,Milk,Dairy,65\n")
    assert refusals(result) == [
        "row 2: barcode: 12345678 belongs to another product (SKU A)",
        "row 3: same barcode as row 2",
    ]
    assert products("sku", "barcode") == [("A", "12345678"), ("B", None)]


def test_a_name_that_several_products_have_is_refused(run: Import) -> None:
    make_product("Dairy", sku="A", name="Milk", brand=None)
    make_product("Dairy", sku="B", name="milk", brand=None)
    result = run("name,category,price\nMilk,Dairy,65\n")
    assert refusals(result) == ["row 2: several products have this name, brand and category; give the SKU"]
    make_product("Dairy", sku=None, name="MILK", brand=None, price_cents=1_00)
    assert last_line(run("name,category,price\nMilk,Dairy,65\n")) == counts(updated=1)


def test_a_product_stands_in_a_file_once(run: Import) -> None:
    result = run(
        "sku,barcode,name,category,price\n"
        "A,11111111,Milk,Dairy,65\n"
        "a,,Milk,Dairy,65\n"
        "A,,Cream,Dairy,90\n"
        ",11111111,Curd,Dairy,90\n"
        ",,milk,DAIRY,70\n"
        ",,Ghee,Dairy,800\n"
        ",,ghee,Dairy,900\n"
    )
    assert refusals(result) == [
        "row 4: same SKU as row 2",
        "row 5: same barcode as row 2",
        "row 6: same product as row 2",
        "row 8: same product as row 7",
    ]
    assert last_line(result) == counts(created=3, refused=4)
    assert products("sku", "name", "price_cents") == [("A", "Milk", 6500), ("a", "Milk", 6500), (None, "Ghee", 80000)]


def test_rows_that_know_one_product_by_different_keys_are_not_both_applied(
    run: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(applying, "CHUNK_ROWS", 2)
    run("sku,barcode,name,category,price\nA,11111111,Milk,Dairy,65\n")
    contents = (
        "sku,barcode,name,category,price\n,11111111,Fresh milk,Dairy,66\nA,,Milk,Dairy,67\n,,Fresh milk,Dairy,68\n"
    )
    result = run(contents)
    assert refusals(result) == ["row 3: same product as row 2", "row 4: same product as row 2"]
    assert products("name", "price_cents") == [("Fresh milk", 6600)]
    assert last_line(run(contents)) == counts(unchanged=1, refused=2)


def test_a_row_with_a_name_only_is_about_the_product_with_a_name_only(
    run: Import, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_product("Dairy", sku="A", name="Milk", brand=None, price_cents=65_00)
    make_product("Dairy", sku=None, name="Milk", brand=None, price_cents=70_00)
    contents = "sku,name,category,price\nA,Milk,Dairy,66\n,Milk,Dairy,71\n,MILK,Dairy,72\n"
    for size in (500, 1):
        monkeypatch.setattr(applying, "CHUNK_ROWS", size)
        assert refusals(run(contents)) == ["row 4: same product as row 3"]
        assert products("sku", "price_cents") == [("A", 66_00), (None, 71_00)]
    monkeypatch.setattr(applying, "CHUNK_ROWS", 1)
    new = run("sku,name,category,price\nC,Cream,Dairy,66\n,Cream,Dairy,71\n,Cream,Dairy,72\n")
    assert refusals(new) == ["row 3: same product as row 2", "row 4: same product as row 3"]
