"""Whose phone it is that writes to the shop or calls it."""

from sqlalchemy import text

from grocery.db import db
from grocery.notify.extension import Holder

# Of a number that nobody has verified, and several have given, no account is known to be the holder's.
_HOLDERS = text("""
    SELECT id, language, phone_verified_at IS NOT NULL AS is_verified FROM customers
    WHERE phone = :phone AND is_active
    ORDER BY phone_verified_at IS NULL, id
    LIMIT 2
""")


def find_holder(phone: str) -> Holder | None:
    """Who has this number (E.164); None when no active account has it. In the caller's transaction.

    Without an id and a language when several accounts have given it and none has verified it.
    """
    rows = db.session.execute(_HOLDERS, {"phone": phone}).all()
    if not rows:
        return None
    first = rows[0]
    if len(rows) > 1 and not first.is_verified:
        return Holder()
    return Holder(first.id, first.language)
