"""The tree of categories over HTTP."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from grocery.db import db, transaction
from grocery.errors import InvalidError
from grocery.products.categories import MAX_DEPTH, MAX_PATH_LENGTH, ensure_path
from grocery.products.schemas import CategoryTreeSchema
from tests.problems import assert_problem
from tests.products.factories import make_category, make_product
from tests.products.ledger import select_rows

pytestmark = pytest.mark.usefixtures("context")


def paths() -> list[str]:
    return [path for (path,) in select_rows("SELECT path FROM categories ORDER BY path")]


def test_the_tree_nests_children_in_order(client: FlaskClient, admin: dict[str, str]) -> None:
    assert client.get("/categories/").json == []
    dairy = client.post("/categories/", json={"name": "Dairy", "position": 2}, headers=admin).json
    bakery = client.post("/categories/", json={"name": "Bakery", "position": 2}, headers=admin).json
    fruit = client.post("/categories/", json={"name": "Fruit", "position": 1}, headers=admin)
    assert fruit.status_code == 201
    assert fruit.json == {
        "id": fruit.json["id"], "name": "Fruit", "parent_id": None, "path": "Fruit", "position": 1
    }  # fmt: skip
    milk = client.post("/categories/", json={"name": "Milk", "parent_id": dairy["id"]}, headers=admin).json
    assert milk["path"] == "Dairy/Milk"
    tree = client.get("/categories/").json
    assert tree == [
        {**fruit.json, "children": []},
        {**bakery, "children": []},
        {**dairy, "children": [{**milk, "children": []}]},
    ]
    assert set(tree[0]) == set(CategoryTreeSchema().fields)


def test_the_tree_costs_one_statement_and_answers_304(client: FlaskClient, statements: list[str]) -> None:
    make_category("A/B/C")
    del statements[:]
    answer = client.get("/categories/")
    assert len(statements) == 1
    again = client.get("/categories/", headers={"If-None-Match": answer.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_renaming_renames_the_paths_of_the_whole_branch(client: FlaskClient, admin: dict[str, str]) -> None:
    drinks = make_category("Drinks")
    make_category("Drinks/Juice/Mango")
    make_category("Drinks & more")
    product = make_product("Drinks/Juice")
    answer = client.put(f"/categories/{drinks}", json={"name": "Vinywaji %"}, headers=admin)
    assert (answer.status_code, answer.json["path"]) == (200, "Vinywaji %")
    assert paths() == ["Drinks & more", "Vinywaji %", "Vinywaji %/Juice", "Vinywaji %/Juice/Mango"]
    assert client.get(f"/products/{product}").json["category"] == "Vinywaji %/Juice"


def test_renaming_may_change_the_letter_case_only(client: FlaskClient, admin: dict[str, str]) -> None:
    category = make_category("drinks")
    make_category("drinks/juice")
    assert client.put(f"/categories/{category}", json={"name": "Drinks"}, headers=admin).status_code == 200
    assert paths() == ["Drinks", "Drinks/juice"]


def test_moving_takes_the_branch_along_and_back_to_the_top(client: FlaskClient, admin: dict[str, str]) -> None:
    juice, food = make_category("Drinks/Juice"), make_category("Food")
    make_category("Drinks/Juice/Mango")
    sent = {"name": "Juice", "parent_id": food, "position": 3}
    answer = client.put(f"/categories/{juice}", json=sent, headers=admin)
    assert answer.json == {"id": juice, "name": "Juice", "parent_id": food, "path": "Food/Juice", "position": 3}
    assert paths() == ["Drinks", "Food", "Food/Juice", "Food/Juice/Mango"]
    client.put(f"/categories/{juice}", json={"name": "Juice"}, headers=admin)
    assert paths() == ["Drinks", "Food", "Juice", "Juice/Mango"]


def test_a_category_cannot_be_moved_below_itself(client: FlaskClient, admin: dict[str, str]) -> None:
    top, middle, bottom = make_category("A"), make_category("A/B"), make_category("A/B/C")
    for parent in (top, middle, bottom):
        answer = client.put(f"/categories/{top}", json={"name": "A", "parent_id": parent}, headers=admin)
        assert_problem(answer, 409, "category_cycle")
    answer = client.put(f"/categories/{middle}", json={"name": "X", "parent_id": bottom}, headers=admin)
    assert_problem(answer, 409, "category_cycle")
    assert paths() == ["A", "A/B", "A/B/C"]


def test_two_moves_at_once_make_no_cycle(app: Flask, admin: dict[str, str]) -> None:
    for _ in range(5):
        with transaction():
            db.session.execute(db.text("DELETE FROM categories"))
        first, second = make_category("First"), make_category("Second")
        moves = [(first, "First", second), (second, "Second", first)]

        def move(task: tuple[int, str, int]) -> int:
            category, name, parent = task
            sent = {"name": name, "parent_id": parent}
            return app.test_client().put(f"/categories/{category}", json=sent, headers=admin).status_code

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(move, moves)) == [200, 409]
        assert paths() in (["First", "First/Second"], ["Second", "Second/First"])


def test_siblings_have_different_names_in_any_letter_case(client: FlaskClient, admin: dict[str, str]) -> None:
    drinks, food = make_category("Drinks"), make_category("Food")
    assert_problem(client.post("/categories/", json={"name": " DRINKS "}, headers=admin), 409, "category_exists")
    assert_problem(client.put(f"/categories/{food}", json={"name": "drinks"}, headers=admin), 409, "category_exists")
    below = client.post("/categories/", json={"name": "Drinks", "parent_id": drinks}, headers=admin)
    assert (below.status_code, below.json["path"]) == (201, "Drinks/Drinks")
    answer = client.put(f"/categories/{below.json['id']}", json={"name": "Drinks"}, headers=admin)
    assert_problem(answer, 409, "category_exists")
    assert paths() == ["Drinks", "Drinks/Drinks", "Food"]


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({}, "name"),
        ({"name": ""}, "name"),
        ({"name": "a/b"}, "name"),
        ({"name": "a\x00"}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "A", "parent_id": 987654321}, "parent_id"),
        ({"name": "A", "parent_id": 2**63}, "parent_id"),
        ({"name": "A", "parent_id": "1"}, "parent_id"),
        ({"name": "A", "position": -1}, "position"),
        ({"name": "A", "position": 2**31}, "position"),
        ({"name": "A", "path": "B"}, "path"),
    ],
)
def test_bad_categories_are_refused(
    client: FlaskClient, admin: dict[str, str], sent: dict[str, Any], field: str
) -> None:
    category = make_category("Known")
    for answer in (
        client.post("/categories/", json=sent, headers=admin),
        client.put(f"/categories/{category}", json=sent, headers=admin),
    ):
        assert_problem(answer, 422, "validation_failed")
        assert list(answer.json["errors"]) == [field]
    assert paths() == ["Known"]


def test_the_tree_has_a_bottom(client: FlaskClient, admin: dict[str, str]) -> None:
    assert MAX_DEPTH == 100
    line = [f"Level {number}" for number in range(1, MAX_DEPTH + 1)]
    deepest = make_category("/".join(line))
    answer = client.post("/categories/", json={"name": "x", "parent_id": deepest}, headers=admin)
    assert list(answer.json["errors"]) == ["parent_id"]
    branch = make_category("x")
    make_category("x/y")
    last_but_one = make_category("/".join(line[:-1]))
    answer = client.put(f"/categories/{branch}", json={"name": "x", "parent_id": last_but_one}, headers=admin)
    assert list(answer.json["errors"]) == ["parent_id"]
    assert "x/y" in paths()
    tree = client.get("/categories/").json
    for name in line:
        assert tree[0]["name"] == name
        tree = tree[0]["children"]
    assert tree == []


def test_a_path_has_an_end(client: FlaskClient, admin: dict[str, str]) -> None:
    # Letters of four bytes, in an order that PostgreSQL cannot compress.
    letters = "".join(chr(0x20000 + number * 7919 % 40_000) for number in range(100))
    longest = 98 * f"{letters}/"
    parent = make_category(longest + letters)
    room = MAX_PATH_LENGTH - len(longest) - len(letters) - 1
    assert (MAX_PATH_LENGTH, room) == (10_000, 1)
    answer = client.post("/categories/", json={"name": "ab", "parent_id": parent}, headers=admin)
    assert_problem(answer, 422, "validation_failed")
    assert list(answer.json["errors"]) == ["name"]
    top = make_category("Top")
    make_category("Top/" + letters)
    answer = client.put(
        f"/categories/{top}", json={"name": "Top", "parent_id": make_category(longest[:-1])}, headers=admin
    )
    assert list(answer.json["errors"]) == ["name"]
    assert "Top" in paths()
    answer = client.post("/categories/", json={"name": "a", "parent_id": parent}, headers=admin)
    assert answer.status_code == 201
    assert len(answer.json["path"]) == MAX_PATH_LENGTH


def test_a_category_with_products_or_categories_stays(client: FlaskClient, admin: dict[str, str]) -> None:
    parent, child = make_category("Parent"), make_category("Parent/Child")
    assert_problem(client.delete(f"/categories/{parent}", headers=admin), 409, "category_not_empty")
    product = make_product("Parent/Child", is_active=False)
    assert_problem(client.delete(f"/categories/{child}", headers=admin), 409, "category_not_empty")
    client.delete(f"/products/{product}", headers=admin)
    assert client.delete(f"/categories/{child}", headers=admin).status_code == 204
    assert client.delete(f"/categories/{parent}", headers=admin).status_code == 204
    assert paths() == []


def test_an_unknown_category_is_404_before_its_body_is_looked_at(client: FlaskClient, admin: dict[str, str]) -> None:
    assert_problem(client.put("/categories/999", json={"x": 1}, headers=admin), 404, "not_found")
    assert_problem(client.put("/categories/999", data="x", headers=admin), 404, "not_found")
    assert_problem(client.put("/categories/999", json={"name": "A"}, headers=admin), 404, "not_found")
    assert_problem(client.delete("/categories/999", headers=admin), 404, "not_found")


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_only_admins_change_the_tree(
    client: FlaskClient, customer: dict[str, str], staff: dict[str, str], method: str
) -> None:
    category = make_category("Known")
    address = "/categories/" if method == "POST" else f"/categories/{category}"
    assert_problem(client.open(address, method=method, json={"name": "A"}), 401, "missing_token")
    for headers in (customer, staff):
        assert_problem(client.open(address, method=method, json={"name": "A"}, headers=headers), 403, "forbidden")
    assert paths() == ["Known"]


def test_a_path_is_made_once_in_whatever_letter_case() -> None:
    with transaction():
        juice = ensure_path("Drinks/Juice")
        assert ensure_path("DRINKS/juice") == juice
        soda = ensure_path("drinks/Soda")
        with pytest.raises(InvalidError):
            ensure_path("/".join("1" * 101))
    assert soda != juice
    assert paths() == ["Drinks", "Drinks/Juice", "Drinks/Soda"]
