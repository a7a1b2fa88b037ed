"""What goes wrong between basket and order: each is said clearly, and nothing that was filled in is lost."""

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, expect

from grocery.auth.sessions import end_all_sessions
from grocery.db import transaction
from tests.browser.conftest import sign_in
from tests.browser.full_shop import FullShop
from tests.browser.walking import change, code_for, order_number, put_in, rows

_ORDERS = "SELECT number FROM orders WHERE customer_id = :customer_id ORDER BY id DESC"
_NOTE = "Ripe bananas, please"


@pytest.fixture
def phone(browser: Browser, migrated_app: Flask, full_shop: FullShop) -> Iterator[BrowserContext]:
    """Of a customer with something in the basket."""
    context = browser.new_context(viewport={"width": 390, "height": 844})
    sign_in(migrated_app, context, full_shop.address, full_shop.people["customer"])
    yield context
    context.close()


@pytest.fixture
def checkout(phone: BrowserContext, migrated_app: Flask, full_shop: FullShop) -> Page:
    """The checkout, filled in."""
    change(migrated_app, "DELETE FROM carts")
    page = phone.new_page()
    put_in(page, full_shop)
    page.goto(f"{full_shop.address}/checkout")
    page.get_by_text("Note for the shop").click()
    page.get_by_label("Note", exact=True).fill(_NOTE)
    with page.expect_response("**/checkout/quote"):
        page.get_by_label("Note", exact=True).blur()
    return page


def orders_of(app: Flask, shop: FullShop) -> list[str]:
    return [number for (number,) in rows(app, _ORDERS, customer_id=shop.people["customer"].id)]


def end_sign_ins(app: Flask, shop: FullShop) -> None:
    """All of the customer, as they can do from another device."""
    with app.app_context(), transaction():
        end_all_sessions(shop.people["customer"].id)


def sign_in_by_phone(page: Page, app: Flask, shop: FullShop) -> None:
    person = shop.people["customer"]
    change(app, "UPDATE customers SET phone_verified_at = now() WHERE id = :id", id=person.id)
    page.get_by_label("Mobile phone number").fill(person.phone or "")
    page.get_by_role("button", name="Send me a code").click()
    expect(page.get_by_role("heading", name="Enter your code")).to_be_visible()
    page.get_by_role("textbox", name="Code").fill(code_for(app, person.phone or ""))
    page.get_by_role("button", name="Sign in").click()


def place(page: Page) -> None:
    page.get_by_role("button", name="Place order").click()


def assert_placed(page: Page, app: Flask, shop: FullShop, before: list[str]) -> None:
    """The order that the page confirms, and no other one."""
    number = order_number(page)
    assert orders_of(app, shop) == [number, *before]


def test_two_quick_taps_are_one_order(checkout: Page, migrated_app: Flask, full_shop: FullShop) -> None:
    before = orders_of(migrated_app, full_shop)
    checkout.get_by_role("button", name="Place order").dblclick()
    assert_placed(checkout, migrated_app, full_shop, before)


def test_back_and_another_tap_shows_the_order_that_was_placed(
    checkout: Page, migrated_app: Flask, full_shop: FullShop
) -> None:
    before = orders_of(migrated_app, full_shop)
    place(checkout)
    number = order_number(checkout)
    checkout.go_back()
    checkout.reload()
    expect(checkout.get_by_role("button", name="Place order")).to_have_count(0)
    assert orders_of(migrated_app, full_shop) == [number, *before]


