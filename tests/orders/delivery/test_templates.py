"""Weekly templates over HTTP."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from grocery.db import db
from grocery.orders.delivery import examples
from grocery.orders.delivery.schemas import TemplateSchema, WriteTemplateSchema
from grocery.orders.delivery.weekly import WEEKDAYS
from grocery.paging import encode_cursor
from grocery.products.inventory.days import shop_today
from tests.orders.conftest import Caller
from tests.orders.delivery.factories import make_template, make_zone, template_body
from tests.problems import assert_problem
from tests.products.ledger import select_rows

pytestmark = pytest.mark.usefixtures("context")

SLOTS = """
    SELECT starts::date - :today, starts::time::text, ends::time::text, capacity, fee_cents, starts_at - cutoff_at,
           zone_id
    FROM delivery_slots, LATERAL (VALUES (
        starts_at AT TIME ZONE 'Africa/Nairobi', ends_at AT TIME ZONE 'Africa/Nairobi'
    )) AS local (starts, ends)
    ORDER BY starts_at
"""


def in_days(days: int) -> str:
    """The weekday of the day in so many days."""
    return WEEKDAYS[(shop_today() + timedelta(days=days)).weekday()]


def slots() -> list[tuple[Any, ...]]:
    """In how many days from today, from, until, capacity, fee, cut-off before the start, zone."""
    return select_rows(SLOTS, today=shop_today())


def test_a_new_template_makes_its_slots_at_once(admin: Caller) -> None:
    zone = make_zone()
    answer = admin.post("/delivery/templates", json=template_body(zone, weekday=in_days(3).upper(), fee="50.00"))
    assert answer.status_code == 201, answer.json
    assert answer.json == {
        "id": answer.json["id"], "zone_id": zone, "weekday": in_days(3), "starts": "10:00", "ends": "12:00",
        "capacity": 5, "cutoff_minutes": 60, "fee": "50.00",
        "made_until": (shop_today() + timedelta(days=13)).isoformat(),
    }  # fmt: skip
    assert set(answer.json) == set(TemplateSchema().fields) == set(examples.TEMPLATE)
    expected = ("10:00:00", "12:00:00", 5, 50_00, timedelta(hours=1), zone)
    assert slots() == [(3, *expected), (10, *expected)]
    assert admin.get("/delivery/templates").json == [answer.json]


def test_a_changed_template_counts_for_days_that_are_not_made_yet(admin: Caller) -> None:
    zone = make_zone()
    made_until = shop_today() + timedelta(days=5)
    template = make_template(zone, weekday=WEEKDAYS.index(in_days(3)), made_until=made_until)
    sent = template_body(zone, weekday=in_days(3), starts="08:30", ends="09:30", capacity=7, cutoff_minutes=0)
    answer = admin.put(f"/delivery/templates/{template}", json=sent)
    assert (answer.status_code, answer.json["starts"], answer.json["fee"]) == (200, "08:30", "0.00")
    expected = [(10, "08:30:00", "09:30:00", 7, 0, timedelta(0), zone)]
    assert slots() == expected
    assert admin.put(f"/delivery/templates/{template}", json={**sent, "capacity": 9}).json["capacity"] == 9
    assert slots() == expected


def test_days_that_were_made_ahead_of_the_clock_stay_made(admin: Caller) -> None:
    zone, made_until = make_zone(), shop_today() + timedelta(days=30)
    template = make_template(zone, made_until=made_until)
    answer = admin.put(f"/delivery/templates/{template}", json=template_body(zone))
    assert (answer.status_code, answer.json["made_until"], slots()) == (200, made_until.isoformat(), [])


def test_a_deleted_template_leaves_its_slots(admin: Caller) -> None:
    template = admin.post("/delivery/templates", json=template_body(make_zone(), weekday=in_days(3))).json["id"]
    answer = admin.delete(f"/delivery/templates/{template}")
    assert (answer.status_code, answer.data, len(slots())) == (204, b"", 2)
    assert admin.get("/delivery/templates").json == []


def test_the_list_comes_by_zone_and_week_in_pages(admin: Caller) -> None:
    first, second = make_zone(name="Z"), make_zone(name="A")
    last = make_template(second)
    wednesday, monday = make_template(first, weekday=2), make_template(first, weekday=0)
    early = make_template(first, weekday=2, starts="08:00")
    twin = make_template(first, weekday=2)
    seen, following = [], "/delivery/templates?limit=2"
    while following:
        answer = admin.get(following)
        seen.append([template["id"] for template in answer.json])
        link = answer.headers.get("Link")
        following = link.removeprefix("<").removesuffix('>; rel="next"') if link else ""
    assert seen == [[monday, early], [wednesday, twin], [last]]
    beyond = encode_cursor(2**62, 2**62, 2**62, 2**62)
    assert admin.get(f"/delivery/templates?cursor={beyond}").json == []


@pytest.mark.parametrize("query", ["limit=0", "cursor=x", f"cursor={encode_cursor(1)}", "zone=1"])
def test_bad_arguments_of_the_list(admin: Caller, query: str) -> None:
    assert admin.get(f"/delivery/templates?{query}").status_code == 422


@pytest.mark.parametrize(
    ("overrides", "field"),
    [
        ({"weekday": 0}, "weekday"),
        ({"weekday": "0"}, "weekday"),
        ({"weekday": "funday"}, "weekday"),
        ({"weekday": "mon\x00day"}, "weekday"),
        ({"weekday": None}, "weekday"),
        ({"starts": "24:00"}, "starts"),
        ({"starts": "10:60"}, "starts"),
        ({"starts": "8:00"}, "starts"),
        ({"starts": "10:00:00"}, "starts"),
        ({"starts": "١٠:00"}, "starts"),
        ({"starts": 10}, "starts"),
        ({"ends": "10:00"}, "ends"),
        ({"ends": "09:00"}, "ends"),
        ({"ends": ""}, "ends"),
        ({"capacity": 10_001}, "capacity"),
        ({"capacity": None}, "capacity"),
        ({"cutoff_minutes": -1}, "cutoff_minutes"),
        ({"cutoff_minutes": 10_081}, "cutoff_minutes"),
        ({"cutoff_minutes": "60"}, "cutoff_minutes"),
        ({"fee": "x"}, "fee"),
        ({"zone_id": 2**62}, "zone_id"),
        ({"zone_id": 0}, "zone_id"),
        ({"made_until": "2026-12-01"}, "made_until"),
    ],
)
def test_bad_fields_are_refused_by_name_and_nothing_is_made(
    admin: Caller, overrides: dict[str, Any], field: str
) -> None:
    zone = make_zone()
    template = make_template(zone)
    sent = {**template_body(zone, capacity=9), **overrides}
    answers = (admin.post("/delivery/templates", json=sent), admin.put(f"/delivery/templates/{template}", json=sent))
    for answer in answers:
        assert_problem(answer, 422, "validation_failed")
        assert list(answer.json["errors"]) == [field]
    assert select_rows("SELECT id, capacity, made_until FROM slot_templates") == [(template, 5, None)]
    assert slots() == []


def test_unknown_templates_are_not_found_whatever_is_sent(admin: Caller) -> None:
    zone = make_zone()
    for template in (make_template(zone) + 1, 2**63 - 1, 2**63):
        address = f"/delivery/templates/{template}"
        for body in (template_body(zone), template_body(zone + 1), {"nonsense": 1}):
            assert_problem(admin.put(address, json=body), 404, "not_found")
        assert_problem(admin.put(address, data="x"), 404, "not_found")
        assert_problem(admin.delete(address), 404, "not_found")
    assert slots() == []


def test_windows_that_are_there_already_are_kept_as_they_are(admin: Caller) -> None:
    zone = make_zone()
    body = template_body(zone, weekday=in_days(3))
    admin.post("/delivery/templates", json=body)
    assert admin.post("/delivery/templates", json={**body, "capacity": 9}).status_code == 201
    assert [(row[0], row[3]) for row in slots()] == [(3, 5), (10, 5)]


def test_the_example_is_what_can_be_sent() -> None:
    assert WriteTemplateSchema().load(examples.TEMPLATE_WANTED)["weekday"] == 1


def test_the_database_keeps_to_the_same_weekdays() -> None:
    with db.engine.connect() as connection:
        check = "SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'ck_slot_templates_weekday'"
        assert "weekday <= 6" in (connection.scalar(text(check)) or "")
    assert len(WEEKDAYS) == 7
