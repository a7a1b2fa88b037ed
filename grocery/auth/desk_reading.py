"""What the desk shows of people beside themselves: how they get in, and when they did last."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import text

from grocery.db import reader

# The last sign-in from the audit log, by its index: what is kept of sessions goes when they end.
_READ = text("""
    SELECT id, password_hash IS NOT NULL AS has_password, invited_at,
           EXISTS (
               SELECT FROM second_factors AS factor
               WHERE factor.customer_id = customers.id AND factor.confirmed_at IS NOT NULL
           ) AS has_totp,
           (
               SELECT entry.at FROM audit_log AS entry
               WHERE entry.subject_type = 'customer' AND entry.subject_id = customers.id AND entry.action = 'signed_in'
               ORDER BY entry.id DESC LIMIT 1
           ) AS signed_in_at
    FROM customers WHERE id = ANY(:ids)
""")

_NAMES = text("SELECT id, name FROM customers WHERE id = ANY(:ids)")


@dataclass(frozen=True, slots=True)
class WaysIn:
    """`signed_in_at` is the last time, None for never, as far as the audit log goes back."""

    has_password: bool
    has_totp: bool
    invited_at: datetime | None
    signed_in_at: datetime | None


def read_ways_in(customer_ids: Sequence[int]) -> dict[int, WaysIn]:
    """By id, of those who are there."""
    with reader() as connection:
        rows = connection.execute(_READ, {"ids": list(customer_ids)}).all()
    return {row.id: WaysIn(row.has_password, row.has_totp, row.invited_at, row.signed_in_at) for row in rows}


def read_names(customer_ids: Collection[int]) -> dict[int, str]:
    """The names of people by id, of those who are still there."""
    with reader() as connection:
        return {row.id: row.name for row in connection.execute(_NAMES, {"ids": list(customer_ids)})}
