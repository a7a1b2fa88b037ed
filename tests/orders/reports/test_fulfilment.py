"""What became of orders, shortages, slots, times and pickers."""

from typing import Any

import pytest

from grocery.orders.reports import examples
from tests.auth.factories import make_customer
from tests.orders.conftest import Caller
from tests.orders.reports.factories import add_line, sell
from tests.products.factories import make_product

pytestmark = pytest.mark.usefixtures("context")

NOON = "2026-11-26T12:00:00+03:00"
DAY = "from=2026-11-26&until=2026-11-26"


def report(admin: Caller, path: str, *names: str) -> list[tuple[Any, ...]]:
    answer = admin.get(f"/reports/{path}")
    assert answer.status_code == 200, answer.json
    return [tuple(row[name] for name in names) for row in answer.json]


def test_each_placed_order_is_open_delivered_cancelled_or_failed(admin: Caller) -> None:
    for status in ("pending", "confirmed", "packed", "shipped", "delivered", "delivered", "cancelled"):
        sell("2026-11-28T12:00:00+03:00", status=status, placed_at=NOON)
    sell("2026-11-28T12:00:00+03:00", status="cancelled", failed=True, placed_at=NOON)
    for outside in ("2026-11-25T23:59:59.999+03:00", "2026-11-27T00:00:00+03:00"):
        sell("2026-11-28T12:00:00+03:00", placed_at=outside)
    [row] = admin.get(f"/reports/fulfilment?{DAY}").json
    assert row == {
        "day": "2026-11-26", "placed": 8, "open": 4, "delivered": 2, "cancelled": 1, "failed": 1,
        "lines": 0, "short": 0, "substituted": 0, "weighed_over": 0, "weighed_under": 0,
    }  # fmt: skip
    assert list(row) == list(examples.FULFILMENT)
    by_day = report(admin, "fulfilment?from=2026-11-25&until=2026-11-28", "day", "placed")
    assert by_day == [("2026-11-25", 1), ("2026-11-26", 8), ("2026-11-27", 1), ("2026-11-28", 0)]
    assert report(admin, f"fulfilment?{DAY}&by=hour", "hour", "placed")[11:14] == [(11, 0), (12, 8), (13, 0)]
    assert report(admin, f"fulfilment?{DAY}&by=total", "from", "until", "placed") == [("2026-11-26", "2026-11-26", 8)]


@pytest.fixture
def picked(context: None) -> dict[str, int]:
    """An order that was picked, with every kind of line."""
    soap = make_product("Home", name="Soap", sku="S")
    brush = make_product("Home", name="Brush", sku="B")
    mango = make_product("Fresh", name="Mango", sku="M", unit="kg")
    order = sell(NOON)
    add_line(order, soap, 5, picked=5)
    short = add_line(order, soap, 3, picked=1, reason="not_found")
    add_line(order, brush, 2, picked=2, substitute_for=short)
    add_line(order, brush, 1, picked=0, reason="unwanted")
    add_line(order, soap, 1, picked=0)
    add_line(order, mango, 2, picked=2.1)
    add_line(order, mango, 2, picked=1.95)
    add_line(order, mango, 2, picked=0.5, reason="damaged")
    add_line(order, mango, 1, picked=0.899)
    add_line(order, mango, 1, picked=0.9)
    add_line(order, mango, 2, picked=None)
    return {"soap": soap, "brush": brush, "mango": mango}


def test_lines_are_short_substituted_or_just_of_another_weight(admin: Caller, picked: dict[str, int]) -> None:
    names = ("lines", "short", "substituted", "weighed_over", "weighed_under")
    assert report(admin, f"fulfilment?{DAY}", *names) == [(9, 5, 1, 1, 2)]


def test_shortages_by_product_and_category(admin: Caller, picked: dict[str, int]) -> None:
    rows = admin.get(f"/reports/shortages?{DAY}").json
    assert rows[0] == {
        "product_id": picked["soap"], "sku": "S", "name": "Soap", "category": "Home", "unit": "each", "lines": 2,
        "missing": 3, "value": "300.00", "currency": "KES", "not_found": 1, "damaged": 0, "unwanted": 0, "other": 1,
        "substituted": 1,
    }  # fmt: skip
    assert list(rows[0]) == list(examples.SHORTAGES)
    names = ("name", "unit", "lines", "missing", "value", "damaged", "unwanted")
    assert [tuple(row[name] for name in names) for row in rows[1:]] == [
        ("Mango", "kg", 2, 1.601, "160.10", 1, 0),
        ("Brush", "each", 1, 1, "100.00", 0, 1),
    ]
    assert report(admin, f"shortages?{DAY}&by=category", "category", "lines", "value", "unwanted") == [
        ("Home", 3, "400.00", 1),
        ("Fresh", 2, "160.10", 0),
    ]
    assert report(admin, f"shortages?{DAY}&limit=1", "name") == [("Soap",)]
    assert report(admin, "shortages?from=2026-11-27&until=2026-11-28", "name") == []


def make_zone(run_sql: Any, name: str) -> int:
    return run_sql("INSERT INTO delivery_zones (name, fee_cents) VALUES (:name, 0) RETURNING id", name=name)[0][0]


