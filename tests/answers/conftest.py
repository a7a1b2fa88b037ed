"""An application whose answers are kept; all other tests have it off, since they write with SQL and read at once."""

import time
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from grocery.answers import KeptAnswers, listener
from grocery.app import create_app
from grocery.config import Settings
from tests.auth.factories import make_customer, sign_in
from tests.conftest import IsolatedClient
from tests.waiting import wait_until

_VALID_SECONDS = 60.0

Hit = Callable[[str], None]


@pytest.fixture(scope="session")
def keeping_app(migrated_app: Flask, settings: Settings) -> Iterator[Flask]:
    """Patient: on a busy machine a second passes unseen. What becomes of silence is tested in processes of its own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(listener, "_VALID_SECONDS", _VALID_SECONDS)
        patch.setattr(listener, "HEARTBEAT_SECONDS", 0.05)
        patch.setattr(listener, "_ANSWER_SECONDS", 30.0)
        app = create_app(replace(settings, kept_answers_mb=1))
        yield app
        app.extensions["answers"].close()


@pytest.fixture
def answers(keeping_app: Flask, app: Flask, context: None) -> KeptAnswers:
    """The kept answers, on and empty; the database is empty too."""
    kept: KeptAnswers = keeping_app.extensions["answers"]
    keeping_app.test_client().get("/products/")  # the first one starts the listening
    wait_until(lambda: kept.store.is_valid)
    return kept


@pytest.fixture
def visitor(answers: KeptAnswers, keeping_app: Flask) -> FlaskClient:
    """A client of the application that keeps answers."""
    return IsolatedClient(keeping_app, keeping_app.response_class)


@pytest.fixture
def admin(context: None) -> dict[str, str]:
    return sign_in(make_customer(role="admin"))


@pytest.fixture
def keep(visitor: FlaskClient, answers: KeptAnswers) -> Callable[[str], None]:
    """Have the answer of a path kept, after all notifications of what was written before have come."""

    def ask(path: str) -> None:
        # A sign of life that was asked for after them comes behind them.
        asked_at = time.monotonic()
        wait_until(lambda: answers.store._valid_until >= asked_at + _VALID_SECONDS)
        wait_until(lambda: visitor.get(path).headers["X-Cache"] == "hit")

    return ask
