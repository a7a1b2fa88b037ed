"""Fixtures of the shop's own texts."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask import Flask

from grocery.notify.wording.kept import init_app

RunSql = Callable[..., list[tuple[Any, ...]]]
Write = Callable[..., None]


@pytest.fixture(autouse=True)
def _forgetful(request: pytest.FixtureRequest) -> Iterator[None]:
    """What a test has written is not known to the next one."""
    yield
    if "migrated_app" in request.fixturenames:
        init_app(request.getfixturevalue("migrated_app"))


@pytest.fixture
def write(app: Flask, run_sql: RunSql) -> Write:
    """Write an own text into the database past every check, as another process would have: this one hears of it."""

    def insert(source: str, event: str = "order_placed", channel: str = "sms", language: str = "en") -> None:
        run_sql(
            "INSERT INTO text_overrides (event, audience, channel, language, source)"
            " VALUES (:event, 'customer', :channel, :language, :source)",
            event=event,
            channel=channel,
            language=language,
            source=source,
        )
        app.extensions["own_texts"].forget()

    return insert
