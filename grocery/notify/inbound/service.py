"""Answering the SMS that people sent: each in a transaction of its own, so that a killed worker loses none."""

import logging
import time
from dataclasses import dataclass
from typing import Any, Self

from flask import current_app
from sqlalchemy import text

from grocery.db import db, reader, transaction
from grocery.notify.extension import Holder, state
from grocery.notify.hooks import InboundMessage, Reply, sms_received
from grocery.notify.inbound.commands import COMMANDS, NOT_UNDERSTOOD
from grocery.notify.inbound.words import STOPPING, Command, find_command, leave_out_politeness, split
from grocery.notify.policy import REPLY_PREFIX
from grocery.notify.service import Message, queue_messages
from grocery.queues import NOTIFY, doorbell

log = logging.getLogger(__name__)

#: SMS that one job answers before it sends what waits, and the seconds that it takes for that.
BATCH = 200
RUN_SECONDS = 5.0

#: Each answer costs money, and two machines that answer each other never end.
MAX_REPLIES_AN_HOUR = 10
_ENOUGH = f"This phone had {MAX_REPLIES_AN_HOUR} answers within an hour."
MAX_ATTEMPTS = 5
_FIRST_WAIT_SECONDS = 5

#: An order that somebody else is changing is tried again; the messages that wait to be sent must not wait for it.
LOCK_MS = 2000
_LIMIT_WAITING = text("SELECT set_config('lock_timeout', :lock, true)")

# The texts of a phone in the order of their coming, however many workers there are: CANCEL after STATUS, START after
# STOP. One that is to be tried again later does not hold back those after it.
_CLAIM = text("""
    SELECT id, phone, body, attempts FROM inbound_sms AS sms
    WHERE status = 'received' AND next_attempt_at <= now() AND NOT EXISTS (
        SELECT FROM inbound_sms AS earlier
        WHERE earlier.phone = sms.phone AND earlier.id < sms.id
          AND earlier.status = 'received' AND earlier.next_attempt_at <= now()
    )
    ORDER BY next_attempt_at, id
    LIMIT 1
    FOR UPDATE SKIP LOCKED
""")

_LAST_HOUR = text("""
    SELECT count(*), count(*) FILTER (WHERE command IS NULL) FROM inbound_sms
    WHERE phone = :phone AND status = 'answered' AND received_at > now() - interval '1 hour'
""")

_FINISH = text("""
    UPDATE inbound_sms SET status = :status, command = :command, error = :error, customer_id = :customer_id
    WHERE id = :id
""")

_POSTPONE = text("""
    UPDATE inbound_sms
    SET attempts = attempts + 1, status = :status, error = :error, customer_id = :customer_id,
        next_attempt_at = now() + make_interval(secs => :wait_seconds)
    WHERE id = :id AND status = 'received' AND attempts = :attempts
""")

_IS_DUE = text("SELECT EXISTS (SELECT FROM inbound_sms WHERE status = 'received' AND next_attempt_at <= now())")


@dataclass(frozen=True)
class _Sms:
    id: int
    phone: str
    body: str
    attempts: int

    @classmethod
    def claim(cls) -> Self | None:
        """The next one to answer, locked until the end of the transaction."""
        db.session.execute(_LIMIT_WAITING, {"lock": str(LOCK_MS)})
        row = db.session.execute(_CLAIM).mappings().one_or_none()
        return None if row is None else cls(**row)


@dataclass(frozen=True)
class _Outcome:
    """What became of an SMS: answered, or ignored for the reason in `error`. `command` is what it was understood as."""

    status: str
    command: str | None = None
    error: str | None = None
    customer_id: int | None = None


def answer_received(limit: int = BATCH) -> int:
    """Answer up to `limit` SMS, and no more than RUN_SECONDS allow; rings for the rest. How many were tried.

    Stands at the edge, since it commits after each.
    """
    stop_at = time.monotonic() + RUN_SECONDS
    tried = 0
    while _answer_next():
        tried += 1
        if tried == limit or time.monotonic() > stop_at:
            doorbell().ring(NOTIFY)
            break
    return tried


