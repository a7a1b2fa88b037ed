"""SMS that people send to the shop: kept first, understood and answered later."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Identity, Index, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column

from grocery.db import Base

INBOUND_STATUSES = ("received", "answered", "ignored", "failed")


class InboundSms(Base):
    """One SMS from a phone. `provider_id` is the provider's, or made of the message where it sent none."""

    __tablename__ = "inbound_sms"
    __table_args__ = (
        CheckConstraint("status IN ('received', 'answered', 'ignored', 'failed')", name="status"),
        Index("ix_inbound_sms_due", "next_attempt_at", "id", postgresql_where=text("status = 'received'")),
        Index("ix_inbound_sms_phone", "phone", "received_at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    provider_id: Mapped[str] = mapped_column(Text, unique=True)
    phone: Mapped[str] = mapped_column(Text)
    short_code: Mapped[str | None] = mapped_column(Text)
    body: Mapped[str] = mapped_column(Text)
    link_id: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text, server_default="received")
    command: Mapped[str | None] = mapped_column(Text)
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    next_attempt_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    error: Mapped[str | None] = mapped_column(Text)
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), index=True)
    received_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
