"""Deliveries in quotes: zones, slots and saved addresses."""

from decimal import Decimal
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.orders.conftest import Caller
from tests.orders.delivery.factories import book, in_hours, make_slot, make_zone
from tests.orders.promotions.factories import make_promotion
from tests.orders.quoting.factories import ask, quote, save_address
from tests.problems import assert_problem

pytestmark = pytest.mark.usefixtures("context")

UNKNOWN = 999_999_999


def refused_delivery(who: Any, flour: int, **delivery: Any) -> dict[str, Any]:
    response = ask(who, {flour: 1}, delivery=delivery)
    assert_problem(response, 422, "validation_failed")
    return response.json["errors"]["delivery"]


def test_a_shop_without_zones_delivers_for_nothing(client: FlaskClient, flour: int) -> None:
    quoted = quote(client, {flour: 1}, delivery={})
    assert quoted["delivery"] == {"method": "delivery", "zone_id": None, "slot_id": None}
    assert (quoted["delivery_fee"], quoted["total"], quoted["is_orderable"]) == ("0.00", "189.00", True)


def test_the_only_zone_is_taken_by_itself(client: FlaskClient, flour: int) -> None:
    zone = make_zone(fee_cents=150_00)
    quoted = quote(client, {flour: 1}, delivery={"method": "Delivery"})
    assert (quoted["delivery"]["zone_id"], quoted["delivery_fee"], quoted["total"]) == (zone, "150.00", "339.00")
    assert quote(client, {flour: 1})["delivery"] == {"method": "pickup", "zone_id": None, "slot_id": None}


def test_one_of_several_zones_has_to_be_named(client: FlaskClient, flour: int) -> None:
    near, far = make_zone(fee_cents=100_00), make_zone(fee_cents=300_00)
    assert list(refused_delivery(client, flour)) == ["zone_id"]
    assert quote(client, {flour: 1}, delivery={"zone_id": far})["delivery_fee"] == "300.00"
    slot = make_slot(near, fee_cents=20_00)
    quoted = quote(client, {flour: 1}, delivery={"slot_id": slot})
    assert (quoted["delivery"], quoted["delivery_fee"]) == (
        {"method": "delivery", "zone_id": near, "slot_id": slot},
        "120.00",
    )


def test_an_unknown_zone_is_refused(client: FlaskClient, flour: int) -> None:
    make_zone()
    assert refused_delivery(client, flour, zone_id=UNKNOWN) == {"zone_id": ["There is no such zone."]}


def test_an_unknown_slot_is_refused(client: FlaskClient, flour: int) -> None:
    zone = make_zone()
    for sent in ({"slot_id": UNKNOWN}, {"slot_id": UNKNOWN, "zone_id": zone}):
        assert refused_delivery(client, flour, **sent) == {"slot_id": ["There is no such delivery slot."]}


def test_a_slot_of_another_zone_is_refused(client: FlaskClient, flour: int) -> None:
    zone, slot = make_zone(), make_slot()
    assert refused_delivery(client, flour, zone_id=zone, slot_id=slot) == {"slot_id": ["This slot is of another zone."]}


def test_a_zone_can_ask_for_a_slot(client: FlaskClient, flour: int) -> None:
    zone = make_zone(is_slot_required=True)
    assert refused_delivery(client, flour, zone_id=zone) == {"slot_id": ["Needed: choose a delivery slot."]}
    assert quote(client, {flour: 1}, delivery={"slot_id": make_slot(zone)})["is_orderable"] is True
    assert quote(client, {flour: 1})["is_orderable"] is True


def test_a_full_slot_is_refused(client: FlaskClient, flour: int) -> None:
    slot = make_slot(capacity=2)
    book(slot, 1)
    assert quote(client, {flour: 1}, delivery={"slot_id": slot})["is_orderable"] is True
    book(slot, 2)
    assert_problem(ask(client, {flour: 1}, delivery={"slot_id": slot}), 409, "slot_full")


