"""What the first pages weigh, and how many statements they cost."""

import re
from decimal import Decimal

import pytest

from tests.auth.factories import make_customer
from tests.orders.conftest import Caller
from tests.orders.delivery.factories import make_slot, make_zone
from tests.orders.factories import place
from tests.products.factories import make_category, make_product
from tests.storefront.conftest import Browser

KB = 1000

_FIRST = ("Golden", "Farm Fresh", "Mount Kenya", "Naivasha", "Coast", "Rift Valley", "Sunny Morning", "Old Mill")
_THEN = ("Wholegrain", "Unsweetened", "Strawberry", "Peppered", "Slow Roasted", "Extra Virgin", "Stone Ground")
_LAST = ("Breakfast Porridge", "Cooking Oil", "Drinking Yoghurt", "Biscuit Selection", "Tomato Ketchup", "Tea Leaves")


def long_name(number: int) -> str:
    """No two alike, so that compression has to do with them what it would with real ones."""
    parts = (_FIRST[number % 8], _THEN[number * 3 % 7], _LAST[number * 5 % 6])
    return f"{' '.join(parts)} with {_THEN[number * 2 % 7]} {_FIRST[number * 7 % 8]} No. {number * 7919 % 1000}"


@pytest.fixture
def category() -> int:
    """A full shop: 24 offers with long names and pictures, 18 categories."""
    for number in range(18):
        make_category(f"{_LAST[number % 6]} and {_FIRST[number % 8]} {number}")
    for number in range(24):
        make_product(
            "Breakfast",
            name=long_name(number),
            net_content=f"{number * 37 + 100} g",
            price_cents=100_00 + number * 1234,
            compare_at_price_cents=900_00 + number,
            stock=Decimal(number % 7 + 1),
            image_url=f"/media/{number * 7919:032x}/640.webp",
        )
    make_slot(make_zone(name="Nairobi West", free_from_cents=3000_00, min_basket_cents=500_00))
    return make_category("Breakfast")


def weight(browser: Browser, address: str) -> int:
    """Bytes of a file as a browser gets it."""
    answer = browser.get(address, headers={"Accept-Encoding": "gzip, br"})
    assert answer.status_code == 200
    assert answer.headers["Content-Encoding"] == "br"
    return len(answer.get_data())


@pytest.mark.parametrize("page", ["home", "category", "search", "product"])
def test_pages_fit_into_the_first_flight(browser: Browser, category: int, page: str) -> None:
    (product,) = re.findall(r"/p/\d+-[a-z0-9-]+", browser.get(f"/c/{category}-breakfast").text)[:1]
    address = {"home": "/", "category": f"/c/{category}-breakfast", "search": "/search?q=no", "product": product}[page]
    html = browser.get(address).text
    cards = html.count('<li class="card')
    assert cards == (4 if page == "product" else 24)
    styles = re.findall(r'<link rel="stylesheet" href="([^"]+)"', html)
    scripts = re.findall(r'<script type="module" src="([^"]+)"', html)
    assert weight(browser, address) + sum(weight(browser, style) for style in styles) <= 14 * KB
    assert sum(weight(browser, script) for script in scripts) <= 10 * KB
    assert "<style" not in html
    assert " style=" not in html
    assert not re.search(r"<script(?![^>]* src=)", html)


def test_the_script_of_suggestions_is_small(browser: Browser) -> None:
    (address,) = re.findall(r'src="([^"]+suggest\.js)"', browser.get("/").text)
    assert weight(browser, address) <= 2 * KB


def test_drawings_are_small_and_named_as_the_rules_name_them(browser: Browser, category: int) -> None:
    (address,) = set(re.findall(r'href="([^"#]+drawings\.svg)#', browser.get("/").text))
    drawings = browser.get(address).text
    symbols = re.findall(r"<symbol.*?</symbol>", drawings)
    assert max(map(len, symbols)) <= 400
    assert weight(browser, address) <= 3 * KB


@pytest.mark.parametrize(
    ("page", "visitors", "customers"), [("home", 4, 7), ("category", 4, 6), ("search", 1, 3), ("product", 3, 7)]
)
def test_statements_do_not_grow_with_what_a_page_shows(
    browser: Browser, category: int, customer: Caller, statements: list[str], page: str, visitors: int, customers: int
) -> None:
    product = make_product("Breakfast", name="Bread", stock=0)
    address = {
        "home": "/",
        "category": f"/c/{category}-breakfast",
        "search": "/search?q=no",
        "product": f"/p/{product}-bread",
    }[page]
    browser.get(address)  # what a process reads once
    statements.clear()
    browser.get(address)
    assert len(statements) == visitors, statements
    place(customer, {make_product(): 1})
    browser.sign_in(customer.person)
    statements.clear()
    browser.get(address)
    assert len(statements) <= customers, statements


def test_a_page_that_has_not_changed_is_not_sent_again(browser: Browser, category: int) -> None:
    for address in ("/", f"/c/{category}-breakfast"):
        browser.get(address)
        tag = browser.get(address).headers["ETag"]
        again = browser.get(address, headers={"If-None-Match": tag})
        assert (again.status_code, again.get_data()) == (304, b"")


def test_pages_of_people_are_kept_by_no_proxy(browser: Browser, category: int) -> None:
    browser.sign_in(make_customer())
    page = browser.get("/")
    assert "private" in page.headers["Cache-Control"]
    assert "Cookie" in page.headers["Vary"]
