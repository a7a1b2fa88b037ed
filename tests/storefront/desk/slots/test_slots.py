"""Delivery times: the week, a day that is closed, windows, the weekly plan, areas."""

from datetime import timedelta
from typing import Any

import pytest

from grocery.products.inventory.days import shop_today
from tests.orders.delivery.factories import book, make_order, make_slot, make_template, make_zone, slot_row
from tests.storefront.conftest import Browser, Sql
from tests.storefront.conftest import words_in as text_of


def day_of(run_sql: Sql, slot_id: int) -> str:
    found = run_sql(
        "SELECT to_char(starts_at AT TIME ZONE 'Africa/Nairobi', 'YYYY-MM-DD') FROM delivery_slots WHERE id = :id",
        id=slot_id,
    )
    return str(found[0][0])


def zone_form(**changes: str) -> dict[str, str]:
    return {"name": "Town", "fee": "150", **changes}


def test_the_week_shows_what_is_taken(desk: Browser, run_sql: Sql) -> None:
    zone = make_zone(name="Town <b>")
    slot = make_slot(zone, capacity=5)
    make_slot(zone, hours=26, capacity=0)
    book(slot, 3)
    page = desk.get(f"/admin/slots/?week={day_of(run_sql, slot)}")
    assert "taken: 3 /5" in text_of(page)
    assert "Town <b>" not in page.text
    assert "Add a window" not in page.text


@pytest.mark.parametrize("week", ["", "x", "2026-13-40", "9999-12-31", "0001-01-01", "2026-11-26T10:00"])
def test_weeks_that_there_are_not_show_this_week(desk: Browser, week: str) -> None:
    make_zone()
    monday = shop_today() - timedelta(days=shop_today().weekday())
    assert f"/admin/slots/days/{monday}" in desk.get(f"/admin/slots/?week={week}&zone=x").text


def test_closing_a_day_names_its_orders_and_takes_nothing_from_them(boss: Browser, run_sql: Sql) -> None:
    zone = make_zone()
    booked, free, later = make_slot(zone), make_slot(zone, hours=24.5), make_slot(zone, hours=24 * 9)
    order_id = make_order(slot_id=booked, number="G-HIT")
    make_order("cancelled", slot_id=booked, number="G-GONE")
    book(booked)
    day = day_of(run_sql, booked)
    page = text_of(boss.get(f"/admin/slots/days/{day}"))
    assert "G-HIT" in page
    assert "G-GONE" not in page
    assert "1 order stays as it is: deliver it, or call the customer." in page
    boss.post(f"/admin/slots/days/{day}/close")
    assert slot_row(booked) == (zone, 1, 1)
    assert slot_row(later) == (zone, 5, 0)
    if day_of(run_sql, free) == day:
        assert slot_row(free) == (zone, 0, 0)
    assert run_sql("SELECT slot_id, status FROM orders WHERE id = :id", id=order_id) == [(booked, "pending")]


def test_places_of_a_day_are_never_fewer_than_are_booked(boss: Browser, run_sql: Sql) -> None:
    mine, other = make_zone(), make_zone()
    slot, elsewhere = make_slot(mine), make_slot(other)
    book(slot, 4)
    day = day_of(run_sql, slot)
    boss.post(f"/admin/slots/days/{day}/capacity", {"capacity": "2", "zone_id": str(mine)})
    assert slot_row(slot) == (mine, 4, 4)
    assert slot_row(elsewhere) == (other, 5, 0)
    boss.post(f"/admin/slots/days/{day}/capacity", {"capacity": "9"})
    assert slot_row(slot) == (mine, 9, 4)
    assert slot_row(elsewhere) == (other, 9, 0)
    assert "2 windows changed." in text_of(boss.get(f"/admin/slots/days/{day}"))


