from typing import Any

import pytest

from tests.orders.conftest import Caller
from tests.orders.factories import move, place
from tests.products.factories import make_product


@pytest.fixture
def orders(customer: Caller, other_customer: Caller) -> list[dict[str, Any]]:
    """Five orders, oldest first; the last one is the other customer's."""
    flour = make_product(stock=100)
    soap = make_product(stock=100)
    return [place(customer, {flour: 1, soap: 2}) for _ in range(4)] + [place(other_customer, {soap: 1})]


def ids(orders: list[dict[str, Any]]) -> list[int]:
    return [order["id"] for order in orders]


def test_customers_see_their_own_and_staff_see_all_newest_first(
    customer: Caller, staff: Caller, orders: list[dict[str, Any]]
) -> None:
    assert ids(customer.get("/orders/").json) == ids(orders[3::-1])
    assert ids(staff.get("/orders/").json) == ids(orders[::-1])
    assert [len(order["items"]) for order in staff.get("/orders/").json] == [1, 2, 2, 2, 2]


def test_pages_follow_one_another_without_gap_or_repetition(staff: Caller, orders: list[dict[str, Any]]) -> None:
    seen, path = [], "/orders/?limit=2&status=pending"
    for expected in (2, 2, 1):
        response = staff.get(path)
        seen += ids(response.json)
        assert len(response.json) == expected
        link = response.headers.get("Link")
        path = link[1 : link.index(">")].removeprefix("http://localhost") if link else ""
    assert path == ""
    assert seen == ids(orders[::-1])


def test_staff_filter(customer: Caller, staff: Caller, orders: list[dict[str, Any]]) -> None:
    move(staff, orders[1], "shipped")

    def found(query: str) -> list[int]:
        return ids(staff.get(f"/orders/?{query}").json)

    assert found("status=SHIPPED") == [orders[1]["id"]]
    assert found(f"customer_id={customer.person.id}") == ids(orders[3::-1])
    assert found(f"q={orders[2]['number'].lower()}") == [orders[2]["id"]]
    assert found("q=345678") == ids(orders[3::-1])
    assert found("q=kiprop") == [orders[4]["id"]]
    assert found("q=%25") == []
    placed_at = orders[2]["placed_at"]
    assert found(f"placed_after={placed_at}") == ids(orders[:1:-1])
    assert found(f"placed_before={placed_at}") == ids(orders[1::-1])
    assert found("placed_after=2999-01-01T00:00:00Z") == []


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=101",
        "limit=1000000000",
        "limit=x",
        "limit=1.5",
        "cursor=x",
        "cursor=%00",
        "cursor=WyJ4Il0",
        "cursor=W10",
        "cursor=W10&cursor=W10",
        "cursor=WzFlNDAwXQ",
        "status=sent",
        "customer_id=0",
        "placed_after=yesterday",
        "placed_after=2026-01-01T00:00:00",
        "placed_after=0001-01-01T00:00:00%2B14:00",
        "q=%00",
        "unknown=1",
    ],
)
def test_an_argument_that_makes_no_sense_is_refused(staff: Caller, query: str) -> None:
    response = staff.get(f"/orders/?{query}")
    assert response.status_code == 422
    assert list(response.json["errors"]) == [query.partition("=")[0]]


def test_an_order_that_did_not_change_is_not_sent_again(customer: Caller, orders: list[dict[str, Any]]) -> None:
    path = f"/orders/{orders[0]['id']}"
    etag = customer.get(path).headers["ETag"]
    response = customer.get(path, headers={"If-None-Match": etag})
    assert (response.status_code, response.data) == (304, b"")
