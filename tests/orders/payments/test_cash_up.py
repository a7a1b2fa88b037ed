"""The day's cash."""

import csv
import io
import json
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask

from grocery.orders.payments import examples
from grocery.orders.payments.cash_up import COLUMNS, day_bounds
from grocery.orders.payments.schemas import CashUpSchema
from tests.auth.factories import make_customer
from tests.orders.conftest import Caller
from tests.orders.payments.factories import deliver, erase_customer_of, make_order, pay

pytestmark = pytest.mark.usefixtures("context")

DAY = "2026-11-26"
NOON = "2026-11-26T12:00:00+03:00"
NAMES = ("orders", "collected", "refunded", "net", "expected", "difference")


def rider(name: str = "Peter Otieno") -> int:
    return make_customer(name=name, role="staff").id


def cash_up(admin: Caller, day: str = DAY) -> dict[str | None, tuple[Any, ...]]:
    """The entries of a day by the collector's name: orders, collected, refunded, net, expected, difference."""
    answer = admin.get(f"/reports/cash-up?day={day}")
    assert answer.status_code == 200, answer.json
    return {entry["collector"]: tuple(entry[name] for name in NAMES) for entry in answer.json}


def test_each_collector_has_an_entry_that_adds_up(admin: Caller) -> None:
    peter, achieng = rider(), rider("Achieng Odhiambo")
    for total, collector in ((1000_00, peter), (500_50, peter), (200_00, achieng)):
        order = make_order(total)
        pay(order, total, collector, NOON)
        deliver(order)
    answer = admin.get(f"/reports/cash-up?day={DAY}")
    assert set(answer.json[0]) == set(CashUpSchema().fields) == set(examples.CASH_UP) == set(COLUMNS)
    assert answer.json == [
        {"collector_id": achieng, "collector": "Achieng Odhiambo", "orders": 1, "collected": "200.00",
         "refunded": "0.00", "net": "200.00", "expected": "200.00", "difference": "0.00", "currency": "KES"},
        {"collector_id": peter, "collector": "Peter Otieno", "orders": 2, "collected": "1500.50",
         "refunded": "0.00", "net": "1500.50", "expected": "1500.50", "difference": "0.00", "currency": "KES"},
    ]  # fmt: skip


def test_a_day_begins_and_ends_at_midnight_in_the_shop(admin: Caller) -> None:
    peter = rider()
    for moment in (
        "2026-11-25T23:59:59.999999+03:00",
        "2026-11-26T00:00:00+03:00",
        "2026-11-26T23:59:59.999999+03:00",
        "2026-11-27T00:00:00+03:00",
    ):
        pay(make_order(100_00), 100_00, peter, moment)
    taken = {day: cash_up(admin, f"2026-11-{day}") for day in (24, 25, 26, 27, 28)}
    assert {day: entries.get("Peter Otieno", [None])[0] for day, entries in taken.items()} == {
        24: None, 25: 1, 26: 2, 27: 1, 28: None
    }  # fmt: skip


def test_what_is_missing_shows_for_delivered_orders_only(admin: Caller) -> None:
    peter = rider()
    short, underway = make_order(1000_00), make_order(800_00)
    pay(short, 900_00, peter, NOON)
    pay(underway, 300_00, peter, NOON)
    assert cash_up(admin) == {"Peter Otieno": (2, "1200.00", "0.00", "1200.00", "0.00", "0.00")}
    deliver(short)
    assert cash_up(admin) == {"Peter Otieno": (2, "1200.00", "0.00", "1200.00", "1000.00", "-100.00")}


def test_two_who_collect_for_one_order_are_expected_what_was_due_when_they_came(admin: Caller) -> None:
    peter, achieng = rider(), rider("Achieng Odhiambo")
    order = make_order(1000_00)
    pay(order, 400_00, peter, "2026-11-25T12:00:00+03:00")
    pay(order, 600_00, achieng, NOON)
    deliver(order)
    assert cash_up(admin) == {"Achieng Odhiambo": (1, "600.00", "0.00", "600.00", "600.00", "0.00")}
    assert cash_up(admin, "2026-11-25") == {
        "Peter Otieno": (1, "400.00", "0.00", "400.00", "1000.00", "-600.00")
    }  # fmt: skip


def test_the_rest_brought_the_next_day_changes_nothing_of_the_day_before(admin: Caller) -> None:
    peter, order = rider(), make_order(1000_00)
    pay(order, 900_00, peter, NOON)
    deliver(order)
    before = cash_up(admin)
    pay(order, 100_00, peter, "2026-11-27T08:00:00+03:00")
    assert cash_up(admin) == before == {"Peter Otieno": (1, "900.00", "0.00", "900.00", "1000.00", "-100.00")}
    assert cash_up(admin, "2026-11-27") == {"Peter Otieno": (1, "100.00", "0.00", "100.00", "100.00", "0.00")}


