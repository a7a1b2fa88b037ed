"""Addresses that get nothing but what they need: who said STOP, whom the provider blocks, whose mailbox is gone."""

from datetime import datetime

from sqlalchemy import CheckConstraint, DateTime, Text, func
from sqlalchemy.orm import Mapped, mapped_column

from grocery.db import Base


class Suppression(Base):
    """An address on the suppression list. It belongs to no account: who says STOP is left alone by every one."""

    __tablename__ = "suppressions"
    __table_args__ = (
        CheckConstraint("channel IN ('sms', 'email')", name="channel"),
        CheckConstraint("reason IN ('stop', 'provider', 'bounce')", name="reason"),
    )

    channel: Mapped[str] = mapped_column(Text, primary_key=True)
    address: Mapped[str] = mapped_column(Text, primary_key=True)
    reason: Mapped[str] = mapped_column(Text)
    detail: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
