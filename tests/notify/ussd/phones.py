"""Phones that dial the shop's USSD code, over its HTTP route."""

import contextvars
from typing import Any

from flask import Flask

from tests.fakes.africastalking import Callbacks, Reply, UssdPhone
from tests.fakes.africastalking.callbacks import Post, through

BASE = "/notify/sms/callback-secret-for-tests"
AMINA = "+254712345678"
STRANGER = "+254722000111"


def gateway(app: Flask, base: str = BASE) -> Callbacks:
    return Callbacks(base, _isolated(through(app)))


def phone_of(app: Flask, number: str = AMINA) -> UssdPhone:
    return UssdPhone(gateway(app), number)


def send(app: Flask, **form: str) -> Reply:
    """A step with anything in its form; fields that are not named are good."""
    whole = {"sessionId": "ATUid_1", "phoneNumber": AMINA, "networkCode": "63902", "serviceCode": "*384#", "text": ""}
    return gateway(app).send("/ussd", {**whole, **form})


def _isolated(post: Post) -> Post:
    """Each request in an application context of its own, although the test holds one open for the factories."""

    def isolated(address: str, form: dict[str, str]) -> Any:
        return contextvars.Context().run(post, address, form)

    return isolated
