"""GET /products/?q=: the order, corrections, codes, synonyms, with the real database."""

from decimal import Decimal
from urllib.parse import parse_qs, urlsplit

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from grocery.db import transaction
from grocery.products.search import service
from grocery.products.search.seeds import SYNONYMS
from grocery.products.search.upkeep import refresh_words
from tests.products.factories import make_category, make_product

pytestmark = pytest.mark.usefixtures("context")


def search(client: FlaskClient, **arguments: str | int) -> TestResponse:
    answer = client.get("/products/", query_string=arguments)
    assert answer.status_code == 200, answer.json
    return answer


def names(answer: TestResponse) -> list[str]:
    return [product["name"] for product in answer.json]


def spelling(answer: TestResponse) -> tuple[str | None, str | None]:
    return answer.headers.get("X-Did-You-Mean"), answer.headers.get("X-Search-Corrected")


def test_what_is_in_stock_comes_before_what_fits_better(client: FlaskClient) -> None:
    make_product(name="Milk", stock=Decimal(0))
    make_product(name="A very long name of a thing with milk somewhere in it")
    assert names(search(client, q="milk")) == ["A very long name of a thing with milk somewhere in it", "Milk"]


def test_what_a_thing_is_counts_more_than_what_is_in_it(client: FlaskClient) -> None:
    for name in ("Milk Milk Chocolate With Milk", "Chocolate Milk", "Milk", "Milkshake - Milk Free", "Milk - Whole"):
        make_product(name=name)
    refresh_words()
    found = names(search(client, q="milk"))
    assert found[:3] == ["Milk", "Milk - Whole", "Chocolate Milk"]
    assert len(found) == 5


def test_products_that_fit_equally_come_in_the_order_of_ids_on_all_pages(client: FlaskClient) -> None:
    made = [make_product(name="Milk") for _ in range(7)]
    seen = []
    answer = search(client, q="milk", limit=2)
    while True:
        seen += [product["id"] for product in answer.json]
        if "Link" not in answer.headers:
            break
        answer = client.get(answer.headers["Link"].removeprefix("<").removesuffix('>; rel="next"'))
    assert seen == made


@pytest.mark.parametrize("typed", ["VEG-Kale-1", "veg-kale-1", "VEG-KALE-1"])
def test_an_sku_finds_its_product_first(client: FlaskClient, typed: str) -> None:
    make_product(name="Veg kale 1")
    make_product(sku=typed if typed == "VEG-Kale-1" else "VEG-KALE-1", name="Sukuma", stock=Decimal(0))
    if typed == "veg-kale-1":
        assert names(search(client, q=typed)) == ["Sukuma", "Veg kale 1"]
    assert names(search(client, q=typed))[0] == "Sukuma"
    assert names(search(client, q=typed[:-2])) == ["Veg kale 1"]


def test_a_barcode_finds_its_product_whatever_the_order_but_not_past_a_filter(client: FlaskClient) -> None:
    make_product(barcode="6161100240018", name="Juice")
    make_product(barcode="6161100240019", name="Tea")
    assert names(search(client, q="6161100240018")) == ["Juice"]
    assert names(search(client, q="6161100240018", sort="price")) == ["Juice"]
    assert names(search(client, q="616110024001")) == []
    assert names(search(client, q="6161100240018", category=make_category("Other"))) == []


def test_filters_hold_for_a_search(client: FlaskClient) -> None:
    make_product(name="Milk A", brand="Brookside", price_cents=60_00)
    make_product(name="Milk B", brand="KCC", price_cents=50_00)
    make_product("Drinks", name="Milk C", price_cents=70_00)
    make_product(name="Milk D", is_active=False)
    assert names(search(client, q="milk", brand="kcc")) == ["Milk B"]
    assert names(search(client, q="milk", category=make_category("Drinks"))) == ["Milk C"]
    assert names(search(client, q="milk", sort="-price", max_price="60")) == ["Milk A", "Milk B"]


