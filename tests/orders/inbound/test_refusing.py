"""NO: a substitute is given back before it leaves the shop."""

from decimal import Decimal
from typing import Any

import pytest

from tests.notify.inbound.conftest import Ask, Sql
from tests.orders.conftest import Caller
from tests.orders.factories import move
from tests.orders.fulfilment.factories import pick
from tests.products.factories import make_product
from tests.products.ledger import stock_of

PHONE = "+254712345678"
OTHER_PHONE = "+254722000002"

SMS = "SELECT event, body FROM notifications WHERE channel = 'sms' AND event <> 'order_placed' ORDER BY id"


@pytest.fixture
def rice(context: None) -> int:
    return make_product("Rice", name="Pishori Rice", sku="RICE", price_cents=250_00)


@pytest.fixture
def cheap(context: None) -> int:
    return make_product("Home", name="Cheap Soap", sku="CHEAP", price_cents=90_00)


@pytest.fixture
def meal(context: None) -> int:
    return make_product("Flour", name="Soko Meal", sku="SOKO", price_cents=150_00)


@pytest.fixture
def order(customer: Caller, soap: int, flour: int, rice: int) -> dict[str, Any]:
    items = [{"product_id": product, "quantity": 1, "if_unavailable": "substitute"} for product in (soap, flour, rice)]
    response = customer.post("/orders/", json={"items": items})
    assert response.status_code == 201, response.json
    return response.json


def substitute(staff: Caller, order: dict[str, Any], index: int, product: int) -> None:
    response = pick(staff, order, 1, index=index, substitute_product_id=product)
    assert response.status_code == 200, response.json


def left(staff: Caller, order: dict[str, Any]) -> dict[str, Any]:
    """What the customer gets: name → quantity."""
    items = staff.get(f"/orders/{order['id']}").json["items"]
    return {item["name"]: item["picked_quantity"] for item in items if item["substitute_for"]}


@pytest.mark.parametrize("text", ["NO", "no thanks", "No {number}", "Hapana", "HAPANA {number}", "NO {number} 1"])
def test_the_only_substitute_is_given_back_and_the_notice_is_the_answer(
    ask: Ask, staff: Caller, order: dict[str, Any], cheap: int, run_sql: Sql, text: str
) -> None:
    substitute(staff, order, 0, cheap)

    assert ask(text.format(number=order["number"]), PHONE) is None

    assert left(staff, order) == {"Cheap Soap": 0}
    assert stock_of(cheap) == Decimal(10)
    [(event, body)] = run_sql(SMS)
    assert event == "order_changed"
    assert body == f"Test Grocer: order {order['number']} has changed. Not taken: Cheap Soap. New total: KES 439."
    assert run_sql("SELECT status, command FROM inbound_sms") == [("answered", "refused")]


def test_is_answered_where_the_notice_comes_by_email(
    ask: Ask, staff: Caller, order: dict[str, Any], cheap: int, run_sql: Sql
) -> None:
    run_sql("UPDATE customers SET notify_by = 'email' WHERE phone = :phone", phone=PHONE)
    substitute(staff, order, 0, cheap)

    assert ask("NO", PHONE) == f"Test Grocer: Cheap Soap was taken out of order {order['number']}. Total: KES 439."


def test_of_several_the_one_that_is_named_is_given_back(
    ask: Ask, staff: Caller, order: dict[str, Any], cheap: int, meal: int
) -> None:
    substitute(staff, order, 0, cheap)
    substitute(staff, order, 1, meal)
    number = order["number"]

    asked = (
        f"Test Grocer: substitutes in {number}: 1 Cheap Soap, 2 Soko Meal. To take one out, reply e.g. NO {number} 1"
    )
    assert ask("NO", PHONE) == asked
    assert ask("NO 3", PHONE) == asked
    assert left(staff, order) == {"Cheap Soap": 1, "Soko Meal": 1}

    ask(f"NO {number} 1", PHONE)
    assert left(staff, order) == {"Cheap Soap": 0, "Soko Meal": 1}
    # Each keeps its place, so that "1" and then "2" means what it says.
    ask("hapana 2", PHONE)
    assert left(staff, order) == {"Cheap Soap": 0, "Soko Meal": 0}


def test_twice_gives_back_once(ask: Ask, staff: Caller, order: dict[str, Any], cheap: int) -> None:
    substitute(staff, order, 0, cheap)
    ask("NO", PHONE)
    before = staff.get(f"/orders/{order['id']}").json

    assert ask("NO", PHONE) == "Test Grocer: there is no substitute that can still be taken out."
    assert ask(f"NO {order['number']}", PHONE) == (
        f"Test Grocer: there is no substitute in order {order['number']} that can still be taken out."
    )

    assert (staff.get(f"/orders/{order['id']}").json, stock_of(cheap)) == (before, Decimal(10))


def test_is_too_late_when_the_goods_are_on_their_way(
    ask: Ask, staff: Caller, order: dict[str, Any], cheap: int
) -> None:
    substitute(staff, order, 0, cheap)
    before = move(staff, order, "shipped")

    assert ask(f"NO {order['number']}", PHONE) == (
        f"Test Grocer: nothing can be taken out of order {order['number']} any more: ready to collect."
    )
    assert "there is no substitute" in (ask("NO", PHONE) or "")
    assert staff.get(f"/orders/{order['id']}").json == before


def test_of_another_phone_is_an_unknown_number(ask: Ask, staff: Caller, order: dict[str, Any], cheap: int) -> None:
    substitute(staff, order, 0, cheap)

    assert f"we find no order {order['number']}" in (ask(f"NO {order['number']}", OTHER_PHONE) or "")
    assert "there is no substitute" in (ask("NO", OTHER_PHONE) or "")
    assert left(staff, order) == {"Cheap Soap": 1}


@pytest.mark.parametrize("text", ["No problem", "No, bring it", "NO {number} 1 2", "Hapana shida"])
def test_other_sentences_with_no_refuse_nothing(
    ask: Ask, staff: Caller, order: dict[str, Any], cheap: int, text: str
) -> None:
    substitute(staff, order, 0, cheap)

    assert "we did not understand" in (ask(text.format(number=order["number"]), PHONE) or "")
    assert left(staff, order) == {"Cheap Soap": 1}
