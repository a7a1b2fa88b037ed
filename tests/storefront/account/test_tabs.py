"""Several tabs of one browser, of which one signs in or out; and floods of passwords at the pages' forms."""

import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from flask import Flask

from grocery.lanes import Lanes, Line
from grocery.storefront.busy import HASHING_PAGES
from tests.auth.factories import make_customer
from tests.products.factories import make_product
from tests.storefront.account.conftest import led_to
from tests.storefront.conftest import Browser, Sql, words_in


def tab_of(browser: Browser, path: str) -> str:
    """The token of a page that stays open."""
    browser.get(path)
    return browser.csrf_token


@pytest.mark.parametrize("is_loaded", [False, True], ids=["at once", "after the next page"])
def test_a_form_from_before_a_sign_out_leads_to_the_sign_in_and_does_nothing(
    browser: Browser, run_sql: Sql, is_loaded: bool
) -> None:
    bread = make_product("Bakery")
    browser.sign_in(make_customer())
    old = tab_of(browser, "/account/lists")
    browser.post("/sign-out")
    if is_loaded:
        browser.get("/")
    for path, back in ((f"/basket/items/{bread}", "/search?q=bread"), ("/account/lists", "/account/lists")):
        form = {"csrf_token": old, "quantity": "1", "name": "Weekly", "return_to": back}
        answer = browser.client.post(path, data=form)
        assert answer.status_code == 303
        assert answer.location.startswith("/sign-in?return_to=/")
    assert "You were signed out meanwhile." in words_in(browser.get("/sign-in"))
    assert run_sql("SELECT (SELECT count(*) FROM cart_items), (SELECT count(*) FROM shopping_lists)") == [(0, 0)]


def test_only_tokens_of_this_shop_lead_to_the_sign_in(browser: Browser, app: Flask) -> None:
    browser.sign_in(make_customer())
    old = tab_of(browser, "/account/lists")
    browser.post("/sign-out")
    nonce, signature, seal = old.split(".")
    visitors = tab_of(Browser(app.test_client()), "/search")
    for token in ("", "x", f"{nonce}.{signature}", f"x{old}", f"{old}x", f"{nonce}.x.{seal}", visitors):
        answer = browser.client.post("/account/lists", data={"csrf_token": token, "name": "Weekly"})
        assert answer.status_code == 403, token
    elsewhere = {"Sec-Fetch-Site": "cross-site"}
    assert browser.client.post("/account/lists", data={"csrf_token": old}, headers=elsewhere).status_code == 403


def test_a_form_from_before_a_sign_in_does_nothing_and_says_why(browser: Browser, run_sql: Sql) -> None:
    bread = make_product("Bakery")
    old = tab_of(browser, "/search")
    browser.sign_in(make_customer())
    tab_of(browser, "/account")
    answer = browser.client.post(f"/basket/items/{bread}", data={"csrf_token": old, "quantity": "1"})
    assert (answer.status_code, "This page was open for too long." in words_in(answer)) == (403, True)
    assert run_sql("SELECT count(*) FROM cart_items") == [(0,)]


@pytest.mark.parametrize(
    ("path", "referrer", "back"),
    [
        ("/account/orders/5/reorder", "http://localhost/account/orders?cursor=x", "/account/orders?cursor%3Dx"),
        ("/account/orders/5/reorder", "https://evil.example/account/orders", "/account"),
        ("/account/orders/5/reorder", "http://localhost/sign-out", "/account"),
        ("/account/orders/5/reorder", "http://[", "/account"),
        ("/account/orders/5/cancel", "", "/account/orders/5/cancel"),
    ],
)
def test_the_way_back_after_the_sign_in_is_a_page(browser: Browser, path: str, referrer: str, back: str) -> None:
    assert led_to(browser.post(path, headers={"Referer": referrer})) == (303, f"/sign-in?return_to={back}")


@pytest.fixture
def full_line(app: Flask) -> Iterator[None]:
    lanes: Lanes = app.extensions["lanes"]
    usual, lanes.line = lanes.line, Line(at_once=1, waiting=0)
    is_in, leave = threading.Event(), threading.Event()

    def stand() -> None:
        with lanes.line.turn("102.68.0.1"):
            is_in.set()
            leave.wait(60)

    with ThreadPoolExecutor(1) as pool:
        pool.submit(stand)
        assert is_in.wait(60)
        yield
        leave.set()
    lanes.line = usual


def test_a_flood_of_passwords_is_sent_away_before_anything_is_done(browser: Browser, full_line: None) -> None:
    make_customer(email="amina@example.com")
    assert {form_action(browser, path) for path in HASHING_PAGES} == set(HASHING_PAGES)
    for path in HASHING_PAGES:
        answer = browser.client.post(path, data={"identifier": "amina@example.com"})
        assert (answer.status_code, answer.mimetype, answer.headers["Retry-After"]) == (503, "text/html", "2")
        assert answer.headers["Cache-Control"] == "no-store"
        assert "style-src 'self'" in answer.headers["Content-Security-Policy"]
        assert answer.headers.getlist("Content-Security-Policy")[1:] == []
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert "Set-Cookie" not in answer.headers
        assert "<form" not in answer.text
        assert f'href="{path}"' in answer.text
        assert "The shop is busy" in words_in(answer)
    assert browser.client.get("/sign-in/password").status_code == 200
    style = re.search(r'href="(/static/[^"]+)"', answer.text)
    assert style
    assert browser.client.get(style[1]).status_code == 200


def form_action(browser: Browser, path: str) -> str:
    found = re.search(r'<form method="post" action="([^"]+)"', browser.get(path).text.partition("<main")[2])
    assert found
    return found[1].partition("?")[0]
