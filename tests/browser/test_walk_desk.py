"""At the desk: an admin adds a product with a photo from a phone, finds it in the shop, and scans without a camera."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, expect

from tests.browser.camera import DETECTOR
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


def test_without_a_camera_the_barcode_can_be_typed(admin: BrowserContext, full_shop: FullShop) -> None:
    admin.grant_permissions(["camera"])
    admin.add_init_script(DETECTOR)
    page = admin.new_page()
    page.goto(f"{full_shop.address}/admin/products/new")
    page.get_by_role("button", name="Scan").click()
    expect(page.locator("#scanner [role=status]")).to_have_text("There is no camera here. Type the number.")
    page.get_by_label("Or type its number").fill("6161100240018")
    page.get_by_role("button", name="Find", exact=True).click()
    barcode = page.get_by_role("textbox", name="Barcode")
    expect(barcode).to_have_value("6161100240018")
    expect(barcode).to_be_focused()
    # A hand scanner ends with Enter, and the form is not filled in yet.
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method))
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Scan").click()
    expect(page.locator("#scanner")).to_be_visible()
    assert sent == []
