"""What the document says of fields is what they take."""

import re
from typing import Any

import pytest
from flask import Flask


@pytest.fixture
def document(app: Flask) -> dict[str, Any]:
    read: dict[str, Any] = app.test_client().get("/openapi.json").json
    return read


def properties(document: dict[str, Any], schema: str) -> dict[str, Any]:
    found: dict[str, Any] = document["components"]["schemas"][schema]["properties"]
    return found


def test_an_amount_in_a_body_is_a_string_or_a_number(document: dict[str, Any]) -> None:
    price = properties(document, "PatchProduct")["price"]
    assert price["type"] == ["string", "number"]
    assert (price["minimum"], price["maximum"], price["multipleOf"]) == (0, 10_000_000, 0.01)
    assert properties(document, "PatchProduct")["compare_at_price"]["type"] == ["string", "null", "number"]


def test_an_amount_in_an_answer_or_a_query_is_a_string(document: dict[str, Any]) -> None:
    assert properties(document, "Product")["price"]["type"] == "string"
    query = document["paths"]["/products/"]["get"]["parameters"]
    (min_price,) = (parameter["schema"] for parameter in query if parameter["name"] == "min_price")
    assert min_price["type"] == ["string", "null"]


@pytest.mark.parametrize("amount", ["0", "0.5", "149.00", "9999999.99", "10000000", "10000000.00"])
def test_the_pattern_of_amounts_fits_those_that_are_taken(document: dict[str, Any], amount: str) -> None:
    assert re.search(properties(document, "PatchProduct")["price"]["pattern"], amount)


@pytest.mark.parametrize("amount", ["", "-1", "1.005", "1e3", "10000000.01", "10000001", " 1", "1.", ".5"])
def test_the_pattern_of_amounts_fits_no_other(document: dict[str, Any], amount: str) -> None:
    assert not re.search(properties(document, "PatchProduct")["price"]["pattern"], amount)


def test_a_field_with_another_limit_has_a_pattern_of_its_own(document: dict[str, Any]) -> None:
    amount = properties(document, "RecordPayment")["amount"]
    assert (amount["minimum"], amount["maximum"]) == (0.01, 999_999_999.99)
    assert re.search(amount["pattern"], "999999999.99")
    assert not re.search(amount["pattern"], "1000000000.00")


def test_a_quantity_is_a_number_with_three_decimals(document: dict[str, Any]) -> None:
    quantity = properties(document, "OrderItem")["quantity"]
    assert (quantity["type"], quantity["minimum"], quantity["maximum"]) == ("number", 0.001, 10_000)
    assert quantity["multipleOf"] == 0.001