def test_synonyms_find_the_same_things_in_both_directions(client: FlaskClient) -> None:
    make_product(name="Soko Maize Meal", description="Fine maize flour")
    make_product(name="Unga Jogoo")
    make_product(name="Rice flour")
    with transaction():
        service.add_synonym("Unga", "maize  flour")
    assert names(search(client, q="unga", sort="name")) == ["Soko Maize Meal", "Unga Jogoo"]
    assert names(search(client, q="maize flour", sort="name")) == ["Soko Maize Meal", "Unga Jogoo"]
    assert names(search(client, q="flour", sort="name")) == ["Rice flour", "Soko Maize Meal"]
    with transaction():
        service.remove_synonym("maize flour", "unga")
    assert names(search(client, q="unga")) == ["Unga Jogoo"]


def test_the_synonyms_of_a_new_shop_can_all_be_searched_for(client: FlaskClient) -> None:
    make_product(name="Kale", category_path="Greens")
    with transaction():
        service.add_synonyms(SYNONYMS)
    assert names(search(client, q="Sukuma Wiki")) == ["Kale"]
    for name in {name for pair in SYNONYMS for name in pair}:
        search(client, q=name)


def test_a_misspelt_search_answers_what_was_meant_and_says_so(client: FlaskClient) -> None:
    make_product(name="Brown Sugar")
    make_product(name="Superb Soap")
    refresh_words()
    answer = search(client, q="Suger")
    assert names(answer) == ["Brown Sugar"]
    assert spelling(answer) == ("sugar", "true")
    good = search(client, q="sugar")
    assert names(good) == ["Brown Sugar"]
    assert spelling(good) == (None, None)


def test_the_next_page_of_a_corrected_search_is_one_of_the_correct_search(client: FlaskClient) -> None:
    for number in range(3):
        make_product(name=f"Sugar {number}")
    refresh_words()
    answer = search(client, q="suger", limit=2, sort="name")
    assert names(answer) == ["Sugar 0", "Sugar 1"]
    address = answer.headers["Link"].removeprefix("<").removesuffix('>; rel="next"')
    assert parse_qs(urlsplit(address).query)["q"] == ["sugar"]
    assert parse_qs(urlsplit(address).query)["sort"] == ["name"]
    following = client.get(address)
    assert names(following) == ["Sugar 2"]
    assert spelling(following) == (None, None)


def test_a_search_that_found_a_little_keeps_it_and_offers_more(client: FlaskClient) -> None:
    make_product(name="Soap", description="Smells of mlik")
    make_product(name="Milk")
    refresh_words()
    answer = search(client, q="mlik")
    assert names(answer) == ["Soap"]
    assert spelling(answer) == ("milk", None)


def test_an_offer_is_percent_encoded_and_not_made_when_three_are_found(client: FlaskClient) -> None:
    make_product(name="牛奶milk")
    for number in range(3):
        make_product(name=f"Soap {number}", description="mlik")
    refresh_words()
    assert spelling(search(client, q="mlik")) == (None, None)
    assert spelling(search(client, q="牛奶mlik")) == ("%E7%89%9B%E5%A5%B6milk", "true")


def test_a_part_of_a_word_finds_the_word(client: FlaskClient) -> None:
    make_product(name="Strawberries")
    refresh_words()
    answer = search(client, q="awberr")
    assert names(answer) == ["Strawberries"]
    assert spelling(answer) == ("strawberries", "true")


def test_nothing_is_offered_that_finds_nothing(client: FlaskClient) -> None:
    make_product(name="Sugar")
    refresh_words()
    answer = search(client, q="suger", brand="Nobody")
    assert names(answer) == []
    assert spelling(answer) == (None, None)


@pytest.mark.parametrize(("length", "status"), [(200, 200), (201, 422), (10_000, 422)])
def test_a_search_has_200_characters_at_most(client: FlaskClient, length: int, status: int) -> None:
    make_product(name="Milk")
    assert client.get("/products/", query_string={"q": "x" * length}).status_code == status


def test_a_hundred_words_are_searched_for(client: FlaskClient) -> None:
    make_product(name="Milk")
    assert names(search(client, q=" ".join("m" * 100))) == []
