"""Fixtures for what the provider reports."""

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask

from tests.conftest import IsolatedClient
from tests.fakes.africastalking import Callbacks, Reply
from tests.fakes.africastalking.callbacks import FORM

SECRET = "callback-secret-for-tests"
BASE = f"/notify/sms/{SECRET}"

Sql = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def provider(app: Flask, context: None) -> Callbacks:
    """Africa's Talking, which knows the address; from any thread."""

    def post(address: str, form: dict[str, str]) -> Reply:
        answer = IsolatedClient(app, app.response_class).post(address, data=urlencode(form), content_type=FORM)
        return Reply(answer.status_code, answer.get_data(as_text=True), answer.content_type)

    return Callbacks(BASE, post)
