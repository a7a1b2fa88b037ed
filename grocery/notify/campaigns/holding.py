"""Messages of campaigns that were written and must not go out now, or not at all."""

from sqlalchemy import Connection, text

from grocery.db import db
from grocery.notify.policy import OFFER
from grocery.queues import NOTIFY, ring_after_commit

# What is being sent at this moment is its sender's; if that one has to try again, `loose_campaigns` finds it.
_HOLD = text("""
    UPDATE notifications SET next_attempt_at = NULL
    WHERE campaign_id = :id AND status = 'pending' AND next_attempt_at IS NOT NULL
""")
# Whose address has been put on the list of those who get nothing, meanwhile.
_DROP_SUPPRESSED = text("""
    DELETE FROM notifications AS n USING suppressions AS s
    WHERE n.campaign_id = :id AND n.status = 'pending' AND s.channel = n.channel AND s.address = n.recipient
""")
_RELEASE = text("""
    UPDATE notifications SET next_attempt_at = now()
    WHERE campaign_id = :id AND status = 'pending' AND next_attempt_at IS NULL
""")
_DROP = text("DELETE FROM notifications WHERE campaign_id = :id AND status = 'pending'")

# One that may have arrived is not repeated, but stays: it tells what became of it.
_LEAVE_DOUBTFUL = text("""
    UPDATE notifications SET next_attempt_at = NULL
    WHERE campaign_id = :id AND status = 'unknown' AND next_attempt_at IS NOT NULL
""")

_BY_STATUS = {
    "running": (_DROP_SUPPRESSED, _RELEASE),
    "paused": (_HOLD,),
    "cancelled": (_DROP, _LEAVE_DOUBTFUL),
}

# From the index of what waits, which is small for offers.
_LOOSE = text("""
    SELECT DISTINCT c.id FROM notifications AS n JOIN campaigns AS c ON c.id = n.campaign_id
    WHERE n.channel IN ('sms', 'email') AND n.priority = :offer AND n.next_attempt_at IS NOT NULL
      AND (n.status = 'pending' AND c.status IN ('paused', 'cancelled')
           OR n.status = 'unknown' AND c.status = 'cancelled')
    ORDER BY c.id
""")

# An array, so that each campaign is looked up in the index by its messages that wait: there is none by address.
_DROP_OF_ADDRESS = text("""
    DELETE FROM notifications
    WHERE campaign_id = ANY(ARRAY(SELECT id FROM campaigns)) AND status = 'pending'
      AND channel = :channel AND recipient = :address
""")
_LEAVE_DOUBTFUL_OF_ADDRESS = text("""
    UPDATE notifications SET next_attempt_at = NULL
    WHERE campaign_id = ANY(ARRAY(SELECT id FROM campaigns)) AND status = 'unknown'
      AND channel = :channel AND recipient = :address
""")
_DROP_OF_CUSTOMER = text("""
    DELETE FROM notifications
    WHERE customer_id = :customer_id AND campaign_id IS NOT NULL AND status = 'pending' AND channel = :channel
""")
_LEAVE_DOUBTFUL_OF_CUSTOMER = text("""
    UPDATE notifications SET next_attempt_at = NULL
    WHERE customer_id = :customer_id AND campaign_id IS NOT NULL AND status = 'unknown' AND channel = :channel
""")


def set_waiting(campaign_id: int, status: str) -> None:
    """Have the messages that wait fit the campaign's status: due when it runs, held in a pause, gone when cancelled.

    The caller holds the campaign's row.
    """
    for statement in _BY_STATUS[status]:
        db.session.execute(statement, {"id": campaign_id})
    if status == "running":
        ring_after_commit(NOTIFY)


def loose_campaigns(connection: Connection) -> list[int]:
    """Campaigns that are paused or cancelled and have messages that are due all the same.

    They were being sent when that happened, and their senders gave them back or are to try again.
    """
    return list(connection.scalars(_LOOSE, {"offer": OFFER}))


def drop_offers(channel: str, *, address: str) -> None:
    """Delete the offers that wait for this address, whose holder wants none any more.

    Call it when no more can be written for it: behind what takes the consent from the accounts with this address.
    """
    parameters = {"channel": channel, "address": address}
    db.session.execute(_DROP_OF_ADDRESS, parameters)
    db.session.execute(_LEAVE_DOUBTFUL_OF_ADDRESS, parameters)


def drop_offers_of(customer_id: int, channel: str) -> None:
    """Delete the offers that wait for this customer, who wants none any more."""
    parameters = {"customer_id": customer_id, "channel": channel}
    db.session.execute(_DROP_OF_CUSTOMER, parameters)
    db.session.execute(_LEAVE_DOUBTFUL_OF_CUSTOMER, parameters)
