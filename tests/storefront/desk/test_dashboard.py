"""The desk's first page: its numbers, and where each of them leads."""

import re

from tests.orders.conftest import Caller
from tests.orders.factories import move
from tests.products.factories import make_product
from tests.storefront.conftest import Browser, Sql, words_in
from tests.storefront.desk.shop_floor import give_slot, ordered


def test_empty_shop_has_a_calm_desk(desk: Browser, admin: Caller) -> None:
    desk.sign_in(admin.person)
    words = words_in(desk.get("/admin/"))
    assert "Orders today 0" in words
    assert "No order is late." in words
    assert "Every shelf is full enough." in words


def test_numbers_of_today(desk: Browser, admin: Caller, customer: Caller, staff: Caller, soap: int) -> None:
    ordered(customer, {soap: 1})
    move(staff, ordered(customer, {soap: 2}), "delivered")
    desk.sign_in(admin.person)
    words = words_in(desk.get("/admin/"))
    assert "Orders today 2 KSh 348 in all" in words
    assert "Delivered today KSh 232 1 order." in words
    assert "To pack today 1 0 of 1 items picked" in words


def test_last_week_counts_by_the_same_time(desk: Browser, customer: Caller, soap: int, run_sql: Sql) -> None:
    earlier, later = ordered(customer, {soap: 1}), ordered(customer, {soap: 1})
    run_sql("UPDATE orders SET placed_at = now() - interval '7 days' WHERE id = :id", id=earlier["id"])
    run_sql("UPDATE orders SET placed_at = now() - interval '7 days' + interval '5 s' WHERE id = :id", id=later["id"])
    assert re.search(r"Last \w+ by this time: 1\b", words_in(desk.get("/admin/")))


def test_late_and_low_lead_to_their_lists(desk: Browser, customer: Caller, soap: int, run_sql: Sql) -> None:
    order = ordered(customer, {soap: 1})
    give_slot(run_sql, order, "now() - interval '2 hours'", "now() - interval '5 minutes'")
    make_product("Home", name="Rare soap", stock=1, low_stock_threshold=2)
    page = desk.get("/admin/")
    assert f'href="/admin/orders/{order["id"]}"' in page.text
    assert "Late by 5 minutes" in words_in(page)
    assert "Rare soap 1 left" in words_in(page)


def test_charts_have_tables(desk: Browser, admin: Caller, customer: Caller, staff: Caller, soap: int) -> None:
    move(staff, ordered(customer, {soap: 2}), "delivered")
    desk.sign_in(admin.person)
    page = desk.get("/admin/").text
    assert page.count("<svg") == page.count("<table") == 2
    assert "style=" not in page
    assert words_in(page).count("KSh 232") >= 2


def test_navigation_marks_where_one_is(desk: Browser) -> None:
    page = desk.get("/admin/picking").text
    assert re.findall(r'aria-current="page">([^<]+)', page) == ["Picking"]
