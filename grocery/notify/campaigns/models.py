"""Campaigns: one text to all customers who want to hear of offers, written into the outbox bit by bit."""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Identity, Index, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from grocery.db import Base

CAMPAIGN_STATUSES = ("draft", "running", "paused", "finished", "cancelled")


class Campaign(Base):
    """`texts` is `{language: {subject?, body}}`; `last_customer_id` is how far its messages have been written."""

    __tablename__ = "campaigns"
    __table_args__ = (
        CheckConstraint("channel IN ('sms', 'email')", name="channel"),
        CheckConstraint("status IN ('draft', 'running', 'paused', 'finished', 'cancelled')", name="status"),
        Index("ix_campaigns_running", "id", postgresql_where=text("status = 'running'")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    channel: Mapped[str] = mapped_column(Text)
    texts: Mapped[dict[str, Any]] = mapped_column(JSONB)
    status: Mapped[str] = mapped_column(Text, server_default="draft")
    last_customer_id: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    queued: Mapped[int] = mapped_column(server_default=text("0"))
    is_all_queued: Mapped[bool] = mapped_column(server_default=text("false"))
    created_by: Mapped[int | None] = mapped_column(ForeignKey("customers.id", ondelete="SET NULL"), index=True)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
