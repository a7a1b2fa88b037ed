"""Shoppers at the checkout, and the form as it stands in the page."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from werkzeug.test import TestResponse

from grocery.auth.people import Person
from tests.auth.factories import make_customer
from tests.orders.delivery.factories import make_slot, make_zone
from tests.products.factories import make_product
from tests.storefront.conftest import Browser, Sql
from tests.storefront.forms import Form, read_form

__all__ = ["Sql"]

PLACE = {"landmark": "near Shell, blue gate", "address": "House 4"}


@dataclass
class Shopper:
    """A browser in which somebody may be signed in."""

    browser: Browser
    person: Person | None = None

    def put(self, product_id: int, quantity: object = 1) -> None:
        assert self.browser.post(f"/basket/items/{product_id}", {"quantity": quantity}).status_code == 303

    def form(self) -> Form:
        page = self.browser.get("/checkout")
        assert page.status_code == 200, page.location
        return read_form(page.text, "checkout-form")

    def send(self, form: Form, *, to: str = "", parts: bool = False, **changes: Any) -> TestResponse:
        headers = {"X-Parts": "1"} if parts else {}
        return self.browser.post(to or form.action, {**form.fields, **changes}, headers=headers)

    def place(self, **changes: Any) -> TestResponse:
        """Open the checkout, change what a person would, and tap the button."""
        return self.send(self.form(), **changes)


@pytest.fixture
def bread(context: None) -> int:
    return make_product("Bakery", name="Brown bread", price_cents=100_00)


@pytest.fixture
def zone(context: None) -> int:
    return make_zone(name="Westlands", fee_cents=150_00, is_slot_required=True)


@pytest.fixture
def slot(zone: int) -> int:
    return make_slot(zone, hours=24)


@pytest.fixture
def visitor(browser: Browser) -> Shopper:
    return Shopper(browser)


@pytest.fixture
def amina(browser: Browser, context: None) -> Shopper:
    person = make_customer("Amina Otieno", phone="+254712345678", is_phone_verified=True)
    browser.sign_in(person)
    return Shopper(browser, person)


@pytest.fixture
def draft(run_sql: Sql) -> Callable[[], dict[str, str] | None]:
    """What is kept of the one form."""

    def read() -> dict[str, str] | None:
        [(kept,)] = run_sql("SELECT draft FROM carts")
        return kept

    return read
