"""A customer at their browser, and what can be put on lists."""

from typing import Any

import pytest

from tests.orders.conftest import Caller, beef, customer, flour, other_customer, soap
from tests.orders.shopping_lists.conftest import make_list
from tests.storefront.conftest import Browser

__all__ = ["beef", "customer", "flour", "other_customer", "soap"]


@pytest.fixture
def amina(browser: Browser, customer: Caller) -> Browser:
    """The customer's browser."""
    browser.sign_in(customer.person)
    return browser


@pytest.fixture
def weekly(customer: Caller) -> dict[str, Any]:
    return make_list(customer)