@pytest.mark.parametrize("then", ["orders", "chooses", "writes"])
def test_an_expired_sign_in_comes_back_to_the_same_step(
    phone: BrowserContext, checkout: Page, migrated_app: Flask, full_shop: FullShop, then: str
) -> None:
    """Also when the browser learns that it is signed out from something before: a choice, or a field that is kept."""
    before = orders_of(migrated_app, full_shop)
    end_sign_ins(migrated_app, full_shop)
    if then == "writes":
        checkout.get_by_label("Note", exact=True).fill(f"{_NOTE}!")
        with checkout.expect_response("**/sign-in?**"):
            checkout.get_by_label("Note", exact=True).blur()
    if then == "chooses":
        checkout.locator("#slot_id input:enabled:not(:checked)").first.click()
    else:
        place(checkout)
    expect(checkout.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(checkout.get_by_text("You were signed out meanwhile. Sign in to go on; nothing is lost.")).to_be_visible()
    assert orders_of(migrated_app, full_shop) == before
    sign_in_by_phone(checkout, migrated_app, full_shop)
    expect(checkout).to_have_url(f"{full_shop.address}/checkout")
    expect(checkout.get_by_label("Note", exact=True)).to_have_value(f"{_NOTE}!" if then == "writes" else _NOTE)
    place(checkout)
    assert_placed(checkout, migrated_app, full_shop, before)


def test_a_price_that_has_changed_is_said_before_it_is_paid(
    checkout: Page, migrated_app: Flask, full_shop: FullShop
) -> None:
    before = orders_of(migrated_app, full_shop)
    product_id = full_shop.ids["product"]
    change(migrated_app, "UPDATE products SET price_cents = 9000 WHERE id = :id", id=product_id)
    place(checkout)
    expect(checkout.locator("#problems")).to_be_focused()
    expect(checkout.locator("#problems")).to_contain_text("The total has changed: it was KSh 180, now it is KSh 195.")
    expect(checkout.locator(f"#row-{product_id}")).to_contain_text("KSh 60")
    expect(checkout.get_by_label("Note", exact=True)).to_have_value(_NOTE)
    assert orders_of(migrated_app, full_shop) == before
    change(migrated_app, "UPDATE products SET price_cents = 6000 WHERE id = :id", id=product_id)
    checkout.reload()
    place(checkout)
    assert_placed(checkout, migrated_app, full_shop, before)


def test_a_product_that_is_sold_meanwhile_is_named_and_can_be_taken_out(
    checkout: Page, migrated_app: Flask, full_shop: FullShop
) -> None:
    before = orders_of(migrated_app, full_shop)
    put_in_also = checkout.context.new_page()
    put_in(put_in_also, full_shop, "long")
    checkout.reload()
    change(migrated_app, "UPDATE products SET stock = 0 WHERE id = :id", id=full_shop.ids["long"])
    place(checkout)
    row = checkout.locator(f"#row-{full_shop.ids['long']}")
    expect(row).to_contain_text("Stone Ground")
    assert orders_of(migrated_app, full_shop) == before
    row.get_by_role("button", name="Remove").click()
    expect(checkout.get_by_role("heading", name="Checkout")).to_be_visible()
    expect(row).to_have_count(0)
    expect(checkout.get_by_label("Note", exact=True)).to_have_value(_NOTE)
    place(checkout)
    assert_placed(checkout, migrated_app, full_shop, before)
    change(migrated_app, "UPDATE products SET stock = 10 WHERE id = :id", id=full_shop.ids["long"])


def test_a_time_that_is_gone_comes_back_with_the_nearest(
    checkout: Page, migrated_app: Flask, full_shop: FullShop
) -> None:
    before = orders_of(migrated_app, full_shop)
    chosen = checkout.locator("input[name=slot_id]:checked").get_attribute("value")
    change(migrated_app, "UPDATE delivery_slots SET cutoff_at = now() WHERE id = :id", id=int(chosen or 0))
    place(checkout)
    expect(checkout.locator("#problems")).to_be_focused()
    expect(checkout.locator("#problems")).to_contain_text("The time you chose")
    expect(checkout.locator("#slot_id input:checked")).not_to_have_attribute("value", chosen or "")
    expect(checkout.get_by_label("Note", exact=True)).to_have_value(_NOTE)
    assert orders_of(migrated_app, full_shop) == before
    place(checkout)
    assert_placed(checkout, migrated_app, full_shop, before)


def test_without_network_nothing_is_lost_and_trying_again_orders(
    phone: BrowserContext, checkout: Page, migrated_app: Flask, full_shop: FullShop
) -> None:
    before = orders_of(migrated_app, full_shop)
    phone.set_offline(True)
    place(checkout)
    expect(checkout.get_by_role("alert").filter(has_text="Not saved.")).to_be_visible()
    expect(checkout.get_by_label("Note", exact=True)).to_have_value(_NOTE)
    phone.set_offline(False)
    checkout.get_by_role("button", name="Try again").click()
    assert_placed(checkout, migrated_app, full_shop, before)
