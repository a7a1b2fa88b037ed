"""Making void what was sent to a person, whatever for. Commits nothing."""

from sqlalchemy import text

from grocery.db import db

# Codes to sign in with are kept by number, since they are sent before anyone is known.
_VOID_SIGN_IN = text("""
    UPDATE one_time_codes SET expires_at = now()
    WHERE purpose = 'sign_in' AND used_at IS NULL AND expires_at > now()
      AND target = (SELECT phone FROM customers WHERE id = :customer_id AND phone_verified_at IS NOT NULL)
""")

_VOID_OWN = text("""
    UPDATE one_time_codes SET expires_at = now()
    WHERE customer_id = :customer_id AND used_at IS NULL AND expires_at > now()
""")


def void_sign_in_codes(customer_id: int) -> None:
    """Make the codes that were sent to a person's phone to sign in with good for nothing.

    Comes before the person is locked, as whoever signs in with one locks it first.
    """
    db.session.execute(_VOID_SIGN_IN, {"customer_id": customer_id})


def void_own_codes(customer_id: int) -> None:
    """Make all else that was sent to a person good for nothing: invitations, resets, what verifies an address.

    The caller holds the lock on the person's row.
    """
    db.session.execute(_VOID_OWN, {"customer_id": customer_id})
