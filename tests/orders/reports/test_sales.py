"""What was sold, by time, category and product."""

import csv
import io
from typing import Any

import pytest
from flask import Flask

from grocery.orders.reports import examples
from tests.orders.conftest import Caller
from tests.orders.factories import move, place
from tests.orders.reports.factories import add_line, bring_back, sell
from tests.products.factories import make_product

pytestmark = pytest.mark.usefixtures("context")

NOON = "2026-11-26T12:00:00+03:00"
DAY = "from=2026-11-26&until=2026-11-26"
ZERO = {
    "orders": 0, "gross": "0.00", "discounts": "0.00", "delivery_fees": "0.00", "vat": "0.00", "net": "0.00",
    "returns": "0.00", "returns_vat": "0.00", "revenue": "0.00", "currency": "KES",
}  # fmt: skip


def sales(admin: Caller, query: str = DAY) -> list[dict[str, Any]]:
    answer = admin.get(f"/reports/sales?{query}")
    assert answer.status_code == 200, answer.json
    return answer.json


def test_a_day_adds_up_what_was_delivered_and_what_came_back(admin: Caller) -> None:
    order = sell(NOON, subtotal=1000_00, discount=100_00, fee=150_00, vat=120_30)
    sell(NOON, subtotal=500_50, vat=69_03)
    bring_back(order, NOON, 116_00, 16_00)
    assert sales(admin) == [
        {
            "day": "2026-11-26",
            "orders": 2,
            "gross": "1550.50",
            "discounts": "100.00",
            "delivery_fees": "150.00",
            "vat": "189.33",
            "net": "1361.17",
            "returns": "116.00",
            "returns_vat": "16.00",
            "revenue": "1261.17",
            "currency": "KES",
        }
    ]
    assert list(sales(admin)[0]) == list(examples.SALES)


@pytest.mark.parametrize("status", ["pending", "confirmed", "packed", "shipped", "cancelled"])
def test_what_is_not_delivered_is_not_sold(admin: Caller, status: str) -> None:
    add_line(sell(NOON, status=status), make_product())
    assert sales(admin) == [{"day": "2026-11-26", **ZERO}]
    assert sales(admin, f"{DAY}&by=product") == sales(admin, f"{DAY}&by=category") == []


def test_an_order_counts_when_it_was_delivered_and_a_return_when_it_came(admin: Caller) -> None:
    order = sell(NOON, placed_at="2026-11-24T12:00:00+03:00")
    bring_back(order, "2026-11-28T12:00:00+03:00", 300_00)
    rows = sales(admin, "from=2026-11-24&until=2026-11-28")
    assert [(row["day"], row["orders"], row["gross"], row["returns"], row["revenue"]) for row in rows] == [
        ("2026-11-24", 0, "0.00", "0.00", "0.00"),
        ("2026-11-25", 0, "0.00", "0.00", "0.00"),
        ("2026-11-26", 1, "1000.00", "0.00", "1000.00"),
        ("2026-11-27", 0, "0.00", "0.00", "0.00"),
        ("2026-11-28", 0, "0.00", "300.00", "-300.00"),
    ]


def test_days_and_hours_are_those_of_the_shop(admin: Caller) -> None:
    moments = ("25T23:59:59.999999", "26T00:00:00", "26T00:59:59.999999", "26T23:59:59.999999", "27T00:00:00")
    product = make_product(category="Pantry/Flour")
    for moment in moments:
        at = f"2026-11-{moment}+03:00"
        order = sell(at)
        bring_back(order, at, 1_00, line_id=add_line(order, product))
    rows = sales(admin, "from=2026-11-25&until=2026-11-27")
    assert [(row["orders"], row["returns"]) for row in rows] == [(1, "1.00"), (3, "3.00"), (1, "1.00")]
    hours = sales(admin, f"{DAY}&by=hour")
    assert [row["hour"] for row in hours] == list(range(24))
    assert [(row["hour"], row["orders"]) for row in hours if row["orders"]] == [(0, 2), (23, 1)]
    for by in ("product", "category"):
        assert [(row["orders"], row["returns"]) for row in sales(admin, f"{DAY}&by={by}")] == [(3, "3.00")]


