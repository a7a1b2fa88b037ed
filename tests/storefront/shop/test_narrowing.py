"""Narrowing lists down: by brand, price, category, stock and offers, each choice with its number."""

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from werkzeug.test import TestResponse

from tests.products.factories import make_category, make_product
from tests.storefront.conftest import Browser, words_in
from tests.storefront.shop.cards import names_on, next_page


def choices_on(page: TestResponse) -> dict[str, str]:
    """The links to lists, by what they say."""
    main = page.text.partition("<main")[2].partition("</main>")[0]
    links = re.findall(r'<li><a href="([^"]+)"[^>]*>(.*?)</a>', main, re.DOTALL)
    return {" ".join(unescape(re.sub(r"<[^>]+>", "", label)).split()): unescape(address) for address, label in links}


@pytest.fixture
def food() -> int:
    make_product("Food/Dairy", name="Butter", brand="Brookside", price_cents=350_00)
    make_product("Food/Dairy", name="Cream", brand="brookside", price_cents=180_00, compare_at_price_cents=200_00)
    make_product("Food/Dairy", name="Milk", brand="Tuzo", price_cents=60_00, stock=0)
    make_product("Food/Bakery", name="Bread", brand="Festive", price_cents=65_00)
    make_product("Food/Bakery", name="Rolls", price_cents=40_00)
    make_product("Care", name="Soap", brand="Brookside", price_cents=90_00)
    return make_category("Food")


def test_every_choice_lists_as_many_products_as_it_says(browser: Browser, food: int) -> None:
    page = browser.get(f"/c/{food}-food/filter")
    choices = choices_on(page)
    assert {"Brookside 2 products", "Festive 1 product", "Tuzo 1 product", "In stock 4 products"} <= choices.keys()
    assert {"On offer 1 product", "KSh 20 to KSh 49.99 1 product", "From KSh 200 1 product"} <= choices.keys()
    counted = {label: re.search(r"(\d+) products?$", label) for label in choices}
    for label, count in counted.items():
        if count:
            assert len(names_on(browser.get(choices[label]))) == int(count[1]), label
    assert "Show 5 products" in words_in(page)
    assert 'name="robots" content="noindex"' in page.text


def test_filters_add_up_and_each_is_taken_away_by_a_tap(browser: Browser, food: int) -> None:
    narrowed = browser.get(choices_on(browser.get(f"/c/{food}-food/filter"))["Brookside 2 products"])
    assert names_on(narrowed) == ["Butter", "Cream"]
    assert "2 products" in words_in(narrowed)
    further = choices_on(browser.get(f"/c/{food}-food/filter?brand=Brookside"))
    assert not any(label.startswith("Tuzo") for label in further)
    both = browser.get(further["On offer 1 product"])
    assert names_on(both) == ["Cream"]
    less = choices_on(both)["Without this filter: Brookside ×"]
    assert parse_qs(urlsplit(less).query) == {"on_offer": ["1"]}
    assert names_on(browser.get(less)) == ["Cream"]
    # The form for order, stock and offers keeps the others.
    assert '<input type="hidden" name="brand" value="Brookside">' in both.text


def test_price_limits_of_ones_own(browser: Browser, food: int) -> None:
    page = browser.get(f"/c/{food}-food?min_price=50&max_price=100&sort=price")
    assert names_on(page) == ["Bread", "Milk"]  # what is sold out stands last
    assert "Without this filter: KSh 50 to KSh 100 ×" in choices_on(page)
    assert names_on(browser.get(f"/c/{food}-food?min_price=&max_price=50")) == ["Rolls"]
    form = browser.get(f"/c/{food}-food/filter?min_price=50&brand=Festive").text
    assert 'name="min_price" value="50"' in form
    assert '<input type="hidden" name="brand" value="Festive">' in form
    assert 'type="hidden" name="min_price"' not in form


@pytest.mark.parametrize(
    "nonsense",
    [
        "min_price=cheap",
        "max_price=-1",
        "min_price=1e3",
        "brand=%00",
        "brand=",
        f"brand={'x' * 101}",
        "category=x",
        "sort=",
    ],
)
def test_what_is_no_filter_is_taken_as_not_there(browser: Browser, food: int, nonsense: str) -> None:
    page = browser.get(f"/c/{food}-food?{nonsense}")
    assert len(names_on(page)) == 5
    assert "5 products" in words_in(page)
    assert browser.get(f"/c/{food}-food/filter?{nonsense}").status_code == 200
    assert browser.get(f"/search/filter?q=bread&{nonsense}").status_code == 200