def test_refunds_are_taken_off_who_gave_the_money_back(admin: Caller) -> None:
    peter, desk = rider(), rider("Desk")
    order, own = make_order(1000_00), make_order(300_00)
    pay(order, 1000_00, peter, NOON)
    pay(order, 200_00, desk, "2026-11-26T16:00:00+03:00", kind="refund")
    pay(own, 300_00, peter, NOON)
    pay(own, 50_00, peter, NOON, kind="refund")
    deliver(order)
    deliver(own)
    assert cash_up(admin) == {
        "Desk": (1, "0.00", "200.00", "-200.00", "0.00", "0.00"),
        "Peter Otieno": (2, "1300.00", "50.00", "1250.00", "1300.00", "-50.00"),
    }


def test_a_payment_put_right_counts_as_it_was_meant(admin: Caller) -> None:
    peter, order = rider(), make_order(1000_00)
    pay(order, 1000_00, peter, NOON)
    pay(order, 1000_00, peter, NOON, kind="refund")
    pay(order, 900_00, peter, NOON)
    deliver(order)
    assert cash_up(admin) == {"Peter Otieno": (1, "1900.00", "1000.00", "900.00", "1000.00", "-100.00")}


def test_it_still_adds_up_when_customers_were_erased(admin: Caller) -> None:
    peter = rider()
    orders = [make_order(total) for total in (1000_00, 500_00, 300_00, 70_00)]
    whole, parts, cancelled, _kept = orders
    pay(parts, 200_00, None, "2026-11-25T12:00:00+03:00")
    for order, amount in zip(orders, (1000_00, 250_00, 300_00, 70_00), strict=True):
        pay(order, amount, peter, NOON)
    deliver(whole)
    deliver(parts)
    before = cash_up(admin)
    assert before == {"Peter Otieno": (4, "1620.00", "0.00", "1620.00", "1300.00", "-50.00")}
    for order in (whole, parts, cancelled):
        erase_customer_of(order)
    assert cash_up(admin) == before


def test_money_without_a_collector_has_an_entry_of_its_own(admin: Caller, run_sql: Any) -> None:
    gone = rider("Gone")
    pay(make_order(100_00), 100_00, None, NOON)
    pay(make_order(50_00), 50_00, gone, NOON)
    pay(make_order(10_00), 10_00, rider("Zawadi"), NOON)
    run_sql("DELETE FROM customers WHERE id = :id", id=gone)
    answer = admin.get(f"/reports/cash-up?day={DAY}").json
    assert [(one["collector"], one["orders"], one["net"]) for one in answer] == [
        ("Zawadi", 1, "10.00"),
        (None, 2, "150.00"),
    ]
    assert answer[1]["collector_id"] is None


def test_money_that_is_not_cash_is_in_no_purse(admin: Caller) -> None:
    peter, order = rider(), make_order(1000_00)
    pay(order, 700_00, None, "2026-11-26T08:00:00+03:00", method="mpesa")
    pay(order, 300_00, peter, NOON)
    deliver(order)
    assert cash_up(admin) == {"Peter Otieno": (1, "300.00", "0.00", "300.00", "300.00", "0.00")}


def test_without_a_day_it_is_today(admin: Caller, staff: Caller) -> None:
    assert admin.get("/reports/cash-up").json == []
    staff.post(f"/orders/{make_order(100_00)}/payments", json={"amount": 100})
    assert [entry["net"] for entry in admin.get("/reports/cash-up").json] == ["100.00"]


@pytest.mark.parametrize(
    "query",
    [
        "?day=",
        "?day=yesterday",
        "?day=2026-11-31",
        "?day=0001-01-01",
        "?day=1999-12-31",
        "?day=3000-01-01",
        "?day=9999-12-31",
        "?day=2026-11-26%00",
        f"?day={'9' * 5000}",
        "?format=xlsx",
        "?format=",
        "?days=1",
    ],
)
def test_bad_arguments_are_refused_by_name(admin: Caller, query: str) -> None:
    answer = admin.get(f"/reports/cash-up{query}")
    assert (answer.status_code, answer.json["code"]) == (422, "validation_failed")
    assert list(answer.json["errors"]) == [query[1:].partition("=")[0]]


def test_the_report_is_for_admins(admin: Caller, staff: Caller, customer: Caller) -> None:
    statuses = [who.get("/reports/cash-up").status_code for who in (admin, staff, customer)]
    assert statuses == [200, 403, 403]


# Days


@pytest.mark.parametrize(
    ("zone", "day", "starts", "hours"),
    [
        ("Africa/Nairobi", date(2026, 11, 26), datetime(2026, 11, 25, 21), 24),
        ("UTC", date(2026, 11, 26), datetime(2026, 11, 26), 24),
        ("Europe/Berlin", date(2026, 3, 29), datetime(2026, 3, 28, 23), 23),
        ("Europe/Berlin", date(2026, 10, 25), datetime(2026, 10, 24, 22), 25),
        # Clocks go on at midnight: the day begins at one o'clock, and the day before is whole.
        ("America/Santiago", date(2024, 9, 8), datetime(2024, 9, 8, 4), 23),
        ("America/Santiago", date(2024, 9, 7), datetime(2024, 9, 7, 4), 24),
        # Clocks go back at one o'clock: there are two midnights, and the day begins at the first.
        ("America/Havana", date(2024, 11, 3), datetime(2024, 11, 3, 4), 25),
        ("America/Havana", date(2024, 11, 2), datetime(2024, 11, 2, 4), 24),
    ],
)
def test_days_are_those_of_the_zone(zone: str, day: date, starts: datetime, hours: int) -> None:
    begin, end = day_bounds(day, ZoneInfo(zone))
    assert begin == starts.replace(tzinfo=UTC)
    assert (end - begin).total_seconds() == hours * 3600