def test_rows_by_month_weekday_and_in_one(admin: Caller) -> None:
    for day in ("10-31", "11-01", "11-02", "11-09"):  # Saturday, Sunday, two Mondays
        sell(f"2026-{day}T12:00:00+03:00")
    asked = "from=2026-10-31&until=2026-11-09"
    assert [(row["month"], row["orders"]) for row in sales(admin, f"{asked}&by=month")] == [
        ("2026-10", 1),
        ("2026-11", 3),
    ]
    by_weekday = {row["weekday"]: row["orders"] for row in sales(admin, f"{asked}&by=weekday")}
    assert by_weekday == {0: 2, 1: 0, 2: 0, 3: 0, 4: 0, 5: 1, 6: 1}
    [total] = sales(admin, f"{asked}&by=total")
    assert (total["from"], total["until"], total["orders"], total["gross"]) == (
        "2026-10-31", "2026-11-09", 4, "4000.00"
    )  # fmt: skip


def test_products_count_as_they_were_picked(admin: Caller) -> None:
    tomatoes = make_product("Fresh/Vegetables", name="Tomatoes", sku="TOM", unit="kg", price_cents=120_00)
    soap = make_product("Home", name="Soap", sku="SOAP")
    rice = make_product("Pantry", name="Rice", sku="RICE")
    first, second = sell(NOON), sell(NOON)
    add_line(first, tomatoes, 2, price=120_00, picked=1.95, vat=10_00, discount=4_00)
    add_line(second, tomatoes, 1, price=120_00)
    add_line(second, soap, 3, price=50_00)
    twice = add_line(second, soap, 1, price=50_00, substitute_for=add_line(second, rice, 1, picked=0))
    bring_back(second, NOON, 50_00, 6_90, line_id=twice)
    rows = sales(admin, f"{DAY}&by=product")
    assert rows == [
        {"product_id": tomatoes, "sku": "TOM", "name": "Tomatoes", "category": "Fresh/Vegetables", "unit": "kg",
         "orders": 2, "quantity": 2.95, "gross": "350.00", "discounts": "4.00", "vat": "10.00", "net": "340.00",
         "returns": "0.00", "returns_vat": "0.00", "revenue": "340.00", "currency": "KES"},
        {"product_id": soap, "sku": "SOAP", "name": "Soap", "category": "Home", "unit": "each",
         "orders": 1, "quantity": 4, "gross": "200.00", "discounts": "0.00", "vat": "0.00", "net": "200.00",
         "returns": "50.00", "returns_vat": "6.90", "revenue": "156.90", "currency": "KES"},
    ]  # fmt: skip
    by_category = sales(admin, f"{DAY}&by=category")
    assert [(row["category"], row["orders"], row["gross"], row["returns"]) for row in by_category] == [
        ("Fresh/Vegetables", 2, "350.00", "0.00"),
        ("Home", 1, "200.00", "50.00"),
    ]


def test_a_product_keeps_its_sales_when_renamed_and_when_deleted(admin: Caller, run_sql: Any) -> None:
    renamed, gone = make_product("Home", name="Soap", sku="S"), make_product("Home", name="Brush", sku="B")
    for _ in range(2):
        order = sell(NOON)
        add_line(order, renamed)
        add_line(order, gone, 2)
    run_sql("UPDATE products SET name = 'Bar Soap' WHERE id = :id", id=renamed)
    run_sql("DELETE FROM products WHERE id = :id", id=gone)
    keys = ("product_id", "sku", "name", "category", "orders", "quantity", "gross")
    assert [tuple(row[key] for key in keys) for row in sales(admin, f"{DAY}&by=product")] == [
        (None, "B", "Brush", None, 2, 4, "400.00"),
        (renamed, "S", "Bar Soap", "Home", 2, 2, "200.00"),
    ]
    assert [(row["category"], row["gross"]) for row in sales(admin, f"{DAY}&by=category")] == [("Home", "600.00")]


