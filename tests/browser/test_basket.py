"""The basket in a real browser: quick taps, a network that comes and goes, and pages that were seen before."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from tests.products.factories import make_product


@pytest.fixture
def phone(browser: Browser) -> Iterator[BrowserContext]:
    """Without the check of the console: these tests take the network away."""
    context = browser.new_context(viewport={"width": 390, "height": 844}, locale="en-GB")
    yield context
    context.close()


@pytest.fixture
def bread(context: None) -> int:
    return make_product("Bakery", name="Bread", price_cents=65_00, stock=Decimal(100))


@pytest.fixture
def beef(context: None) -> int:
    return make_product("Meat", name="Beef", price_cents=800_00, unit="kg", quantity_step=Decimal("0.25"))


def shop(phone: BrowserContext, address: str, *product_ids: int) -> Page:
    """The page of the basket, with these products in it."""
    page = phone.new_page()
    page.goto(f"{address}/search?q=b")
    for product_id in product_ids:
        page.locator(f"[data-key=add-{product_id}]").click()
        expect(page.locator(f"[data-key=less-{product_id}]")).to_be_focused()
    page.goto(f"{address}/basket")
    return page


def test_quick_taps_all_count_and_the_focus_stays(phone: BrowserContext, address: str, bread: int) -> None:
    page = shop(phone, address, bread)
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.post_data or "") if request.method == "POST" else None)
    more = page.locator(f"[data-key=more-{bread}]")
    for _ in range(3):
        more.click(delay=1)
    expect(page.locator(f"#row-{bread} output")).to_have_text("4")
    expect(page.locator(f"#row-{bread} .price")).to_have_text("KSh 260")
    expect(more).to_be_focused()
    expect(page.locator("#spoken")).to_have_text("Bread: 4 in the basket")
    assert "quantity=4" in sent[-1]
    assert len(sent) <= 3


@pytest.mark.parametrize("fault", ["no network", "the server fails"])
def test_what_is_not_saved_goes_back_says_so_and_can_be_tried_again(
    phone: BrowserContext, address: str, bread: int, fault: str
) -> None:
    page = shop(phone, address, bread)

    def refuse(route: Route) -> None:
        if fault == "no network":
            route.abort()
        else:
            route.fulfill(status=503, content_type="text/html", body="<main><h1>The shop is busy</h1></main>")

    page.route("**/basket/items/*", refuse)
    page.locator(f"[data-key=more-{bread}]").click()
    said = {"no network": "Not saved. Try again", "the server fails": "The shop is busy Try again"}[fault]
    expect(page.locator(f"#row-{bread} [role=alert]")).to_have_text(said)
    expect(page.locator(f"#row-{bread} output")).to_have_text("1")
    expect(page.locator(f"[data-key=more-{bread}]")).to_be_focused()
    expect(page.locator("[aria-busy]")).to_have_count(0)
    page.unroute("**/basket/items/*")
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(f"#row-{bread} output")).to_have_text("2")
    expect(page.locator("[role=alert]")).to_have_count(0)


def test_what_was_typed_stays_when_it_could_not_be_sent_or_is_nonsense(
    phone: BrowserContext, address: str, beef: int
) -> None:
    page = shop(phone, address, beef)
    typed = page.locator(f"#quantity-{beef}")
    page.route("**/basket/items/*", lambda route: route.abort())
    typed.fill("1,75")
    typed.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("Not saved. Try again")
    expect(typed).to_have_value("1,75")
    expect(typed).to_be_focused()
    page.unroute("**/basket/items/*")
    page.get_by_role("button", name="Try again").click()
    expect(typed).to_have_value("1.75")
    typed.fill("much")
    typed.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("Write a weight, such as 0.5 or 2 kg.")
    expect(typed).to_have_value("much")
    expect(typed).to_be_focused()


def test_what_is_removed_leaves_undo_where_it_was(phone: BrowserContext, address: str, bread: int, beef: int) -> None:
    page = shop(phone, address, bread, beef)
    page.get_by_role("button", name="Remove Bread").click()
    undo = page.get_by_role("button", name="Undo: Bread")
    expect(undo).to_be_focused()
    expect(page.locator("#basket-count")).to_have_text("1 item")
    undo.click()
    expect(page.locator(f"#row-{bread} output")).to_have_text("1")


def test_without_network_the_last_basket_is_shown_as_it_was_and_signing_out_forgets_it(
    phone: BrowserContext, address: str, bread: int
) -> None:
    page = shop(phone, address, bread)
    page.wait_for_function("navigator.serviceWorker.controller !== null")
    page.goto(f"{address}/basket")
    page.wait_for_function("caches.open('pages').then((cache) => cache.match('/basket')).then(Boolean)")
    phone.set_offline(True)
    page.goto(f"{address}/basket")
    expect(page.get_by_role("alert")).to_contain_text("No network. This is how it was at ")
    expect(page.locator(f"#row-{bread}")).to_be_visible()
    for path in ("/", "/sign-in", "/admin/", "/checkout"):
        page.goto(f"{address}{path}")
        expect(page.get_by_role("heading", name="No network")).to_be_visible()
    phone.set_offline(False)
    page.goto(f"{address}/")
    page.evaluate("fetch('/sign-out', { method: 'POST' })")
    page.wait_for_function("caches.has('pages').then((kept) => !kept)")
    phone.set_offline(True)
    page.goto(f"{address}/basket")
    expect(page.get_by_role("heading", name="No network")).to_be_visible()


def test_without_script_the_same_forms_do_it(browser: Browser, address: str, bread: int, beef: int) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = shop_without_script(context.new_page(), address, bread, beef)
    page.locator(f"#quantity-{beef}").fill("1,5")
    page.locator(f"#quantity-{beef}").press("Enter")
    expect(page.locator(f"#row-{beef} .price")).to_have_text("KSh 1,200")
    page.get_by_role("button", name="Less of Bread").click()
    page.get_by_role("button", name="Undo: Bread").click()
    expect(page.locator("#basket-count")).to_have_text("2 items")
    context.close()


def shop_without_script(page: Page, address: str, *product_ids: int) -> Page:
    page.goto(f"{address}/search?q=b")
    for product_id in product_ids:
        page.locator(f"[data-key=add-{product_id}]").click()
    page.goto(f"{address}/basket")
    return page
