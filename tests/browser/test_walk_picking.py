"""Staff pick, pack and ship on a phone, and the customer's page follows by itself: the whole shop as processes."""

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e.conftest import CUSTOMER, category_of, without_workers
from tests.e2e.shop import PASSWORD, Shop

pytestmark = pytest.mark.e2e

# What is asked for is one second; a test machine may be busy with other tests.
SOON_MS = 10_000

_PICKER = {"name": "Njeri Wambui", "email": "njeri@example.com", "password": PASSWORD}

# In pieces, by weight, something that is not there, and what comes instead of it.
_GOODS: list[dict[str, Any]] = [
    {"name": "Maize Flour 2 kg", "price": "189.00", "stock": 50},
    {"name": "Beef", "price": "800.00", "stock": 20, "unit": "kg"},
    {"name": "Brown Bread", "price": "65.00", "stock": 10},
    {"name": "White Bread", "price": "60.00", "stock": 10},
]


@pytest.fixture(scope="module")
def shop(browser: Browser, shop_of_this_run: Shop) -> Shop:
    return without_workers(shop_of_this_run)


@pytest.fixture(scope="module")
def placed(shop: Shop) -> dict[str, Any]:
    """An order of two flours, a kilo of beef and a bread."""
    admin = shop.sign_in("owner@shop.example")
    category = category_of(shop, admin, "Pantry")
    goods = [shop.post("/products/", json={**one, "category_id": category}, headers=admin).json() for one in _GOODS]
    for person in (CUSTOMER, _PICKER):
        assert shop.post("/auth/register", json=person).status_code == 201
    shop.sql(f"UPDATE customers SET role = 'staff' WHERE email = '{_PICKER['email']}'")
    quantities = zip(goods, (2, 1, 1), strict=False)
    items = [
        {"product_id": one["id"], "quantity": quantity, "if_unavailable": "substitute"} for one, quantity in quantities
    ]
    delivery = {"method": "delivery", "landmark": "near Shell, blue gate"}
    answer = shop.post(
        "/orders/",
        json={"items": items, "delivery": delivery, "note": "Lean, please"},
        headers=shop.sign_in(CUSTOMER["email"]),
    )
    assert answer.status_code == 201, answer.text
    order: dict[str, Any] = answer.json()
    return order


def signed_in(browser: Browser, shop: Shop, email: str, back: str) -> Iterator[Page]:
    context: BrowserContext = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    page = context.new_page()
    page.goto(f"{shop.url}/sign-in/password?return_to={back}")
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.locator("main form button.main").click()
    expect(page).to_have_url(shop.url + back)
    yield page
    context.close()


@pytest.fixture
def customer(browser: Browser, shop: Shop, placed: dict[str, Any]) -> Iterator[Page]:
    yield from signed_in(browser, shop, CUSTOMER["email"], f"/account/orders/{placed['id']}")


@pytest.fixture
def picker(browser: Browser, shop: Shop, placed: dict[str, Any]) -> Iterator[Page]:
    yield from signed_in(browser, shop, _PICKER["email"], "/admin/picking")


def test_an_order_is_picked_packed_and_shipped_and_its_page_follows(
    picker: Page, customer: Page, placed: dict[str, Any]
) -> None:
    status = customer.locator("#status")
    expect(status).to_have_text("Received")
    expect(customer.locator("#live")).to_be_visible()
    loads: list[str] = []
    customer.on("framenavigated", lambda frame: loads.append(frame.url))

    picker.get_by_role("button", name="Pick").first.tap()
    expect(picker.get_by_text("Lean, please")).to_be_visible()
    expect(picker.locator("#pick-progress")).to_contain_text("0 of 3")
    current = picker.locator(".pick-line:not([hidden])")
    for done in range(3):
        expect(picker.locator("#pick-progress")).to_contain_text(f"{done} of 3")
        name = current.locator("h2").inner_text()
        if name == "Beef":
            current.get_by_text("Weigh", exact=True).tap()
            current.get_by_label("What the scale says").fill("950")
            current.get_by_label("g", exact=True).tap()
            current.get_by_role("button", name="Save weight").tap()
        elif name == "Brown Bread":
            current.get_by_role("link", name="Replace").tap()
            picker.get_by_role("button", name="White Bread").first.tap()
        else:
            current.get_by_role("button", name="Found").tap()
    expect(picker.locator("#pick-progress")).to_contain_text("3 of 3")
    picker.get_by_role("button", name=f"Pack {placed['number']}").tap()

    expect(status).to_have_text("Packed", timeout=SOON_MS)
    expect(customer.locator("#lines")).to_contain_text("0.95 kg", timeout=SOON_MS)
    expect(customer.locator("#lines")).to_contain_text("White Bread")
    picker.goto(f"{picker.url.split('/admin')[0]}/admin/orders?tab=packed")
    picker.get_by_role("button", name="Rider has it").tap()
    expect(status).to_have_text("On its way", timeout=SOON_MS)
    picker.goto(f"{picker.url.split('/admin')[0]}/admin/orders/{placed['id']}")
    picker.get_by_role("button", name="Delivered").tap()
    expect(status).to_have_text("Delivered", timeout=SOON_MS)
    assert loads == []