def test_a_slot_past_its_cut_off_is_closed(client: FlaskClient, flour: int) -> None:
    slot = make_slot(hours=3, cutoff_at=in_hours(-1))
    assert_problem(ask(client, {flour: 1}, delivery={"slot_id": slot}), 409, "slot_closed")
    full_too = make_slot(hours=3, cutoff_at=in_hours(-1), capacity=0)
    assert_problem(ask(client, {flour: 1}, delivery={"slot_id": full_too}), 409, "slot_closed")


def test_goods_below_the_zones_minimum_are_noted_and_not_orderable(client: FlaskClient, flour: int) -> None:
    make_zone(fee_cents=150_00, min_basket_cents=378_01, free_from_cents=1_000_00)
    make_promotion(name="Half", value=Decimal(50))
    quoted = quote(client, {flour: 2}, delivery={})
    assert quoted["notices"] == [{"code": "below_minimum_basket", "missing": "0.01"}]
    assert (quoted["total"], quoted["is_orderable"]) == ("339.00", False)
    # The minimum is of the goods before discounts, and none for who comes to the shop.
    assert quote(client, {flour: 3}, delivery={})["is_orderable"] is True
    assert quote(client, {flour: 2})["is_orderable"] is True


def test_what_is_missing_to_a_free_delivery_is_noted(client: FlaskClient, flour: int) -> None:
    zone = make_zone(fee_cents=150_00, free_from_cents=378_00)
    slot = make_slot(zone, fee_cents=50_00)
    quoted = quote(client, {flour: 1}, delivery={"slot_id": slot})
    assert quoted["notices"] == [{"code": "free_delivery_from", "missing": "189.00"}]
    assert (quoted["delivery_fee"], quoted["is_orderable"]) == ("200.00", True)
    quoted = quote(client, {flour: 2}, delivery={"slot_id": slot})
    assert (quoted["delivery_fee"], quoted["total"], quoted["notices"]) == ("0.00", "378.00", [])


def test_a_free_delivery_is_a_discount_of_the_fee(client: FlaskClient, flour: int) -> None:
    make_zone(fee_cents=116_00)
    make_promotion(name="Free ride", kind="free_delivery", code="RIDE", value=Decimal(0))
    quoted = quote(client, {flour: 1}, coupon="RIDE", delivery={})
    assert quoted["discounts"] == [{"code": "RIDE", "name": "Free ride", "amount": "116.00"}]
    assert (quoted["delivery_fee"], quoted["vat"], quoted["total"]) == ("116.00", "0.00", "189.00")


# Saved addresses.


def test_the_zone_is_that_of_the_saved_address(customer: Caller, flour: int) -> None:
    near, far = make_zone(fee_cents=100_00), make_zone(fee_cents=300_00)
    address = save_address(customer, zone_id=far)
    assert quote(customer, {flour: 1}, delivery={"address_id": address})["delivery"]["zone_id"] == far
    # What is sent goes before what is saved.
    sent = {"address_id": address, "zone_id": near}
    assert quote(customer, {flour: 1}, delivery=sent)["delivery_fee"] == "100.00"
    sent = {"address_id": address, "slot_id": make_slot(near)}
    assert quote(customer, {flour: 1}, delivery=sent)["delivery"]["zone_id"] == near


def test_a_saved_address_without_a_zone_leaves_the_choice(customer: Caller, flour: int) -> None:
    address = save_address(customer)
    zone = make_zone()
    assert quote(customer, {flour: 1}, delivery={"address_id": address})["delivery"]["zone_id"] == zone
    make_zone()
    assert list(refused_delivery(customer, flour, address_id=address)) == ["zone_id"]


def test_an_address_of_somebody_else_is_as_unknown_as_one_that_is_not_there(
    client: FlaskClient, customer: Caller, other_customer: Caller, flour: int
) -> None:
    zone, other = make_zone(fee_cents=100_00), make_zone()
    address = save_address(customer, zone_id=zone)
    unknown = {"address_id": ["There is no such saved address."]}
    for who in (client, other_customer):
        assert refused_delivery(who, flour, address_id=address, zone_id=other) == unknown
        assert refused_delivery(who, flour, address_id=address) == unknown
    assert refused_delivery(customer, flour, address_id=UNKNOWN) == unknown
