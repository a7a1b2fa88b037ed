"""Claim, commit, send, record: how messages leave the outbox, with any number of senders at once."""

import logging
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import parseaddr

from flask import current_app

from grocery.db import transaction
from grocery.notify.extension import state
from grocery.notify.models import CHANNELS
from grocery.notify.outcome import SendResult
from grocery.notify.sending.claims import Claim, claim_due, give_back
from grocery.notify.sending.records import expire_leases, record_result

log = logging.getLogger(__name__)

Send = Callable[[Claim], SendResult]

BATCH_SIZE = 10

# The run and one more send (12 s for an SMS that hangs) stay below the job's own end and far below a lease.
RUN_SECONDS = 35.0
# A provider that hangs may keep the other channel waiting for this long and one more send.
TURN_SECONDS = 10.0


def send_due(seconds: float = RUN_SECONDS) -> Counter[str]:
    """Send what is due until nothing is, or `seconds` are over; counts the messages by their new status.

    Stands at the edge, since it commits: after each claim, so that no connection is held while a provider takes its
    time, and after each outcome.
    """
    stop_at = time.monotonic() + seconds
    with transaction():
        expire_leases()
    tally: Counter[str] = Counter()
    is_done = False
    while not is_done and time.monotonic() < stop_at:
        before = tally.total()
        for channel in CHANNELS:
            tally.update(_send_batch(channel, min(stop_at, time.monotonic() + TURN_SECONDS)))
        is_done = tally.total() == before
    return tally


def message_id(claim: Claim) -> str:
    """The Message-ID of an e-mail, the same at each attempt, so that mail programs can show two copies as one.

    With the second of its making, since ids begin anew in a new database.
    """
    return f"<notification-{claim.id}.{claim.created_at.timestamp():.0f}@{mail_domain()}>"


def mail_domain() -> str:
    """The domain that the shop's e-mails come from."""
    return parseaddr(current_app.config["MAIL_FROM"])[1].rpartition("@")[2]


def _send_batch(channel: str, stop_at: float) -> Counter[str]:
    with transaction():
        untried = deque(claim_due(channel, BATCH_SIZE))
    tally: Counter[str] = Counter()
    if not untried:
        return tally
    try:
        with _open_channel(channel) as send:
            while untried and time.monotonic() < stop_at:
                claim = untried.popleft()
                tally[_send_one(send, claim)] += 1
    finally:
        if untried:
            with transaction():
                give_back(untried)
    return tally


@contextmanager
def _open_channel(channel: str) -> Iterator[Send]:
    backends = state().backends
    if channel == "sms":
        yield lambda claim: backends.sms.send(claim.recipient, claim.body)
    else:
        with backends.mail.session() as session:
            yield lambda claim: session.send(claim.recipient, claim.subject or "", claim.body, message_id(claim))


def _send_one(send: Send, claim: Claim) -> str:
    started = time.monotonic()
    result = send(claim)
    milliseconds = (time.monotonic() - started) * 1000
    with transaction():
        status = record_result(claim, result)
    # Neither the text nor the provider's words about it: both may hold a code that signs someone in.
    log.info("notification %d, %s by %s: %s in %.0f ms", claim.id, claim.event, claim.channel, status, milliseconds)
    return status
