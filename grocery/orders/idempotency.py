"""`Idempotency-Key`: the same request sent again gets the same answer, and is done once.

Behaves as the IETF draft says (https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/): another
body under the same key is a 422, a request still running a 409. The key's row is in the order's own transaction: a
roll-back frees the key, so errors are not remembered.
"""

import hashlib
from typing import Any

import orjson
from psycopg2.errors import LockNotAvailable
from sqlalchemy import text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from grocery.orders.errors import KeyReusedError, RequestInProgressError

#: How long answers are kept. Clients retry for minutes; a phone may come back on line the next day.
KEEP_HOURS = 48

# An insert of the same key waits for the transaction that holds it. A tenth of a second is enough to tell that one is
# running; the lock timeout for the rest of the transaction is then as it was.
_CLAIM = text("""
    SET LOCAL lock_timeout = '100ms';
    INSERT INTO idempotency_keys (customer_id, key, fingerprint) VALUES (:customer_id, :key, :fingerprint)
    ON CONFLICT DO NOTHING
    RETURNING set_config('lock_timeout', '10s', true)
""")

_STORED = text("SELECT fingerprint, answer FROM idempotency_keys WHERE customer_id = :customer_id AND key = :key")

_STORE = text("""
    UPDATE idempotency_keys SET answer = :answer, order_id = :order_id WHERE customer_id = :customer_id AND key = :key
""")

_FORGET = text("""
    DELETE FROM idempotency_keys WHERE ctid IN (
        SELECT ctid FROM idempotency_keys WHERE created_at < now() - make_interval(hours => :hours) LIMIT 1000
    )
    RETURNING key
""")


def fingerprint(body: Any) -> str:
    """The same for the same JSON, whatever the order of its keys and its white space."""
    return hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest()


def claim_key(session: Session, customer_id: int, key: str, body_fingerprint: str) -> str | None:
    """Take the key for this transaction (None), or give the answer stored under it.

    Raises RequestInProgressError while another transaction has it, KeyReusedError when it was for another body.
    """
    parameters = {"customer_id": customer_id, "key": key}
    try:
        claimed = session.execute(_CLAIM, {**parameters, "fingerprint": body_fingerprint}).first()
    except OperationalError as error:
        if isinstance(error.orig, LockNotAvailable):
            raise RequestInProgressError from error
        raise
    if claimed is not None:
        return None
    stored = session.execute(_STORED, parameters).one_or_none()
    if stored is None or stored.answer is None:
        raise RequestInProgressError
    if stored.fingerprint != body_fingerprint:
        raise KeyReusedError
    return str(stored.answer)


def store_answer(session: Session, customer_id: int, key: str, order_id: int, answer: str) -> None:
    """Keep the answer beside the order that it tells of."""
    session.execute(_STORE, {"customer_id": customer_id, "key": key, "order_id": order_id, "answer": answer})


def forget_old_keys(session: Session) -> bool:
    """Delete a batch of keys that are too old; whether there was one."""
    return session.execute(_FORGET, {"hours": KEEP_HOURS}).first() is not None