# CSV


@pytest.mark.parametrize(
    ("query", "accept"),
    [("&format=csv", None), ("", "text/csv"), ("&format=csv", "application/json"), ("", "text/csv, */*;q=0.1")],
)
def test_it_comes_as_csv(admin: Caller, query: str, accept: str | None) -> None:
    order = make_order(1000_00)
    pay(order, 900_00, rider(), NOON)
    deliver(order)
    answer = admin.get(f"/reports/cash-up?day={DAY}{query}", headers={"Accept": accept} if accept else {})
    assert (answer.status_code, answer.mimetype) == (200, "text/csv")
    assert answer.headers["Content-Disposition"] == f'attachment; filename="cash-up-{DAY}.csv"'
    [row] = csv.DictReader(io.StringIO(answer.text))
    assert tuple(row) == COLUMNS
    assert [row[name] for name in ("collector", *NAMES, "currency")] == [
        "Peter Otieno", "1", "900.00", "0.00", "900.00", "1000.00", "-100.00", "KES"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("query", "accept"), [("", None), ("", "*/*"), ("", "image/png"), ("&format=json", "text/csv")]
)
def test_it_comes_as_json_otherwise(admin: Caller, query: str, accept: str | None) -> None:
    answer = admin.get(f"/reports/cash-up?day={DAY}{query}", headers={"Accept": accept} if accept else {})
    assert (answer.status_code, answer.mimetype, answer.json) == (200, "application/json", [])
    assert "Accept" in answer.headers["Vary"].split(", ")


def test_a_name_is_no_formula_in_the_sheet(admin: Caller) -> None:
    pay(make_order(100_00), 100_00, rider("=cmd()"), NOON)
    pay(make_order(100_00), 100_00, None, NOON)
    rows = list(csv.reader(io.StringIO(admin.get(f"/reports/cash-up?day={DAY}&format=csv").text)))
    assert [row[1] for row in rows] == ["collector", "'=cmd()", ""]
    assert admin.get(f"/reports/cash-up?day={DAY}").json[0]["collector"] == "=cmd()"


def test_both_forms_are_described(app: Flask) -> None:
    answer = app.test_client().get("/openapi.json").json["paths"]["/reports/cash-up"]["get"]["responses"]["200"]
    assert answer["content"]["application/json"]["example"] == [examples.CASH_UP]
    assert answer["content"]["text/csv"]["example"] == examples.CASH_UP_CSV
    [row] = csv.DictReader(io.StringIO(examples.CASH_UP_CSV))
    assert row == {name: str(value) for name, value in examples.CASH_UP.items()}


# The command


def run(app: Flask, *arguments: str) -> Any:
    return app.test_cli_runner().invoke(args=["reports", "cash-up", *arguments])


def test_the_command_prints_the_day(app: Flask, admin: Caller) -> None:
    order = make_order(1000_00)
    pay(order, 900_00, rider(), NOON)
    pay(make_order(5_00), 5_00, None, NOON)
    deliver(order)
    result = run(app, "--day", DAY)
    assert result.exit_code == 0, result.output
    assert [line.split() for line in result.stdout.splitlines()] == [
        ["COLLECTOR", "ORDERS", "COLLECTED", "REFUNDED", "NET", "EXPECTED", "DIFFERENCE"],
        ["Peter", "Otieno", "1", "900.00", "0.00", "900.00", "1000.00", "-100.00"],
        ["(nobody)", "1", "5.00", "0.00", "5.00", "0.00", "0.00"],
    ]
    printed = json.loads(run(app, "--day", DAY, "--json").stdout)
    assert printed == admin.get(f"/reports/cash-up?day={DAY}").json


def test_the_command_takes_today_and_says_when_there_is_nothing(app: Flask) -> None:
    result = run(app)
    assert (result.exit_code, result.stdout) == (0, "Nothing found.\n")
    assert json.loads(run(app, "--json").stdout) == []


@pytest.mark.parametrize(
    ("day", "exit_code", "words"),
    [("yesterday", 2, "Invalid value for '--day'"), ("0001-01-01", 1, "Must be a day from 2000-01-01 to 2999-12-31.")],
)
def test_the_command_refuses_other_days(app: Flask, day: str, exit_code: int, words: str) -> None:
    result = run(app, "--day", day)
    assert result.exit_code == exit_code
    assert words in result.output
