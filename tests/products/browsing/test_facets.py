"""GET /products/facets: the counts are those of the list under the same filters."""

import random
from decimal import Decimal
from typing import Any
from urllib.parse import urlencode

import pytest
from flask.testing import FlaskClient

from grocery.products.browsing import examples
from grocery.products.browsing.schemas import FacetsSchema
from grocery.products.search.upkeep import refresh_words
from tests.products.factories import make_category, make_product

pytestmark = pytest.mark.usefixtures("context")

EMPTY = {
    "currency": "KES",
    "categories": [],
    "brands": [],
    "price_bands": [],
    "on_offer": [{"value": True, "count": 0}, {"value": False, "count": 0}],
    "in_stock": [{"value": True, "count": 0}, {"value": False, "count": 0}],
}


def facets(client: FlaskClient, **filters: Any) -> dict[str, Any]:
    answer = client.get("/products/facets", query_string=filters)
    assert answer.status_code == 200, answer.json
    return answer.json


def count_listed(client: FlaskClient, filters: dict[str, Any]) -> int:
    """How many products all pages of the list have."""
    address: str | None = f"/products/?{urlencode({**filters, 'limit': 100, 'sort': 'name'})}"
    count = 0
    while address:
        answer = client.get(address)
        assert answer.status_code == 200, answer.json
        count += len(answer.json)
        link = answer.headers.get("Link")
        address = link.removeprefix("<").removesuffix('>; rel="next"') if link else None
    return count


def assert_counts_are_those_of_the_list(client: FlaskClient, filters: dict[str, Any]) -> None:
    found = facets(client, **filters)
    total = count_listed(client, filters)
    for category in found["categories"]:
        if "category" not in filters:
            assert category["count"] == count_listed(client, {**filters, "category": category["id"]}), category
    if "category" not in filters:
        tops = [one["count"] for one in found["categories"] if one["parent_id"] is None]
        assert sum(tops) == total
    for brand in found["brands"]:
        assert brand["count"] == count_listed(client, {**filters, "brand": brand["brand"]}), brand
    for band in found["price_bands"]:
        asked = {**filters, "min_price": band["min"]} | ({"max_price": band["max"]} if band["max"] else {})
        assert band["count"] == count_listed(client, asked), band
    assert sum(band["count"] for band in found["price_bands"]) == total
    for name in ("on_offer", "in_stock"):
        for truth in found[name]:
            if name not in filters:
                value = str(truth["value"]).lower()
                assert truth["count"] == count_listed(client, {**filters, name: value}), (name, truth)
        assert sum(truth["count"] for truth in found[name]) == total


def test_a_shop_without_products_counts_nothing(client: FlaskClient) -> None:
    make_category("Empty")
    assert facets(client) == EMPTY
    assert set(EMPTY) == set(FacetsSchema().fields) == set(examples.FACETS)


def test_every_facet_is_counted_in_one_statement(client: FlaskClient, statements: list[str]) -> None:
    make_product("Drinks/Juice", brand="Delmonte", price_cents=150_00, compare_at_price_cents=180_00)
    make_product("Drinks/Juice", brand="DELMONTE", price_cents=199_99, stock=Decimal(0))
    make_product("Drinks/Juice", brand="Delmonte", price_cents=200_00)
    make_product("Drinks", brand="Aquamist", price_cents=45_00)
    make_product("Pantry", price_cents=2_000_00)
    make_product("Pantry", price_cents=99_00, is_active=False)
    drinks, juice, pantry = make_category("Drinks"), make_category("Drinks/Juice"), make_category("Pantry")
    del statements[:]
    found = facets(client)
    assert len(statements) == 1
    assert found == {
        "currency": "KES",
        "categories": [
            {"id": drinks, "name": "Drinks", "path": "Drinks", "parent_id": None, "count": 4},
            {"id": juice, "name": "Juice", "path": "Drinks/Juice", "parent_id": drinks, "count": 3},
            {"id": pantry, "name": "Pantry", "path": "Pantry", "parent_id": None, "count": 1},
        ],
        "brands": [{"brand": "Delmonte", "count": 3}, {"brand": "Aquamist", "count": 1}],
        "price_bands": [
            {"min": "20.00", "max": "49.99", "count": 1},
            {"min": "100.00", "max": "199.99", "count": 2},
            {"min": "200.00", "max": "499.99", "count": 1},
            {"min": "2000.00", "max": None, "count": 1},
        ],
        "on_offer": [{"value": True, "count": 1}, {"value": False, "count": 4}],
        "in_stock": [{"value": True, "count": 4}, {"value": False, "count": 1}],
    }


