"""Fixtures for tests of people: requests that meet, and a browser."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from grocery.app import create_app
from grocery.config import Settings
from tests.auth.browsing import KEY, Browser, pages

RunSql = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def at_once(app: Flask) -> Callable[..., list[TestResponse]]:
    """Makes requests at the same time, each in a thread; the answers come in the order of the requests."""

    def send(*requests: dict[str, Any]) -> list[TestResponse]:
        barrier = Barrier(len(requests))

        def send_one(request: dict[str, Any]) -> TestResponse:
            barrier.wait(timeout=60)
            return app.test_client().open(**request)

        with ThreadPoolExecutor(len(requests)) as pool:
            return list(pool.map(send_one, requests))

    return send


@pytest.fixture(scope="module")
def paged(settings: Settings) -> tuple[Flask, dict[str, int]]:
    """An application with these pages, and who enters by their door."""
    people: dict[str, int] = {}
    shop = create_app(replace(settings, jwt_secret_keys={"test": KEY}))
    shop.register_blueprint(pages(people))
    return shop, people


@pytest.fixture
def browser(app: Flask, paged: tuple[Flask, dict[str, int]]) -> Iterator[Browser]:
    shop, people = paged
    people.clear()
    with shop.app_context():
        yield Browser(shop, people)
