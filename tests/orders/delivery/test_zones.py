"""Delivery zones over HTTP."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text

from grocery.db import db
from grocery.orders.delivery import examples
from grocery.orders.delivery.schemas import WriteZoneSchema, ZoneSchema
from tests.orders.conftest import Caller
from tests.orders.delivery.factories import book, make_order, make_slot, make_template, make_zone
from tests.problems import assert_problem
from tests.products.ledger import select_rows, wait_for_a_lock

pytestmark = pytest.mark.usefixtures("context")


def names() -> list[str]:
    return [name for (name,) in select_rows("SELECT name FROM delivery_zones ORDER BY id")]


def test_an_admin_adds_a_zone_and_everyone_sees_it(client: FlaskClient, admin: Caller) -> None:
    sent = {"name": " Milimani  Estate ", "fee": 150, "min_basket": "500.00", "free_from": "3000"}
    answer = admin.post("/delivery/zones", json={**sent, "is_slot_required": True})
    assert answer.status_code == 201, answer.json
    zone_id = answer.json["id"]
    assert answer.json == {
        "id": zone_id, "name": "Milimani Estate", "fee": "150.00", "min_basket": "500.00", "free_from": "3000.00",
        "is_slot_required": True,
    }  # fmt: skip
    assert set(answer.json) == set(ZoneSchema().fields) == set(examples.ZONE)
    assert client.get(f"/delivery/zones/{zone_id}").json == answer.json
    assert client.get("/delivery/zones").json == [answer.json]


def test_zones_come_by_name(client: FlaskClient) -> None:
    for name in ("westlands", "Kilimani", "Area 58", "karen"):
        make_zone(name=name)
    listed = [zone["name"] for zone in client.get("/delivery/zones").json]
    assert listed == ["Area 58", "karen", "Kilimani", "westlands"]


def test_putting_a_zone_replaces_all_of_it(admin: Caller) -> None:
    zone = make_zone(min_basket_cents=500_00, free_from_cents=3000_00, is_slot_required=True)
    answer = admin.put(f"/delivery/zones/{zone}", json={"name": "Karen", "fee": "0.00"})
    assert (answer.status_code, answer.json) == (200, {
        "id": zone, "name": "Karen", "fee": "0.00", "min_basket": None, "free_from": None, "is_slot_required": False
    })  # fmt: skip
    assert admin.put(f"/delivery/zones/{zone}", json={"name": "KAREN", "fee": "0.00"}).json["name"] == "KAREN"


def test_a_name_is_taken_in_any_letter_case(admin: Caller) -> None:
    make_zone(name="Karen")
    other = make_zone(name="Kilimani")
    sent = {"name": "kAREN", "fee": "1.00"}
    assert_problem(admin.post("/delivery/zones", json=sent), 409, "zone_exists")
    assert_problem(admin.put(f"/delivery/zones/{other}", json=sent), 409, "zone_exists")
    assert names() == ["Karen", "Kilimani"]
    assert select_rows("SELECT DISTINCT fee_cents FROM delivery_zones") == [(150_00,)]


def test_of_eight_who_add_the_same_zone_at_once_one_does(admin: Caller) -> None:
    with ThreadPoolExecutor(8) as pool:
        sent = [{"name": name, "fee": 1} for name in ("Karen", "KAREN") * 4]
        answers = list(pool.map(lambda body: admin.post("/delivery/zones", json=body).status_code, sent))
    assert sorted(answers) == [201] + [409] * 7
    assert len(names()) == 1


@pytest.mark.parametrize(
    ("overrides", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"name": 5}, "name"),
        ({"name": None}, "name"),
        ({"fee": None}, "fee"),
        ({"fee": "-1"}, "fee"),
        ({"fee": "1.005"}, "fee"),
        ({"fee": 10**18}, "fee"),
        ({"fee": "NaN"}, "fee"),
        ({"min_basket": "x"}, "min_basket"),
        ({"free_from": True}, "free_from"),
        ({"is_slot_required": "yes"}, "is_slot_required"),
        ({"is_slot_required": None}, "is_slot_required"),
        ({"id": 5}, "id"),
    ],
)
def test_bad_fields_are_refused_by_name(admin: Caller, overrides: dict[str, Any], field: str) -> None:
    zone = make_zone(name="Karen")
    sent = {"name": "Kilimani", "fee": "100.00", **overrides}
    for answer in (admin.post("/delivery/zones", json=sent), admin.put(f"/delivery/zones/{zone}", json=sent)):
        assert_problem(answer, 422, "validation_failed")
        assert list(answer.json["errors"]) == [field]
    assert names() == ["Karen"]


def test_name_and_fee_are_needed(admin: Caller) -> None:
    assert set(admin.post("/delivery/zones", json={}).json["errors"]) == {"name", "fee"}


def test_unknown_zones_are_not_found_whatever_is_sent(admin: Caller, client: FlaskClient) -> None:
    make_zone(name="Karen")
    for zone in (make_zone() + 1, 2**63 - 1, 2**63, 10**30):
        address = f"/delivery/zones/{zone}"
        assert client.get(address).status_code == 404
        for sent in ({"json": {"name": "Karen", "fee": 1}}, {"json": {"nonsense": 1}}, {"data": "x"}):
            assert_problem(admin.put(address, **sent), 404, "not_found")
        assert_problem(admin.delete(address), 404, "not_found")


def test_a_deleted_zone_takes_slots_and_templates_along_and_leaves_addresses_and_finished_orders(
    admin: Caller, customer: Caller
) -> None:
    zone, other = make_zone(), make_zone(name="Other")
    past = make_slot(zone, hours=-5)
    book(past)
    make_slot(zone)
    make_template(zone)
    kept = make_slot(other)
    orders = [make_order(status, zone_id=zone, slot_id=past) for status in ("delivered", "cancelled")]
    saved = customer.post("/addresses/", json={"address": "Moi Avenue", "zone_id": zone}).json
    answer = admin.delete(f"/delivery/zones/{zone}")
    assert (answer.status_code, answer.data) == (204, b"")
    assert names() == ["Other"]
    assert select_rows("SELECT id FROM delivery_slots") == [(kept,)]
    assert select_rows("SELECT id FROM slot_templates") == []
    assert select_rows("SELECT id, zone_id, slot_id FROM orders ORDER BY id") == [(id_, None, None) for id_ in orders]
    assert customer.get(f"/addresses/{saved['id']}").json["zone_id"] is None


@pytest.mark.parametrize("status", ["pending", "confirmed", "packed", "shipped"])
def test_a_zone_that_orders_still_go_to_stays(admin: Caller, status: str) -> None:
    zone = make_zone(name="Karen")
    make_template(zone)
    order = make_order(status, zone_id=zone)
    assert_problem(admin.delete(f"/delivery/zones/{zone}"), 409, "zone_in_use")
    assert (names(), select_rows("SELECT id, zone_id FROM orders")) == (["Karen"], [(order, zone)])
    assert len(select_rows("SELECT FROM slot_templates")) == 1


def test_a_zone_with_a_booked_slot_ahead_stays(admin: Caller) -> None:
    zone = make_zone(name="Karen")
    slot = make_slot(zone, hours=-1)  # it runs
    book(slot)
    assert_problem(admin.delete(f"/delivery/zones/{zone}"), 409, "zone_in_use")
    assert (names(), select_rows("SELECT id, booked FROM delivery_slots")) == (["Karen"], [(slot, 1)])


def test_a_zone_is_not_deleted_while_an_order_for_it_is_being_placed(admin: Caller) -> None:
    zone, order = make_zone(name="Karen"), make_order()
    with ThreadPoolExecutor(1) as pool, db.engine.begin() as connection:
        connection.execute(text("UPDATE orders SET zone_id = :zone WHERE id = :id"), {"zone": zone, "id": order})
        answer = pool.submit(admin.delete, f"/delivery/zones/{zone}")
        wait_for_a_lock()
        connection.commit()
        assert_problem(answer.result(60), 409, "zone_in_use")
    assert select_rows("SELECT zone_id FROM orders") == [(zone,)]


def test_the_example_is_what_can_be_sent() -> None:
    assert WriteZoneSchema().load(examples.ZONE_WANTED)["free_from_cents"] == 3000_00
