"""Sealing secrets of second factors anew when SECRET_KEY is another one, so that the older key can be thrown away."""

from collections.abc import Iterator
from dataclasses import dataclass

from flask import current_app
from sqlalchemy import text

from grocery.auth.second_factor.sealing import open_sealed, seal
from grocery.db import db, reader, transaction
from grocery.keys import keys_of

# Whoever signs in waits for the batch that their row is in: some milliseconds.
_BATCH = 100

_COUNT = text("SELECT count(*) FROM second_factors")

_LOCK_BATCH = text("""
    SELECT customer_id, secret FROM second_factors
    WHERE customer_id > :after ORDER BY customer_id LIMIT :batch FOR UPDATE
""")

_RESEAL = text("UPDATE second_factors SET secret = :secret WHERE customer_id = :customer_id")


@dataclass(frozen=True, slots=True)
class Batch:
    """How many secrets were looked at and sealed anew, and whose could not be opened with any key."""

    seen: int
    resealed: int
    closed: list[int]


def open_and_reseal(customer_id: int, sealed: bytes) -> str | None:
    """The secret of a row that the caller has locked; None when no key opens it.

    One that an older key has opened is sealed with the signing key, in the caller's transaction.
    """
    secret, _ = _open_and_reseal(customer_id, sealed)
    return secret


def count_secrets() -> int:
    """How many there are, also those that are only begun."""
    with reader() as connection:
        return int(connection.execute(_COUNT).scalar_one())


def reseal_all() -> Iterator[Batch]:
    """Seal all secrets with the signing key, each batch in a transaction of its own; again, it finds nothing to do."""
    after = 0
    while True:
        with transaction():
            rows = db.session.execute(_LOCK_BATCH, {"after": after, "batch": _BATCH}).all()
            results = [(row.customer_id, *_open_and_reseal(row.customer_id, bytes(row.secret))) for row in rows]
        if not rows:
            return
        after = rows[-1].customer_id
        closed = [customer_id for customer_id, secret, _ in results if secret is None]
        yield Batch(len(rows), sum(is_resealed for _, _, is_resealed in results), closed)


def _open_and_reseal(customer_id: int, sealed: bytes) -> tuple[str | None, bool]:
    """The secret, and whether it was sealed anew."""
    keys = keys_of(current_app.config)
    opened = open_sealed(sealed, owner_id=customer_id, keys=keys)
    if opened is None:
        return None, False
    if opened.is_by_older_key:
        renewed = seal(opened.secret, owner_id=customer_id, secret_key=keys.signing)
        db.session.execute(_RESEAL, {"secret": renewed, "customer_id": customer_id})
    return opened.secret, opened.is_by_older_key
