"""Delivery slots over HTTP."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from grocery.orders.delivery import examples
from grocery.orders.delivery.schemas import SlotSchema, WriteSlotSchema
from grocery.paging import encode_cursor
from tests.orders.conftest import Caller
from tests.orders.delivery.factories import book, in_hours, make_order, make_slot, make_zone, slot_body, slot_row
from tests.problems import assert_problem
from tests.products.ledger import select_rows

pytestmark = pytest.mark.usefixtures("context")


def listed(client: FlaskClient, query: str = "") -> list[int]:
    answer = client.get(f"/delivery/slots{query}")
    assert answer.status_code == 200, answer.json
    return [slot["id"] for slot in answer.json]


def utc(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}Z"


def test_an_admin_adds_a_slot_and_everyone_sees_it(client: FlaskClient, admin: Caller) -> None:
    zone = make_zone()
    answer = admin.post("/delivery/slots", json=slot_body(zone, capacity=3))
    assert answer.status_code == 201, answer.json
    slot, starts_at = answer.json["id"], in_hours(24)
    assert answer.json == {
        "id": slot, "zone_id": zone, "starts_at": utc(starts_at), "ends_at": utc(starts_at + timedelta(hours=2)),
        "capacity": 3, "remaining": 3, "cutoff_at": utc(starts_at), "is_open": True, "fee": "0.00",
    }  # fmt: skip
    assert set(answer.json) == set(SlotSchema().fields) == set(examples.SLOT)
    assert client.get(f"/delivery/slots/{slot}").json == answer.json
    assert client.get("/delivery/slots").json == [answer.json]


def test_a_slot_is_open_until_it_is_full_or_its_cutoff_has_passed(client: FlaskClient) -> None:
    free, full, late, closed = make_slot(), make_slot(), make_slot(cutoff_at=in_hours(-1)), make_slot(capacity=0)
    book(free, 4)
    book(full, 5)
    seen = {slot["id"]: (slot["remaining"], slot["is_open"]) for slot in client.get("/delivery/slots").json}
    assert seen == {free: (1, True), full: (0, False), late: (5, False), closed: (0, False)}


def test_the_list_has_what_is_not_over_by_start(client: FlaskClient) -> None:
    zone = make_zone()
    over, later, runs, soon = (make_slot(zone, hours=hours) for hours in (-3, 30, -1, 2))
    at_the_same_time = make_slot(hours=2)
    assert listed(client) == [runs, soon, at_the_same_time, later]
    assert listed(client, f"?zone={zone}") == [runs, soon, later]
    assert listed(client, f"?zone={zone + 1_000}") == []
    assert listed(client, f"?until={utc(in_hours(2))}") == [runs]
    assert listed(client, f"?zone={zone}&from={utc(in_hours(-3))}&until={utc(in_hours(30))}") == [over, runs, soon]
    assert listed(client, f"?from={utc(in_hours(3))}") == [later]


def test_the_list_comes_in_pages(client: FlaskClient) -> None:
    zone = make_zone()
    moment = in_hours(5) + timedelta(microseconds=123_457)
    ends = [moment + timedelta(minutes=minutes) for minutes in (30, 60, 90)]
    same = [make_slot(zone, starts_at=moment, ends_at=end, cutoff_at=moment) for end in ends]
    expected = [make_slot(zone, hours=1), *same, *(make_slot(zone, hours=hours) for hours in (6, 7, 8))]
    make_slot(hours=3)
    seen, following = [], f"/delivery/slots?zone={zone}&limit=2"
    while following:
        answer = client.get(following)
        seen.append([slot["id"] for slot in answer.json])
        link = answer.headers.get("Link")
        following = link.removeprefix("<").removesuffix('>; rel="next"') if link else ""
    assert seen == [expected[0:2], expected[2:4], expected[4:6], expected[6:]]


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=101", "cursor=x", f"cursor={encode_cursor('a', 1)}", "zone=0", "zone=x", f"zone={2**63}",
     "from=tomorrow", "until=2026-12-01", "from=2026-12-01T00:00:00", "sort=fee"],
)  # fmt: skip
def test_bad_arguments_of_the_list(client: FlaskClient, query: str) -> None:
    answer = client.get(f"/delivery/slots?{query}")
    assert (answer.status_code, answer.mimetype) == (422, "application/problem+json")


def test_no_cursor_is_out_of_the_calendar(client: FlaskClient) -> None:
    slot = make_slot()
    assert listed(client, f"?cursor={encode_cursor(-(2**62), 0)}") == [slot]
    assert listed(client, f"?cursor={encode_cursor(2**62, 0)}") == []


BAD_BODIES = [
    ({"zone_id": 2**63}, "zone_id"),
    ({"zone_id": None}, "zone_id"),
    ({"starts_at": "9999-12-31T23:59:59Z", "ends_at": "9999-12-31T23:59:59Z"}, "starts_at"),
    ({"starts_at": "0001-01-01T00:00:00Z"}, "starts_at"),
    ({"starts_at": "tomorrow"}, "starts_at"),
    ({"starts_at": "2026-12-01T00:00:00"}, "starts_at"),
    ({"ends_at": utc(in_hours(24))}, "ends_at"),
    ({"ends_at": utc(in_hours(23))}, "ends_at"),
    ({"ends_at": utc(in_hours(48) + timedelta(minutes=1))}, "ends_at"),
    ({"ends_at": 5}, "ends_at"),
    ({"cutoff_at": utc(in_hours(27))}, "cutoff_at"),
    ({"cutoff_at": "0001-01-01T00:00:00Z"}, "cutoff_at"),
    ({"capacity": -1}, "capacity"),
    ({"capacity": 10_001}, "capacity"),
    ({"capacity": 2**63}, "capacity"),
    ({"capacity": "5"}, "capacity"),
    ({"capacity": 1.5}, "capacity"),
    ({"capacity": True}, "capacity"),
    ({"fee": "-0.01"}, "fee"),
    ({"fee": None}, "fee"),
    ({"booked": 1}, "booked"),
    ({"remaining": 1}, "remaining"),
]


@pytest.mark.parametrize(("overrides", "field"), BAD_BODIES)
def test_bad_fields_are_refused_by_name(admin: Caller, overrides: dict[str, Any], field: str) -> None:
    zone = make_zone()
    slot = make_slot(zone, hours=50)
    sent = {**slot_body(zone), **overrides}
    for answer in (admin.post("/delivery/slots", json=sent), admin.put(f"/delivery/slots/{slot}", json=sent)):
        assert_problem(answer, 422, "validation_failed")
        assert field in answer.json["errors"]
    assert select_rows("SELECT id, starts_at FROM delivery_slots") == [(slot, in_hours(50))]


def test_an_unknown_zone_is_a_fault_of_the_field(admin: Caller) -> None:
    zone = make_zone()
    slot = make_slot(zone)
    for unknown in (zone + 1, 2**63 - 1):
        sent = slot_body(unknown)
        for answer in (admin.post("/delivery/slots", json=sent), admin.put(f"/delivery/slots/{slot}", json=sent)):
            assert_problem(answer, 422, "validation_failed")
            assert answer.json["errors"] == {"zone_id": ["There is no such zone."]}
    assert slot_row(slot) == (zone, 5, 0)
    assert len(select_rows("SELECT FROM delivery_slots")) == 1


def test_a_window_of_24_hours_with_a_cutoff_at_its_end_can_be(admin: Caller) -> None:
    ends_at = utc(in_hours(48))
    answer = admin.post("/delivery/slots", json=slot_body(make_zone(), ends_at=ends_at, cutoff_at=ends_at, fee="50.00"))
    assert (answer.status_code, answer.json["cutoff_at"], answer.json["fee"]) == (201, ends_at, "50.00")


def test_a_window_of_a_zone_is_there_once(admin: Caller) -> None:
    zone, other = make_zone(), make_zone()
    first = make_slot(zone)
    second = make_slot(zone, hours=30)
    assert_problem(admin.post("/delivery/slots", json=slot_body(zone)), 409, "slot_exists")
    assert_problem(admin.put(f"/delivery/slots/{second}", json=slot_body(zone, capacity=9)), 409, "slot_exists")
    assert (slot_row(first), slot_row(second)) == ((zone, 5, 0), (zone, 5, 0))
    assert admin.post("/delivery/slots", json=slot_body(other)).status_code == 201


def test_putting_a_slot_replaces_all_of_it_but_what_is_booked(admin: Caller) -> None:
    zone = make_zone()
    slot = make_slot(zone, fee_cents=50_00, cutoff_at=in_hours(20))
    book(slot, 2)
    answer = admin.put(f"/delivery/slots/{slot}", json=slot_body(zone, hours=30, capacity=2))
    assert answer.status_code == 200, answer.json
    assert answer.json == {
        "id": slot, "zone_id": zone, "starts_at": utc(in_hours(30)), "ends_at": utc(in_hours(32)), "capacity": 2,
        "remaining": 0, "cutoff_at": utc(in_hours(30)), "is_open": False, "fee": "0.00",
    }  # fmt: skip


def test_a_slot_that_nobody_holds_moves_to_another_zone(admin: Caller) -> None:
    slot, other = make_slot(), make_zone()
    assert admin.put(f"/delivery/slots/{slot}", json=slot_body(other)).json["zone_id"] == other
    assert slot_row(slot) == (other, 5, 0)


def test_orders_that_hold_a_slot_keep_their_place_and_their_zone(admin: Caller) -> None:
    zone, other = make_zone(), make_zone()
    slot = make_slot(zone)
    book(slot, 3)
    answer = admin.put(f"/delivery/slots/{slot}", json=slot_body(zone, capacity=2))
    assert_problem(answer, 409, "capacity_below_booked")
    assert answer.json["booked"] == 3
    answer = admin.put(f"/delivery/slots/{slot}", json=slot_body(other))
    assert_problem(answer, 409, "slot_booked")
    assert answer.json["booked"] == 3
    answer = admin.delete(f"/delivery/slots/{slot}")
    assert_problem(answer, 409, "slot_booked")
    assert answer.json["booked"] == 3
    assert slot_row(slot) == (zone, 5, 3)


def test_a_deleted_slot_leaves_the_cancelled_orders_that_had_it(admin: Caller) -> None:
    slot = make_slot()
    order = make_order("cancelled", slot_id=slot, slot_starts_at=in_hours(24))
    answer = admin.delete(f"/delivery/slots/{slot}")
    assert (answer.status_code, answer.data) == (204, b"")
    assert select_rows("SELECT FROM delivery_slots") == []
    assert select_rows("SELECT id, slot_id, slot_starts_at FROM orders") == [(order, None, in_hours(24))]


def test_unknown_slots_are_not_found_whatever_is_sent(admin: Caller, client: FlaskClient) -> None:
    zone = make_zone()
    for slot in (make_slot(zone) + 1, 2**63 - 1, 2**63, 10**30):
        address = f"/delivery/slots/{slot}"
        assert client.get(address).status_code == 404
        bodies: list[dict[str, Any]] = [slot_body(zone), slot_body(zone + 1), {"nonsense": 1}]
        for sent in ({"data": "x"}, *({"json": body} for body in bodies)):
            assert_problem(admin.put(address, **sent), 404, "not_found")
        assert_problem(admin.delete(address), 404, "not_found")


def test_the_example_is_what_can_be_sent() -> None:
    assert WriteSlotSchema().load(examples.SLOT_WANTED)["starts_at"] == datetime(2026, 12, 1, 7, tzinfo=UTC)
