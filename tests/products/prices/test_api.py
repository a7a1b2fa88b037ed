"""Offers, scheduled prices and the history of prices over HTTP."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from grocery.products.prices import examples
from grocery.products.prices.schemas import PriceChangeSchema, PriceRecordSchema, SchedulePriceSchema
from tests.problems import assert_problem
from tests.products.factories import make_category, make_product
from tests.products.ledger import select_rows
from tests.products.prices.conftest import history_of, price_of, statuses_of

pytestmark = pytest.mark.usefixtures("context")


def soon(days: float) -> str:
    return (datetime.now(UTC) + timedelta(days=days)).isoformat()


def body_of(**overrides: Any) -> dict[str, Any]:
    return {"price": "80.00", "starts_at": soon(1), "ends_at": soon(2), **overrides}


def walk(client: FlaskClient, address: str, headers: dict[str, str]) -> list[dict[str, Any]]:
    """The rows on all pages of three."""
    rows: list[dict[str, Any]] = []
    following: str | None = f"{address}?limit=3"
    while following:
        answer = client.get(following, headers=headers)
        assert answer.status_code == 200, answer.json
        rows += answer.json
        link = answer.headers.get("Link")
        following = link.removeprefix("<").removesuffix('>; rel="next"') if link else None
    return rows


def test_an_admin_schedules_an_offer(client: FlaskClient, admin: dict[str, str]) -> None:
    product = make_product(price_cents=100_00)
    start = datetime.now(UTC).replace(microsecond=0) + timedelta(days=9)
    ends_at = (start + timedelta(days=1)).isoformat()
    sent = {"price": "80.00", "starts_at": start.isoformat(), "ends_at": ends_at, "note": " Christmas "}
    answer = client.post(f"/products/{product}/prices", json=sent, headers=admin)
    assert answer.status_code == 201, answer.json
    assert set(answer.json) == set(PriceChangeSchema().fields) == set(examples.CHANGE)
    [(person,)] = select_rows("SELECT id FROM customers")
    assert {name: answer.json[name] for name in ("product_id", "status", "price", "note", "actor_id")} == {
        "product_id": product, "status": "scheduled", "price": "80.00", "note": "Christmas", "actor_id": person
    }  # fmt: skip
    assert answer.json["starts_at"] == f"{start:%Y-%m-%dT%H:%M:%S}Z"
    assert [answer.json[name] for name in ("compare_at_price", "started_at", "ended_at", "price_before")] == [None] * 4
    assert client.get(f"/products/{product}/prices", headers=admin).json == [answer.json]
    assert client.get(f"/products/{product}").json["price"] == "100.00"


def test_an_offer_from_now_changes_the_product_and_its_tag(client: FlaskClient, admin: dict[str, str]) -> None:
    product = make_product(price_cents=100_00)
    tag = client.get(f"/products/{product}").headers["ETag"]
    answer = client.post(f"/products/{product}/prices", json={"price": 80, "ends_at": soon(1)}, headers=admin)
    assert (answer.status_code, answer.json["status"], answer.json["price_before"]) == (201, "active", "100.00")
    read = client.get(f"/products/{product}", headers={"If-None-Match": tag})
    assert (read.status_code, read.json["price"], read.json["compare_at_price"]) == (200, "80.00", "100.00")
    assert read.headers["ETag"].startswith('"2-')
    stale = client.patch(f"/products/{product}", json={"name": "Late"}, headers={**admin, "If-Match": tag})
    assert_problem(stale, 412, "stale_version")

    gone = client.delete(f"/products/{product}/prices/{answer.json['id']}", headers=admin)
    assert (gone.status_code, gone.data) == (204, b"")
    assert price_of(product) == (100_00, None, 3)
    again = client.delete(f"/products/{product}/prices/{answer.json['id']}", headers=admin)
    assert_problem(again, 409, "price_change_over")


@pytest.mark.parametrize(
    ("overrides", "field"),
    [
        ({"price": "-1"}, "price"),
        ({"price": None}, "price"),
        ({"price": "1.005"}, "price"),
        ({"price": "Infinity"}, "price"),
        ({"price": "100.00"}, "price"),
        ({"price": "10000000.01"}, "price"),
        ({"compare_at_price": "80.00"}, "compare_at_price"),
        ({"compare_at_price": "x"}, "compare_at_price"),
        ({"starts_at": "2020-01-01T00:00:00Z"}, "starts_at"),
        ({"starts_at": "2026-12-01"}, "starts_at"),
        ({"starts_at": "2026-12-01T00:00:00"}, "starts_at"),
        ({"starts_at": "2026-13-01T00:00:00Z"}, "starts_at"),
        ({"starts_at": "2026-12-01T25:00:00Z"}, "starts_at"),
        ({"starts_at": "2026-12-01T00:00:00+99:00"}, "starts_at"),
        ({"starts_at": "0001-01-01T00:00:00+23:59"}, "starts_at"),
        ({"starts_at": "tomorrow"}, "starts_at"),
        ({"starts_at": 1_900_000_000}, "starts_at"),
        ({"starts_at": True}, "starts_at"),
        ({"starts_at": ""}, "starts_at"),
        ({"starts_at": "2026-12-01T00:00:00Z" + "0" * 10_000}, "starts_at"),
        ({"starts_at": "٢٠٢٦-12-01T00:00:00Z"}, "starts_at"),
        ({"ends_at": "9999-12-31T23:59:59-23:59"}, "ends_at"),
        ({"ends_at": "9999-12-31T23:59:59Z"}, "ends_at"),
        ({"ends_at": "2020-01-01T00:00:00Z"}, "ends_at"),
        ({"note": "x" * 501}, "note"),
        ({"note": "a\x00b"}, "note"),
        ({"note": 5}, "note"),
        ({"status": "active"}, "status"),
        ({"actor_id": 1}, "actor_id"),
    ],
)
def test_bad_fields_are_refused_by_name_and_nothing_is_written(
    client: FlaskClient, admin: dict[str, str], overrides: dict[str, Any], field: str
) -> None:
    product = make_product(price_cents=100_00)
    answer = client.post(f"/products/{product}/prices", json=body_of(**overrides), headers=admin)
    assert_problem(answer, 422, "validation_failed")
    assert list(answer.json["errors"]) == [field]
    assert (statuses_of(product), price_of(product)) == ([], (100_00, None, 1))


def test_overlapping_offers_are_a_conflict(client: FlaskClient, admin: dict[str, str]) -> None:
    product = make_product(price_cents=100_00)
    first = client.post(f"/products/{product}/prices", json=body_of(), headers=admin).json
    answer = client.post(f"/products/{product}/prices", json=body_of(price="70.00"), headers=admin)
    assert_problem(answer, 409, "offer_overlaps")
    assert answer.json["change_id"] == first["id"]


def test_of_eight_admins_with_the_same_offer_at_once_one_makes_it(
    app: Flask, client: FlaskClient, admin: dict[str, str]
) -> None:
    product = make_product(price_cents=100_00)
    sent = {"price": "80.00", "ends_at": soon(1)}

    def post(_: int) -> int:
        return app.test_client().post(f"/products/{product}/prices", json=sent, headers=admin).status_code

    with ThreadPoolExecutor(8) as pool:
        assert sorted(pool.map(post, range(8))) == [201] + [409] * 7
    assert (statuses_of(product), price_of(product)) == (["active"], (80_00, 100_00, 2))


def test_unknown_products_come_before_bad_bodies(client: FlaskClient, admin: dict[str, str]) -> None:
    unknown = make_product() + 1
    for sent in ({"json": body_of()}, {"json": {"nonsense": 1}}, {"data": "x"}):
        assert_problem(client.post(f"/products/{unknown}/prices", headers=admin, **sent), 404, "not_found")
    for path in ("prices", "price-history", "prices?limit=0", f"prices/{unknown}"):
        method = "DELETE" if path[-1].isdigit() and "limit" not in path else "GET"
        answer = client.open(f"/products/{unknown}/{path}", method=method, headers=admin)
        assert_problem(answer, 404, "not_found")


def test_the_schedule_is_for_admins_and_the_history_for_staff(
    client: FlaskClient, admin: dict[str, str], staff: dict[str, str], customer: dict[str, str]
) -> None:
    product = make_product()
    address = f"/products/{product}/price"
    statuses = {
        who: (client.get(f"{address}s", headers=headers).status_code,
              client.get(f"{address}-history", headers=headers).status_code)
        for who, headers in (("admin", admin), ("staff", staff), ("customer", customer), ("visitor", {}))
    }  # fmt: skip
    assert statuses == {"admin": (200, 200), "staff": (403, 200), "customer": (403, 403), "visitor": (401, 401)}
    assert client.post(f"{address}s", json=body_of(), headers=staff).status_code == 403
    assert statuses_of(product) == []


def test_the_schedule_is_listed_in_pages_the_latest_start_first(client: FlaskClient, admin: dict[str, str]) -> None:
    product, other = make_product(price_cents=100_00), make_product(price_cents=100_00)
    moment = soon(5)
    for start in (soon(3), moment, moment, soon(9), soon(1), moment, soon(2)):
        client.post(f"/products/{product}/prices", json={"price": "90.00", "starts_at": start}, headers=admin)
    client.post(f"/products/{other}/prices", json={"price": "90.00", "starts_at": moment}, headers=admin)
    expected = select_rows(
        "SELECT id FROM price_changes WHERE product_id = :id ORDER BY starts_at DESC, id DESC", id=product
    )
    rows = walk(client, f"/products/{product}/prices", admin)
    assert [(row["id"],) for row in rows] == expected
    assert len(rows) == 7

    client.delete(f"/products/{product}/prices/{rows[0]['id']}", headers=admin)
    cancelled = client.get(f"/products/{product}/prices?status=cancelled", headers=admin).json
    assert [row["id"] for row in cancelled] == [rows[0]["id"]]


@pytest.mark.parametrize("path", ["prices", "price-history"])
@pytest.mark.parametrize("query", ["?limit=0", "?limit=101", "?cursor=x", "?cursor=WyJhIl0", "?status=done", "?q=1"])
def test_bad_arguments_of_the_lists(client: FlaskClient, admin: dict[str, str], path: str, query: str) -> None:
    answer = client.get(f"/products/{make_product()}/{path}{query}", headers=admin)
    assert answer.status_code == 422
    assert answer.mimetype == "application/problem+json"


# History


def test_every_way_to_change_a_price_is_in_the_history(client: FlaskClient, admin: dict[str, str]) -> None:
    sent = {"name": "Milk", "category_id": make_category("Dairy"), "price": "65.00"}
    product = client.post("/products/", json=sent, headers=admin).json["id"]
    address = f"/products/{product}"
    client.patch(address, json={"price": "70.00"}, headers=admin)
    client.patch(address, json={"name": "Fresh milk", "price": "70.00"}, headers=admin)
    client.patch(address, json={"compare_at_price": "75.00"}, headers=admin)
    client.put(address, json={**sent, "price": "70.00"}, headers=admin)
    client.put(address, json={**sent, "price": "70.00", "brand": "Brookside"}, headers=admin)
    answer = client.get(f"{address}/price-history", headers=admin)
    [(person,)] = select_rows("SELECT id FROM customers")
    seen = [(row["price"], row["compare_at_price"], row["reason"], row["actor_id"]) for row in answer.json]
    assert seen == [
        ("70.00", None, "edited", person),
        ("70.00", "75.00", "edited", person),
        ("70.00", None, "edited", person),
        ("65.00", None, "created", person),
    ]
    assert set(answer.json[0]) == set(PriceRecordSchema().fields) == set(examples.RECORD)


def test_a_refused_edit_leaves_no_trace(client: FlaskClient, admin: dict[str, str]) -> None:
    product = make_product(price_cents=100_00, compare_at_price_cents=120_00)
    assert client.patch(f"/products/{product}", json={"price": "130.00"}, headers=admin).status_code == 422
    assert history_of(product) == []


def test_the_history_comes_in_pages_newest_first(client: FlaskClient, admin: dict[str, str]) -> None:
    product = make_product(price_cents=100_00)
    for number in range(7):
        client.patch(f"/products/{product}", json={"price": 50 + number}, headers=admin)
    rows = walk(client, f"/products/{product}/price-history", admin)
    assert [row["price"] for row in rows] == [f"{50 + number}.00" for number in reversed(range(7))]


def test_each_record_has_the_lowest_price_of_the_thirty_days_before(
    client: FlaskClient, staff: dict[str, str], run_sql: Any
) -> None:
    product, other = make_product(), make_product()
    days_and_prices = [(100, 50_00), (60, 90_00), (20, 120_00), (10, 100_00), (0, 80_00)]
    for days, price in days_and_prices:
        for one, cents in ((product, price), (other, 1_00)):
            run_sql(
                "INSERT INTO price_history (product_id, price_cents, changed_at, reason)"
                " VALUES (:id, :price, now() - make_interval(days => :days), 'edited')",
                id=one, price=cents, days=days,
            )  # fmt: skip
    answer = client.get(f"/products/{product}/price-history", headers=staff).json
    lowest = [(row["price"], row["lowest_price_30_days"]) for row in answer]
    assert lowest == [
        ("80.00", "90.00"),  # 90.00 still held 30 days ago, until the 20th day
        ("100.00", "90.00"),
        ("120.00", "90.00"),
        ("90.00", "50.00"),
        ("50.00", None),
    ]


def test_the_example_is_what_can_be_sent() -> None:
    loaded = SchedulePriceSchema().load(examples.WANTED)
    assert loaded["starts_at"] == datetime(2026, 12, 1, tzinfo=UTC)
