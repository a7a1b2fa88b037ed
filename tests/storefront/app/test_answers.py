"""What every answer of a page has, so that browsers and proxies cannot be made to do harm with it."""

import re
from dataclasses import replace
from http.cookies import SimpleCookie

import pytest
from flask import Flask
from flask.testing import FlaskClient

from grocery.app import create_app
from grocery.config import Settings
from tests.auth.factories import make_customer
from tests.products.factories import make_product
from tests.storefront.app.walking import address_of, shopper_rules
from tests.storefront.conftest import Browser, words_in

HTML = {"Accept": "text/html"}


def test_each_page_says_what_it_may_load_and_is_in_no_frame(app: Flask, browser: Browser) -> None:
    browser.sign_in(make_customer())
    addresses = [address_of(rule) for rule in shopper_rules(app, "GET")]
    for address in (*addresses, "/nowhere", "/basket/items/1", "/checkout/quote"):
        page = browser.get(address, headers=HTML)
        if page.mimetype != "text/html":
            continue
        policy = page.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy, address
        assert "style-src 'self'" in policy, address
        assert "frame-ancestors 'none'" in policy, address
        assert "unsafe" not in policy, address
        assert page.headers["X-Frame-Options"] == "DENY", address
        assert page.headers["X-Content-Type-Options"] == "nosniff", address
        assert "public" not in page.headers["Cache-Control"], address
        assert not re.search(r"<script(?![^>]*\bsrc=)|\sstyle=|\son[a-z]+=", page.text), address


@pytest.mark.parametrize("address", ["/account", "/account/orders", "/account/lists", "/checkout", "/sign-in"])
def test_pages_about_a_person_are_kept_by_nobody(browser: Browser, address: str) -> None:
    browser.sign_in(make_customer())
    assert browser.get(address).headers["Cache-Control"] == "no-store"


def test_the_tag_of_one_persons_page_gets_another_person_their_own(app: Flask, browser: Browser) -> None:
    make_product("Bakery", name="Brown bread")
    browser.sign_in(make_customer())
    first = browser.get("/")
    tag = {"If-None-Match": first.headers["ETag"]}
    assert browser.get("/", headers=tag).status_code == 304
    assert {"Cookie", "Accept-Language"} <= set(first.vary)
    other = Browser(app.test_client())
    other.sign_in(make_customer())
    assert other.get("/", headers=tag).status_code == 200
    assert Browser(app.test_client()).get("/", headers=tag).status_code == 200


def test_an_address_that_only_takes_forms_helps_people_and_tells_programs(client: FlaskClient) -> None:
    page = client.get("/checkout/quote", headers=HTML)
    assert (page.status_code, page.mimetype, 'href="/basket"' in page.text) == (405, "text/html", True)
    assert "POST" in page.headers["Allow"]
    assert client.get("/checkout/quote").mimetype == "application/problem+json"


def test_all_cookies_of_a_shop_in_production_stay_with_it(app: Flask, settings: Settings) -> None:
    shop = create_app(replace(settings, environment="production"))
    with shop.app_context():
        product_id = make_product("Bakery")
    client = shop.test_client()
    found = SimpleCookie[str]()

    def send(path: str, **data: str) -> None:
        base = "https://localhost"
        kept = client.get_cookie("__Host-csrf")
        form = {"csrf_token": kept.value if kept else "", **data}
        answer = client.post(path, data=form, base_url=base) if data else client.get(path, base_url=base)
        assert answer.status_code < 400, path
        for line in answer.headers.getlist("Set-Cookie"):
            found.load(line)

    send("/?lang=sw")
    send(f"/basket/items/{product_id}", quantity="1")
    send("/basket/wish", if_unavailable="call")
    send("/low-data", is_low="1")
    send("/sign-in", phone="0712345678")
    assert {"__Host-csrf", "__Host-cart", "__Host-signing-in", "said", "lang", "wish", "lowdata"} <= set(found)
    for name, cookie in found.items():
        assert (bool(cookie["secure"]), cookie["samesite"], cookie["domain"]) == (True, "Lax", ""), name
        assert bool(cookie["httponly"]) is (name != "__Host-csrf"), name


def test_much_that_is_said_at_once_still_fits_into_its_cookie(browser: Browser) -> None:
    for number in range(80):
        browser.post("/low-data", {"is_low": str(number % 2)})
    kept = browser.client.get_cookie("said")
    assert kept
    assert len(kept.value) < 3900
    assert "Pages come without pictures now." in words_in(browser.get("/"))


@pytest.mark.parametrize(
    "address",
    [
        "//evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "https://evil.example",
        " //evil.example",
        "evil.example",
        "javascript:1",
        "/\t/evil.example",
        "/x\r\nSet-Cookie: a=b",
        "/\u2028",
        "/" + "x" * 5000,
    ],
)
def test_no_address_leads_out_of_the_shop(browser: Browser, address: str) -> None:
    answer = browser.post("/low-data", {"is_low": "1", "return_to": address})
    assert (answer.status_code, answer.location) == (303, "/")
    assert "a=b" not in str(answer.headers)
    asked = browser.client.get("/sign-in", query_string={"return_to": address})
    assert 'name="return_to"' not in asked.text.partition("</main>")[0]


def test_a_made_up_host_gets_into_no_address(browser: Browser) -> None:
    make_product("Bakery")
    page = browser.get("/", headers={"Host": "evil.example"})
    assert "evil.example" not in page.text
    led = browser.get("/account", headers={"Host": "evil.example"})
    assert led.location == "/sign-in?return_to=/account"
