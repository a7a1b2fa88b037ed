"""The clients under test, turned towards the loopback servers and made impatient."""

import ssl
from typing import Any

import trustme

from grocery.notify.clients.letter import Letter
from grocery.notify.clients.mail import SmtpMail
from grocery.notify.clients.sms import AfricasTalkingSms
from tests.fakes.africastalking import API_KEY, FakeAfricasTalking
from tests.fakes.smtp import FakeSmtp

AMINA = "amina@example.com"
MESSAGE_ID = "<notification-17@duka.example>"
PHONE = "+254711000001"
TIMEOUTS = (0.3, 0.3)


def sms_client(provider: FakeAfricasTalking, api_key: str = API_KEY, sender_id: str | None = None) -> AfricasTalkingSms:
    return AfricasTalkingSms("shop", api_key, sender_id, provider.url, TIMEOUTS)


def letter(to: str = AMINA, subject: str = "x", body: str = "x", message_id: str = MESSAGE_ID, **parts: Any) -> Letter:
    return Letter(to, subject, body, message_id, **parts)


def mail_client(server: FakeSmtp, **settings: Any) -> SmtpMail:
    known: dict[str, Any] = {"sender": "shop@duka.example", "shop_name": "Duka", "timeout": 0.3}
    return SmtpMail(server.host, server.port, **(known | settings))


def server_context(authority: trustme.CA, host: str) -> ssl.SSLContext:
    """What a server needs to show a certificate of this authority for `host`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(host).configure_cert(context)
    return context