def test_each_filter_counts_only_what_it_leaves(client: FlaskClient) -> None:
    make_product("A/B", name="Red rice", brand="X", price_cents=10_00)
    make_product("A", name="Red beans", brand="Y", price_cents=20_00, stock=Decimal(0))
    make_product("C", name="White rice", brand="y", price_cents=30_00, compare_at_price_cents=31_00)
    branch = make_category("A")

    def total(**filters: Any) -> int:
        return sum(truth["count"] for truth in facets(client, **filters)["in_stock"])

    assert total() == 3
    assert total(q="rice") == total(category=branch) == total(brand="Y") == total(min_price=20) == 2
    assert total(max_price="10.00") == total(in_stock="false") == total(on_offer="true") == 1
    assert total(q="red", category=branch, in_stock="true") == 1
    assert total(category=987654321) == 0
    assert facets(client, q="& | !") == EMPTY
    assert [one["path"] for one in facets(client, category=make_category("A/B"))["categories"]] == ["A", "A/B"]


def test_a_misspelt_search_counts_what_the_list_finds_instead(client: FlaskClient) -> None:
    make_product(name="White sugar", brand="Kabras")
    make_product(name="Sugar cubes", brand="Mumias")
    make_product(name="Tea", brand="Ketepa")
    refresh_words()
    assert count_listed(client, {"q": "suger"}) == 2
    assert facets(client, q="suger") == facets(client, q="sugar")
    assert [one["brand"] for one in facets(client, q="suger")["brands"]] == ["Kabras", "Mumias"]
    assert facets(client, q="qqqqqqqq") == EMPTY


def test_bounds_of_bands_stay_inside_of_what_was_asked_for(client: FlaskClient) -> None:
    for cents in (110_00, 150_00, 160_00, 190_00, 210_00, 600_00):
        make_product(price_cents=cents)
    assert facets(client, min_price=120, max_price="250")["price_bands"] == [
        {"min": "120.00", "max": "199.99", "count": 3},
        {"min": "200.00", "max": "250.00", "count": 1},
    ]
    assert facets(client, min_price=155, max_price=160)["price_bands"] == [
        {"min": "155.00", "max": "160.00", "count": 1}
    ]
    assert facets(client, min_price=600)["price_bands"] == [{"min": "600.00", "max": None, "count": 1}]


def test_brands_are_the_most_frequent_fifty_in_their_usual_spelling(client: FlaskClient) -> None:
    for number in range(52):
        make_product(brand=f"Brand {number:02}")
    for spelling in ("MUMIAS", "mumias", "mumias"):
        make_product(brand=spelling)
    make_product(brand="Brand 51")
    make_product(brand=None)
    brands = facets(client)["brands"]
    assert len(brands) == 50
    assert brands[:3] == [
        {"brand": "mumias", "count": 3}, {"brand": "Brand 51", "count": 2}, {"brand": "Brand 00", "count": 1}
    ]  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_every_count_is_that_of_the_list(client: FlaskClient, seed: int) -> None:
    chance = random.Random(seed)
    paths = ["A", "A/B", "A/B/C", "A & B", "D/B", "D"]
    for _ in range(25):
        cents = chance.choice([0, 9, 10, 99, 1_00, 1_99, 2_00, 49_99, 50_00, 1_234_56, 10_000_000_00])
        make_product(
            chance.choice(paths),
            name=" ".join(chance.sample(["rice", "brown", "sugar", "tea"], 2)),
            brand=chance.choice([None, "Kabras", "KABRAS", "Ketepa", "Zesta"]),
            price_cents=cents,
            compare_at_price_cents=chance.choice([None, cents + 1]),
            stock=Decimal(chance.choice([0, 10])),
            is_active=chance.random() < 0.9,
        )
    filters = {
        "q": "ric", "brand": "kabras", "category": make_category("A"), "min_price": "1.00", "max_price": "60",
        "in_stock": "true", "on_offer": "false",
    }  # fmt: skip
    assert_counts_are_those_of_the_list(client, {})
    for count in (1, 2, 3):
        assert_counts_are_those_of_the_list(client, dict(chance.sample(sorted(filters.items()), count)))


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("?min_price=-1", "min_price"),
        ("?max_price=1e400", "max_price"),
        ("?category=0", "category"),
        ("?in_stock=maybe", "in_stock"),
        (f"?q={'x' * 10_000}", "q"),
        ("?q=a%00b", "q"),
        ("?sort=name", "sort"),
        ("?limit=5", "limit"),
        ("?cursor=x", "cursor"),
        ("?is_active=false", "is_active"),
    ],
)
def test_bad_arguments_are_refused_by_name(client: FlaskClient, query: str, field: str) -> None:
    answer = client.get(f"/products/facets{query}")
    assert (answer.status_code, answer.json["code"]) == (422, "validation_failed")
    assert list(answer.json["errors"]) == [field]


def test_unchanged_counts_answer_304(client: FlaskClient) -> None:
    make_product()
    tag = client.get("/products/facets").headers["ETag"]
    again = client.get("/products/facets", headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")
    make_product()
    changed = client.get("/products/facets", headers={"If-None-Match": tag})
    assert (changed.status_code, changed.json["in_stock"][0]["count"]) == (200, 2)
