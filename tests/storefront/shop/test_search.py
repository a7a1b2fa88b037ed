"""Searching, finding nothing, and asking for what is missing."""

import re

import pytest

from grocery.products.search.upkeep import refresh_words
from tests.auth.factories import make_customer
from tests.products.factories import make_category, make_product
from tests.storefront.conftest import Browser, Sql, words_in
from tests.storefront.shop.cards import names_on, next_page

SCRIPT = "<script>alert(1)</script>"


def requests(run_sql: Sql) -> list[tuple[object, ...]]:
    return run_sql("SELECT customer_id, words FROM product_requests ORDER BY id")


def test_results_have_their_number_and_the_words_stay(browser: Browser) -> None:
    make_product(name="Brown Bread")
    make_product(name="White Bread", stock=0)
    make_product(name="Milk")
    page = browser.get("/search?q=bread")
    assert names_on(page) == ["Brown Bread", "White Bread"]
    assert re.search(r'<p role="status">\s*2 products', page.text)
    assert 'name="q" id="q" value="bread"' in page.text
    assert "Ask us to stock it" not in page.text


def test_a_misspelt_word_is_put_right_and_said(browser: Browser) -> None:
    make_product(name="Tomatoes")
    refresh_words()
    page = browser.get("/search?q=tomatoo")
    assert names_on(page) == ["Tomatoes"]
    assert "Nothing found for “tomatoo”. Showing results for “tomatoes”: 1 product" in words_in(page)
    assert 'id="q" value="tomatoo"' in page.text


def test_pages_of_a_search_and_of_a_corrected_one_follow_each_other(browser: Browser) -> None:
    names = sorted(f"Tomatoes {number}" for number in range(100, 130))
    for name in names:
        make_product(name=name)
    refresh_words()
    for q in ("tomatoes", "tomatoo"):
        first = browser.get(f"/search?q={q}")
        assert "More than 24 products" in words_in(first)
        second = browser.get(next_page(first) or "")
        assert sorted(names_on(first) + names_on(second)) == names
        assert next_page(second) is None
        assert "More products" in words_in(second)


def test_nothing_found_offers_single_words_categories_and_a_form(browser: Browser) -> None:
    make_product("Bakery", name="Bread")
    refresh_words()
    page = browser.get("/search?q=unicorn+bread+qzxv")
    assert "We found nothing for “unicorn bread qzxv”." in page.text
    assert '<a href="/search?q=bread">bread</a>' in page.text
    assert '<a href="/search?q=unicorn">' not in page.text
    assert f'href="/c/{make_category("Bakery")}-bakery"' in page.text
    assert 'name="words" value="unicorn bread qzxv"' in page.text


@pytest.mark.parametrize("address", ["/search", "/search?q=", "/search?q=+++", "/search?q=%00"])
def test_no_words_ask_for_some(browser: Browser, address: str) -> None:
    page = browser.get(address)
    assert page.status_code == 200
    assert "Type what you are looking for" in page.text
    assert "Ask us to stock it" not in page.text


@pytest.mark.parametrize("q", ["x" * 5000, "%ff%fe", "%27%3B+DROP+TABLE+products%3B", "🥦", "&|!()", "q=1&q=2"])
def test_odd_words_find_nothing_and_break_nothing(browser: Browser, q: str) -> None:
    page = browser.get(f"/search?q={q}")
    assert page.status_code == 200
    assert names_on(page) == []


def test_what_was_typed_is_text_and_not_markup(browser: Browser) -> None:
    page = browser.get("/search", query_string={"q": SCRIPT})
    assert "<script>alert" not in page.text
    assert "&lt;script&gt;" in page.text


def test_searches_are_for_no_index(browser: Browser) -> None:
    assert '<meta name="robots" content="noindex">' in browser.get("/search?q=x").text


def test_asking_for_a_product_is_kept_once_for_a_customer(browser: Browser, run_sql: Sql) -> None:
    amina = make_customer(name="Amina")
    browser.sign_in(amina)
    for words in ("Oat milk", " OAT  milk ", "Soy milk"):
        answer = browser.post("/search/requests", {"words": words})
        assert answer.status_code == 303
    assert requests(run_sql) == [(amina.id, "Oat milk"), (amina.id, "Soy milk")]
    assert answer.location == "/search?q=Soy+milk"
    assert "Thank you. We will see whether we can get Soy milk." in browser.get(answer.location).text


def test_a_visitor_may_ask_too(browser: Browser, run_sql: Sql) -> None:
    assert browser.post("/search/requests", {"words": SCRIPT}).status_code == 303
    assert requests(run_sql) == [(None, SCRIPT)]
    assert "<script>alert" not in browser.get("/search?q=x").text


@pytest.mark.parametrize("words", ["", "   ", "x" * 101, "!!!", "a\0b", None])
def test_words_that_say_nothing_are_refused(browser: Browser, run_sql: Sql, words: str | None) -> None:
    answer = browser.post("/search/requests", {} if words is None else {"words": words})
    assert answer.status_code == 303
    assert "Write what you miss in up to 100 letters." in browser.get("/search").text
    assert requests(run_sql) == []


def test_a_forged_request_is_refused(browser: Browser, run_sql: Sql) -> None:
    browser.get("/search?q=x")
    assert browser.post("/search/requests", {"words": "Oat milk", "csrf_token": "made up"}).status_code == 403
    assert browser.client.post("/search/requests", data={"words": "Oat milk"}).status_code == 403
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    assert browser.post("/search/requests", {"words": "Oat milk"}, headers=elsewhere).status_code == 403
    assert requests(run_sql) == []


def test_one_address_asks_so_often_only(browser: Browser, run_sql: Sql) -> None:
    answers = [browser.post("/search/requests", {"words": f"Thing {number}"}) for number in range(6)]
    assert [answer.status_code for answer in answers] == [303] * 5 + [429]
    assert "Too many tries" in answers[-1].text
    assert int(answers[-1].headers["Retry-After"]) > 0
    assert len(requests(run_sql)) == 5


def test_asking_is_no_get(browser: Browser) -> None:
    assert browser.get("/search/requests?words=x").status_code == 405
