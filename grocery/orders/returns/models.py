"""Goods that customers gave back after delivery, and what they got for them."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Identity, Numeric, Text, func
from sqlalchemy.orm import Mapped, mapped_column

from grocery.db import Base

REASONS = ("damaged", "spoiled", "wrong_item", "unwanted", "other")


class OrderReturn(Base):
    """A return, which is a document: the credit note `number` about `refund_cents`, of them VAT. The order stays."""

    __tablename__ = "order_returns"
    __table_args__ = (
        CheckConstraint("refund_cents >= 0", name="refund"),
        CheckConstraint("reason IN ('damaged', 'spoiled', 'wrong_item', 'unwanted', 'other')", name="reason"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"), index=True)
    number: Mapped[str] = mapped_column(Text, unique=True)
    reason: Mapped[str] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)
    refund_cents: Mapped[int] = mapped_column(BigInteger)
    vat_cents: Mapped[int] = mapped_column(BigInteger)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id", ondelete="SET NULL"), index=True)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now(), index=True)


class OrderReturnLine(Base):
    """How much of a line came back (pieces or kilograms), whether it can be sold again, and what was paid for it."""

    __tablename__ = "order_return_lines"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("amount_cents >= 0", name="amount"),
    )

    return_id: Mapped[int] = mapped_column(ForeignKey("order_returns.id", ondelete="CASCADE"), primary_key=True)
    line_id: Mapped[int] = mapped_column(ForeignKey("order_lines.id", ondelete="CASCADE"), primary_key=True, index=True)
    quantity: Mapped[Decimal] = mapped_column(Numeric(12, 3))
    is_restocked: Mapped[bool] = mapped_column()
    amount_cents: Mapped[int] = mapped_column(BigInteger)
    vat_cents: Mapped[int] = mapped_column(BigInteger)
