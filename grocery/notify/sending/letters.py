"""From a message of the outbox to the e-mail that is handed over."""

import hmac
from email.utils import parseaddr
from typing import Final

from flask import current_app

from grocery.keys import keys_of
from grocery.notify.clients.html import to_html
from grocery.notify.clients.letter import Letter
from grocery.notify.links import find_unsubscribe_link
from grocery.notify.sending.claims import Claim

_NO_MORE: Final = {"en": "No more offers by e-mail", "sw": "Usinitumie tena ofa kwa barua pepe"}


def write_letter(claim: Claim) -> Letter:
    """The e-mail of a claimed message, the same at each attempt; one of a campaign can be unsubscribed from."""
    subject, body, headers, leave = claim.subject or "", claim.body, {}, None
    link = find_unsubscribe_link(claim.recipient) if claim.campaign_id is not None else None
    if link is not None:
        leave = (_NO_MORE[claim.language], link)
        body = f"{body}\n{leave[0]}:\n{link}\n"
        headers = _unsubscribe_headers(link)
    html = to_html(subject, claim.body, current_app.config["SHOP_NAME"], claim.language, leave)
    return Letter(claim.recipient, subject, body, message_id(claim), html, headers)


def message_id(claim: Claim) -> str:
    """The Message-ID of an e-mail, the same at each attempt, so that mail programs can show two copies as one.

    With the second of its making, since ids begin anew in a new database, and signed: who could guess it could have
    anybody's mail taken for returned.
    """
    number = f"{claim.id}.{claim.created_at.timestamp():.0f}"
    key = keys_of(current_app.config).signing
    seal = hmac.new(key.encode(), f"grocery.notify.message-id:{number}".encode(), "sha256").hexdigest()[:16]
    return f"<notification-{number}.{seal}@{mail_domain()}>"


def mail_domain() -> str:
    """The domain that the shop's e-mails come from."""
    return parseaddr(current_app.config["MAIL_FROM"])[1].rpartition("@")[2]


def _unsubscribe_headers(link: str) -> dict[str, str]:
    """What mail programs make their own button of (RFC 2369); by one click only where the link is HTTPS (RFC 8058 3.1).

    No `Precedence: bulk`: RFC 2076 calls it non-standard and discouraged, and what keeps holiday responders silent is
    Auto-Submitted (RFC 3834), which every mail of the shop has, and List-Unsubscribe itself (RFC 5230 4.6).
    """
    headers = {"List-Unsubscribe": f"<{link}>"}
    if link.startswith("https://"):
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return headers
