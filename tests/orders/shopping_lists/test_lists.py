"""Making, naming and deleting shopping lists over HTTP."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from grocery.orders.shopping_lists.schemas import FULL_LIST_EXAMPLE, LIST_EXAMPLE, FullListSchema, ListSchema
from tests.orders.conftest import Caller
from tests.orders.factories import place
from tests.orders.shopping_lists.conftest import Sql, make_list, on, put
from tests.products.factories import make_product


def test_a_customer_makes_a_list(customer: Caller, flour: int) -> None:
    answer = customer.post("/lists/", json={"name": "  Every   week "})
    made = answer.json
    assert answer.status_code == 201
    assert answer.headers["Location"].endswith(f"/lists/{made['id']}")
    assert made == {
        "id": made["id"],
        "name": "Every week",
        "item_count": 0,
        "created_at": made["created_at"],
        "updated_at": made["created_at"],
        "items": [],
    }
    full = put(customer, made, flour, 2).json
    assert set(full) == set(FullListSchema().fields) == set(FULL_LIST_EXAMPLE)
    assert set(full["items"][0]) == set(FULL_LIST_EXAMPLE["items"][0])
    assert customer.get(f"/lists/{made['id']}").json == full
    (summary,) = customer.get("/lists/").json
    assert set(summary) == set(ListSchema().fields) == set(LIST_EXAMPLE)
    assert (summary["name"], summary["item_count"]) == ("Every week", 1)


def test_the_one_changed_last_comes_first(customer: Caller, other_customer: Caller, flour: int) -> None:
    first, second = make_list(customer, "First"), make_list(customer, "Second")
    make_list(other_customer, "First")
    assert [one["name"] for one in customer.get("/lists/").json] == ["Second", "First"]
    put(customer, first, flour)
    assert [one["id"] for one in customer.get("/lists/").json] == [first["id"], second["id"]]


def test_a_list_of_an_order_has_what_was_ordered_and_is_still_there(
    customer: Caller, flour: int, beef: int, run_sql: Sql
) -> None:
    gone = make_product(name="Gone")
    order = place(customer, {flour: 2, beef: 1.5, gone: 1})
    run_sql("UPDATE order_lines SET picked_quantity = 1.42 WHERE name = 'Beef'")
    run_sql("DELETE FROM products WHERE id = :id", id=gone)
    made = make_list(customer, "Again", order_id=order["id"])
    assert made["item_count"] == 2
    assert on(customer, made) == {flour: 2, beef: 1.5}


def test_an_order_of_somebody_else_makes_none(
    customer: Caller, other_customer: Caller, flour: int, run_sql: Sql
) -> None:
    order = place(customer, {flour: 1})
    for order_id in (order["id"], 999_999):
        answer = other_customer.post("/lists/", json={"name": "Theirs", "order_id": order_id})
        assert (answer.status_code, list(answer.json["errors"])) == (422, ["order_id"])
    assert run_sql("SELECT count(*) FROM shopping_lists") == [(0,)]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "  "},
        {"name": None},
        {"name": 7},
        {"name": "x" * 61},
        {"name": "a\x00b"},
        {"name": "a\x1bb"},
        {"name": "Good", "customer_id": 1},
        {"name": "Good", "order_id": 0},
        {"name": "Good", "order_id": "1 OR 1=1"},
    ],
)
def test_nonsense_makes_none(customer: Caller, body: dict[str, Any], run_sql: Sql) -> None:
    assert customer.post("/lists/", json=body).status_code == 422
    assert run_sql("SELECT count(*) FROM shopping_lists") == [(0,)]


def test_names_are_kept_as_they_were_written(customer: Caller) -> None:
    for name in ("<script>alert(1)</script>", "'; DROP TABLE shopping_lists; --", "Mboga 🥬", "x" * 60):
        assert make_list(customer, name)["name"] == name


def test_two_lists_of_one_customer_have_different_names(customer: Caller, other_customer: Caller) -> None:
    made, other = make_list(customer, "Every week"), make_list(customer, "Party")
    make_list(other_customer, "Every week")
    again = customer.post("/lists/", json={"name": "EVERY week"})
    assert (again.status_code, again.json["code"]) == (409, "list_exists")
    taken = customer.patch(f"/lists/{other['id']}", json={"name": "every WEEK"})
    assert (taken.status_code, taken.json["code"]) == (409, "list_exists")
    own = customer.patch(f"/lists/{made['id']}", json={"name": "EVERY WEEK"})
    assert (own.status_code, own.json["name"]) == (200, "EVERY WEEK")
    assert [one["name"] for one in customer.get("/lists/").json] == ["EVERY WEEK", "Party"]


def test_of_two_made_at_once_under_one_name_one_is_made(customer: Caller, run_sql: Sql) -> None:
    def make(_: int) -> int:
        return int(customer.post("/lists/", json={"name": "Every week"}).status_code)

    with ThreadPoolExecutor(4) as pool:
        assert Counter(pool.map(make, range(4))) == {201: 1, 409: 3}
    assert run_sql("SELECT count(*) FROM shopping_lists") == [(1,)]


def test_there_is_room_for_50(customer: Caller, run_sql: Sql) -> None:
    run_sql(
        "INSERT INTO shopping_lists (customer_id, name) SELECT :id, 'List ' || n FROM generate_series(1, 49) AS n",
        id=customer.person.id,
    )

    def make(number: int) -> int:
        return int(customer.post("/lists/", json={"name": f"New {number}"}).status_code)

    with ThreadPoolExecutor(4) as pool:
        assert Counter(pool.map(make, range(4))) == {201: 1, 409: 3}
    full = customer.post("/lists/", json={"name": "One more"}).json
    assert (full["code"], full["limit"]) == ("too_many_lists", 50)


def test_deleted_it_is_gone_with_what_was_on_it(
    customer: Caller, weekly: dict[str, Any], flour: int, run_sql: Sql
) -> None:
    put(customer, weekly, flour)
    assert customer.delete(f"/lists/{weekly['id']}").status_code == 204
    assert customer.delete(f"/lists/{weekly['id']}").status_code == 404
    assert customer.get(f"/lists/{weekly['id']}").status_code == 404
    assert run_sql("SELECT count(*) FROM shopping_list_items") == [(0,)]


def test_another_persons_list_is_not_found(
    customer: Caller, other_customer: Caller, admin: Caller, weekly: dict[str, Any], flour: int, run_sql: Sql
) -> None:
    put(customer, weekly, flour, 2)
    path = f"/lists/{weekly['id']}"
    for stranger in (other_customer, admin):
        answers = [
            stranger.get(path),
            stranger.patch(path, json={"name": "Mine"}),
            stranger.delete(path),
            stranger.put(f"{path}/items/{flour}", json={"quantity": 9}),
            stranger.delete(f"{path}/items/{flour}"),
            stranger.post(f"{path}/to-cart"),
        ]
        assert [(answer.status_code, answer.json["code"]) for answer in answers] == [(404, "not_found")] * 6
        assert stranger.get("/lists/").json == []
        unknown = stranger.get("/lists/999999").json["detail"]
        assert answers[0].json["detail"] == unknown.replace("999999", str(weekly["id"]))
    assert on(customer, weekly) == {flour: 2}
    assert customer.get(path).json["name"] == "Every week"
    assert run_sql("SELECT count(*) FROM cart_items") == [(0,)]


def test_visitors_have_none(client: Any, weekly: dict[str, Any]) -> None:
    path = f"/lists/{weekly['id']}"
    for method, where in (
        ("GET", "/lists/"),
        ("POST", "/lists/"),
        ("GET", path),
        ("PATCH", path),
        ("DELETE", path),
        ("PUT", f"{path}/items/1"),
        ("DELETE", f"{path}/items/1"),
        ("POST", f"{path}/to-cart"),
    ):
        assert client.open(where, method=method).status_code == 401


def test_they_go_with_the_account(
    customer: Caller, other_customer: Caller, weekly: dict[str, Any], flour: int, run_sql: Sql
) -> None:
    put(customer, weekly, flour)
    make_list(other_customer)
    assert customer.delete("/auth/me", json={"password": "correct horse battery"}).status_code == 204
    assert run_sql("SELECT customer_id FROM shopping_lists") == [(other_customer.person.id,)]
    assert run_sql("SELECT count(*) FROM shopping_list_items") == [(0,)]
