"""Delivery reports as the provider sent them, those that speak of no message of ours too."""

from datetime import datetime

from sqlalchemy import BigInteger, DateTime, ForeignKey, Identity, Index, Text, UniqueConstraint, func, text
from sqlalchemy.orm import Mapped, mapped_column

from grocery.db import Base


class DeliveryReport(Base):
    """One report about one SMS; `notification_id` is null until the message that it speaks of is known."""

    __tablename__ = "delivery_reports"
    __table_args__ = (
        # The provider repeats itself.
        UniqueConstraint("provider_id", "phone", "status"),
        Index("ix_delivery_reports_unmatched", "received_at", postgresql_where=text("notification_id IS NULL")),
        Index("ix_delivery_reports_received_at", "received_at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    provider_id: Mapped[str] = mapped_column(Text)
    phone: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    network_code: Mapped[str | None] = mapped_column(Text)
    failure_reason: Mapped[str | None] = mapped_column(Text)
    retry_count: Mapped[int | None]
    notification_id: Mapped[int | None] = mapped_column(ForeignKey("notifications.id", ondelete="CASCADE"), index=True)
    received_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
