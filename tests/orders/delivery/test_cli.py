"""`flask delivery slots` and `flask delivery make-slots`."""

import json
from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest
from click.testing import Result
from flask import Flask

from tests.orders.delivery.factories import book, make_slot, make_template, make_zone, starts_of_slots

pytestmark = pytest.mark.usefixtures("context")


def run(app: Flask, *arguments: str) -> Result:
    return app.test_cli_runner().invoke(args=["delivery", *arguments])


def test_slots_are_listed_in_the_shops_time(app: Flask) -> None:
    noon = datetime(2099, 1, 5, 9, tzinfo=UTC)
    karen = make_slot(make_zone(name="Karen"), starts_at=noon, ends_at=noon.replace(hour=11), cutoff_at=noon)
    book(karen, 3)
    westlands = make_slot(make_zone(name="Westlands"), starts_at=noon, ends_at=noon.replace(hour=23), capacity=0)
    make_slot(hours=-5)
    assert [" ".join(line.split()) for line in run(app, "slots").stdout.splitlines()] == [
        "ID ZONE FROM UNTIL BOOKED OPEN",
        f"{karen} Karen Mon 2099-01-05 12:00 Mon 2099-01-05 14:00 3/5 yes",
        f"{westlands} Westlands Mon 2099-01-05 12:00 Tue 2099-01-06 02:00 0/0 no",
    ]


def test_slots_of_one_zone_as_json(app: Flask) -> None:
    zone = make_zone(name="Karen")
    slot = make_slot(zone)
    make_slot()
    book(slot, 3)
    [listed] = json.loads(run(app, "slots", "--zone", "kAREN", "--json").stdout)
    expected = {"id": slot, "zone_id": zone, "zone": "Karen", "capacity": 5, "booked": 3, "remaining": 2}
    assert {name: listed[name] for name in expected} == expected
    assert json.loads(run(app, "slots", "--limit", "1", "--json").stdout) == [listed]


def test_an_unknown_zone_is_a_clear_error(app: Flask) -> None:
    result = run(app, "slots", "--zone", "Nowhere")
    assert (result.exit_code, result.stderr) == (1, "Error: There is no delivery zone Nowhere.\n")
    assert run(app, "slots", "--zone", "caf\udce9").exit_code == 2
    assert run(app, "slots", "--limit", "0").exit_code == 2


def test_without_slots_it_says_so(app: Flask) -> None:
    assert run(app, "slots").stdout == "Nothing found.\n"
    assert json.loads(run(app, "slots", "--json").stdout) == []


def test_make_slots_says_how_many_it_made(app: Flask) -> None:
    tomorrow = (datetime.now(ZoneInfo("Africa/Nairobi")).weekday() + 1) % 7
    make_template(weekday=tomorrow, starts=time(9))
    result = run(app, "make-slots")
    assert (result.exit_code, result.stdout) == (0, "Slots made: 2\n")
    assert json.loads(run(app, "make-slots", "--json").stdout) == {"made": 0}
    assert len(starts_of_slots()) == 2
