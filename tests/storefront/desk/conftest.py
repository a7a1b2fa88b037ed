"""A browser of the staff, on a shop with customers and products."""

import pytest

from tests.orders.conftest import Caller, admin, beef, customer, flour, other_customer, soap, staff
from tests.storefront.conftest import Browser

__all__ = ["admin", "beef", "customer", "flour", "other_customer", "soap", "staff"]


@pytest.fixture
def desk(browser: Browser, staff: Caller) -> Browser:
    """Signed in as one of the staff."""
    browser.sign_in(staff.person)
    return browser


@pytest.fixture
def boss(browser: Browser, admin: Caller) -> Browser:
    """Signed in as an admin."""
    browser.sign_in(admin.person)
    return browser
