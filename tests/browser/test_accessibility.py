"""Every page of shop and desk, for each role that may see it: WCAG 2.2 AA, and what a cheap phone needs besides."""

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page, Response

from tests.browser.conftest import sign_in
from tests.browser.full_shop import FullShop
from tests.browser.page_checks import add_checks, find_covered_stops, find_faults, find_violations
from tests.browser.pages_of_shop import ShopPage, list_pages, list_unsampled
from tests.browser.walking import put_in

# What each role is let into that the roles before it are not. What those who are signed in see on pages that others
# see, too, is looked at by `make prove`.
_SEES = {
    "visitor": {"public", "optional"},
    "customer": {"customer"},
    "staff": {"staff"},
    "admin": {"admin"},
}

# Where something sticks to the edge of the window.
_WITH_TABS = {
    "shop.home",
    "shop.show_category",
    "shop.search",
    "basket.show",
    "checkout.show",
    "following.show_order",
    "desk.show_dashboard",
    "desk_orders.show_board",
    "desk_orders.show_order",
    "desk_picking.show_order",
}


def test_each_page_is_looked_at(migrated_app: Flask, full_shop: FullShop) -> None:
    """Whoever makes a page adds to `pages_of_shop` what stands in its address, or why it is none to look at."""
    assert list_unsampled(migrated_app, full_shop) == []


_EMPTY_BASKET = ShopPage("basket.show", "optional", "/basket")


@pytest.mark.prove
@pytest.mark.parametrize(("role", "access"), [("customer", "optional"), ("admin", "staff")])
def test_pages_of_others_are_accessible(
    browser: Browser, migrated_app: Flask, full_shop: FullShop, role: str, access: str
) -> None:
    look_at_pages(browser, migrated_app, full_shop, role, {access})


@pytest.mark.parametrize("role", _SEES)
def test_pages_are_accessible(browser: Browser, migrated_app: Flask, full_shop: FullShop, role: str) -> None:
    look_at_pages(browser, migrated_app, full_shop, role, _SEES[role])


def look_at_pages(browser: Browser, migrated_app: Flask, full_shop: FullShop, role: str, seen: set[str]) -> None:
    """Sign in as someone of that role and look at all pages of that access."""
    # With motion, colours would be measured on their way from day to night.
    context = browser.new_context(reduced_motion="reduce", service_workers="block")
    add_checks(context)
    if role != "visitor":
        sign_in(migrated_app, context, full_shop.address, full_shop.people[role])
    page = context.new_page()
    pages = [one for one in list_pages(migrated_app, full_shop) if one.access in seen]
    assert pages
    if role in ("visitor", "customer"):
        assert _look_at(page, full_shop.address, _EMPTY_BASKET) == []
        for name in ("product", "long", "bad"):
            put_in(page, full_shop, name)
    faults = [f"{one.path}: {fault}" for one in pages for fault in _look_at(page, full_shop.address, one)]
    context.close()
    assert faults == [], "\n" + "\n".join(faults)


def _look_at(page: Page, address: str, one: ShopPage) -> list[str]:
    """By day on the smallest phone, and by night on a desk."""
    page.emulate_media(color_scheme="light")
    page.set_viewport_size({"width": 320, "height": 640})
    answer = page.goto(address + one.path, wait_until="domcontentloaded")
    assert answer
    if answer.status != 200 or _is_led_away(answer):
        return [f"answers {answer.status} at {answer.url}"]
    faults = find_faults(page)
    if one.endpoint in _WITH_TABS:
        faults += find_covered_stops(page)
    faults += find_violations(page)
    page.emulate_media(color_scheme="dark")
    page.set_viewport_size({"width": 1280, "height": 800})
    faults += [f"dark, {fault}" for fault in find_violations(page, "color-contrast", "target-size")]
    return faults


def _is_led_away(answer: Response) -> bool:
    """To another page, and not just to the right address of this one."""
    before = answer.request.redirected_from
    first = before.response() if before else None
    return first is not None and first.status != 301
