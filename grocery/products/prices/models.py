"""Scheduled changes of prices, and what prices were."""

from datetime import datetime

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Identity, Index, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column

from grocery.db import Base

#: `applied`: a change without an end has taken effect. `missed`: an offer never ran.
STATUSES = ("scheduled", "active", "applied", "ended", "cancelled", "missed")
REASONS = ("created", "edited", "imported", "scheduled", "offer_started", "offer_ended")


class PriceChange(Base):
    """A price from `starts_at` on; with `ends_at` an offer, after which the price before returns.

    While an offer is active, `price_before_cents` and `compare_at_before_cents` are what returns.
    """

    __tablename__ = "price_changes"
    __table_args__ = (
        CheckConstraint("price_cents >= 0", name="price"),
        CheckConstraint("compare_at_price_cents > price_cents", name="compare_at_price"),
        CheckConstraint("ends_at > starts_at", name="ends_at"),
        CheckConstraint(
            "status IN ('scheduled', 'active', 'applied', 'ended', 'cancelled', 'missed')",
            name="status",
        ),
        CheckConstraint(
            "status <> 'active' OR (ends_at IS NOT NULL AND price_before_cents IS NOT NULL)", name="active"
        ),
        Index("ix_price_changes_product_id_starts_at_id", "product_id", "starts_at", "id"),
        Index("ix_price_changes_due_start", "starts_at", postgresql_where=text("status = 'scheduled'")),
        Index("ix_price_changes_due_end", "ends_at", postgresql_where=text("status = 'active'")),
        # Whatever goes wrong, no product has two offers at once.
        Index("uq_price_changes_active", "product_id", unique=True, postgresql_where=text("status = 'active'")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id", ondelete="CASCADE"))
    price_cents: Mapped[int] = mapped_column(BigInteger)
    compare_at_price_cents: Mapped[int | None] = mapped_column(BigInteger)
    starts_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ends_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    status: Mapped[str] = mapped_column(Text, server_default="scheduled")
    started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ended_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    price_before_cents: Mapped[int | None] = mapped_column(BigInteger)
    compare_at_before_cents: Mapped[int | None] = mapped_column(BigInteger)
    note: Mapped[str | None] = mapped_column(Text)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id", ondelete="SET NULL"), index=True)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class PriceRecord(Base):
    """What a product cost from `changed_at` on, until its next record."""

    __tablename__ = "price_history"
    __table_args__ = (
        CheckConstraint(
            "reason IN ('created', 'edited', 'imported', 'scheduled', 'offer_started', 'offer_ended')",
            name="reason",
        ),
        Index("ix_price_history_product_id_id", "product_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id", ondelete="CASCADE"))
    price_cents: Mapped[int] = mapped_column(BigInteger)
    compare_at_price_cents: Mapped[int | None] = mapped_column(BigInteger)
    changed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id", ondelete="SET NULL"), index=True)
    reason: Mapped[str] = mapped_column(Text)
