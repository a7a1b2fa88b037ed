"""How fast the shop is on a cheap phone with a slow network: paint, taps and jumps as Chromium measures them.

A test machine that is busy with other things is no slower phone. So each measures until it was good once, six times at
the most: that is what the pages themselves cost; a page that is too heavy is too slow each time.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import sign_in
from tests.browser.full_shop import FullShop
from tests.browser.walking import put_in
from tests.browser.wire import slow_down

# On loopback TCP and TLS are missing, which take two round trips (0.8 s) of the 2.5 s that a shopper may wait.
LARGEST_PAINT_MS = 1600
TAP_MS = 200
JUMPS = 0.1

_TRIES = 6

_SLOWER_CPU = 4

_OBSERVE = """
    window.seen = { paint: 0, jumps: 0, tap: 0 };
    const observe = (type, note, more) => new PerformanceObserver((list) => list.getEntries().forEach(note))
        .observe({ type, buffered: true, ...more });
    observe("largest-contentful-paint", (entry) => { seen.paint = entry.startTime; });
    observe("layout-shift", (entry) => { if (!entry.hadRecentInput) seen.jumps += entry.value; });
    observe("event", (entry) => { if (entry.interactionId) seen.tap = Math.max(seen.tap, entry.duration); },
            { durationThreshold: 16 });
"""

# Chromium writes the last paint down a moment after it.
_A_MOMENT_MS = 1000


@contextmanager
def slow_phone(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(
        viewport={"width": 360, "height": 740}, device_scale_factor=2, service_workers="block"
    )
    context.add_init_script(_OBSERVE)
    yield context
    context.close()


def open_slowly(context: BrowserContext, address: str) -> Page:
    page = context.new_page()
    slow_down(page, _SLOWER_CPU)
    page.goto(address, wait_until="load")
    page.wait_for_timeout(_A_MOMENT_MS)
    return page


def best_of(tries: int, measure: Callable[[], float], enough: float) -> float:
    """The least that was measured; no more often than it needs to be enough."""
    best = measure()
    for _ in range(tries - 1):
        if best <= enough:
            break
        best = min(best, measure())
    return best


@pytest.mark.parametrize("name", ["home", "category", "checkout"])
def test_pages_are_painted_soon_and_do_not_jump(
    browser: Browser, migrated_app: Flask, full_shop: FullShop, name: str
) -> None:
    category = f"/c/{full_shop.ids['category']}-fruit-vegetables"
    path = {"home": "/", "category": category, "checkout": "/checkout"}[name]
    jumps: list[float] = []

    def measure() -> float:
        with slow_phone(browser) as context:
            if name == "checkout":
                sign_in(migrated_app, context, full_shop.address, full_shop.people["customer"])
                put_in(context.new_page(), full_shop)
            page = open_slowly(context, full_shop.address + path)
            assert page.url == full_shop.address + path
            jumps.append(page.evaluate("seen.jumps"))
            paint: float = page.evaluate("seen.paint")
            assert paint > 0
            return paint

    assert best_of(_TRIES, measure, LARGEST_PAINT_MS) <= LARGEST_PAINT_MS
    assert max(jumps) <= JUMPS


def test_a_tap_puts_into_the_basket_at_once(browser: Browser, full_shop: FullShop) -> None:
    """What is seen at once is that it is being put in; the network takes longer than any eye waits."""
    jumps: list[float] = []

    def measure() -> float:
        with slow_phone(browser) as context:
            page = open_slowly(context, f"{full_shop.address}/c/{full_shop.ids['category']}-fruit-vegetables")
            page.locator("li.card .amount button").first.click()
            expect(page.locator("#basket-count")).to_contain_text("1 item")
            page.locator("li.card .amount [data-more]").first.click()
            page.wait_for_timeout(_A_MOMENT_MS)
            jumps.append(page.evaluate("seen.jumps"))
            tap: float = page.evaluate("seen.tap")
            assert tap > 0
            return tap

    assert best_of(_TRIES, measure, TAP_MS) <= TAP_MS
    assert max(jumps) <= JUMPS