def ring_if_due() -> None:
    """Ring for SMS whose ring was lost or whose next attempt has come. The relay's part."""
    with reader() as connection:
        is_due = connection.execute(_IS_DUE).scalar_one()
    if is_due:
        doorbell().ring(NOTIFY)


def _answer_next() -> bool:
    """Whether there was one. What an attempt did is rolled back when it fails, and it is tried again later."""
    sms = None
    try:
        with transaction():
            sms = _Sms.claim()
            if sms is None:
                return False
            holder = state().find_holder(sms.phone)
            db.session.execute(_FINISH, {"id": sms.id, **vars(_answer(sms, holder))})
    except Exception as error:
        if sms is None:
            raise
        _postpone(sms, error)
    return True


def _postpone(sms: _Sms, error: Exception) -> None:
    """Try it again later, or give it up; raises while the database is away, which is no fault of the SMS."""
    is_last = sms.attempts + 1 >= MAX_ATTEMPTS
    log.error("inbound SMS %d %s", sms.id, "is given up" if is_last else "is tried again later", exc_info=error)
    with transaction():
        holder = state().find_holder(sms.phone) if is_last else None
        parameters = {
            "id": sms.id,
            "attempts": sms.attempts,
            "status": "failed" if is_last else "received",
            "customer_id": holder.customer_id if holder else None,
            "wait_seconds": _FIRST_WAIT_SECONDS * 4**sms.attempts,
            # Not its words: they may quote what the customer wrote, or more of the database than the list should show.
            "error": f"{type(error).__name__} in the answer; the log has more.",
        }
        db.session.execute(_POSTPONE, parameters)


def _answer(sms: _Sms, holder: Holder | None) -> _Outcome:
    words = leave_out_politeness(split(sms.body))
    customer_id = holder.customer_id if holder else None
    replies, riddles = db.session.execute(_LAST_HOUR, {"phone": sms.phone}).one()
    command = find_command(words)
    has_had_enough = replies >= MAX_REPLIES_AN_HOUR
    if not words:
        return _Outcome("ignored", error="There is nothing to answer.", customer_id=customer_id)
    if has_had_enough and (command is None or command.name not in STOPPING):
        return _Outcome("ignored", error=_ENOUGH, customer_id=customer_id)
    reply = _obey(sms, command) if command else _ask_others(sms, words)
    if has_had_enough and reply is not None:
        return _Outcome("ignored", _command_of(reply), f"Done without a word. {_ENOUGH}", customer_id)
    if reply is None and riddles:
        return _Outcome("ignored", error="This phone was told within an hour how to ask.", customer_id=customer_id)
    return _send(sms, reply or Reply(NOT_UNDERSTOOD), holder)


def _obey(sms: _Sms, command: Command) -> Reply:
    return Reply(COMMANDS[command.name](sms.phone), language=command.language)


def _ask_others(sms: _Sms, words: list[str]) -> Reply | None:
    answers = sms_received.send(message=InboundMessage(sms.id, sms.phone, words))
    return next((reply for _, reply in answers if reply is not None), None)


def _send(sms: _Sms, reply: Reply, holder: Holder | None) -> _Outcome:
    holder = holder or Holder()
    customer_id = reply.customer_id or holder.customer_id
    message = Message(
        channel="sms",
        event=reply.event,
        audience="customer",
        recipient=sms.phone,
        context={**_shop_context(), **reply.context},
        dedupe_key=reply.dedupe_key or f"inbound:{sms.id}:sms:{sms.phone}",
        customer_id=customer_id,
        order_id=reply.order_id,
        language=reply.language or holder.language,
    )
    queue_messages([message])
    return _Outcome("answered", _command_of(reply), customer_id=customer_id)


def _shop_context() -> dict[str, Any]:
    config = current_app.config
    return {
        "shop": config["SHOP_NAME"],
        "url": config["SHOP_URL"] or None,
        "shop_phone": config["SHOP_PHONE"] or None,
    }


def _command_of(reply: Reply) -> str | None:
    return None if reply.event == NOT_UNDERSTOOD else reply.event.removeprefix(REPLY_PREFIX)
