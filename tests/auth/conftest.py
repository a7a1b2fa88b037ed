"""Fixtures for tests of people: requests that meet."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

RunSql = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def at_once(app: Flask) -> Callable[..., list[TestResponse]]:
    """Makes requests at the same time, each in a thread; the answers come in the order of the requests."""

    def send(*requests: dict[str, Any]) -> list[TestResponse]:
        barrier = Barrier(len(requests))

        def send_one(request: dict[str, Any]) -> TestResponse:
            barrier.wait(timeout=10)
            return app.test_client().open(**request)

        with ThreadPoolExecutor(len(requests)) as pool:
            return list(pool.map(send_one, requests))

    return send


@pytest.fixture
def wait_until() -> Callable[[Callable[[], bool]], None]:
    def wait(is_true: Callable[[], bool]) -> None:
        give_up_at = time.monotonic() + 10
        while not is_true():
            assert time.monotonic() < give_up_at, "did not happen within 10 s"
            time.sleep(0.01)

    return wait