def test_no_sum_by_time_changes_when_a_customer_is_erased(
    admin: Caller, staff: Caller, customer: Caller, run_sql: Any
) -> None:
    product = make_product(price_cents=200_00, stock=10)
    for quantity in (1, 2):
        move(staff, place(customer, {product: quantity}), "delivered")
    move(staff, place(customer, {product: 1}), "cancelled")
    sell(NOON)
    (first, line), (second, _) = run_sql(
        "SELECT orders.id, order_lines.id FROM orders JOIN order_lines ON order_id = orders.id"
        " WHERE status = 'delivered' ORDER BY 1"
    )
    run_sql("UPDATE orders SET delivered_at = '2026-11-25 20:59+00', discount_cents = 10, delivery_fee_cents = 10"
            " WHERE id = :id", id=first)  # fmt: skip
    run_sql("UPDATE orders SET delivered_at = '2026-11-25 21:00+00' WHERE id = :id", id=second)
    bring_back(first, NOON, 200_00, 27_59, line_id=line)
    asked = "from=2026-11-20&until=2026-11-30"
    ways = ("day", "month", "weekday", "hour", "total")
    before = {by: sales(admin, f"{asked}&by={by}") for by in ways}
    by_day = {row["day"][-2:]: (row["orders"], row["gross"], row["discounts"], row["returns"]) for row in before["day"]}
    assert (by_day["25"], by_day["26"]) == ((1, "200.00", "0.10", "0.00"), (2, "1400.00", "0.00", "200.00"))

    assert admin.delete(f"/auth/users/{customer.person.id}").status_code == 204

    assert run_sql("SELECT count(*) FROM orders") == [(1,)]
    assert {by: sales(admin, f"{asked}&by={by}") for by in ways} == before
    assert sales(admin, f"{asked}&by=product") == []  # whose basket it was is forgotten, and with it what was in it


def test_sales_of_those_who_were_erased_before_delivery_was_noted_count_with_their_last_change(
    admin: Caller, run_sql: Any
) -> None:
    run_sql(
        "INSERT INTO sales_ledger (order_number, placed_at, finished_at, currency, delivery_fee_cents, total_cents,"
        " vat_cents, vat, payment_method, cash_cents)"
        " VALUES ('G-1', '2026-11-20', :at, 'KES', 0, 10000, 0, '{}', 'cash_on_delivery', 0)",
        at=NOON,
    )
    assert [(row["orders"], row["gross"]) for row in sales(admin)] == [(1, "100.00")]


def test_without_days_it_is_the_last_thirty(admin: Caller, staff: Caller, customer: Caller) -> None:
    move(staff, place(customer, {make_product(price_cents=70_00): 1}), "delivered")
    rows = sales(admin, "")
    assert len(rows) == 30
    assert [row["orders"] for row in rows] == [0] * 29 + [1]


# Arguments


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("by=week", "by"),
        ("by=", "by"),
        ("by=day%00", "by"),
        ("from=yesterday", "from"),
        ("from=2026-11-31", "from"),
        ("from=", "from"),
        (f"from={'9' * 5000}", "from"),
        ("until=2026-11-26%00", "until"),
        ("from=2026-11-26&until=2026-11-25", "from"),
        ("from=2999-12-01", "from"),  # until is today
        ("from=1999-12-31&until=2000-01-01", "from"),
        ("from=0001-01-01&until=0001-01-02", "from"),
        ("until=3000-01-01", "until"),
        ("until=9999-12-31", "until"),
        ("from=2020-01-01&until=2026-01-01", "from"),
        ("format=xlsx", "format"),
        ("limit=5", "limit"),
        ("day=2026-11-26", "day"),
    ],
)
def test_bad_arguments_are_refused_by_name(admin: Caller, query: str, field: str) -> None:
    answer = admin.get(f"/reports/sales?{query}")
    assert (answer.status_code, answer.json["code"]) == (422, "validation_failed")
    assert field in answer.json["errors"]


