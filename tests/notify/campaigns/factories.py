"""Campaigns and the people they go to. All functions need an application context (the fixture `context`)."""

from typing import Any

from sqlalchemy import text

from grocery.db import db, transaction
from grocery.notify.campaigns import reading, service
from grocery.notify.campaigns.schemas import WriteCampaignSchema
from grocery.notify.campaigns.writing import work_on_campaigns

SMS_TEXTS: dict[str, Any] = {"en": {"body": "Sugar 2 kg at 299"}, "sw": {"body": "Sukari kilo 2 kwa 299"}}
EMAIL_TEXTS: dict[str, Any] = {
    "en": {"subject": "Jamhuri offers", "body": "Good morning!\n\nSugar 2 kg at 299\nMilk at 55"}
}

_SUBSCRIBERS = text("""
    INSERT INTO customers (name, email, phone, password_hash, role, is_active, marketing_sms, marketing_email)
    SELECT 'Person ' || n, 'person' || n || '@people.example', '+2547' || to_char(n, 'FM00000000'), NULL, 'customer',
           true, true, true
    FROM generate_series(:first, :last) AS n
    ORDER BY n RETURNING id
""")

_DELIVER = text("""
    UPDATE notifications SET status = 'delivered', next_attempt_at = NULL, attempts = 1, sent_at = now()
    WHERE status = 'pending' AND next_attempt_at IS NOT NULL
""")


def body(channel: str = "sms", **overrides: Any) -> dict[str, Any]:
    """A campaign as it is sent to the API."""
    return {"name": "Jamhuri", "channel": channel, "texts": SMS_TEXTS if channel == "sms" else EMAIL_TEXTS} | overrides


def make_campaign(channel: str = "sms", *, status: str = "draft", **overrides: Any) -> int:
    """A draft, or a campaign that was started ("running") and perhaps "paused" since; answers its id."""
    values = WriteCampaignSchema().load(body(channel, **overrides))
    with transaction():
        campaign_id = service.create_campaign(values)
    for action in {"draft": [], "running": ["start"], "paused": ["start", "pause"]}[status]:
        move(campaign_id, action)
    return campaign_id


def move(campaign_id: int, action: str) -> None:
    with transaction():
        service.move_campaign(campaign_id, action)


def find_campaign(campaign_id: int, *names: str) -> dict[str, Any]:
    campaign = reading.get_campaign(campaign_id)
    return {name: campaign[name] for name in names} if names else campaign


def make_subscribers(number: int, first: int = 1) -> list[int]:
    """Customers who want offers both ways, with the phones +254700000001, …002 and so on; answers their ids."""
    with db.engine.begin() as connection:
        parameters = {"first": first, "last": first + number - 1}
        return sorted(connection.execute(_SUBSCRIBERS, parameters).scalars())


def deliver_all() -> int:
    """What the senders do, at once: all that is due arrives. Answers how many messages that were."""
    with db.engine.begin() as connection:
        return connection.execute(_DELIVER).rowcount


def work_until_idle() -> int:
    """Write what there is room for; answers the number of batches."""
    batches = 0
    while work_on_campaigns():
        batches += 1
    return batches
