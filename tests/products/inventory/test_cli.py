"""`flask products receive`, `expiring`, `low-stock` and `movements`."""

import json
from decimal import Decimal

import pytest
from click.testing import Result
from flask import Flask

from tests.products.factories import make_product
from tests.products.inventory.factories import in_days, make_lot, parts_of, remaining
from tests.products.ledger import select_rows, stock_of

pytestmark = pytest.mark.usefixtures("context")


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["products", *arguments])


def test_receive_adds_to_the_stock(app: Flask) -> None:
    product = make_product(sku="M")
    result = run(app, "receive", "M", "24")
    assert (result.exit_code, result.stdout) == (0, "M: 34 in stock\n")
    assert parts_of(product) == [(24, "received", None, 34)]


def test_receive_makes_a_lot(app: Flask) -> None:
    product = make_product(sku="M", unit="kg")
    result = run(app, "receive", "M", "2.5", "--lot", "L-113", "--expires", in_days(3).isoformat(), "--json")
    [(lot, code, expires_on)] = select_rows("SELECT id, code, expires_on FROM stock_lots")
    assert json.loads(result.stdout) == {"sku": "M", "received": 2.5, "stock": 12.5, "lot_id": lot}
    assert (code, expires_on, remaining(lot)) == ("L-113", in_days(3), [Decimal("2.5")])
    assert run(app, "receive", "M", "1", "--lot", "L-114").stdout == f"M: 13.5 in stock, lot {lot + 1}\n"
    assert stock_of(product) == Decimal("13.5")


@pytest.mark.parametrize(
    "command", [("receive", "1"), ("movements",), ("set-stock", "1"), ("set-price", "1"), ("prices",)], ids=" ".join
)
def test_an_sku_that_is_no_text_is_a_usage_error(app: Flask, command: tuple[str, ...]) -> None:
    result = run(app, command[0], "caf\udce9", *command[1:])
    assert (result.exit_code, type(result.exception)) == (2, SystemExit)
    assert "cannot be stored" in result.stderr


def test_receive_refuses_what_cannot_be(app: Flask) -> None:
    product = make_product(sku="M")
    past = run(app, "receive", "M", "1", "--lot", "L", "--expires", in_days(-1).isoformat())
    assert past.exit_code == 1
    assert "has expired" in past.stderr
    assert run(app, "receive", "NONE", "1").exit_code == 1
    assert run(app, "receive", "M", "0.5").exit_code == 1
    for arguments in (["0"], ["x"], ["1", "--expires", "2030-01-01"], ["1", "--lot", "L", "--expires", "soon"]):
        assert run(app, "receive", "M", *arguments).exit_code == 2
    assert run(app, "receive", "M", "1", "--lot", " ").exit_code == 2
    assert (stock_of(product), select_rows("SELECT * FROM stock_lots")) == (10, [])


def test_expiring(app: Flask) -> None:
    assert run(app, "expiring").stdout == "Nothing found.\n"
    product = make_product(sku="M", name="Milk")
    lot = make_lot(product, 3, days=7)
    make_lot(product, 3, days=8)
    result = run(app, "expiring")
    assert (result.exit_code, len(result.stdout.splitlines())) == (0, 2)
    assert result.stdout.split()[-8:] == [str(lot), "L-1", in_days(7).isoformat(), "7", "3", "each", "M", "Milk"]
    assert [row["days_left"] for row in json.loads(run(app, "expiring", "--days", "8", "--json").stdout)] == [7, 8]
    assert run(app, "expiring", "--days", "-1").exit_code == 2


def test_low_stock(app: Flask) -> None:
    low = make_product(sku="L", name="Milk", stock=Decimal(2), low_stock_threshold=Decimal(5))
    out = make_product(stock=Decimal(0))
    result = run(app, "low-stock")
    assert (result.exit_code, len(result.stdout.splitlines())) == (0, 2)
    assert result.stdout.split()[-6:] == [str(low), "L", "2", "5", "each", "Milk"]
    rows = json.loads(run(app, "low-stock", "--include-out", "--json").stdout)
    assert [row["product_id"] for row in rows] == [out, low]
    assert len(json.loads(run(app, "low-stock", "--include-out", "--limit", "1", "--json").stdout)) == 1


def test_movements(app: Flask) -> None:
    make_product(sku="M")
    run(app, "set-stock", "M", "7")
    rows = json.loads(run(app, "movements", "M", "--json").stdout)
    assert [(row["delta"], row["reason"], row["stock_after"]) for row in rows] == [
        (-3, "counted", 7),
        (10, "opening", None),
    ]
    result = run(app, "movements", "M", "--reason", "counted")
    assert result.stdout.split()[-3:] == ["-3", "7", "counted"]
    assert run(app, "movements", "NONE").exit_code == 1
    assert run(app, "movements", "M", "--reason", "stolen").exit_code == 2


def test_set_stock_takes_what_is_missing_from_the_lots(app: Flask) -> None:
    product = make_product(sku="M", stock=Decimal(0))
    lot = make_lot(product, 5, days=1)
    assert run(app, "set-stock", "M", "3").exit_code == 0
    assert (remaining(lot), stock_of(product)) == ([3], 3)


@pytest.mark.parametrize("command", ["receive", "expiring", "low-stock", "movements"])
def test_commands_explain_themselves(app: Flask, command: str) -> None:
    assert run(app, command, "--help").exit_code == 0
