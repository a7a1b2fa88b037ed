"""`flask products set-price` and `set-stock`."""

import json
from decimal import Decimal

import pytest
from click.testing import Result
from flask import Flask

from tests.products.factories import make_product
from tests.products.ledger import movements_of, select_rows, stock_of

pytestmark = pytest.mark.usefixtures("context")


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["products", *arguments])


def test_set_price(app: Flask) -> None:
    make_product(sku="M", name="Milk", price_cents=65_00)
    result = run(app, "set-price", "M", "70.5")
    assert (result.exit_code, result.stdout) == (0, "Milk: 65.00 → 70.50\n")
    assert select_rows("SELECT price_cents, version FROM products") == [(70_50, 2)]


def test_set_price_prints_json(app: Flask) -> None:
    make_product(sku="M", name="Milk", price_cents=65_00)
    result = run(app, "set-price", "M", "70", "--json")
    assert json.loads(result.stdout) == {"sku": "M", "name": "Milk", "before": "65.00", "price": "70.00"}


def test_set_price_ends_an_offer_that_it_reaches(app: Flask) -> None:
    make_product(sku="M", price_cents=65_00, compare_at_price_cents=70_00)
    run(app, "set-price", "M", "60")
    assert select_rows("SELECT price_cents, compare_at_price_cents FROM products") == [(60_00, 70_00)]
    assert run(app, "set-price", "M", "70").exit_code == 0
    assert select_rows("SELECT price_cents, compare_at_price_cents FROM products") == [(70_00, None)]


@pytest.mark.parametrize("price", ["x", "1.005", "1e3", "nan", "", "99999999"])
def test_a_price_that_is_none_is_a_usage_error(app: Flask, price: str) -> None:
    make_product(sku="M", price_cents=65_00)
    assert run(app, "set-price", "M", price).exit_code == 2
    assert run(app, "set-price", "M", "--", "-1").exit_code == 2
    assert select_rows("SELECT price_cents, version FROM products") == [(65_00, 1)]


@pytest.mark.parametrize("command", ["set-price", "set-stock"])
def test_an_unknown_sku_is_an_error(app: Flask, command: str) -> None:
    result = run(app, command, "NONE", "5")
    assert result.exit_code == 1
    assert result.stderr == "Error: There is no product with the SKU NONE.\n"


def test_set_stock_notes_the_difference_as_counted(app: Flask) -> None:
    product = make_product(sku="M", name="Milk")
    result = run(app, "set-stock", "M", "7")
    assert (result.exit_code, result.stdout) == (0, "Milk: 10 → 7\n")
    assert movements_of(product)[1:] == [(Decimal(-3), "counted", None)]
    assert run(app, "set-stock", "M", "7").stdout == "Milk: 7 → 7\n"
    assert len(movements_of(product)) == 2


def test_set_stock_prints_json_and_takes_parts_of_a_kilogram(app: Flask) -> None:
    product = make_product(sku="S", name="Sukuma", unit="kg")
    result = run(app, "set-stock", "S", "2.125", "--json")
    assert json.loads(result.stdout) == {"sku": "S", "name": "Sukuma", "before": 10, "stock": 2.125}
    assert stock_of(product) == Decimal("2.125")


@pytest.mark.parametrize("quantity", ["x", "nan", "inf", "1e400", "0.0001", "10000001", ""])
def test_a_quantity_that_is_none_is_a_usage_error(app: Flask, quantity: str) -> None:
    product = make_product(sku="M")
    assert run(app, "set-stock", "M", quantity).exit_code == 2
    assert run(app, "set-stock", "M", "--", "-1").exit_code == 2
    assert stock_of(product) == 10


def test_a_part_of_a_piece_is_an_error(app: Flask) -> None:
    product = make_product(sku="M")
    result = run(app, "set-stock", "M", "1.5")
    assert result.exit_code == 1
    assert "sold by piece" in result.stderr
    assert stock_of(product) == 10