def test_limits_that_cross_leave_nothing_and_lead_back(browser: Browser, food: int) -> None:
    page = browser.get(f"/c/{food}-food?min_price=100&max_price=50")
    assert "Nothing here fits these filters." in page.text
    assert f'href="/c/{food}-food">Show all of Food</a>' in page.text
    assert "Show 0 products" in words_in(browser.get(f"/c/{food}-food/filter?min_price=100&max_price=50"))


def test_markup_in_a_brand_is_text(browser: Browser) -> None:
    make_product("Food", name="Odd", brand='<script>alert("1")</script>')
    make_product("Food", name="Even", brand="A & B")
    food = make_category("Food")
    page = browser.get(f"/c/{food}-food/filter")
    assert "<script>alert" not in page.text
    choices = choices_on(page)
    assert names_on(browser.get(choices["A & B 1 product"])) == ["Even"]
    odd = browser.get(f"/c/{food}-food", query_string={"brand": '<script>alert("1")</script>'})
    assert (names_on(odd), "<script>alert" in odd.text) == (["Odd"], False)


def test_an_old_name_leads_to_the_one_address_of_the_filters(browser: Browser, food: int) -> None:
    moved = browser.get(f"/c/{food}-old/filter?brand=Tuzo")
    assert (moved.status_code, moved.location) == (301, f"/c/{food}-food/filter?brand=Tuzo")
    assert browser.get("/c/999999-none/filter").status_code == 404


def test_a_search_is_narrowed_by_category_and_put_in_order(browser: Browser, food: int) -> None:
    make_product("Food/Bakery", name="Butter Rolls", price_cents=120_00)
    page = browser.get("/search?q=butter")
    assert 'href="/search/filter?q=butter"' in page.text
    choices = choices_on(browser.get("/search/filter?q=butter"))
    assert "Best match" in choices
    assert names_on(browser.get(choices["Cheapest first"])) == ["Butter Rolls", "Butter"]
    food_only = choices_on(browser.get(f"/search/filter?q=butter&category={food}"))
    bakery = browser.get(food_only["Bakery 1 product"])
    assert names_on(bakery) == ["Butter Rolls"]
    assert names_on(browser.get(choices_on(bakery)["Without this filter: Bakery ×"])) == ["Butter", "Butter Rolls"]


def test_a_search_that_filters_leave_empty_is_found_without_them(browser: Browser, food: int) -> None:
    page = browser.get("/search?q=bread&min_price=1000")
    assert "Nothing here fits these filters." in page.text
    assert 'href="/search?q=bread">Search without filters</a>' in page.text
    assert "Ask us to stock it" not in page.text
    assert names_on(browser.get("/search?q=bread&category=999999")) == []


def test_the_brand_of_a_product_leads_to_all_of_it(browser: Browser, food: int) -> None:
    (address,) = re.findall(r'href="(/p/\d+-soap)"', browser.get("/search?q=soap").text)
    assert '<a href="/search?brand=Brookside">Brookside</a>' in browser.get(address).text
    page = browser.get("/search?brand=Brookside")
    assert names_on(page) == ["Butter", "Cream", "Soap"]
    assert "<h1>Brookside</h1>" in page.text
    assert "Without this filter" not in page.text
    narrowed = browser.get(choices_on(browser.get("/search/filter?brand=Brookside"))["Care 1 product"])
    assert names_on(narrowed) == ["Soap"]
    assert browser.get("/search/filter").location == "/search"
    assert "We found nothing for “Nobody”." in browser.get("/search?brand=Nobody").text


def test_pages_of_a_narrowed_list_follow_each_other(browser: Browser) -> None:
    names = [f"Product {number}" for number in range(100, 130)]
    for name in names:
        make_product("Food", name=name, brand="Dalda")
        make_product("Food", name=f"Other {name}", brand="Other")
    food = make_category("Food")
    first = browser.get(f"/c/{food}-food?brand=dalda")
    second = browser.get(next_page(first) or "")
    assert names_on(first) + names_on(second) == names
    assert next_page(second) is None