@pytest.fixture
def slots(run_sql: Any) -> dict[str, int]:
    """Two zones with three slots of the day, and one of the next."""
    zones = {name: make_zone(run_sql, name) for name in ("Westlands", "Karen")}
    for zone, starts, capacity, booked in (
        ("Westlands", "26T08:00", 10, 5),
        ("Karen", "26T08:00", 3, 2),
        ("Westlands", "26T16:00", 0, 0),
        ("Westlands", "27T00:00", 4, 4),
    ):
        at = f"2026-11-{starts}:00+03:00"
        run_sql(
            "INSERT INTO delivery_slots (zone_id, starts_at, ends_at, cutoff_at, capacity, booked) VALUES"
            " (:zone, CAST(:at AS timestamptz), CAST(:at AS timestamptz) + interval '2 h', CAST(:at AS timestamptz),"
            "  :capacity, :booked)",
            zone=zones[zone], at=at, capacity=capacity, booked=booked,
        )  # fmt: skip
    return zones


def test_the_use_of_slots(admin: Caller, slots: dict[str, int]) -> None:
    rows = admin.get(f"/reports/slots?{DAY}").json
    assert list(rows[0]) == list(examples.SLOTS)
    assert [tuple(row[name] for name in examples.SLOTS)[1:] for row in rows] == [
        (slots["Karen"], "Karen", "2026-11-26", "08:00", "10:00", 3, 2, 66.7),
        (slots["Westlands"], "Westlands", "2026-11-26", "08:00", "10:00", 10, 5, 50.0),
        (slots["Westlands"], "Westlands", "2026-11-26", "16:00", "18:00", 0, 0, None),
    ]
    names = ("slots", "capacity", "booked", "used_percent")
    asked = "slots?from=2026-11-25&until=2026-11-27"
    assert report(admin, f"{asked}&by=zone", "zone", *names) == [
        ("Karen", 1, 3, 2, 66.7),
        ("Westlands", 3, 14, 9, 64.3),
    ]
    assert report(admin, f"{asked}&by=day", "day", *names) == [
        ("2026-11-25", 0, 0, 0, None),
        ("2026-11-26", 3, 13, 7, 53.8),
        ("2026-11-27", 1, 4, 4, 100.0),
    ]
    assert report(admin, f"{asked}&by=total", *names) == [(4, 17, 11, 64.7)]


def test_times_to_the_door(admin: Caller, run_sql: Any) -> None:
    zone = make_zone(run_sql, "Karen")
    for placed, delivered, zone_id in (
        ("26T11:00", "26T12:00", zone),
        ("26T10:00", "26T12:00", zone),
        ("26T09:00", "26T12:00", None),
        ("26T08:00", "26T12:00", None),
        ("25T07:00", "26T13:00", None),
    ):
        sell(f"2026-11-{delivered}:00+03:00", placed_at=f"2026-11-{placed}:00+03:00", zone_id=zone_id)
    sell(NOON, placed_at="2026-11-01T12:00:00+03:00", method="pickup")
    names = ("deliveries", "median_hours", "p90_hours")
    assert report(admin, "times?from=2026-11-25&until=2026-11-26", "day", *names) == [
        ("2026-11-25", 0, None, None),
        ("2026-11-26", 5, 3.0, 19.6),
    ]
    assert list(admin.get("/reports/times").json[0]) == list(examples.TIMES)
    assert report(admin, f"times?{DAY}&by=zone", "zone_id", "zone", *names) == [
        (zone, "Karen", 2, 1.5, 1.9),
        (None, None, 3, 4.0, 24.8),
    ]
    assert report(admin, f"times?{DAY}&by=hour", "hour", *names)[12:14] == [(12, 4, 2.5, 3.7), (13, 1, 30.0, 30.0)]


def test_pickers(admin: Caller, run_sql: Any) -> None:
    product = make_product()
    achieng, gone = (make_customer(name=name, role="staff").id for name in ("Achieng", "Gone"))
    first, second = sell(NOON), sell(NOON)
    for order, picker, time in (
        (first, achieng, "26T09:10:00"),
        (first, achieng, "26T09:50:00"),
        (second, achieng, "26T11:00:00"),
        (second, gone, "26T09:00:00"),
        (second, achieng, "25T23:59:59"),
        (second, achieng, "27T00:00:00"),
    ):
        add_line(order, product, picked=1, picker_id=picker, picked_at=f"2026-11-{time}+03:00")
    add_line(second, product, picked=1)
    run_sql("DELETE FROM customers WHERE id = :id", id=gone)
    rows = admin.get(f"/reports/pickers?{DAY}").json
    assert [list(row) for row in rows] == [list(examples.PICKERS)] * 2
    assert [tuple(row.values()) for row in rows] == [(achieng, "Achieng", 3, 2, 2, 1.5), (None, None, 1, 1, 1, 1.0)]
    assert report(admin, f"pickers?{DAY}&by=hour", "picker", "hour", "lines") == [
        ("Achieng", 9, 2),
        ("Achieng", 11, 1),
        (None, 9, 1),
    ]


@pytest.mark.parametrize("name", ["fulfilment", "shortages", "slots", "times", "pickers", "movements", "waste"])
def test_an_empty_period_is_no_error(admin: Caller, name: str) -> None:
    answers = [admin.get(f"/reports/{name}?from=2021-01-01&until=2025-12-31&format={form}") for form in ("json", "csv")]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert all(value in (0, None) for row in answers[0].json for key, value in row.items() if key != "day")
    assert admin.get(f"/reports/{name}?from=2026-01-02&until=2026-01-01").status_code == 422
    assert admin.get(f"/reports/{name}?by=nothing").status_code == 422


@pytest.mark.parametrize("name", ["sales", "stock", "fulfilment"])
def test_reports_are_for_admins(admin: Caller, staff: Caller, customer: Caller, name: str) -> None:
    assert [who.get(f"/reports/{name}").status_code for who in (admin, staff, customer)] == [200, 403, 403]
