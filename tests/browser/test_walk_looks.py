"""The shop in Swahili and by night, and pages for what is not there or has failed."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, expect

from tests.browser.conftest import sign_in
from tests.browser.full_shop import FullShop
from tests.browser.walking import put_in

# Of storefront.md: background, text and main button.
_DAY = ("rgb(255, 255, 255)", "rgb(27, 31, 28)", "rgb(20, 108, 67)")
_NIGHT = ("rgb(18, 21, 18)", "rgb(236, 239, 234)", "rgb(95, 208, 143)")

_COLOURS = """() => {
    const body = getComputedStyle(document.body);
    return [body.backgroundColor, body.color, getComputedStyle(document.querySelector(".button.main")).backgroundColor];
}"""


@pytest.fixture
def phone(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 390, "height": 844}, reduced_motion="reduce")
    yield context
    context.close()


def test_the_shop_speaks_swahili_from_the_choice_to_the_order(
    phone: BrowserContext, migrated_app: Flask, full_shop: FullShop
) -> None:
    sign_in(migrated_app, phone, full_shop.address, full_shop.people["customer"])
    page = phone.new_page()
    page.goto(full_shop.address)
    page.get_by_role("link", name="Kiswahili").click()
    expect(page.locator("html")).to_have_attribute("lang", "sw")
    product_id = full_shop.ids["product"]
    page.goto(f"{full_shop.address}/p/{product_id}-x")
    page.get_by_role("button", name=re.compile("Weka .* kwenye kikapu")).first.click()
    expect(page.locator("#basket-bar")).to_contain_text("Ona kikapu")
    page.goto(f"{full_shop.address}/basket")
    expect(page.get_by_role("heading", level=1)).to_have_text("Kikapu")
    page.get_by_role("link", name="Kamilisha oda").first.click()
    page.get_by_role("button", name="Tuma oda").click()
    page.get_by_role("link", name="Fuatilia oda").click()
    expect(page.locator("#status")).to_have_text("Imepokelewa")
    expect(page.locator("html")).to_have_attribute("lang", "sw")


def test_night_has_its_own_colours(phone: BrowserContext, full_shop: FullShop) -> None:
    page = phone.new_page()
    put_in(page, full_shop)
    for scheme, colours in (("light", _DAY), ("dark", _NIGHT)):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        assert tuple(page.evaluate(_COLOURS)) == colours


def test_a_page_that_is_not_there_helps_on(phone: BrowserContext, full_shop: FullShop) -> None:
    page = phone.new_page()
    for path in ("/nothing/here", "/p/999999999-brown-bread", "/c/999999999-bread"):
        answer = page.goto(full_shop.address + path)
        assert answer
        assert answer.status == 404
        expect(page.get_by_role("heading", level=1)).to_have_text("This page is not there")
        expect(page.get_by_role("link", name="To the shop")).to_be_visible()
        expect(page.get_by_role("combobox", name="Search products")).to_be_visible()
    page.goto(f"{full_shop.address}/p/999999999-brown-bread")
    page.get_by_role("link", name="Search for “brown bread”").click()
    expect(page.locator("li.card").first).to_be_visible()


def test_a_failure_of_ours_says_so_and_loses_nothing(
    phone: BrowserContext, migrated_app: Flask, full_shop: FullShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = phone.new_page()
    put_in(page, full_shop)

    def fail(**_: object) -> None:
        raise RuntimeError("for the test")

    with monkeypatch.context() as patch:
        patch.setitem(migrated_app.view_functions, "shop.search", fail)
        answer = page.goto(f"{full_shop.address}/search?q=bread")
        assert answer
        assert answer.status == 500
        expect(page.get_by_role("heading", level=1)).to_have_text("Something went wrong on our side")
        number = page.locator("main code").inner_text()
        assert number == answer.header_value("X-Request-ID")
    page.get_by_role("link", name="To my basket").click()
    expect(page.locator(f"#row-{full_shop.ids['product']}")).to_be_visible()


def test_markup_in_names_is_shown_as_it_is(phone: BrowserContext, migrated_app: Flask, full_shop: FullShop) -> None:
    sign_in(migrated_app, phone, full_shop.address, full_shop.people["customer"])
    page = phone.new_page()
    dialogs: list[str] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    put_in(page, full_shop, "bad")
    for path in ("/basket", "/checkout", f"/account/orders/{full_shop.orders['pending']['id']}", "/search?q=sons"):
        page.goto(full_shop.address + path)
        expect(page.get_by_text("<script>alert('hello')</script>").first).to_be_attached()
    assert page.locator("main script, body > script:not([src])").count() == 0
    assert dialogs == []
