"""`Idempotency-Key`: the same request sent again gets the same answer, and is done once.

Behaves as the IETF draft says (https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/): another
body under the same key is a 422, a request still running a 409. The key's row is in the order's own transaction: a
roll-back frees the key, so errors are not remembered. The statements are parts of those that place an order, which
saves their round trips.
"""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import orjson
from psycopg2.errors import LockNotAvailable
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from grocery.db import Row
from grocery.orders.errors import KeyReusedError, RequestInProgressError

#: How long answers are kept. Clients retry for minutes; a phone may come back on line the next day.
KEEP_HOURS = 48

#: Takes the key for this transaction unless it is known; needs `customer_id`, `key` and `fingerprint`. An insert of the
#: same key waits for the transaction that holds it. A tenth of a second is enough to tell that one is running; the lock
#: timeout for the rest of the transaction is then as it was.
CLAIM_SQL = """
    SET LOCAL lock_timeout = '100ms';
    INSERT INTO idempotency_keys (customer_id, key, fingerprint) VALUES (:customer_id, :key, :fingerprint)
    ON CONFLICT DO NOTHING;
    SET LOCAL lock_timeout = '10s';
"""

#: Columns of a later statement, for `stored_answer`.
STORED_SQL = """,
    (
        SELECT json_build_object('fingerprint', fingerprint, 'answer', answer)
        FROM idempotency_keys WHERE customer_id = :customer_id AND key = :key
    )::text AS stored
"""

#: Keeps `answer` beside the order that it tells of, under the key that was claimed.
STORE_SQL = """
    UPDATE idempotency_keys SET answer = :answer, order_id = :order_id WHERE customer_id = :customer_id AND key = :key;
"""

_ORDER_ID = text("SELECT order_id FROM idempotency_keys WHERE customer_id = :customer_id AND key = :key")

_FORGET = text("""
    DELETE FROM idempotency_keys WHERE ctid IN (
        SELECT ctid FROM idempotency_keys WHERE created_at < now() - make_interval(hours => :hours) LIMIT 1000
    )
    RETURNING key
""")


@dataclass(frozen=True)
class Key:
    """A key that a client sent, and the fingerprint of the body that it sent with it."""

    key: str
    fingerprint: str


def make_key(key: str | None, body: Any) -> Key | None:
    """The key of a request, if it has one. The same JSON is the same body, whatever the order of its keys."""
    if key is None:
        return None
    return Key(key, hashlib.sha256(orjson.dumps(body, option=orjson.OPT_SORT_KEYS)).hexdigest())


@contextmanager
def claiming() -> Iterator[None]:
    """Around a statement with CLAIM_SQL: raises RequestInProgressError while another transaction has the key."""
    try:
        yield
    except OperationalError as error:
        # Later parts of the statement wait for locks for as long as ten seconds; then it is no key that is held.
        if isinstance(error.orig, LockNotAvailable) and "idempotency_keys" in str(error.orig):
            raise RequestInProgressError from error
        raise


def stored_answer(row: Row, key: Key) -> str | None:
    """The answer that is stored under the key, None when it was claimed by this transaction; raises KeyReusedError."""
    stored = orjson.loads(row["stored"])
    if stored["fingerprint"] != key.fingerprint:
        raise KeyReusedError
    answer: str | None = stored["answer"]
    return answer


def find_order_id(connection: Connection | Session, customer_id: int, key: str) -> int | None:
    """The order that was placed under the key."""
    order_id: int | None = connection.execute(_ORDER_ID, {"customer_id": customer_id, "key": key}).scalar()
    return order_id


def forget_old_keys(session: Session) -> bool:
    """Delete a batch of keys that are too old; whether there was one."""
    return session.execute(_FORGET, {"hours": KEEP_HOURS}).first() is not None
