"""What a file may look like: headers of others, spreadsheets' habits, and files that cannot be used."""

from collections.abc import Callable

import pytest
from click.testing import Result

from tests.products.imports.outcomes import BAD_PRICE, MILK_AND_BREAD, counts, last_line, products, refusals
from tests.products.ledger import select_rows

pytestmark = pytest.mark.usefixtures("context")

Import = Callable[..., Result]

FOREIGN = (
    "index,product,category,sub_category,brand,sale_price,market_price,type,rating\n"
    "1,Garlic Oil,Beauty,Hair Care,Sri,220,220,Oil,4.1\n"
    "2,Brass Angle,Cleaning,Pooja,Trm,119,250.5,Lamp,3.4\n"
    "3,,Beverages,Coffee,Cothas,200,240,Coffee,4.2\n"
)
MAPPING = (
    "sku=index,name=product,price=sale_price,compare_at_price=market_price,category=category/sub_category,brand=brand"
)


def test_foreign_files_are_mapped_by_their_headers(run: Import) -> None:
    result = run(FOREIGN, "--map", MAPPING)
    assert refusals(result) == ["row 4: name missing"]
    assert last_line(result) == counts(created=2, refused=1)
    assert result.stderr == "Columns not used: type, rating\n"
    assert products("sku", "name", "brand", "price_cents", "compare_at_price_cents") == [
        ("1", "Garlic Oil", "Sri", 220_00, None),
        ("2", "Brass Angle", "Trm", 119_00, 250_50),
    ]
    assert select_rows("SELECT path FROM categories WHERE parent_id IS NOT NULL ORDER BY path") == [
        ("Beauty/Hair Care",),
        ("Cleaning/Pooja",),
    ]
    assert last_line(run(FOREIGN, "--map", MAPPING)) == counts(unchanged=2, refused=1)


def test_a_joined_category_leaves_empty_columns_out(run: Import) -> None:
    result = run("name,a,b,price\nX,Food,,5\nY,,Dry,5\nZ,,,5\n", "--map", "category=a/b")
    assert refusals(result) == ["row 4: category missing"]
    assert select_rows("SELECT path FROM categories ORDER BY path") == [("Dry",), ("Food",)]


@pytest.mark.parametrize(
    ("mapping", "message"),
    [
        ("sku", "'sku' is not FIELD=COLUMN."),
        ("sku=", "'sku=' is not FIELD=COLUMN."),
        ("", "'' is not FIELD=COLUMN."),
        ("colour=sku", "'colour' is no field of a product"),
        ("sku=name,sku=price", "sku is mapped twice."),
    ],
)
def test_a_mapping_that_makes_no_sense_is_a_usage_error(run: Import, mapping: str, message: str) -> None:
    result = run(MILK_AND_BREAD, "--map", mapping)
    assert result.exit_code == 2
    assert message in result.stderr
    assert products("sku") == []


def test_spreadsheet_habits_are_understood(run: Import) -> None:
    contents = (
        "\ufeffName ; Category;PRICE;Compare at price;Stock;\r\n"
        "Unga;Food;149,50;160,00;3;\r\n"
        ";;;;;\r\n"
        "\r\n"
        '"Rice; long";Food;250;;;\r\n'
        "Bad;Food;1,005;;;\r\n"
    )
    result = run(contents)
    assert refusals(result) == [f"row 6: {BAD_PRICE}"]
    assert products("name", "price_cents", "compare_at_price_cents", "stock") == [
        ("Unga", 149_50, 160_00, 3),
        ("Rice; long", 250_00, None, 0),
    ]


def test_row_numbers_are_those_of_a_spreadsheet(run: Import) -> None:
    result = run('name,category,price\n"Two\nlines",Food,5\n\nBad,Food,x\nBad,Food,y\n')
    assert [line.split(":")[0] for line in refusals(result)] == ["row 4", "row 5"]


def test_cells_beyond_the_header_may_be_empty(run: Import) -> None:
    assert last_line(run("name,category,price\nMilk,Dairy,65,,,\n")) == counts(created=1)


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        (b"", "The first row must have the names of the columns; it is empty."),
        (b"\n\nname,category,price\n", "The first row must have the names of the columns; it is empty."),
        (b"name,price\nMilk,65\n", "The file has no column category; it has: name, price."),
        (b"sku\nMilk\n", "The file has no column name and no column category and no column price; it has: sku."),
        (b"name,name,category,price\nA,B,C,5\n", "The header has the column name twice."),
        (b"name,category,price\nMilk,Dairy,65\nCaf\xe9,Dairy,65\n", "The file is not UTF-8 (line 3)."),
        ("name,category,price\nMilk,Dairy,65\n".encode("utf-16"), "The file is not UTF-8 (line 1)."),
        (b'name,category,price\nMilk,Dairy,65\n"Open,Dairy,65\nMore,Dairy,6\n', "A quote opened in row 3 is never"),
        (b"name,category,price\nMilk,Dairy,65\n" + b"x" * 200_000, "Row 3 cannot be read: field larger than"),
        (b"\x00\x01\x02\xff\xfe", "The file is not UTF-8 (line 1)."),
    ],
)  # fmt: skip
def test_an_unusable_file_is_an_error_before_anything_is_written(run: Import, contents: bytes, message: str) -> None:
    result = run(contents)
    assert result.exit_code == 1
    assert message in result.stderr
    assert "Traceback" not in result.output
    assert products("sku") == []


def test_a_header_alone_is_an_import_of_nothing(run: Import) -> None:
    assert run("name,category,price\n").stdout == counts() + "\n"


def test_a_mapped_column_must_be_there(run: Import) -> None:
    result = run(MILK_AND_BREAD, "--map", "brand=maker")
    assert result.exit_code == 1
    assert "The file has no column maker; it has: sku, name, category, price." in result.stderr
