"""A browser of an admin."""

import pytest

from tests.orders.conftest import Caller
from tests.storefront.conftest import Browser


@pytest.fixture
def desk(browser: Browser, admin: Caller) -> Browser:
    browser.sign_in(admin.person)
    return browser
