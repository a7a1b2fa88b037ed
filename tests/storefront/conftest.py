"""A browser without a screen: it keeps cookies, and sends the CSRF token of the last page with its forms."""

import re
from collections.abc import Callable, Mapping
from html import unescape
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from grocery.auth.cookies import ACCESS, REFRESH
from grocery.auth.people import Person
from tests.auth.factories import token_pair
from tests.products.conftest import statements

__all__ = ["statements"]

Sql = Callable[..., list[tuple[Any, ...]]]

_TOKEN = re.compile(r'name="csrf_token" value="([^"]+)"')


class Browser:
    """Follows no redirect: what a form leads to is a part of what is tested."""

    def __init__(self, client: FlaskClient):
        self.client = client
        self.csrf_token = ""

    def get(self, path: str, **kwargs: Any) -> TestResponse:
        return self._seen(self.client.get(path, **kwargs))

    def post(self, path: str, data: Mapping[str, Any] | None = None, **kwargs: Any) -> TestResponse:
        """Send a form; without a page of this browser before, the home page gives the token."""
        if not self.csrf_token:
            self.get("/search")
        form = {"csrf_token": self.csrf_token, **(data or {})}
        return self._seen(self.client.post(path, data=form, **kwargs))

    def sign_in(self, person: Person) -> None:
        pair = token_pair(person)
        self.client.set_cookie(ACCESS, pair.access_token)
        self.client.set_cookie(REFRESH, pair.refresh_token)
        self.csrf_token = ""

    def _seen(self, response: TestResponse) -> TestResponse:
        # A page may come compressed, when a test asks for that.
        if response.mimetype == "text/html" and "Content-Encoding" not in response.headers:
            found = _TOKEN.search(response.text)
            self.csrf_token = found[1] if found else self.csrf_token
        return response


@pytest.fixture
def browser(client: FlaskClient) -> Browser:
    return Browser(client)


def words_in(page: TestResponse | str) -> str:
    """What a page says, without its elements; runs of white space as one space, NBSP too."""
    html = page if isinstance(page, str) else page.text
    return " ".join(unescape(re.sub(r"<(script|style)\b.*?</\1>|<[^>]+>", " ", html, flags=re.DOTALL)).split())