@pytest.mark.parametrize("form", [{"capacity": "-1"}, {"capacity": "NaN"}, {}, {"capacity": "3", "zone_id": "x"}])
def test_places_that_are_no_number_change_nothing(boss: Browser, run_sql: Sql, form: dict[str, str]) -> None:
    slot = make_slot()
    answer = boss.post(f"/admin/slots/days/{day_of(run_sql, slot)}/capacity", form)
    assert answer.status_code == 422
    assert slot_row(slot)[1:] == (5, 0)


def test_days_that_there_are_not_are_404(boss: Browser) -> None:
    for day in ("x", "2026-13-01", "9999-12-31"):
        assert boss.get(f"/admin/slots/days/{day}").status_code == 404
        assert boss.post(f"/admin/slots/days/{day}/close").status_code == 404


def test_a_window_is_added_changed_and_deleted(boss: Browser, run_sql: Sql) -> None:
    zone = make_zone()
    times = {"starts_at": "2026-12-24T10:00", "ends_at": "2026-12-24T12:00"}
    form = {"zone_id": str(zone), **times, "capacity": "5", "fee": "49,50"}
    answer = boss.post("/admin/slots/new", form)
    assert (answer.status_code, answer.location) == (303, "/admin/slots/?week=2026-12-24")
    assert "There is" not in text_of(boss.get(answer.location))
    found = "SELECT id, capacity, fee_cents, extract(hour FROM starts_at AT TIME ZONE 'UTC') FROM delivery_slots"
    [(slot_id, capacity, fee, hour)] = run_sql(found)
    assert (capacity, fee, hour) == (5, 49_50, 7)
    assert boss.post("/admin/slots/new", form).status_code == 422  # the same again
    book(slot_id, 3)
    low = boss.post(f"/admin/slots/{slot_id}", {**form, "capacity": "2"})
    assert "More orders hold it already. It cannot be less than that." in low.text
    boss.post(f"/admin/slots/{slot_id}/delete")
    assert slot_row(slot_id) == (zone, 5, 3)
    assert boss.post(f"/admin/slots/{slot_id}", {**form, "capacity": "3"}).status_code == 303
    assert slot_row(slot_id) == (zone, 3, 3)
    book(slot_id, 0)
    boss.post(f"/admin/slots/{slot_id}/delete", {"week": "2026-12-24"})
    assert run_sql("SELECT count(*) FROM delivery_slots") == [(0,)]
    assert boss.get(f"/admin/slots/{slot_id}").status_code == 404


@pytest.mark.parametrize(
    "changes",
    [{"ends_at": "2026-12-24T09:00"}, {"starts_at": "soon"}, {"zone_id": "999999"}, {"capacity": "-1"}, {"fee": "-1"}],
)
def test_windows_that_cannot_be_are_refused(boss: Browser, run_sql: Sql, changes: dict[str, str]) -> None:
    times = {"starts_at": "2026-12-24T10:00", "ends_at": "2026-12-24T12:00"}
    form = {"zone_id": str(make_zone()), **times, "capacity": "5", **changes}
    assert boss.post("/admin/slots/new", form).status_code == 422
    assert run_sql("SELECT count(*) FROM delivery_slots") == [(0,)]


def test_staff_see_a_window_and_its_orders(desk: Browser) -> None:
    slot = make_slot()
    make_order(slot_id=slot, number="G-MINE")
    page = desk.get(f"/admin/slots/{slot}")
    assert "G-MINE" in page.text
    assert 'name="capacity"' not in page.text


def test_the_weekly_plan_makes_windows_on_all_days_that_were_ticked(boss: Browser, run_sql: Sql) -> None:
    zone = make_zone()
    form: dict[str, Any] = {"zone_id": str(zone), "starts": "10:00", "ends": "12:00", "capacity": "6", "fee": "0"}
    boss.post("/admin/slots/weekly", {**form, "weekdays": ["monday", "friday", "friday"]})
    assert run_sql("SELECT weekday, capacity FROM slot_templates ORDER BY weekday") == [(0, 6), (4, 6)]
    made = run_sql("SELECT count(*) FROM delivery_slots")[0][0]
    assert 3 <= made <= 4  # of today's, if it is one of them, the hour may be over
    refused = boss.post("/admin/slots/weekly", {**form, "weekdays": ["monday", "someday"]})
    assert "Choose a day." in refused.text
    assert boss.post("/admin/slots/weekly", form).status_code == 422
    assert run_sql("SELECT count(*) FROM slot_templates") == [(2,)]


