"""At the desk: an admin adds a product with a photo from a phone, and finds it in the shop."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, expect

from tests.browser.conftest import sign_in
from tests.browser.full_shop import FullShop
from tests.browser.pictures import picture


@pytest.fixture
def admin(browser: Browser, migrated_app: Flask, full_shop: FullShop) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": 390, "height": 844})
    sign_in(migrated_app, context, full_shop.address, full_shop.people["admin"])
    yield context
    context.close()


def test_an_admin_adds_a_product_with_a_photo_and_sees_it_in_the_shop(
    admin: BrowserContext, full_shop: FullShop
) -> None:
    page = admin.new_page()
    page.goto(f"{full_shop.address}/admin/products")
    page.get_by_role("link", name="Add a product").click()
    page.get_by_label("Name", exact=True).fill("Tree Tomatoes")
    fruit = page.get_by_label("Category").locator("option").filter(has_text=re.compile(r"^\W*Fruit$"))
    page.get_by_label("Category").select_option(value=fruit.get_attribute("value"))
    page.get_by_label("Price, VAT included").fill("250")
    page.get_by_label("In stock now").fill("12")
    page.get_by_role("button", name="Add the product").click()
    expect(page.get_by_role("heading", name="Tree Tomatoes")).to_be_visible()

    photo = {"name": "IMG_2041.jpg", "mimeType": "image/jpeg", "buffer": picture(7)}
    page.get_by_label("Photo").set_input_files(photo)
    page.get_by_role("button", name="Use this photo").click()
    expect(page.get_by_role("button", name="Take the picture away")).to_be_visible()

    page.goto(f"{full_shop.address}/search?q=tree+tomatoes")
    card = page.locator("li.card", has_text="Tree Tomatoes")
    expect(card.locator(".price")).to_have_text("KSh 250")
    expect(card.locator("img")).to_have_js_property("naturalWidth", 320)
