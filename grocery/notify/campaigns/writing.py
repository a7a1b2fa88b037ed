"""The bulk task `campaigns`: writes the messages of running campaigns into the outbox, some hundred at a time.

Each batch, with the place where it ends, is one transaction: a worker killed at any moment has written all of a batch
or nothing of it, and the next one goes on behind the last one that was committed.
"""

from collections.abc import Sequence

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from grocery.db import Row, reader, transaction
from grocery.notify.campaigns.holding import loose_campaigns, set_waiting
from grocery.notify.campaigns.wording import message_to
from grocery.notify.extension import Subscriber, state
from grocery.notify.policy import OFFER
from grocery.notify.service import queue_messages
from grocery.queues import BulkTask

#: Subscribers of one transaction. It holds their rows: an order of one of them waits until it is over.
BATCH = 500

#: Offers of a channel that wait in the outbox at the most: enough to keep the senders busy until the next look, few
#: enough to be held or deleted in a moment.
MAX_WAITING = 2_000

# Channels that have room for a batch; counted no further than that.
_WITH_ROOM = text("""
    SELECT c.channel FROM unnest(ARRAY['sms', 'email']) AS c (channel)
    WHERE (
        SELECT count(*) FROM (
            SELECT FROM notifications AS n
            WHERE n.channel = c.channel AND n.priority = :offer AND n.next_attempt_at IS NOT NULL
            LIMIT :room + 1
        ) AS waiting
    ) <= :room
""")

_LOOK = text("""
    SELECT EXISTS (
        SELECT FROM campaigns WHERE status = 'running' AND NOT is_all_queued AND channel = ANY(:channels)
    )
""")

# The one that was started first is written first.
_NEXT = text("""
    SELECT * FROM campaigns
    WHERE status = 'running' AND NOT is_all_queued AND channel = ANY(:channels) ORDER BY started_at, id LIMIT 1
""")

# Behind the subscribers, as everywhere: an admin is a customer, and a deleted one leaves the campaign.
_TAKE = text("""
    SELECT id FROM campaigns WHERE id = :id AND status = 'running' AND last_customer_id = :last_customer_id
    FOR NO KEY UPDATE SKIP LOCKED
""")

# What this transaction has written, since it began at `now()`. Less than was queued: some are on the list of those who
# have said STOP, some share an address.
_NOTE = text("""
    UPDATE campaigns
    SET last_customer_id = :last_customer_id, is_all_queued = :is_all_queued, queued = queued + (
        SELECT count(*) FROM notifications WHERE dedupe_key = ANY(:dedupe_keys) AND created_at = now()
    )
    WHERE id = :id
""")

_SENT = text("""
    SELECT id FROM campaigns AS c
    WHERE status = 'running' AND is_all_queued AND NOT EXISTS (
        SELECT FROM notifications AS n
        WHERE n.campaign_id = c.id
          AND (n.status IN ('pending', 'sending') OR n.status = 'unknown' AND n.next_attempt_at IS NOT NULL)
    )
    ORDER BY id
""")

_FINISH = text("UPDATE campaigns SET status = 'finished', finished_at = now() WHERE id = :id AND status = 'running'")

_LOCK = text("SELECT status FROM campaigns WHERE id = :id FOR NO KEY UPDATE")


def bulk_tasks(_sender: object) -> list[BulkTask]:
    """The answer to the signal `bulk_task`."""
    return [BulkTask("notify.campaigns", is_campaign_due, work_on_campaigns)]


def is_campaign_due() -> bool:
    """Whether a campaign has messages to write and there is room for them, or is to be finished or held back."""
    with reader() as connection:
        channels = _channels_with_room(connection)
        is_due = connection.scalar(_LOOK, {"channels": channels}) or connection.scalar(_SENT) is not None
        return is_due or bool(loose_campaigns(connection))


def work_on_campaigns() -> bool:
    """Write one batch, and settle what has changed meanwhile; answers whether there was a batch."""
    with transaction() as session:
        is_written = _write_batch(session)
    with transaction() as session:
        _finish_sent(session)
        _hold_loose(session)
    return is_written


def _write_batch(session: Session) -> bool:
    channels = _channels_with_room(session.connection())
    campaign = session.execute(_NEXT, {"channels": channels}).mappings().one_or_none()
    if campaign is None:
        return False
    # They are locked until the commit: who takes the consent back waits for it, and then finds the message to delete.
    subscribers = state().find_subscribers(campaign["channel"], campaign["last_customer_id"], BATCH)
    if session.scalar(_TAKE, {name: campaign[name] for name in ("id", "last_customer_id")}) is None:
        return False  # another worker writes it, or it is being paused
    _write_messages(session, campaign, subscribers)
    return True


def _write_messages(session: Session, campaign: Row, subscribers: Sequence[Subscriber]) -> None:
    messages = [message_to(campaign, subscriber) for subscriber in subscribers]
    queue_messages(messages)
    end = {
        "id": campaign["id"],
        "last_customer_id": subscribers[-1].customer_id if subscribers else campaign["last_customer_id"],
        "is_all_queued": len(subscribers) < BATCH,
        "dedupe_keys": [message.dedupe_key for message in messages],
    }
    session.execute(_NOTE, end)


def _finish_sent(session: Session) -> None:
    for campaign_id in session.scalars(_SENT).all():
        session.execute(_FINISH, {"id": campaign_id})


def _hold_loose(session: Session) -> None:
    for campaign_id in loose_campaigns(session.connection()):
        status = session.scalar(_LOCK, {"id": campaign_id})
        if status in ("paused", "cancelled"):
            set_waiting(campaign_id, status)


def _channels_with_room(connection: Connection) -> list[str]:
    return list(connection.scalars(_WITH_ROOM, {"offer": OFFER, "room": MAX_WAITING - BATCH}))