def test_a_plan_is_changed_and_deleted_and_windows_stay(boss: Browser, run_sql: Sql) -> None:
    template = make_template()
    slot = make_slot()
    [(zone,)] = run_sql("SELECT zone_id FROM slot_templates")
    form = {"zone_id": str(zone), "weekday": "sunday", "starts": "08:00", "ends": "09:00", "capacity": "2"}
    assert boss.post(f"/admin/slots/weekly/{template}", form).status_code == 303
    assert run_sql("SELECT weekday, capacity, cutoff_minutes FROM slot_templates") == [(6, 2, 60)]
    assert boss.post(f"/admin/slots/weekly/{template}", {**form, "ends": "07:00"}).status_code == 422
    boss.post(f"/admin/slots/weekly/{template}/delete")
    assert run_sql("SELECT count(*) FROM slot_templates") == [(0,)]
    assert slot_row(slot)[1:] == (5, 0)


def test_areas_are_added_changed_and_deleted(boss: Browser, run_sql: Sql) -> None:
    boss.post("/admin/slots/zones", zone_form(min_basket="500", free_from="3,000", is_slot_required="1"))
    found = "SELECT name, fee_cents, min_basket_cents, free_from_cents, is_slot_required FROM delivery_zones"
    assert run_sql(found) == [("Town", 150_00, 500_00, 3000_00, True)]
    [(zone,)] = run_sql("SELECT id FROM delivery_zones")
    boss.post(f"/admin/slots/zones/{zone}", zone_form(name="Old <i>town", fee="0"))
    assert run_sql(found) == [("Old <i>town", 0, None, None, False)]
    assert "<i>town" not in boss.get("/admin/slots/zones").text
    order = make_order(zone_id=zone)
    boss.post(f"/admin/slots/zones/{zone}/delete")
    assert "Orders that are neither delivered nor cancelled go there" in text_of(boss.get(f"/admin/slots/zones/{zone}"))
    run_sql("UPDATE orders SET status = 'delivered' WHERE id = :id", id=order)
    boss.post(f"/admin/slots/zones/{zone}/delete")
    assert run_sql("SELECT count(*) FROM delivery_zones") == [(0,)]


@pytest.mark.parametrize("changes", [{"name": ""}, {"name": "town hill"}, {"fee": "-5"}, {"fee": ""}, {"fee": "NaN"}])
def test_areas_that_cannot_be_are_refused(boss: Browser, run_sql: Sql, changes: dict[str, str]) -> None:
    make_zone(name="Town Hill")
    assert boss.post("/admin/slots/zones", zone_form(**changes)).status_code == 422
    assert run_sql("SELECT name FROM delivery_zones") == [("Town Hill",)]


def test_changes_are_for_admins(desk: Browser, run_sql: Sql) -> None:
    zone = make_zone(name="Stays")
    slot, template = make_slot(zone), make_template(zone)
    day = day_of(run_sql, slot)
    for path in ("new", f"{slot}", f"{slot}/delete", f"days/{day}/close", f"days/{day}/capacity", "weekly", "zones"):
        assert desk.post(f"/admin/slots/{path}", {"capacity": "0", "name": "X", "fee": "0"}).status_code == 403, path
    for path in (f"weekly/{template}", f"weekly/{template}/delete", f"zones/{zone}", f"zones/{zone}/delete"):
        assert desk.post(f"/admin/slots/{path}", {"name": "X", "fee": "0"}).status_code == 403, path
    for path in ("new", "weekly", "zones", f"weekly/{template}", f"zones/{zone}"):
        assert desk.get(f"/admin/slots/{path}").status_code == 403, path
    assert slot_row(slot) == (zone, 5, 0)
    assert run_sql("SELECT name FROM delivery_zones") == [("Stays",)]
