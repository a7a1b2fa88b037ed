"""Fixtures for tests of codes: having them sent and reading them where they went."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.auth.conftest import RunSql

PHONE, OTHER_PHONE = "+254712345678", "+254722000111"

ReadSecret = Callable[[str], str]
LogIn = Callable[..., TestResponse]


@pytest.fixture
def read_secret(run_sql: RunSql) -> ReadSecret:
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


@pytest.fixture
def send_code(client: FlaskClient, read_secret: ReadSecret) -> ReadSecret:
    """Has a code sent to sign in with, and reads it on the phone."""

    def send(phone: str = PHONE) -> str:
        assert client.post("/auth/otp", json={"phone": phone}).status_code == 202
        return read_secret(phone)

    return send


@pytest.fixture
def log_in(client: FlaskClient) -> LogIn:
    def send(code: str, phone: str = PHONE, **more: Any) -> TestResponse:
        return client.post("/auth/otp/login", json={"phone": phone, "code": code, **more})

    return send


def wrong(code: str) -> str:
    """Another code than this one."""
    return f"{(int(code) + 1) % 1_000_000:06}"
