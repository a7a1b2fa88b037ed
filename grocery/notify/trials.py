"""Messages that only try whether sending works: they go out at once, past the outbox, and their outcome is the answer.

Call these outside of a transaction: a slow provider must not keep a connection to the database waiting.
"""

import uuid

from flask import current_app

from grocery.notify.clients.html import to_html
from grocery.notify.clients.letter import Letter
from grocery.notify.extension import state
from grocery.notify.outcome import SendResult
from grocery.notify.sending.letters import mail_domain


def try_sms(phone: str, body: str | None = None) -> SendResult:
    """Send an SMS to a number (E.164)."""
    shop = current_app.config["SHOP_NAME"]
    return state().backends.sms.send(phone, body or f"{shop}: this is a test message.")


def try_email(address: str) -> SendResult:
    """Send an e-mail."""
    shop = current_app.config["SHOP_NAME"]
    subject = f"A test message of {shop}"
    body = f"This is a test message of {shop}.\n\nIf you can read it, sending works.\n"
    html = to_html(subject, body, shop, "en")
    letter = Letter(address, subject, body, f"<test-{uuid.uuid4()}@{mail_domain()}>", html)
    return state().backends.mail.send(letter)
