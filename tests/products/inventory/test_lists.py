"""What staff look at: the ledger, lots, what expires, what runs low."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from flask.testing import FlaskClient

from grocery.products.inventory import examples
from grocery.products.inventory.schemas import (
    AlertSchema,
    ExpiringLotSchema,
    LotSchema,
    LowProductSchema,
    MovementSchema,
)
from tests.orders.conftest import Caller
from tests.orders.factories import move, place
from tests.products.factories import make_product
from tests.products.inventory.factories import in_days, make_lot
from tests.products.ledger import select_rows

pytestmark = pytest.mark.usefixtures("context")


def read(caller: Caller, path: str, **query: Any) -> list[dict[str, Any]]:
    response = caller.get(path, query_string=query)
    assert response.status_code == 200, response.json
    return response.json


def read_all(caller: Caller, path: str, **query: Any) -> list[list[dict[str, Any]]]:
    """All pages, by their links."""
    pages = []
    response = caller.get(path, query_string=query)
    while True:
        assert response.status_code == 200, response.json
        pages.append(response.json)
        if "Link" not in response.headers:
            return pages
        response = caller.get(response.headers["Link"].partition(">")[0].removeprefix("<"))


def test_the_ledger_says_what_happened_newest_first(staff: Caller, customer: Caller) -> None:
    product = make_product()
    make_product()
    lot = make_lot(product, 5, days=3)
    order = place(customer, {product: 2})
    move(staff, order, "cancelled")
    staff.post(f"/products/{product}/stock", json={"delta": -1, "reason": "damaged", "note": "Fell"})
    ledger = read(staff, f"/products/{product}/movements")
    assert [(row["delta"], row["reason"], row["stock_after"]) for row in ledger] == [
        (-1, "damaged", 14),
        (2, "cancelled", 15),
        (-2, "sold", 13),
        (5, "received", 15),
        (10, "opening", None),
    ]
    assert [(row["order_id"], row["lot_id"], row["actor_id"], row["note"]) for row in ledger] == [
        (None, lot, staff.person.id, "Fell"),
        (order["id"], None, staff.person.id, None),
        (order["id"], None, customer.person.id, None),
        (None, lot, None, None),
        (None, None, None, None),
    ]
    assert set(ledger[0]) == set(MovementSchema().fields) == set(examples.MOVEMENT)


def test_the_ledger_comes_in_pages(staff: Caller) -> None:
    product = make_product(unit="kg")
    for tenth in range(1, 7):
        staff.post(f"/products/{product}/stock", json={"delta": tenth / 10, "reason": "received"})
    pages = read_all(staff, f"/products/{product}/movements", limit=3, reason="received")
    assert [[row["delta"] for row in page] for page in pages] == [[0.6, 0.5, 0.4], [0.3, 0.2, 0.1]]
    assert [row["stock_after"] for row in pages[1]] == [10.6, 10.3, 10.1]


def test_the_ledger_is_filtered_by_reason_and_time(staff: Caller, run_sql: Any) -> None:
    product = make_product()
    staff.post(f"/products/{product}/stock", json={"delta": 1, "reason": "returned"})
    noon = datetime(2026, 3, 2, 12, tzinfo=UTC)
    for hours, reason in ((0, "opening"), (1, "returned")):
        run_sql(
            "UPDATE stock_movements SET created_at = :at WHERE reason = :reason",
            at=noon + timedelta(hours=hours),
            reason=reason,
        )
    path = f"/products/{product}/movements"

    def reasons(**query: str) -> list[str]:
        return [row["reason"] for row in read(staff, path, **query)]

    assert reasons(reason="returned") == ["returned"]
    assert reasons(reason="sold") == []
    assert reasons(**{"from": "2026-03-02T12:00:00Z", "to": "2026-03-02T13:00:00Z"}) == ["opening"]
    assert reasons(**{"from": "2026-03-02T15:30:00+03:00"}) == ["returned"]
    assert reasons(to="2026-03-02T12:00:00Z") == []
    assert reasons(**{"from": "2026-03-03T12:59:00+23:59"}) == ["returned"]


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("movements?reason=stolen", "reason"),
        ("movements?from=yesterday", "from"),
        ("movements?to=2026-03-02T12:00:00", "to"),
        ("movements?from=0001-01-01T00:00:00%2B14:00", "from"),
        ("movements?starts_at=2026-03-02T12:00:00Z", "starts_at"),
        ("movements?cursor=WyJhIl0", "cursor"),
        ("movements?cursor=WzEsMl0", "cursor"),
        ("lots?include=all", "include"),
        ("lots?cursor=WzFd", "cursor"),
        ("lots?limit=0", "limit"),
    ],
)
def test_bad_arguments_are_named(staff: Caller, path: str, field: str) -> None:
    product = make_product()
    response = staff.get(f"/products/{product}/{path}")
    assert (response.status_code, list(response.json["errors"])) == (422, [field])
    assert staff.get(f"/products/999999/{path}").status_code == 404


@pytest.mark.parametrize("path", ["movements", "lots"])
def test_an_unknown_product_is_not_found_and_one_without_rows_is_empty(staff: Caller, path: str) -> None:
    product = make_product(stock=Decimal(0), is_active=False)
    assert read(staff, f"/products/{product}/{path}") == []
    assert staff.get(f"/products/{product + 1}/{path}").status_code == 404


@pytest.mark.parametrize("path", ["/products/1/movements", "/products/1/lots", "/stock/expiring", "/stock/low"])
def test_the_lists_are_for_staff(client: FlaskClient, customer: Caller, path: str) -> None:
    assert client.get(path).status_code == 401
    assert customer.get(path).status_code == 403


def test_lots_stand_in_the_order_in_which_they_are_picked(staff: Caller) -> None:
    product = make_product()
    never, late, soon, used = (make_lot(product, 2, days=days) for days in (None, 9, 1, 0))
    make_lot(make_product(), 2)
    staff.post(f"/products/{product}/stock", json={"delta": -2, "reason": "damaged", "lot_id": used})
    path = f"/products/{product}/lots"
    lots = read(staff, path)
    assert [lot["id"] for lot in lots] == [soon, late, never]
    [received_at] = select_rows("SELECT received_at FROM stock_lots WHERE id = :id", id=soon)[0]
    assert lots[0] == {
        "id": soon,
        "product_id": product,
        "code": "L-1",
        "expires_on": in_days(1).isoformat(),
        "received_quantity": 2,
        "remaining": 2,
        "received_at": received_at.isoformat().replace("+00:00", "Z"),
        "actor_id": None,
    }
    pages = read_all(staff, path, include="empty", limit=2)
    assert [[lot["id"] for lot in page] for page in pages] == [[used, soon], [late, never]]
    assert set(lots[0]) == set(LotSchema().fields) == set(examples.LOT)


def test_what_expires_soon_is_listed_soonest_first(staff: Caller) -> None:
    milk, salt = make_product(name="Milk", sku="M"), make_product(unit="kg")
    week, beyond, gone = (make_lot(milk, 3, days=days) for days in (7, 8, -2))
    today, twin, never = make_lot(salt, 1.5, days=0), make_lot(salt, 1, days=0), make_lot(salt, 1)
    used = make_lot(milk, 1, days=1)
    staff.post(f"/products/{milk}/stock", json={"delta": -1, "reason": "damaged", "lot_id": used})
    lots = read(staff, "/stock/expiring")
    assert [(lot["lot_id"], lot["days_left"], lot["remaining"]) for lot in lots] == [
        (gone, -2, 3),
        (today, 0, 1.5),
        (twin, 0, 1),
        (week, 7, 3),
    ]
    assert (lots[0]["sku"], lots[0]["name"], lots[0]["unit"], lots[0]["product_id"]) == ("M", "Milk", "each", milk)
    assert lots[0]["expires_on"] == in_days(-2).isoformat()
    assert set(lots[0]) == set(ExpiringLotSchema().fields) == set(examples.EXPIRING_LOT)
    pages = read_all(staff, "/stock/expiring", days=8, limit=2)
    assert [[lot["lot_id"] for lot in page] for page in pages] == [[gone, today], [twin, week], [beyond]]
    assert [lot["lot_id"] for lot in read(staff, "/stock/expiring", days=0)] == [gone, today, twin]
    assert never not in [lot["lot_id"] for lot in read(staff, "/stock/expiring", days=3650)]


@pytest.mark.parametrize("query", ["days=-1", "days=3651", "days=x", "cursor=x", "cursor=WzEuNSwxXQ", "day=1"])
def test_expiring_refuses_what_cannot_be(staff: Caller, query: str) -> None:
    assert staff.get(f"/stock/expiring?{query}").status_code == 422


@pytest.mark.parametrize("cursor", ["Wzk5OTk5OTk5LDFd", "Wy01LDFd"], ids=["after the calendar", "before it"])
def test_a_made_up_date_is_just_another_place_in_the_list(staff: Caller, cursor: str) -> None:
    assert staff.get(f"/stock/expiring?cursor={cursor}").status_code == 200


def test_what_runs_low_is_listed_worst_first(staff: Caller) -> None:
    half = make_product(name="Half", stock=Decimal(5), low_stock_threshold=Decimal(10))
    at_it = make_product(unit="kg", stock=Decimal("2.5"), low_stock_threshold=Decimal("2.5"))
    out = make_product(stock=Decimal(0), low_stock_threshold=Decimal(3))
    never = make_product(stock=Decimal(0), low_stock_threshold=Decimal(0))
    make_product(stock=Decimal(11), low_stock_threshold=Decimal(10))
    make_product(stock=Decimal(0), low_stock_threshold=Decimal(10), is_active=False)
    unwatched = make_product(stock=Decimal("0.9"), unit="kg", quantity_step=Decimal(1))
    make_product(stock=Decimal(1))
    low = read(staff, "/stock/low")
    assert [row["product_id"] for row in low] == [out, never, half, at_it]
    assert low[2] == {
        "product_id": half,
        "sku": low[2]["sku"],
        "name": "Half",
        "unit": "each",
        "stock": 5,
        "low_stock_threshold": 10,
    }
    assert (low[3]["stock"], low[3]["low_stock_threshold"]) == (2.5, 2.5)
    assert set(low[0]) == set(LowProductSchema().fields) == set(examples.LOW)
    pages = read_all(staff, "/stock/low", include="out", limit=2)
    assert [[row["product_id"] for row in page] for page in pages] == [[out, never], [unwatched, half], [at_it]]
    assert pages[1][0]["low_stock_threshold"] is None


@pytest.mark.parametrize("query", ["include=all", "limit=101", "cursor=WzEsMV0", "threshold=1"])
def test_low_stock_refuses_what_cannot_be(staff: Caller, query: str) -> None:
    assert staff.get(f"/stock/low?{query}").status_code == 422


def test_an_id_in_a_cursor_that_no_row_can_have_is_the_end_of_the_list(staff: Caller) -> None:
    assert staff.get("/stock/low?cursor=WzEuMCw5MjIzMzcyMDM2ODU0Nzc1ODA3XQ").json == []


def test_the_threshold_is_written_by_admins_and_read_by_staff(
    admin: Caller, staff: Caller, client: FlaskClient
) -> None:
    product = make_product()
    path = f"/products/{product}"
    assert admin.patch(path, json={"low_stock_threshold": 2.5}).json["low_stock_threshold"] == 2.5
    assert staff.get(path).json["low_stock_threshold"] == 2.5
    assert "low_stock_threshold" not in client.get(path).json
    assert admin.patch(path, json={"low_stock_threshold": None}).json["low_stock_threshold"] is None
    for bad in (-0.001, "2", True, 10_000_001):
        response = admin.patch(path, json={"low_stock_threshold": bad})
        assert (response.status_code, list(response.json["errors"])) == (422, ["low_stock_threshold"])
    assert select_rows("SELECT low_stock_threshold FROM products") == [(None,)]


def test_the_example_of_an_alert_is_one() -> None:
    assert set(examples.ALERT) == set(AlertSchema().fields)
