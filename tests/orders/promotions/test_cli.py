"""`flask promotions …`."""

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from click.testing import Result
from flask import Flask

from tests.orders.conftest import Caller
from tests.orders.promotions.factories import hold_promotion, make_promotion
from tests.orders.promotions.stored import stored
from tests.products.factories import make_category, make_product
from tests.products.ledger import select_rows

pytestmark = pytest.mark.usefixtures("context")


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["promotions", *arguments])


def test_the_list_says_what_each_gives_and_to_what(app: Flask) -> None:
    percent = make_promotion(code="SAVE10", usage_limit=5, ends_at=datetime(2199, 12, 31, 21, tzinfo=UTC))
    hold_promotion(percent)
    fixed = make_promotion(name="Fifty off", kind="fixed", value=Decimal(50), category_ids=[make_category("Dairy")])
    buy = make_promotion(
        name="Three for two", kind="buy_x_get_y", buy_quantity=2, get_quantity=1, product_ids=[make_product()]
    )
    free = make_promotion(name="Free", kind="free_delivery", is_active=False)
    result = run(app, "list")
    assert result.exit_code == 0, result.output
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert lines == [
        "ID CODE NAME GIVES FOR STATE USED UNTIL",
        f"{free} Free free delivery basket off 0",
        f"{buy} Three for two buy 2, get 1 1 products active 0",
        f"{fixed} Fifty off KES 50.00 1 categories active 0",
        f"{percent} SAVE10 Ten percent 10.00 % basket active 1 of 5 2200-01-01 00:00",
    ]
    assert len(run(app, "list", "--limit", "1").stdout.splitlines()) == 2


def test_the_list_as_json_is_that_of_the_api(app: Flask, admin: Caller) -> None:
    make_promotion(code="SAVE10", product_ids=[make_product()])
    make_promotion()
    assert json.loads(run(app, "list", "--json").stdout) == admin.get("/promotions/").json


def test_no_promotions(app: Flask) -> None:
    assert run(app, "list").stdout == "Nothing found.\n"
    assert run(app, "list", "--json").stdout == "[]\n"


def test_a_coupon_is_switched_off_by_its_code_in_any_letter_case(app: Flask, admin: Caller) -> None:
    promotion, other = make_promotion(code="SAVE10"), make_promotion(code="SAVE20")
    before = stored(other)
    result = run(app, "deactivate", "save10")
    assert (result.exit_code, result.stdout) == (0, f"Promotion {promotion} (SAVE10, Ten percent) is off.\n")
    answer = admin.get(f"/promotions/{promotion}").json
    assert (answer["is_active"], answer["state"], answer["version"]) == (False, "off", 2)
    assert stored(other) == before
    assert run(app, "deactivate", "SAVE10").exit_code == 0
    assert select_rows("SELECT version FROM promotions WHERE id = :id", id=promotion) == [(2,)]


def test_an_automatic_promotion_is_switched_off_by_its_id(app: Flask) -> None:
    promotion = make_promotion()
    result = run(app, "deactivate", str(promotion), "--json")
    printed = json.loads(result.stdout)
    assert (result.exit_code, printed["id"], printed["state"]) == (0, promotion, "off")


def test_a_code_comes_before_an_id(app: Flask) -> None:
    promotion = make_promotion(id=2030)
    coupon = make_promotion(code="2030")
    assert run(app, "deactivate", "2030").stdout == f"Promotion {coupon} (2030, Ten percent) is off.\n"
    assert select_rows("SELECT id FROM promotions WHERE is_active") == [(promotion,)]


@pytest.mark.parametrize("wanted", ["NOPE", "0", "999999999999999999", "9" * 40, "²", ""])
def test_one_that_is_not_there_is_one_clear_line(app: Flask, wanted: str) -> None:
    promotion = make_promotion(code="SAVE10")
    before = stored(promotion)
    result = run(app, "deactivate", wanted)
    assert (result.exit_code, result.output) == (1, f"Error: There is no promotion {wanted}.\n")
    assert stored(promotion) == before
    assert run(app, "deactivate").exit_code == 2
