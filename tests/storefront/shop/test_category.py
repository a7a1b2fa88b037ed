"""The page of a category: order, filters, pages, its one address."""

from itertools import count

import pytest

from tests.orders.delivery.factories import make_zone
from tests.products.factories import make_category, make_product
from tests.storefront.conftest import Browser, Sql, words_in
from tests.storefront.shop.cards import names_on, next_page


def test_breadcrumbs_narrower_categories_and_the_number_of_products(browser: Browser) -> None:
    dairy, milk = make_category("Food/Dairy"), make_category("Food/Dairy/Milk")
    food = make_category("Food")
    make_product("Food/Dairy/Milk", name="Fresh Milk")
    make_product("Food/Dairy", name="Butter")
    page = browser.get(f"/c/{dairy}-dairy")
    assert page.status_code == 200
    assert f'<a href="/c/{food}-food">Food</a>' in page.text
    assert f'<a href="/c/{milk}-milk">Milk</a>' in page.text
    assert "2 products" in words_in(page)
    assert names_on(page) == ["Butter", "Fresh Milk"]
    assert "<title>Dairy · Test Grocer</title>" in page.text
    assert f'<link rel="canonical" href="http://shop.example/c/{dairy}-dairy">' in page.text
    assert '<meta name="description" content="Dairy from Test Grocer, brought to your door.">' in page.text


def test_another_name_leads_to_the_one_address_and_keeps_the_filters(browser: Browser) -> None:
    category = make_category("Dairy & Eggs")
    moved = browser.get(f"/c/{category}-old-name?sort=price&in_stock=1")
    assert (moved.status_code, moved.location) == (301, f"/c/{category}-dairy-eggs?sort=price&in_stock=1")
    # Renamed and named back, two lasting redirects would lead in a circle.
    assert "no-cache" in moved.headers["Cache-Control"]


def test_a_redirect_leads_to_no_other_host(browser: Browser) -> None:
    category = make_category("Dairy")
    odd = "_external=1&_scheme=javascript&_host=evil.example&_anchor=x&endpoint=x&name=%0D%0Ay&category_id=5"
    moved = browser.get(f"/c/{category}-x?{odd}")
    assert (moved.status_code, moved.location) == (301, f"/c/{category}-dairy?{odd}")


@pytest.mark.parametrize("address", ["/c/999999-dairy", "/c/9223372036854775808-dairy", "/c/99999999999999999999999-x"])
def test_an_unknown_category_is_a_page_that_helps(browser: Browser, address: str) -> None:
    page = browser.get(address, headers={"Accept": "text/html"})
    assert page.status_code == 404
    assert page.mimetype == "text/html"
    assert "This page is not there" in page.text


def test_the_missing_page_offers_a_search_for_what_its_address_was_called(browser: Browser) -> None:
    page = browser.get("/p/999999-brown-bread")
    assert page.status_code == 404
    assert 'href="/search?q=brown+bread"' in page.text
    assert "Search for “brown bread”" in page.text
    attack = browser.get('/p/999999-"><script>alert(1)<')
    assert attack.status_code == 404
    assert "<script>alert" not in attack.text


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        ("name", ["Cream", "Milk", "Apples", "Bread"]),
        ("price", ["Milk", "Cream", "Bread", "Apples"]),
        ("-price", ["Cream", "Milk", "Apples", "Bread"]),
        ("newest", ["Milk", "Cream", "Bread", "Apples"]),
        ("sideways", ["Cream", "Milk", "Apples", "Bread"]),
    ],
)
def test_what_is_sold_out_stands_last_in_every_order(browser: Browser, sort: str, names: list[str]) -> None:
    category = make_category("Food")
    make_product("Food", name="Apples", price_cents=90_00, stock=0)
    make_product("Food", name="Bread", price_cents=10_00, stock=0)
    make_product("Food", name="Cream", price_cents=60_00)
    make_product("Food", name="Milk", price_cents=50_00)
    page = browser.get(f"/c/{category}-food?sort={sort}")
    assert names_on(page) == names
    assert page.text.count("See similar") == page.text.count("Sold out</span>") == 2


