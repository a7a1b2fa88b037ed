"""Amina's phone, and orders to walk through."""

from typing import Any

import pytest
from flask import Flask

from grocery.notify.ussd import service
from tests.fakes.africastalking import UssdPhone
from tests.notify.ussd.conftest import hurried
from tests.notify.ussd.phones import phone_of
from tests.orders.conftest import Caller

__all__ = ["hurried"]


@pytest.fixture(autouse=True)
def unhurried(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A step may take as long as the machine stands still, but where a test is about that."""
    if "hurried" not in request.fixturenames:
        monkeypatch.setattr(service, "STATEMENT_MS", 60_000)
        monkeypatch.setattr(service, "STEP_MS", 60_000)


@pytest.fixture
def phone(app: Flask, customer: Caller) -> UssdPhone:
    """The phone of the fixture `customer`."""
    return phone_of(app)


@pytest.fixture
def to_the_door() -> dict[str, Any]:
    """A delivery, but for its zone and slot."""
    return {"method": "delivery", "address": "Moi Avenue 12", "landmark": "near Shell", "note": "Ring twice"}
