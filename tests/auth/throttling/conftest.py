"""An app with limits, and people who try from many addresses."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from grocery.limits import Limiter
from tests.auth.factories import PASSWORD
from tests.conftest import IsolatedClient
from tests.valkey_process import ValkeyProcess

LogIn = Callable[..., TestResponse]


@pytest.fixture
def limited(app: Flask, context: None, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets limits for one test: `limited(login="10/minute")`."""

    def set_limits(**rates: str) -> None:
        for name, value in rates.items():
            monkeypatch.setitem(app.config, f"RATE_LIMIT_{name.upper()}", value)

    return set_limits


@pytest.fixture
def log_in(app: Flask, context: None) -> LogIn:
    """A sign-in from an address: `log_in("amina@example.com", "guess", address="203.0.113.7", device="…")`."""

    def post(
        identifier: str | None, password: str = PASSWORD, *, address: str = "203.0.113.7", device: str | None = None
    ) -> TestResponse:
        body = {"email": identifier, "password": password}
        headers = {"X-Device-Token": device} if device else {}
        return post_from(app, address, "/auth/login", json=body, headers=headers)

    return post


def post_from(app: Flask, address: str, path: str, **kwargs: Any) -> TestResponse:
    client = IsolatedClient(app, app.response_class)
    return client.post(path, environ_overrides={"REMOTE_ADDR": address}, **kwargs)


@pytest.fixture
def valkey() -> Iterator[ValkeyProcess]:
    server = ValkeyProcess()
    server.start()
    yield server
    server.close()


@pytest.fixture
def own_redis(app: Flask, valkey: ValkeyProcess, monkeypatch: pytest.MonkeyPatch) -> ValkeyProcess:
    """The app counts its limits in a Valkey that the test may stop."""
    own = Limiter(lambda: valkey.url, app.config["SECRET_KEY"], pause_seconds=0.1)
    monkeypatch.setitem(app.extensions, "limiter", own)
    return valkey
