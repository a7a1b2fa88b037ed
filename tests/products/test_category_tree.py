"""Deep trees: the way to a category, its page, moved branches with their products."""

from decimal import Decimal

import pytest
from flask.testing import FlaskClient

from grocery.products.schemas import CategoryPageSchema
from tests.products.factories import make_category, make_product

pytestmark = pytest.mark.usefixtures("context")


def listed(client: FlaskClient, category: int) -> list[str]:
    answer = client.get(f"/products/?category={category}")
    assert answer.status_code == 200, answer.json
    return [product["name"] for product in answer.json]


def crumbs(client: FlaskClient, address: str) -> list[str]:
    answer = client.get(address)
    assert answer.status_code == 200, answer.json
    return [crumb["name"] for crumb in answer.json["breadcrumbs"]]


def test_a_category_is_read_with_the_way_to_it(client: FlaskClient, statements: list[str]) -> None:
    dairy, milk = make_category("Dairy"), make_category("Dairy/Milk")
    whole = make_category("Dairy/Milk/Whole")
    make_category("Dairy & more/Milk")
    make_product("Dairy/Milk")
    make_product("Dairy/Milk/Whole/Long life", stock=Decimal(0))
    make_product("Dairy/Milk", is_active=False)
    make_product("Dairy")
    make_product("Dairy & more/Milk")
    del statements[:]
    answer = client.get(f"/categories/{milk}")
    assert len(statements) == 1
    assert answer.status_code == 200
    assert answer.json == {
        "id": milk,
        "name": "Milk",
        "parent_id": dairy,
        "path": "Dairy/Milk",
        "position": 0,
        "breadcrumbs": [{"id": dairy, "name": "Dairy"}, {"id": milk, "name": "Milk"}],
        "children": [{"id": whole, "name": "Whole", "parent_id": milk, "path": "Dairy/Milk/Whole", "position": 0}],
        "product_count": 2,
    }
    assert set(answer.json) == set(CategoryPageSchema().fields)


def test_a_category_without_anything_is_read_too(client: FlaskClient) -> None:
    bakery = make_category("Bakery")
    page = client.get(f"/categories/{bakery}").json
    assert (page["breadcrumbs"], page["children"]) == ([{"id": bakery, "name": "Bakery"}], [])
    assert page["product_count"] == 0


def test_children_come_by_position_then_by_name(client: FlaskClient, admin: dict[str, str]) -> None:
    top = make_category("Top")
    for name, position in (("cocoa", 1), ("Beans", 1), ("Apples", 2), ("Zucchini", 0)):
        sent = {"name": name, "parent_id": top, "position": position}
        assert client.post("/categories/", json=sent, headers=admin).status_code == 201
    children = client.get(f"/categories/{top}").json["children"]
    assert [child["name"] for child in children] == ["Zucchini", "Beans", "cocoa", "Apples"]


def test_an_unchanged_category_answers_304(client: FlaskClient) -> None:
    category = make_category("Dairy")
    tag = client.get(f"/categories/{category}").headers["ETag"]
    again = client.get(f"/categories/{category}", headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")
    make_product("Dairy/Milk")
    assert client.get(f"/categories/{category}", headers={"If-None-Match": tag}).json["product_count"] == 1


@pytest.mark.parametrize("category_id", ["0", "999999", str(2**63 - 1), str(2**63), "x"])
def test_an_unknown_category_is_not_found(client: FlaskClient, category_id: str) -> None:
    make_category("Known")
    answer = client.get(f"/categories/{category_id}")
    assert (answer.status_code, answer.json["code"]) == (404, "not_found")


def test_a_product_has_the_way_to_it_without_another_statement(client: FlaskClient, statements: list[str]) -> None:
    product = make_product("Drinks/Juice/Mango")
    ids = [make_category(path) for path in ("Drinks", "Drinks/Juice", "Drinks/Juice/Mango")]
    del statements[:]
    answer = client.get(f"/products/{product}").json
    assert len(statements) == 1
    assert answer["breadcrumbs"] == [
        {"id": ids[0], "name": "Drinks"}, {"id": ids[1], "name": "Juice"}, {"id": ids[2], "name": "Mango"}
    ]  # fmt: skip
    assert "breadcrumbs" not in client.get("/products/").json[0]


def test_sixty_levels_are_made_listed_filtered_and_moved(client: FlaskClient, admin: dict[str, str]) -> None:
    line = [f"Level {number}" for number in range(1, 61)]
    ids: list[int] = []
    for name in line:
        sent = {"name": name, "parent_id": ids[-1] if ids else None}
        answer = client.post("/categories/", json=sent, headers=admin)
        assert answer.status_code == 201, answer.json
        ids.append(answer.json["id"])
    assert answer.json["path"] == "/".join(line)

    product = make_product("/".join(line), name="bottom")
    make_product("/".join(line[:30]), name="middle")
    make_product("Other", name="other")
    assert listed(client, ids[0]) == ["bottom", "middle"]
    assert listed(client, ids[30]) == listed(client, ids[59]) == ["bottom"]
    assert crumbs(client, f"/products/{product}") == crumbs(client, f"/categories/{ids[59]}") == line
    assert client.get(f"/categories/{ids[0]}").json["product_count"] == 2

    tree = client.get("/categories/").json
    for name, category in zip(line, ids, strict=True):
        [node] = [node for node in tree if node["id"] == category]
        assert node["name"] == name
        tree = node["children"]
    assert tree == []

    under_itself = client.put(f"/categories/{ids[0]}", json={"name": "x", "parent_id": ids[59]}, headers=admin)
    assert (under_itself.status_code, under_itself.json["code"]) == (409, "category_cycle")
    other = make_category("Other")
    answer = client.put(f"/categories/{ids[20]}", json={"name": "Branch", "parent_id": other}, headers=admin)
    assert answer.status_code == 200, answer.json
    assert crumbs(client, f"/products/{product}") == ["Other", "Branch", *line[21:]]
    assert listed(client, ids[0]) == []
    assert listed(client, other) == ["bottom", "middle", "other"]


def test_a_moved_branch_takes_its_products_along(client: FlaskClient, admin: dict[str, str]) -> None:
    drinks, juice, food = make_category("Drinks"), make_category("Drinks/Juice"), make_category("Food/Fresh")
    make_product("Drinks", name="water")
    mango = make_product("Drinks/Juice/Mango", name="mango")
    make_product("Drinks/Juice", name="mixed")
    answer = client.put(f"/categories/{juice}", json={"name": "Juices", "parent_id": food}, headers=admin)
    assert (answer.status_code, answer.json["path"]) == (200, "Food/Fresh/Juices")
    assert listed(client, drinks) == ["water"]
    assert listed(client, food) == listed(client, juice) == ["mango", "mixed"]
    assert crumbs(client, f"/products/{mango}") == ["Food", "Fresh", "Juices", "Mango"]
    assert client.get(f"/products/{mango}").json["category"] == "Food/Fresh/Juices/Mango"
    counts = [client.get(f"/categories/{one}").json["product_count"] for one in (drinks, juice, food)]
    assert counts == [1, 2, 2]
