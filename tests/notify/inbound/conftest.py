"""A phone that writes to the shop, and the answers that it gets."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from grocery.notify.inbound.service import answer_received
from tests.fakes.africastalking import Callbacks
from tests.notify.clients import PHONE
from tests.notify.receipts.conftest import provider

__all__ = ["provider"]

Sql = Callable[..., list[tuple[Any, ...]]]
Ask = Callable[..., str | None]


@pytest.fixture
def ask(app: Flask, provider: Callbacks, run_sql: Sql) -> Ask:
    """Send a text and have it answered; the answer, or None when there was none."""

    def send(text: str, phone: str = PHONE) -> str | None:
        [(before,)] = run_sql("SELECT coalesce(max(id), 0) FROM notifications")
        assert provider.text_from(phone, text) == (200, "", "text/plain; charset=utf-8")
        assert answer_received() == 1
        answers = run_sql(
            "SELECT body, recipient, channel FROM notifications WHERE id > :before AND event LIKE 'reply%'",
            before=before,
        )
        assert [row[1:] for row in answers] in ([], [(phone, "sms")])
        return answers[0][0] if answers else None

    return send
