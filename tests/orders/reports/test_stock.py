"""Stock, movements and waste."""

from typing import Any

import pytest

from grocery.orders.reports import examples
from tests.orders.conftest import Caller
from tests.orders.factories import move, place
from tests.orders.reports.factories import add_line, bring_back, sell
from tests.products.factories import make_product

pytestmark = pytest.mark.usefixtures("context")

NOON = "2026-11-26T12:00:00+03:00"
DAY = "from=2026-11-26&until=2026-11-26"


@pytest.fixture
def move_stock(run_sql: Any) -> Any:
    def write(product_id: int, delta: float, reason: str, at: str = NOON) -> None:
        run_sql(
            "INSERT INTO stock_movements (product_id, delta, reason, created_at)"
            " VALUES (:id, :delta, :reason, CAST(:at AS timestamptz))",
            id=product_id, delta=delta, reason=reason, at=at,
        )  # fmt: skip

    return write


@pytest.fixture
def shelves(context: None) -> None:
    make_product("Drinks", name="Juice", sku="J", price_cents=99_99, stock=3, low_stock_threshold=3)
    make_product("Drinks", name="Water", sku="W", price_cents=50_00, stock=0, low_stock_threshold=5)
    make_product("Drinks", name="Old Cola", sku="C", price_cents=10_00, stock=0, is_active=False)
    make_product("Fresh/Fruit", name="Mango", sku="M", price_cents=33_33, stock=1.5, unit="kg", quantity_step=0.1)


def test_the_stock_by_category_and_in_one(admin: Caller, shelves: None) -> None:
    rows = admin.get("/reports/stock").json
    assert rows == [
        {"category": "Drinks", "products": 3, "low": 1, "out": 1, "value": "299.97", "currency": "KES"},
        {"category": "Fresh/Fruit", "products": 1, "low": 0, "out": 0, "value": "50.00", "currency": "KES"},
    ]
    assert list(rows[0]) == list(examples.STOCK)
    assert admin.get("/reports/stock?by=total").json == [
        {"products": 4, "low": 1, "out": 1, "value": "349.97", "currency": "KES"}
    ]


def test_the_stock_by_product(admin: Caller, shelves: None) -> None:
    rows = admin.get("/reports/stock?by=product").json
    keys = ("name", "category", "unit", "quantity", "price", "level", "value")
    assert [tuple(row[key] for key in keys) for row in rows] == [
        ("Juice", "Drinks", "each", 3, "99.99", "low", "299.97"),
        ("Old Cola", "Drinks", "each", 0, "10.00", "ok", "0.00"),
        ("Water", "Drinks", "each", 0, "50.00", "out", "0.00"),
        ("Mango", "Fresh/Fruit", "kg", 1.5, "33.33", "ok", "50.00"),
    ]


def test_an_empty_shop_has_no_shelves(admin: Caller) -> None:
    assert admin.get("/reports/stock").json == []
    assert admin.get("/reports/stock?by=total").json == [
        {"products": 0, "low": 0, "out": 0, "value": "0.00", "currency": "KES"}
    ]
    assert admin.get("/reports/stock?format=csv").text == "category,products,low,out,value,currency\r\n"


def test_movements_by_reason_keep_pieces_and_kilograms_apart(admin: Caller, move_stock: Any) -> None:
    soap = make_product("Home", name="Soap", price_cents=50_00, stock=0)
    mango = make_product("Fresh", name="Mango", price_cents=33_33, stock=0, unit="kg")
    for product, delta, reason in (
        (soap, 10, "received"),
        (soap, 5, "received"),
        (soap, -2, "damaged"),
        (mango, 2.5, "received"),
    ):
        move_stock(product, delta, reason)
    move_stock(soap, 100, "received", "2026-11-25T23:59:59.999+03:00")
    move_stock(soap, 100, "received", "2026-11-27T00:00:00+03:00")
    rows = admin.get(f"/reports/movements?{DAY}").json
    assert rows == [
        {"reason": "damaged", "unit": "each", "movements": 1, "quantity": -2, "value": "-100.00", "currency": "KES"},
        {"reason": "received", "unit": "each", "movements": 2, "quantity": 15, "value": "750.00", "currency": "KES"},
        {"reason": "received", "unit": "kg", "movements": 1, "quantity": 2.5, "value": "83.33", "currency": "KES"},
    ]
    assert list(rows[0]) == list(examples.MOVEMENTS)
    by_category = admin.get(f"/reports/movements?{DAY}&by=category").json
    assert [(row["category"], row["reason"], row["quantity"]) for row in by_category] == [
        ("Fresh", "received", 2.5), ("Home", "damaged", -2), ("Home", "received", 15)
    ]  # fmt: skip
    by_product = admin.get(f"/reports/movements?{DAY}&by=product").json
    assert [(row["name"], row["reason"], row["quantity"]) for row in by_product] == [
        ("Mango", "received", 2.5), ("Soap", "damaged", -2), ("Soap", "received", 15)
    ]  # fmt: skip


