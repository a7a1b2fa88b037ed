"""What the workers do with new orders: pending → confirmed, in batches, until nothing is due."""

import logging

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from grocery.db import Row, after_commit
from grocery.errors import is_database_away
from grocery.orders import notices
from grocery.orders.actors import SYSTEM
from grocery.orders.changing import change_status, list_lines
from grocery.orders.errors import OrderNotFoundError
from grocery.orders.repricing import list_discounts
from grocery.origins import Origin, current_origin, speaking_of, working_on

log = logging.getLogger(__name__)

BATCH = 20
#: After so many failures admins are told; the order stays pending and goes on being tried.
TELL_AFTER_ATTEMPTS = 5
_LONGEST_WAIT_SECONDS = 900

# Both rows are skipped when somebody has them: the customer's too, since notifications take a share of it and a
# deletion holds it while it waits for the order.
_CLAIM = text("""
    SELECT orders.id, orders.request_id, orders.traceparent
    FROM orders JOIN customers ON customers.id = orders.customer_id
    WHERE orders.status = 'pending' AND orders.process_at <= now()
    ORDER BY orders.id LIMIT :limit
    FOR UPDATE OF orders SKIP LOCKED FOR KEY SHARE OF customers SKIP LOCKED
""")

_POSTPONE = text("""
    UPDATE orders SET process_attempts = process_attempts + 1,
           process_at = now() + make_interval(secs => least(:longest, 5 * 2 ^ least(process_attempts, 10)))
    WHERE id = :order_id
    RETURNING *
""")

_CUSTOMER = text("SELECT name, email, phone, language, notify_by FROM customers WHERE id = :customer_id")

_IS_DUE = text("SELECT EXISTS (SELECT FROM orders WHERE status = 'pending' AND process_at <= now())")


def process_batch(session: Session) -> int:
    """Take on up to a batch of due orders; how many were claimed. Each stands in a savepoint of its own."""
    claimed = session.execute(_CLAIM, {"limit": BATCH}).all()
    for order_id, request_id, traceparent in claimed:
        with working_on(Origin(request_id, traceparent), "process order", order_id=order_id):
            _process_or_postpone(session, order_id)
    return len(claimed)


def _process_or_postpone(session: Session, order_id: int) -> None:
    try:
        with session.begin_nested():
            process_order(session, order_id)
    except OrderNotFoundError:
        return
    except Exception as error:
        _raise_if_away(error)
        log.exception("order %s could not be processed", order_id)
        _postpone(session, order_id)
        return
    origin = current_origin()

    def tell() -> None:
        with speaking_of(origin, order_id=order_id):
            log.info("order %s is confirmed", order_id)

    after_commit(("confirmed", order_id), tell)


def process_order(session: Session, order_id: int) -> None:
    """Confirm a pending order."""
    change_status(session, order_id, "confirmed", SYSTEM)


def is_work_due(session: Session) -> bool:
    return bool(session.execute(_IS_DUE).scalar())


def _postpone(session: Session, order_id: int) -> None:
    parameters = {"order_id": order_id, "longest": _LONGEST_WAIT_SECONDS}
    order: Row = session.execute(_POSTPONE, parameters).mappings().one()
    if order["process_attempts"] == TELL_AFTER_ATTEMPTS:
        _tell_stuck(session, order)


def _tell_stuck(session: Session, order: Row) -> None:
    """Tell admins if that is possible: what is wrong with the order may be in the way of its notices, too."""
    try:
        with session.begin_nested():
            customer = session.execute(_CUSTOMER, {"customer_id": order["customer_id"]}).mappings().one()
            lines, discounts = list_lines(session, order["id"]), list_discounts(session, order["id"])
            notices.tell_stuck(order, lines, discounts, customer)
    except Exception as error:
        _raise_if_away(error)
        log.exception("nobody could be told that order %s is stuck", order["id"])


def _raise_if_away(error: Exception) -> None:
    """Without PostgreSQL nothing can be written about it either; the batch is rolled back and due again."""
    if isinstance(error, DBAPIError) and is_database_away(error):
        raise error
