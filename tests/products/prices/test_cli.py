"""`flask products schedule-price` and `flask products prices`."""

import json
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from click.testing import Result
from flask import Flask

from tests.products.factories import make_product
from tests.products.prices.conftest import price_of, statuses_of

pytestmark = pytest.mark.usefixtures("context")

NAIROBI = ZoneInfo("Africa/Nairobi")


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["products", *arguments])


def test_a_price_from_now_on(app: Flask) -> None:
    product = make_product(sku="M", price_cents=65_00)
    result = run(app, "schedule-price", "M", "70.5")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith("M: 70.50 from 20")
    assert result.stdout.endswith(" (applied)\n")
    assert price_of(product)[0] == 70_50


def test_an_offer_over_days_of_the_shop(app: Flask) -> None:
    product = make_product(sku="M", price_cents=65_00)
    today = datetime.now(NAIROBI).date()
    start, end = (f"{today + timedelta(days=days)}" for days in (2, 5))
    result = run(app, "schedule-price", "M", "60", "--from", start, "--until", end, "--note", "Easter", "--json")
    assert result.exit_code == 0, result.output
    printed = json.loads(result.stdout)
    midnight = datetime.combine(today + timedelta(days=2), datetime.min.time(), NAIROBI).astimezone(UTC)
    assert printed["starts_at"] == f"{midnight:%Y-%m-%dT%H:%M:%S}Z"
    assert (printed["status"], printed["price"], printed["note"]) == ("scheduled", "60.00", "Easter")
    assert (statuses_of(product), price_of(product)) == (["scheduled"], (65_00, None, 1))
    listed = run(app, "prices", "M").stdout.splitlines()
    assert listed[0].split() == ["ID", "STATUS", "PRICE", "FROM", "UNTIL", "NOTE"]
    assert listed[1].split() == [str(printed["id"]), "scheduled", "60.00", start, "00:00", end, "00:00", "Easter"]
    assert json.loads(run(app, "prices", "M", "--json").stdout) == [printed]


def test_the_weekday_of_the_end_is_the_one_after_the_start(app: Flask) -> None:
    make_product(sku="M", price_cents=65_00)
    result = run(app, "schedule-price", "M", "60", "--from", "friday", "--until", "monday", "--json")
    printed = json.loads(result.stdout)
    start, end = (datetime.fromisoformat(printed[name]).astimezone(NAIROBI) for name in ("starts_at", "ends_at"))
    assert (start.weekday(), end.weekday(), end - start) == (4, 0, timedelta(days=3))


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["M", "60", "--from", "soon"], 2, "'soon' is none of now, tomorrow"),
        (["M", "60", "--until", "0001-01-01T00:00+23:00"], 2, "--until"),
        (["M", "x"], 2, "Must be an amount"),
        (["M", "60", "--note", "x" * 501], 2, "Longer than maximum length 500"),
        (["M"], 2, "Missing argument 'PRICE'"),
        (["X", "60"], 1, "There is no product with the SKU X."),
        (["M", "60", "--from", "2020-01-01"], 1, "starts_at: Must not be in the past, and within 2 years."),
        (["M", "65", "--until", "tomorrow"], 1, "An offer must be below the price before, 65.00."),
        (["M", "60", "--compare-at", "50"], 1, "compare_at_price: Must be above the price."),
    ],
)
def test_what_cannot_be_is_one_clear_line(app: Flask, arguments: list[str], code: int, words: str) -> None:
    product = make_product(sku="M", price_cents=65_00)
    result = run(app, "schedule-price", *arguments)
    assert (result.exit_code, words in result.output) == (code, True), result.output
    assert (statuses_of(product), price_of(product)) == ([], (65_00, None, 1))


def test_a_product_without_a_schedule(app: Flask) -> None:
    make_product(sku="M")
    assert run(app, "prices", "M").stdout == "Nothing found.\n"
    assert json.loads(run(app, "prices", "M", "--json").stdout) == []
    assert run(app, "prices", "X").exit_code == 1
