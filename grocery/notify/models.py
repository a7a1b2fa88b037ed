"""The outbox: every message to a person is a row, written in the transaction of what it tells about."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    SmallInteger,
    Text,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from grocery.db import Base
from grocery.notify.verdicts import MAX_ATTEMPTS

CHANNELS = ("sms", "email")
STATUSES = ("pending", "sending", "sent", "delivered", "failed", "unknown")


class Notification(Base):
    """One message on one channel to one recipient.

    `next_attempt_at` is when it is due (null: nothing is left to do); `leased_until` is when a worker that claimed it
    and did not report must be taken for dead. `attempts` tells whose attempt an outcome belongs to, so sending a
    message anew does not reset it but raises `max_attempts`. `repeats` counts the attempts that were made although an
    earlier one may have arrived, `attempted_at` is when the last one began. One that `is_needed` goes to a suppressed
    address, too. `fallback_for_id` is the SMS in whose place an e-mail stands: it goes out unless that
    one arrives in time. `request_id` and `traceparent` are what it goes back to (see `grocery.origins`).
    """

    __tablename__ = "notifications"
    __table_args__ = (
        CheckConstraint("channel IN ('sms', 'email')", name="channel"),
        CheckConstraint("status IN ('pending', 'sending', 'sent', 'delivered', 'failed', 'unknown')", name="status"),
        CheckConstraint("priority BETWEEN 0 AND 2", name="priority"),
        # Led by channel and priority: thousands of offers that wait for their provider must not be read to find a code.
        Index(
            "ix_notifications_waiting",
            "channel",
            "priority",
            "next_attempt_at",
            "id",
            postgresql_where=text("next_attempt_at IS NOT NULL"),
        ),
        # What a delivery report speaks of: by the provider's id, and by the number while that id is not known.
        Index("ix_notifications_provider_id", "provider_id", postgresql_where=text("provider_id IS NOT NULL")),
        Index(
            "ix_notifications_in_doubt",
            "recipient",
            postgresql_where=text("channel = 'sms' AND status IN ('sending', 'unknown')"),
        ),
        Index(
            "ix_notifications_fallback_for_id", "fallback_for_id", postgresql_where=text("fallback_for_id IS NOT NULL")
        ),
        Index(
            "ix_notifications_campaign_id", "campaign_id", "status", postgresql_where=text("campaign_id IS NOT NULL")
        ),
        # Small, and enough for what was written lately: rows lie in the order of their making.
        Index("ix_notifications_created_at", "created_at", postgresql_using="brin"),
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
    priority: Mapped[int] = mapped_column(SmallInteger, server_default=text("1"))
    language: Mapped[str] = mapped_column(Text, server_default="en")
    is_needed: Mapped[bool] = mapped_column(server_default=text("false"))
    attempted_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    repeats: Mapped[int] = mapped_column(server_default=text("0"))
    fallback_for_id: Mapped[int | None] = mapped_column(ForeignKey("notifications.id", ondelete="CASCADE"))
    campaign_id: Mapped[int | None] = mapped_column(ForeignKey("campaigns.id", ondelete="CASCADE"))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    sent_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    delivered_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    request_id: Mapped[str | None] = mapped_column(Text)
    traceparent: Mapped[str | None] = mapped_column(Text)
