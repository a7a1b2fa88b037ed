"""The clients that the settings name."""

import logging
from dataclasses import replace

import pytest

from grocery.config import ConfigError, Settings
from grocery.notify.clients.mail import ConsoleMail, SmtpMail
from grocery.notify.clients.sms import AfricasTalkingSms, ConsoleSms
from grocery.notify.extension import build_backends
from grocery.notify.outcome import Outcome
from tests.fakes.africastalking import API_KEY, FakeAfricasTalking
from tests.fakes.smtp import FakeSmtp
from tests.notify.clients import AMINA, PHONE, letter


def test_console_is_the_default(settings: Settings) -> None:
    backends = build_backends(settings)

    assert (type(backends.sms), type(backends.mail)) == (ConsoleSms, ConsoleMail)


def test_sms_goes_to_the_provider_of_the_settings(settings: Settings, at_server: FakeAfricasTalking) -> None:
    known = replace(
        settings,
        sms_backend="africastalking",
        at_username="duka",
        at_api_key=API_KEY,
        at_sender_id="DUKA",
        at_base_url=at_server.url,
    )
    build_backends(known).sms.send(PHONE, "Habari")

    [message] = at_server.messages
    assert (message["username"], message["from"], message["message"]) == ("duka", "DUKA", "Habari")


def test_sms_goes_to_the_real_provider_without_an_address(settings: Settings) -> None:
    known = replace(settings, sms_backend="africastalking", at_username="duka", at_api_key=API_KEY)
    sms = build_backends(known).sms

    assert isinstance(sms, AfricasTalkingSms)
    assert sms.endpoint == "https://api.africastalking.com/version1/messaging"


def test_mail_goes_to_the_server_of_the_settings(settings: Settings, smtp_server: FakeSmtp) -> None:
    known = replace(
        settings,
        mail_backend="smtp",
        mail_server=smtp_server.host,
        mail_port=smtp_server.port,
        mail_use_tls=False,
        mail_from="shop@duka.example",
    )
    build_backends(known).mail.send(letter(AMINA, "Hello", "Text"))

    [mail] = smtp_server.mails
    assert (mail.to, mail.envelope_from, str(mail.message["From"])) == (
        AMINA,
        "shop@duka.example",
        "Test Grocer <shop@duka.example>",
    )


@pytest.mark.parametrize(("port", "is_implicit"), [(465, True), (587, False), (25, False)])
@pytest.mark.parametrize("use_tls", [True, False])
def test_port_465_is_encrypted_from_the_first_byte(
    settings: Settings, port: int, is_implicit: bool, use_tls: bool
) -> None:
    known = replace(settings, mail_backend="smtp", mail_server="mail.example", mail_from="shop@duka.example")

    mail = build_backends(replace(known, mail_port=port, mail_use_tls=use_tls)).mail

    assert isinstance(mail, SmtpMail)
    assert mail.is_implicit is is_implicit


@pytest.mark.parametrize(
    "wrong",
    [
        {"mail_backend": "smtp", "mail_server": "mail.example", "mail_from": "no address"},
        {"sms_backend": "africastalking", "at_username": "duka", "at_api_key": "ключ"},
    ],
    ids=str,
)
def test_settings_that_could_never_send_are_refused(settings: Settings, wrong: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match="Sending is set up wrongly") as raised:
        build_backends(replace(settings, **wrong))

    assert len(raised.value.problems) == 1


def test_console_of_production_hides_what_it_does_not_send(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    backends = build_backends(replace(settings, environment="production"))
    with caplog.at_level(logging.INFO):
        sent = backends.sms.send(PHONE, "493027 is your sign-in code")
        with backends.mail.session() as session:
            session.send(letter(AMINA, "Choose a password", "http://shop.example/reset/abc"))
    assert caplog.messages == [
        "SMS of 27 characters, hidden since this is production; nothing is sent",
        "e-mail of 29 characters, hidden since this is production; nothing is sent",
    ]
    assert sent.outcome is Outcome.SENT