def test_filters_leave_what_is_in_stock_or_on_offer(browser: Browser) -> None:
    category = make_category("Food")
    make_product("Food", name="Apples", stock=0)
    make_product("Food", name="Bread", compare_at_price_cents=200_00)
    make_product("Food", name="Cream")
    assert names_on(browser.get(f"/c/{category}-food?in_stock=1")) == ["Bread", "Cream"]
    page = browser.get(f"/c/{category}-food?on_offer=1")
    assert names_on(page) == ["Bread"]
    assert "1 product" in words_in(page)
    assert 'name="on_offer" value="1" data-send checked' in page.text


def test_filters_that_leave_nothing_lead_back(browser: Browser) -> None:
    category = make_category("Food")
    make_product("Food")
    page = browser.get(f"/c/{category}-food?on_offer=1")
    assert "Nothing here fits these filters." in page.text
    assert f'href="/c/{category}-food">Show all of Food</a>' in page.text


def test_an_empty_category_says_so(browser: Browser) -> None:
    category = make_category("Food")
    assert "There is nothing here yet." in browser.get(f"/c/{category}-food").text


def fill(in_stock: int, sold_out: int) -> list[str]:
    numbers = count(100)
    names = [f"Product {next(numbers)}" for _ in range(in_stock + sold_out)]
    for position, name in enumerate(names):
        make_product("Food", name=name, stock=1 if position < in_stock else 0)
    return names


@pytest.mark.parametrize(("in_stock", "sold_out"), [(30, 30), (24, 3), (48, 0), (24, 0), (3, 24), (0, 25)])
def test_pages_follow_each_other_without_a_gap(browser: Browser, in_stock: int, sold_out: int) -> None:
    names, category = fill(in_stock, sold_out), make_category("Food")
    seen: list[str] = []
    address: str | None = f"/c/{category}-food"
    while address:
        page = browser.get(address)
        seen += names_on(page)
        address = next_page(page)
    assert seen == names


def test_an_address_with_several_pages_has_what_show_more_has_put_below(browser: Browser) -> None:
    names, category = fill(60, 0), make_category("Food")
    page = browser.get(f"/c/{category}-food?pages=2")
    assert names_on(page) == names[:48]
    assert names_on(browser.get(next_page(page) or "")) == names[48:]
    for odd in ("0", "-1", "1e3", "99", "x", ""):
        assert names_on(browser.get(f"/c/{category}-food?pages={odd}")) == names[:24]


def test_the_script_gets_the_list_alone(browser: Browser) -> None:
    names, category = fill(30, 0), make_category("Food")
    first = browser.get(f"/c/{category}-food")
    part = browser.get(next_page(first) or "", headers={"X-Parts": "1"})
    assert part.headers["X-Parts"] == "1"
    assert names_on(part) == names[24:]
    assert "<html" not in part.text
    assert 'id="more"' in part.text


@pytest.mark.parametrize("cursor", ["made-up", ".", "..", ".made-up", "W10", "%00", "x" * 5000])
def test_a_cursor_of_no_list_begins_from_the_start(browser: Browser, cursor: str) -> None:
    category = make_category("Food")
    make_product("Food", name="Bread")
    page = browser.get(f"/c/{category}-food?cursor={cursor}")
    assert page.status_code == 200
    assert names_on(page) == ([] if cursor == "." else ["Bread"])


def test_what_delivery_costs_is_said_until_something_is_in_the_basket(browser: Browser, run_sql: Sql) -> None:
    make_zone(name="Kilimani")
    category, product = make_category("Food"), make_product("Food")
    assert "Kilimani · Delivery KSh 150" in words_in(browser.get(f"/c/{category}-food"))
    assert browser.post(f"/basket/items/{product}", {"quantity": "1"}).status_code == 303
    assert "Kilimani · Delivery" not in words_in(browser.get(f"/c/{category}-food"))


def test_a_card_has_unit_price_offer_and_what_is_left(browser: Browser) -> None:
    category = make_category("Food")
    make_product("Food", name="Rice", price_cents=230_00, compare_at_price_cents=250_00, net_content="2 kg", stock=3)
    make_product("Food", name="Kale", price_cents=80_00, unit="kg", quantity_step="0.1", stock="2.5")
    words = words_in(browser.get(f"/c/{category}-food"))
    assert "Rice 2 kg · KSh 115/kg KSh 230 before: KSh 250 Only 3 left" in words
    assert "Kale KSh 80 /kg Only 2.5 kg left" in words
