"""Campaigns as admins see them: the texts, how far they are, and what became of the messages."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import text

from grocery.db import Row, reader
from grocery.notify.campaigns.errors import CampaignNotFoundError
from grocery.notify.campaigns.states import allowed_actions
from grocery.notify.campaigns.wording import count_parts
from grocery.notify.extension import state
from grocery.notify.models import CHANNELS

_ONE = text("SELECT * FROM campaigns WHERE id = :id")

_PAGE = text("""
    SELECT * FROM campaigns
    WHERE (CAST(:status AS text) IS NULL OR status = :status) AND (CAST(:channel AS text) IS NULL OR channel = :channel)
      AND (CAST(:before_id AS bigint) IS NULL OR id < :before_id)
    ORDER BY id DESC LIMIT :limit
""")

# From the index alone: 50,000 rows for a big campaign.
_COUNT = text("""
    SELECT campaign_id, CASE status WHEN 'sending' THEN 'pending' ELSE status END AS status, count(*) AS number
    FROM notifications WHERE campaign_id = ANY(:ids) GROUP BY 1, 2
""")

_COLUMNS = (
    "id",
    "name",
    "channel",
    "texts",
    "status",
    "queued",
    "created_by",
    "created_at",
    "started_at",
    "finished_at",
)
_COUNTED = ("pending", "sent", "delivered", "failed", "unknown")


def get_campaign(campaign_id: int) -> dict[str, Any]:
    """A campaign as JSON-ready data; raises CampaignNotFoundError."""
    return _with_figures([_get(campaign_id)])[0]


def check_campaign_exists(campaign_id: int) -> None:
    """Raises CampaignNotFoundError."""
    _get(campaign_id)


def list_campaigns(
    *, limit: int, before_id: int | None = None, status: str | None = None, channel: str | None = None
) -> list[dict[str, Any]]:
    """Campaigns as JSON-ready data, the newest first, those before an id only."""
    parameters = {"limit": limit, "before_id": before_id, "status": status, "channel": channel}
    with reader() as connection:
        rows = connection.execute(_PAGE, parameters).mappings().all()
    return _with_figures(rows)


def _get(campaign_id: int) -> Row:
    with reader() as connection:
        row = connection.execute(_ONE, {"id": campaign_id}).mappings().one_or_none()
    if row is None:
        raise CampaignNotFoundError(campaign_id)
    return row


def _with_figures(rows: Sequence[Row]) -> list[dict[str, Any]]:
    counts: dict[int, dict[str, int]] = {row["id"]: dict.fromkeys(_COUNTED, 0) for row in rows}
    with reader() as connection:
        for counted in connection.execute(_COUNT, {"ids": list(counts)}):
            counts[counted.campaign_id][counted.status] = counted.number
    asked = {row["channel"] for row in rows if not _is_over(row)}
    subscribers = {channel: state().count_subscribers(channel) for channel in CHANNELS if channel in asked}
    return [
        _campaign_json(row, counts[row["id"]], row["queued"] if _is_over(row) else subscribers[row["channel"]])
        for row in rows
    ]


def _is_over(row: Row) -> bool:
    return row["finished_at"] is not None


def _campaign_json(row: Row, counts: dict[str, int], audience: int) -> dict[str, Any]:
    parts = count_parts(row["channel"], row["texts"])
    return {
        **{name: row[name] for name in _COLUMNS},
        "allowed_actions": allowed_actions(row["status"]),
        "audience": audience,
        "counts": counts,
        "parts": parts,
        "most_parts": None if parts is None else audience * max(parts.values()),
    }
