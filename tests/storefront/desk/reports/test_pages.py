"""Reports as tables, bars and files."""

import pytest

from tests.orders.conftest import Caller
from tests.storefront.conftest import Browser, Sql, words_in
from tests.storefront.desk.shop_floor import ordered

REPORTS = ("sales", "fulfilment", "slots", "times", "shortages", "pickers", "stock", "movements", "waste")


@pytest.fixture
def sold(desk: Browser, customer: Caller, soap: int, run_sql: Sql) -> None:
    order = ordered(customer, {soap: 2})
    run_sql("UPDATE orders SET status = 'delivered', delivered_at = '2026-03-02T08:00Z' WHERE id = :id", id=order["id"])
    run_sql("UPDATE products SET name = '<script>alert(1)</script>' WHERE id = :id", id=soap)


def test_sales_by_day_have_rows_and_bars(desk: Browser, sold: None, run_sql: Sql) -> None:
    [(cents,)] = run_sql("SELECT total_cents FROM orders")
    page = desk.get("/admin/reports/sales?from=2026-03-01&until=2026-03-03")
    words = words_in(page)
    assert "Sun 1 Mar 2026 0 KSh 0" in words
    assert f"Mon 2 Mar 2026 1 KSh {cents // 100:,}" in words
    assert page.text.count("<rect ") == 3
    assert "style=" not in page.text


def test_names_of_products_are_escaped(desk: Browser, sold: None) -> None:
    page = desk.get("/admin/reports/sales?by=product&from=2026-03-01&until=2026-03-03").text
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


@pytest.mark.parametrize("name", REPORTS)
def test_every_report_in_every_way_and_as_a_file(desk: Browser, sold: None, name: str) -> None:
    page = desk.get(f"/admin/reports/{name}").text
    ways = [part.partition('"')[0] for part in page.partition('<select id="by"')[2].split('value="')[1:]]
    for way in ways:
        assert desk.get(f"/admin/reports/{name}?by={way}&from=2026-03-01&until=2026-03-03").status_code == 200, way
    file = desk.get(f"/admin/reports/{name}?format=csv&from=2026-03-01&until=2026-03-03")
    assert file.mimetype == "text/csv"
    assert file.headers["Content-Disposition"].startswith(f'attachment; filename="{name}')
    assert "no-store" in file.headers["Cache-Control"]


@pytest.mark.parametrize(
    "query", ["from=2026-03-03&until=2026-03-01", "from=1900-01-01", "from=soon", "by=king", "from=2001-01-01"]
)
def test_days_that_make_no_sense_are_said(desk: Browser, query: str) -> None:
    page = desk.get(f"/admin/reports/sales?{query}")
    assert page.status_code == 200
    assert 'class="said note"' in page.text


def test_cash_up_of_a_day(desk: Browser, customer: Caller, staff: Caller, soap: int, run_sql: Sql) -> None:
    order = ordered(customer, {soap: 1})
    run_sql(
        "INSERT INTO payments (order_id, order_number, method, kind, amount_cents, collector_id, at)"
        " VALUES (:id, :number, 'cash_on_delivery', 'capture', 12500, :staff_id, '2026-03-02T08:00Z')",
        id=order["id"],
        number=order["number"],
        staff_id=staff.person.id,
    )
    page = words_in(desk.get("/admin/reports/cash-up?day=2026-03-02"))
    assert f"{staff.person.name} 1 KSh 125" in page
    assert "Nobody has taken money on this day." in words_in(desk.get("/admin/reports/cash-up?day=2026-03-03"))
    file = desk.get("/admin/reports/cash-up?day=2026-03-02&format=csv")
    assert file.mimetype == "text/csv"
    assert "125.00" in file.text
    assert desk.get("/admin/reports/cash-up?day=1900-01-01").status_code == 200


def test_reports_that_are_not_there(desk: Browser) -> None:
    assert desk.get("/admin/reports/secrets").status_code == 404
