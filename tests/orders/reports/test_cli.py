"""`flask reports …`."""

import json
from typing import Any

import pytest
from flask import Flask

from tests.orders.conftest import Caller
from tests.orders.reports.factories import add_line, sell
from tests.products.factories import make_product

pytestmark = pytest.mark.usefixtures("context")

NOON = "2026-11-26T12:00:00+03:00"
DAYS = ("--from", "2026-11-26", "--until", "2026-11-26")
REPORTS = ("sales", "stock", "movements", "waste", "fulfilment", "shortages", "slots", "times", "pickers")


def run(app: Flask, *arguments: str) -> Any:
    return app.test_cli_runner().invoke(args=["reports", *arguments])


def test_sales_as_a_table_as_json_and_as_csv(app: Flask, admin: Caller) -> None:
    add_line(sell(NOON), make_product("Home", name="=Soap", sku="S"), 2)
    table = run(app, "sales", *DAYS, "--by", "category")
    assert [line.split() for line in table.stdout.splitlines()] == [
        ["CATEGORY", "ORDERS", "GROSS", "DISCOUNTS", "VAT", "NET", "RETURNS", "RETURNS_VAT", "REVENUE", "CURRENCY"],
        ["Home", "1", "200.00", "0.00", "0.00", "200.00", "0.00", "0.00", "200.00", "KES"],
    ]
    query = "from=2026-11-26&until=2026-11-26&by=product"
    printed = run(app, "sales", *DAYS, "--by", "product", "--json").stdout
    assert json.loads(printed) == admin.get(f"/reports/sales?{query}").json
    as_csv = run(app, "sales", *DAYS, "--by", "product", "--csv").stdout_bytes
    assert as_csv == admin.get(f"/reports/sales?{query}&format=csv").data
    assert b"'=Soap" in as_csv


@pytest.mark.parametrize("name", REPORTS)
def test_every_report_has_its_command(app: Flask, admin: Caller, name: str) -> None:
    result = run(app, name, "--json")
    assert result.exit_code == 0, result.output
    assert json.loads(result.stdout) == admin.get(f"/reports/{name}").json
    assert run(app, name).exit_code == 0
    assert run(app, name, "--help").exit_code == 0


def test_the_day_s_cash_is_still_there(app: Flask) -> None:
    assert {"cash-up", *REPORTS} == set(app.cli.commands["reports"].commands)


@pytest.mark.parametrize(
    ("arguments", "exit_code", "words"),
    [
        (("sales", "--from", "yesterday"), 2, "Invalid value for '--from'"),
        (("sales", "--by", "week"), 2, "Invalid value for '--by'"),
        (("waste", "--limit", "0"), 2, "Invalid value for '--limit'"),
        (("sales", "--json", "--csv"), 2, "Either --json or --csv"),
        (("sales", "--from", "2026-11-27", "--until", "2026-11-26"), 1, "Must not be after"),
        (("sales", "--from", "0001-01-01"), 1, "Must be a day from 2000-01-01 to 2999-12-31."),
    ],
)
def test_bad_arguments_are_refused(app: Flask, arguments: tuple[str, ...], exit_code: int, words: str) -> None:
    result = run(app, *arguments)
    assert result.exit_code == exit_code
    assert words in result.output
