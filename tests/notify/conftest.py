"""Fixtures of the notify package: senders that are scripted, and real ones on loopback servers."""

from collections.abc import Iterator

import pytest
from flask import Flask

from grocery.notify.extension import Backends
from grocery.notify.sending import sender as sending
from tests.fakes.africastalking import FakeAfricasTalking
from tests.fakes.smtp import FakeSmtp
from tests.notify.clients import mail_client, sms_client
from tests.notify.scripted import ScriptedMail, ScriptedSms, backends_of


@pytest.fixture
def sms() -> ScriptedSms:
    return ScriptedSms()


@pytest.fixture
def mail() -> ScriptedMail:
    return ScriptedMail()


@pytest.fixture
def scripted(app: Flask, context: None, sms: ScriptedSms, mail: ScriptedMail) -> Iterator[Flask]:
    """The app with scripted senders, in its context."""
    with backends_of(app, Backends(sms, mail)):
        yield app


@pytest.fixture
def at_server() -> Iterator[FakeAfricasTalking]:
    with FakeAfricasTalking() as fake:
        yield fake


@pytest.fixture
def smtp_server() -> Iterator[FakeSmtp]:
    with FakeSmtp() as fake:
        yield fake


@pytest.fixture
def wired(app: Flask, context: None, at_server: FakeAfricasTalking, smtp_server: FakeSmtp) -> Iterator[Flask]:
    """The app with the real clients, on loopback servers, in its context."""
    with backends_of(app, Backends(sms_client(at_server), mail_client(smtp_server))):
        yield app


@pytest.fixture
def one_slot(monkeypatch: pytest.MonkeyPatch) -> None:
    """One message of a channel after the other."""
    monkeypatch.setattr(sending, "SMS_SLOTS", 1)
    monkeypatch.setattr(sending, "MAIL_SLOTS", 1)