def test_what_the_shop_itself_does_is_in_the_movements(admin: Caller, staff: Caller, customer: Caller) -> None:
    product = make_product(price_cents=100_00, stock=10)
    place(customer, {product: 2})
    move(staff, place(customer, {product: 3}), "cancelled")
    rows = admin.get("/reports/movements").json
    assert [(row["reason"], row["quantity"], row["value"]) for row in rows] == [
        ("cancelled", 3, "300.00"),
        ("opening", 10, "1000.00"),
        ("sold", -5, "-500.00"),
    ]


def test_waste_is_what_was_thrown_away_and_what_came_back(admin: Caller, move_stock: Any, run_sql: Any) -> None:
    soap = make_product("Home", name="Soap", sku="S", price_cents=50_00)
    mango = make_product("Fresh", name="Mango", sku="M", price_cents=40_00, unit="kg")
    gone = make_product("Home", name="Brush", sku="B")
    for product, delta, reason in (
        (mango, -1.5, "damaged"),
        (mango, -2, "expired"),
        (soap, -1, "damaged"),
        (soap, -4, "counted"),
    ):
        move_stock(product, delta, reason)
    move_stock(soap, -9, "damaged", "2026-11-27T00:00:00+03:00")
    order = sell("2026-11-20T12:00:00+03:00")
    bring_back(order, NOON, 20_00, line_id=add_line(order, soap, 3), quantity=2)
    bring_back(order, NOON, 10_00, line_id=add_line(order, gone), is_restocked=False)
    run_sql("DELETE FROM products WHERE id = :id", id=gone)
    rows = admin.get(f"/reports/waste?{DAY}").json
    assert rows == [
        {"product_id": mango, "sku": "M", "name": "Mango", "category": "Fresh", "unit": "kg", "damaged": 1.5,
         "expired": 2, "returned": 0, "written_off": 0, "value": "140.00", "refunded": "0.00", "currency": "KES"},
        {"product_id": soap, "sku": "S", "name": "Soap", "category": "Home", "unit": "each", "damaged": 1,
         "expired": 0, "returned": 2, "written_off": 0, "value": "50.00", "refunded": "20.00", "currency": "KES"},
        {"product_id": None, "sku": "B", "name": "Brush", "category": None, "unit": "each", "damaged": 0,
         "expired": 0, "returned": 1, "written_off": 1, "value": "0.00", "refunded": "10.00", "currency": "KES"},
    ]  # fmt: skip
    assert list(rows[0]) == list(examples.WASTE)
    assert [row["name"] for row in admin.get(f"/reports/waste?{DAY}&limit=1").json] == ["Mango"]


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("stock?from=2026-11-26", "from"),
        ("stock?by=day", "by"),
        ("movements?by=day", "by"),
        ("movements?limit=3", "limit"),
        ("waste?by=category", "by"),
        ("waste?limit=0", "limit"),
        ("waste?limit=1001", "limit"),
        ("waste?limit=9223372036854775808", "limit"),
        ("waste?from=2026-11-27&until=2026-11-26", "from"),
    ],
)
def test_bad_arguments_are_refused_by_name(admin: Caller, path: str, field: str) -> None:
    answer = admin.get(f"/reports/{path}")
    assert answer.status_code == 422
    assert list(answer.json["errors"]) == [field]
