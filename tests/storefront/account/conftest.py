"""People who sign in on pages, and what is sent to them."""

import re
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from werkzeug.test import TestResponse

from tests.storefront.conftest import Browser, Sql

PHONE, OTHER_PHONE = "+254712345678", "+254722000111"

ReadSecret = Callable[[str], str]


@pytest.fixture
def read_secret(run_sql: Sql) -> ReadSecret:
    """The code or token that was sent last to a number or address."""

    def read(recipient: str) -> str:
        [(body,)] = run_sql(
            "SELECT body FROM notifications WHERE recipient = :recipient AND priority = 0 ORDER BY id DESC LIMIT 1",
            recipient=recipient,
        )
        found = re.search(r"^([\w-]{43})$|\b([0-9]{6})\b", body, re.MULTILINE)
        assert found, body
        return str(found[1] or found[2])

    return read


def led_to(response: TestResponse) -> tuple[int, str]:
    """The status of a redirect, and the path with the query that it leads to."""
    parts = urlsplit(response.headers.get("Location", ""))
    return response.status_code, parts.path + (f"?{parts.query}" if parts.query else "")


def cookie(browser: Browser, name: str) -> str | None:
    kept = browser.client.get_cookie(name)
    return kept.value if kept else None


def ask_code(browser: Browser, phone: str = PHONE, **fields: str) -> TestResponse:
    browser.get("/sign-in")
    return browser.post("/sign-in", {"phone": phone, **fields})


def enter_password(browser: Browser, identifier: str, password: str, **fields: str) -> TestResponse:
    browser.get("/sign-in/password")
    return browser.post("/sign-in/password", {"identifier": identifier, "password": password, **fields})
