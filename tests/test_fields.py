from decimal import Decimal
from typing import Any

import pytest
from marshmallow import ValidationError

from grocery.fields import Boolean, Id, Integer, Money, Name, Quantity, Schema, Text, quantity_number


class ThingSchema(Schema):
    text = Text()
    name = Name(max_length=10)
    count = Integer()
    id = Id()
    price = Money()
    quantity = Quantity()
    flag = Boolean()


def load(**values: Any) -> Any:
    return ThingSchema().load(values)


def refused(**values: Any) -> dict[str, list[str]]:
    with pytest.raises(ValidationError) as caught:
        load(**values)
    return caught.value.messages


@pytest.mark.parametrize("text", ["a\x00b", "\x00", "a\ud800b"])
def test_text_that_postgresql_cannot_store_is_refused(text: str) -> None:
    assert refused(text=text) == {"text": ["Has a character that cannot be stored."]}


@pytest.mark.parametrize("control", ["\x1b[2J", "\x07", "\x08", "\x7f", "\x9b31m"])
def test_text_that_would_command_a_terminal_is_refused(control: str) -> None:
    assert refused(text=f"a{control}b") == {"text": ["Has a character that cannot be stored."]}
    assert refused(name=f"a{control}b") == {"name": ["Has a character that cannot be stored."]}
    assert load(text="a\tb\r\nc") == {"text": "a\tb\r\nc"}


def test_text_is_trimmed_and_a_name_stays_on_one_line() -> None:
    assert load(text="  maize \n flour ", name=" maize \r\n") == {"text": "maize \n flour", "name": "maize"}
    assert refused(name="   ") == {"name": ["Length must be between 1 and 10."]}


@pytest.mark.parametrize(
    ("value", "whole"), [(12, 12), (12.0, 12), (-0.0, 0), (2**63 - 1, 2**63 - 1), (-(2.0**63), -(2**63))]
)
def test_whole_json_numbers_are_integers_however_they_are_written(value: Any, whole: int) -> None:
    assert repr(load(count=value)["count"]) == repr(whole)


@pytest.mark.parametrize("value", [1.5, 12.5, "1", "12", "12.0", True, None, [], {}, 1e400, -1e400, float("nan")])
def test_anything_else_is_not_an_integer(value: Any) -> None:
    assert list(refused(count=value)) == ["count"]


@pytest.mark.parametrize("value", [2**63, 2.0**63, -(2**63) - 1, 1e30])
def test_integers_that_the_database_cannot_hold_are_refused(value: Any) -> None:
    (message,) = refused(count=value)["count"]
    assert message.startswith("Must be greater than or equal to -9223372036854775808")


def test_ids_start_at_one() -> None:
    assert load(id=2**63 - 1) == {"id": 2**63 - 1}
    assert list(refused(id=0)) == ["id"]


@pytest.mark.parametrize(
    ("sent", "cents"),
    [("149.00", 14900), ("149", 14900), ("0.5", 50), (149, 14900), (0.1, 10), (-0.0, 0), (1e7, 1_000_000_000)],
)
def test_amounts_come_as_text_or_number(sent: Any, cents: int) -> None:
    assert load(price=sent) == {"price": cents}


@pytest.mark.parametrize(
    "sent",
    [
        "1.005",
        1.005,
        0.1 + 0.2,
        1e-7,
        "-1",
        -1,
        "1e3",
        1e400,
        float("nan"),
        "",
        "KES 5",
        True,
        "10000000.01",
        "٣",
        " 5 ",
    ],
)
def test_anything_else_is_not_an_amount(sent: Any) -> None:
    assert list(refused(price=sent)) == ["price"]


@pytest.mark.parametrize(("sent", "quantity"), [(1, "1"), (0.001, "0.001"), (1.25, "1.25"), (10000, "10000")])
def test_quantities_have_up_to_three_decimals(sent: float, quantity: str) -> None:
    assert load(quantity=sent) == {"quantity": Decimal(quantity)}


@pytest.mark.parametrize("sent", [0, -1, 0.0001, 1e9, 10000.001, 1e400, float("nan"), True, "2", None, 10**40])
def test_other_quantities_are_refused(sent: Any) -> None:
    assert list(refused(quantity=sent)) == ["quantity"]


@pytest.mark.parametrize("sent", ["true", 1, 0, "yes"])
def test_a_json_boolean_is_true_or_false_only(sent: Any) -> None:
    assert list(refused(flag=sent)) == ["flag"]


def test_unknown_fields_are_refused() -> None:
    assert refused(nmae="x") == {"nmae": ["Unknown field."]}


def test_whole_quantities_are_whole_json_numbers() -> None:
    assert repr(quantity_number(Decimal("3.000"))) == "3"
    assert repr(quantity_number(Decimal("0.750"))) == "0.75"
