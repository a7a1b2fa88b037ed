"""A customer with orders, at their browser."""

from typing import Any

import pytest

from tests.orders.conftest import Caller, beef, customer, flour, other_customer, soap, staff
from tests.orders.factories import place
from tests.storefront.conftest import Browser

__all__ = ["beef", "customer", "flour", "other_customer", "soap", "staff"]


@pytest.fixture
def amina(browser: Browser, customer: Caller) -> Browser:
    """The customer's browser."""
    browser.sign_in(customer.person)
    return browser


@pytest.fixture
def order(customer: Caller, flour: int, beef: int) -> dict[str, Any]:
    """Two flours and 1.5 kg of beef, to be collected: 557.85."""
    return place(customer, {flour: 2, beef: 1.5}, note="Ring <b>twice</b>")
