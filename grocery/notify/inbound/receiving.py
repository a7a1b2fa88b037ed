"""Keeping an SMS that the provider passes on. It is answered later, so that the provider need not wait."""

import hashlib
from typing import Any

from flask import current_app
from sqlalchemy import text

from grocery.db import db
from grocery.errors import InvalidError
from grocery.notify.receipts.oddities import masked, oddities
from grocery.phones import parse_phone
from grocery.queues import NOTIFY, ring_after_commit

# Whose phone it is is looked up with the answer: an erasure that holds the person's row and waits for this one, while
# this one's answer waits for the person, would be a deadlock.
_KEEP = text("""
    INSERT INTO inbound_sms (provider_id, phone, short_code, body, link_id)
    VALUES (:provider_id, :phone, :short_code, :body, :link_id)
    ON CONFLICT (provider_id) DO NOTHING
    RETURNING id
""")


def keep_sms(form: dict[str, Any]) -> int | None:
    """Keep an SMS, read by `InboundSmsFormSchema`, and ring for its answer; its id.

    None when there is nothing to answer: the provider has repeated itself, no answer can reach the sender (a name such
    as SAFARICOM), or the shop writes to itself.
    """
    phone = form["phone"]
    if phone is None:
        oddities().note("SMS without a number", "its sender is a name")
        return None
    if _is_own(phone, form["short_code"]):
        oddities().note("SMS from the shop itself", masked(phone))
        return None
    columns = {
        "provider_id": form["id"] or _make_id(form),
        **{name: form[name] for name in ("phone", "short_code", "body", "link_id")},
    }
    kept: int | None = db.session.execute(_KEEP, columns).scalar()
    if kept is not None:
        ring_after_commit(NOTIFY)
    return kept


def _make_id(form: dict[str, Any]) -> str:
    """In place of an id that was not sent: the same for the same text of the same moment."""
    told = "\n".join(form[name] or "" for name in ("phone", "short_code", "date", "body"))
    return f"sha256:{hashlib.sha256(told.encode()).hexdigest()}"


def _is_own(phone: str, receiver: str | None) -> bool:
    """Whether it is the number that was written to, or the one that the shop sends from."""
    return phone in map(_phone_or_none, (receiver, current_app.config["AT_SENDER_ID"]))


def _phone_or_none(number: str | None) -> str | None:
    """In E.164; None for short codes and names."""
    try:
        return parse_phone(number or "", current_app.config["DEFAULT_COUNTRY"])
    except InvalidError:
        return None