@pytest.mark.parametrize("query", ["from=2021-01-01&until=2025-12-31", "from=2000-01-01&until=2000-01-01", "by=Day"])
def test_the_widest_arguments_are_served(admin: Caller, query: str) -> None:
    assert {row["orders"] for row in sales(admin, query)} == {0}


def test_five_years_by_hour_are_served(admin: Caller) -> None:
    sell(NOON)
    assert sum(row["orders"] for row in sales(admin, "from=2022-01-01&until=2026-12-31&by=hour")) == 1


# CSV


@pytest.mark.parametrize(("query", "accept"), [("&format=csv", None), ("", "text/csv")])
def test_it_comes_as_csv(admin: Caller, query: str, accept: str | None) -> None:
    order = sell(NOON, subtotal=0)
    bring_back(order, NOON, 10_00)
    answer = admin.get(f"/reports/sales?{DAY}{query}", headers={"Accept": accept} if accept else {})
    assert (answer.status_code, answer.mimetype) == (200, "text/csv")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="sales-2026-11-26-2026-11-26.csv"'
    assert int(answer.headers["Content-Length"]) == len(answer.data)
    assert answer.text == (
        "day,orders,gross,discounts,delivery_fees,vat,net,returns,returns_vat,revenue,currency\r\n"
        "2026-11-26,1,0.00,0.00,0.00,0.00,0.00,10.00,0.00,-10.00,KES\r\n"
    )


def test_what_people_wrote_is_no_formula_in_the_sheet(admin: Caller) -> None:
    product = make_product("@Home", name='=HYPERLINK("x")', sku="+1")
    add_line(sell(NOON), product, 1.5)
    table = admin.get(f"/reports/sales?{DAY}&by=product&format=csv").text
    [row] = csv.DictReader(io.StringIO(table))
    assert (row["name"], row["sku"], row["category"], row["quantity"]) == (
        "'=HYPERLINK(\"x\")", "'+1", "'@Home", "1.5"
    )  # fmt: skip
    [row] = sales(admin, f"{DAY}&by=product")
    assert (row["name"], row["sku"]) == ('=HYPERLINK("x")', "+1")


def test_a_big_report_is_whole(admin: Caller, run_sql: Any) -> None:
    """More than is kept in memory: it goes through the disk."""
    category = run_sql("INSERT INTO categories (name, path) VALUES ('C', 'C') RETURNING id")[0][0]
    run_sql(
        "INSERT INTO products (name, category_id, category_path, price_cents)"
        " SELECT repeat('x', 300) || n, :category, 'C', 100 FROM generate_series(1, 4000) AS n",
        category=category,
    )
    for form in ("json", "csv"):
        answer = admin.get(f"/reports/stock?by=product&format={form}")
        assert int(answer.headers["Content-Length"]) == len(answer.data) > 1024 * 1024
    assert len(answer.text.splitlines()) == 4001
    assert len(admin.get("/reports/stock?by=product").json) == 4000


def test_a_report_leaves_its_connection_as_it_was(app: Flask, admin: Caller) -> None:
    sales(admin)
    with app.extensions["replica_reads"].connect() as connection:
        state = [connection.exec_driver_sql(f"SHOW {name}").scalar() for name in ("statement_timeout", "jit")]
        assert state == ["15s", "on"]
        assert connection.connection.dbapi_connection.autocommit is True


def test_what_fails_while_it_is_read_is_an_error_and_no_broken_file(admin: Caller, run_sql: Any) -> None:
    run_sql("ALTER TABLE returns_ledger RENAME TO elsewhere")
    try:
        answer = admin.get("/reports/sales")
    finally:
        run_sql("ALTER TABLE elsewhere RENAME TO returns_ledger")
    assert (answer.status_code, answer.mimetype) == (500, "application/problem+json")
