"""GET /products/suggest: words, categories, brands and products while somebody types."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from flask.testing import FlaskClient

from grocery.products.browsing import examples
from grocery.products.browsing.names import Name, Names
from grocery.products.browsing.schemas import SuggestionSchema
from grocery.products.search.upkeep import refresh_words
from tests.products.factories import make_category, make_product

pytestmark = pytest.mark.usefixtures("context")
Sql = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture(autouse=True)
def shop(context: None, run_sql: Sql) -> None:
    make_product("Dairy/Milk", name="Fresh Milk", brand="Brookside", price_cents=65_00, image_url="/images/milk.webp")
    make_product("Dairy/Milk", name="Long Life Milk", brand="Brookside", stock=Decimal(0))
    make_product("Bakery", name="Milk Bread", brand="Supa Loaf")
    make_product("Bakery", name="Milk Chocolate Cake", brand="Milkana", is_active=False)
    make_product("Pantry/Flour", name="Maize Flour", brand="Pembe")
    make_product("Pantry/Sugar", name="White Sugar", brand="Kabras")
    make_product("Fruit", name="Café Crème", brand="KABRAS")
    make_product("Fruit", name="Mango", brand="kabras")
    run_sql("INSERT INTO synonyms (term, meaning) VALUES ('unga', 'maize flour') ON CONFLICT DO NOTHING")
    refresh_words()


def suggest(client: FlaskClient, q: str, **arguments: Any) -> list[dict[str, Any]]:
    answer = client.get("/products/suggest", query_string={"q": q, **arguments})
    assert answer.status_code == 200, answer.json
    return answer.json


def texts(client: FlaskClient, kind: str, q: str, **arguments: Any) -> list[str]:
    return [one["text"] for one in suggest(client, q, **arguments) if one["kind"] == kind]


def test_each_kind_says_what_it_is(client: FlaskClient) -> None:
    found = suggest(client, "fresh mil")
    assert found[0] == {"kind": "word", "text": "fresh milk"}
    [product] = found[1:]
    assert product == {
        "kind": "product", "text": "Fresh Milk", "id": product["id"], "category": "Dairy/Milk", "price": "65.00",
        "currency": "KES", "in_stock": True, "image_url": "/images/milk.webp",
    }  # fmt: skip
    assert client.get(f"/products/{product['id']}").json["name"] == "Fresh Milk"
    assert suggest(client, "dai")[0] == {
        "kind": "category", "text": "Dairy", "id": make_category("Dairy"), "category": "Dairy"
    }  # fmt: skip
    assert suggest(client, "pem")[0] == {"kind": "brand", "text": "Pembe"}
    fields = {key for example in examples.SUGGESTIONS for key in example}
    assert fields == set(SuggestionSchema().fields) == {key for one in suggest(client, "milk") for key in one}


def test_products_in_stock_come_first_and_withdrawn_ones_not_at_all(client: FlaskClient) -> None:
    assert texts(client, "product", "milk") == ["Fresh Milk", "Milk Bread", "Long Life Milk"]
    assert texts(client, "brand", "milk") == []


def test_one_letter_is_enough(client: FlaskClient) -> None:
    products = texts(client, "product", "m")
    assert (sorted(products[:4]), products[4:]) == (
        ["Fresh Milk", "Maize Flour", "Mango", "Milk Bread"], ["Long Life Milk"]
    )  # fmt: skip
    assert texts(client, "category", "m") == ["Milk"]
    assert texts(client, "word", "m") == ["maize", "mango"]


def test_typing_errors_accents_and_other_names_are_forgiven(client: FlaskClient) -> None:
    assert texts(client, "product", "suger") == ["White Sugar"]
    assert texts(client, "product", "cafe creme") == texts(client, "product", "CAFÉ") == ["Café Crème"]
    assert texts(client, "product", "unga") == ["Maize Flour"]
    assert texts(client, "word", "unga") == ["maize flour"]
    assert texts(client, "brand", "kabrs") == texts(client, "brand", "KAB") == ["KABRAS"]


def test_nothing_is_told_twice(client: FlaskClient) -> None:
    for _ in range(3):
        make_product("Dairy/Milk", name="FRESH milk")
    refresh_words()
    found = suggest(client, "milk", limit=20)
    assert len(found) == len({(one["kind"], one["text"].lower()) for one in found})
    assert [one["text"] for one in found if one["kind"] in ("category", "word")] == ["Milk"]


def test_a_limit_leaves_half_of_the_room_to_products(client: FlaskClient) -> None:
    for number in range(30):
        make_product(f"Milk things {number}", name=f"Milk {number}", brand=f"Milk brand {number}")
    refresh_words()
    for limit in (1, 2, 7, 8, 20):
        kinds = [one["kind"] for one in suggest(client, "milk", limit=limit)]
        assert len(kinds) == limit
        assert kinds.count("product") >= limit / 2
        assert kinds == sorted(kinds, key=lambda kind: kind == "product")
    assert len(suggest(client, "milk")) == 8


@pytest.mark.parametrize("typed", ["&", "| ! :* ' \"", "<->", "(", "\\", "🥛", "%", "_", "'; --"])
def test_operators_alone_suggest_nothing(client: FlaskClient, typed: str) -> None:
    assert suggest(client, typed) == []


@pytest.mark.parametrize("typed", ["zzzzqq", "milk zzzzqq", "x" * 100, "5", "क्या", "milk:*", "!milk", "mil|k"])
def test_whatever_is_typed_gets_an_answer(client: FlaskClient, typed: str) -> None:
    for one in suggest(client, typed):
        assert one["kind"] in ("product", "category", "brand", "word")


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("", "q"),
        ("?q=", "q"),
        ("?q=%20", "q"),
        ("?q=a%00", "q"),
        (f"?q={'x' * 101}", "q"),
        (f"?q={'x' * 10_000}", "q"),
        ("?q=a&limit=0", "limit"),
        ("?q=a&limit=21", "limit"),
        ("?q=a&limit=1000000000", "limit"),
        ("?q=a&cursor=x", "cursor"),
    ],
)
def test_bad_arguments_are_refused_by_name(client: FlaskClient, query: str, field: str) -> None:
    answer = client.get(f"/products/suggest{query}")
    assert (answer.status_code, answer.json["code"]) == (422, "validation_failed")
    assert list(answer.json["errors"]) == [field]


def test_three_statements_are_the_most_and_mostly_it_is_one(client: FlaskClient, statements: list[str]) -> None:
    make_product("New", name="Novelty")
    refresh_words()
    del statements[:]
    assert suggest(client, "novelti")
    assert len(statements) == 3
    del statements[:]
    for typed in ("m", "suger", "unga", "zzzzqq"):
        suggest(client, typed)
    assert len(statements) == 4


def test_unchanged_suggestions_answer_304(client: FlaskClient) -> None:
    tag = client.get("/products/suggest?q=milk").headers["ETag"]
    again = client.get("/products/suggest?q=milk", headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")


def test_names_are_completed_by_any_of_their_words() -> None:
    coke, cooking, cocoa = Name("Coca-Cola", 3), Name("Cooking Oil", 9), Name("Cocoa", 5)
    names = Names([coke, cooking, cocoa])
    assert names.complete(["co"], 5) == [cooking, cocoa, coke]
    assert names.complete(["co"], 1) == [cooking]
    assert names.complete(["cola"], 5) == names.complete(["coca", "co"], 5) == [coke]
    assert names.complete(["cola", "coc"], 5) == [coke]
    assert names.complete(["oils"], 5) == [cooking]
    assert names.complete(["x"], 5) == names.complete([], 5) == []


def test_a_name_that_is_just_what_was_typed_comes_first() -> None:
    names = Names([Name("Rice Cookers", 9), Name("Rice", 1), Name("Rice Flour", 5)])
    assert [name.text for name in names.complete(["rice"], 3)] == ["Rice", "Rice Cookers", "Rice Flour"]
