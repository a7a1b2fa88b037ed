"""A real browser, Debian's chromium; tests are skipped, with the reason, where it is not installed."""

import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, expect, sync_playwright
from werkzeug.serving import WSGIRequestHandler, make_server

from grocery.auth.cookies import ACCESS, REFRESH
from grocery.auth.people import Person
from grocery.db import db
from tests.auth.factories import token_pair
from tests.browser.full_shop import FullShop, fill
from tests.conftest import empty

# Drawing a long page takes seconds on a busy machine.
expect.set_options(timeout=20_000)

CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"


class QuietHandler(WSGIRequestHandler):
    def log(self, *_: object) -> None:
        """The test shows what matters."""


# For a module: while it is there, playwright has an event loop in this thread, under which no test could run its own.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@contextmanager
def chromium(*arguments: str) -> Iterator[Browser]:
    """Debian's chromium, with more arguments if need be."""
    if not Path(CHROMIUM).exists():
        pytest.skip("chromium is not installed (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        # Without these it asks hosts of its maker for updates at every start.
        quiet = ["--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync"]
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=[*quiet, *arguments])
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page in a context of its own; errors in its console, but for answers that a test asks for, are its errors."""
    context = browser.new_context()
    page = context.new_page()
    complaints: list[str] = []

    def note(message: ConsoleMessage) -> None:
        if message.type == "error" and "the server responded with a status of 4" not in message.text:
            complaints.append(message.text)

    page.on("console", note)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert complaints == []


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    """The app on loopback."""
    with serving(app) as address:
        yield address


@pytest.fixture(scope="module")
def full_shop(migrated_app: Flask, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FullShop]:
    """A shop with everything in it, on loopback; for all tests of a module that change nothing of it."""
    empty(migrated_app)
    with migrated_app.app_context():
        shop = fill(migrated_app, tmp_path_factory.mktemp("full"))
        db.session.remove()
    with serving(migrated_app) as shop.address:
        yield shop


@contextmanager
def serving(app: Flask) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=QuietHandler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def sign_in(app: Flask, context: BrowserContext, address: str, person: Person) -> None:
    """As if they had signed in with this browser before."""
    with app.app_context():
        pair = token_pair(person)
    cookies = {ACCESS: pair.access_token, REFRESH: pair.refresh_token}
    context.add_cookies([{"name": name, "value": value, "url": address} for name, value in cookies.items()])
