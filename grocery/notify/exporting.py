"""What the package knows of a person, for the copy that they may have of it."""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import text

from grocery.db import Row, db
from grocery.notify.policy import CODE_EVENTS

# Without the texts of codes and links that open an account: who has the copy must not be able to use them.
_MESSAGES = text("""
    SELECT id, channel, event, recipient, language, status, order_id, created_at, sent_at, delivered_at,
           CASE WHEN event <> ALL(:codes) THEN subject END AS subject,
           CASE WHEN event <> ALL(:codes) THEN body END AS body
    FROM notifications WHERE customer_id = :customer_id ORDER BY id
""")
# A number that was only written into the account may be somebody else's, who has written to the shop.
_INBOUND = text("""
    SELECT id, phone, body, command, received_at FROM inbound_sms
    WHERE customer_id = :customer_id AND phone = :sms ORDER BY id
""")
_SUPPRESSIONS = text("""
    SELECT channel, address, reason, created_at FROM suppressions
    WHERE (channel = 'sms' AND address = :sms) OR (channel = 'email' AND address = :email) ORDER BY channel
""")


def export_messages(customer_id: int, addresses: Mapping[str, str | None]) -> dict[str, Any]:
    """Messages to a person, and what is known of their `addresses` ("sms", "email"): SMS from there, suppressions.

    Name only addresses that are known to be theirs. In the caller's transaction.
    """
    session = db.session()
    messages = session.execute(_MESSAGES, {"customer_id": customer_id, "codes": sorted(CODE_EVENTS)})
    inbound = session.execute(_INBOUND, {"customer_id": customer_id, "sms": addresses["sms"]})
    suppressions = session.execute(_SUPPRESSIONS, {"sms": addresses["sms"], "email": addresses["email"]})
    return {
        "notifications": _as_dicts(messages.mappings()),
        "sms_to_the_shop": _as_dicts(inbound.mappings()),
        "suppressions": _as_dicts(suppressions.mappings()),
    }


def _as_dicts(rows: Iterable[Row]) -> list[dict[str, Any]]:
    return [dict(row) for row in rows]
