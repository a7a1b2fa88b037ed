"""The outbox: every message to a person is a row, written in the transaction of what it tells about."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Identity, Index, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column

from grocery.db import Base
from grocery.notify.verdicts import MAX_ATTEMPTS

CHANNELS = ("sms", "email")
STATUSES = ("pending", "sending", "sent", "delivered", "failed", "unknown")


class Notification(Base):
    """One message on one channel to one recipient.

    `next_attempt_at` is when it is due (null: nothing is left to do); `leased_until` is when a worker that claimed it
    and did not report must be taken for dead. `attempts` tells whose attempt an outcome belongs to, so sending a
    message anew does not reset it but raises `max_attempts`.
    """

    __tablename__ = "notifications"
    __table_args__ = (
        CheckConstraint("channel IN ('sms', 'email')", name="channel"),
        CheckConstraint("status IN ('pending', 'sending', 'sent', 'delivered', 'failed', 'unknown')", name="status"),
        # Led by the channel: thousands of SMS that wait for their provider must not be read to find an e-mail.
        Index(
            "ix_notifications_due",
            "channel",
            "next_attempt_at",
            "id",
            postgresql_where=text("next_attempt_at IS NOT NULL"),
        ),
        Index("ix_notifications_leased", "leased_until", postgresql_where=text("status = 'sending'")),
        Index("ix_notifications_status_id", "status", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    dedupe_key: Mapped[str] = mapped_column(Text, unique=True)
    channel: Mapped[str] = mapped_column(Text)
    event: Mapped[str] = mapped_column(Text)
    recipient: Mapped[str] = mapped_column(Text)
    subject: Mapped[str | None] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text, server_default="pending")
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    max_attempts: Mapped[int] = mapped_column(server_default=text(str(MAX_ATTEMPTS)))
    unknowns: Mapped[int] = mapped_column(server_default=text("0"))
    next_attempt_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), server_default=func.now())
    leased_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    provider_id: Mapped[str | None] = mapped_column(Text)
    cost: Mapped[str | None] = mapped_column(Text)
    error: Mapped[str | None] = mapped_column(Text)
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), index=True)
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    sent_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
