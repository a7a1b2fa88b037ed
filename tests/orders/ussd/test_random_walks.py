"""Walks without a plan through a shop with long names: each screen fits, and none is an apology."""

import random

import pytest
from flask import Flask

from tests.fakes.africastalking import UssdPhone
from tests.notify.ussd.phones import phone_of
from tests.orders.conftest import Caller
from tests.orders.delivery.factories import make_slot, make_zone
from tests.orders.factories import place
from tests.orders.ussd.walking import times
from tests.products.factories import make_product

_NAME = "{} Ngũgĩ’s “very best” [tomatoes] ~ 🥑 from the farm of his cousin in €uro Kilimani {}"
_KEYS = ("1", "1", "1", "2", "3", "4", "5", "6", "7", "0", "00", "98", "98", "x", "🥑", "1*98")


@pytest.fixture
def long_names(customer: Caller) -> None:
    zones = [make_zone(name=_NAME.format(number, "x" * 100)) for number in range(7)]
    slots = [make_slot(zones[0], **times(2 + number, 10), fee_cents=12_345_67, capacity=100_000) for number in range(8)]
    products = [
        make_product(
            name=_NAME.format(number, "y" * 100),
            price_cents=123_456_78,
            compare_at_price_cents=223_456_78,
            stock=100_000,
        )
        for number in range(8)
    ]
    delivery = {"zone_id": zones[0], "slot_id": slots[0], "address": "Moi 1"}
    for number in range(3):
        place(customer, dict.fromkeys(products[number:], 100), delivery=delivery)
    place(customer, dict.fromkeys(products, 1), delivery=delivery)


@pytest.mark.parametrize("seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.prove) for seed in range(2, 20))])
def test_every_screen_of_a_random_walk_fits(
    app: Flask, long_names: None, seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    choose = random.Random(seed)
    phone: UssdPhone = phone_of(app)
    for _ in range(120):
        screen = phone.press(choose.choice(_KEYS)) if phone.is_open and len(phone._keys) < 60 else phone.dial()
        assert "Sorry" not in screen
        assert "Samahani" not in screen
    assert caplog.records == []
