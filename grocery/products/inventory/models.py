"""Lots and what orders took of them, alerts, and the mornings on which admins were told what runs low."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Numeric,
    Text,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from grocery.db import Base

_ON_SHELF = text("remaining > 0")


class StockLot(Base):
    """Goods that came together, with their expiry date: the last day on which they may be sold.

    Lots cover the stock of a product or a part of it. What `remaining` sums up to never exceeds what the shop has: its
    stock, and what was ordered and is not picked yet.
    """

    __tablename__ = "stock_lots"
    __table_args__ = (
        CheckConstraint("received_quantity > 0", name="received_quantity"),
        CheckConstraint("remaining BETWEEN 0 AND received_quantity", name="remaining"),
        # Used up lots stay for the record; picking must not read them all.
        Index("ix_stock_lots_on_shelf", "product_id", "expires_on", "id", postgresql_where=_ON_SHELF),
        Index("ix_stock_lots_expires_on_id", "expires_on", "id", postgresql_where=_ON_SHELF),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id", ondelete="CASCADE"), index=True)
    code: Mapped[str] = mapped_column(Text)
    expires_on: Mapped[date | None]
    received_quantity: Mapped[Decimal] = mapped_column(Numeric(12, 3))
    remaining: Mapped[Decimal] = mapped_column(Numeric(12, 3))
    received_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id", ondelete="SET NULL"), index=True)


class LotPick(Base):
    """What an order was given of a lot. It goes when the order is cancelled and the goods are back in their lot."""

    __tablename__ = "lot_picks"
    __table_args__ = (CheckConstraint("quantity > 0", name="quantity"),)

    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"), primary_key=True)
    lot_id: Mapped[int] = mapped_column(ForeignKey("stock_lots.id", ondelete="CASCADE"), primary_key=True, index=True)
    quantity: Mapped[Decimal] = mapped_column(Numeric(12, 3))


class StockAlert(Base):
    """A customer who wants to be told when a product is back."""

    __tablename__ = "stock_alerts"

    product_id: Mapped[int] = mapped_column(ForeignKey("products.id", ondelete="CASCADE"), primary_key=True)
    customer_id: Mapped[int] = mapped_column(
        ForeignKey("customers.id", ondelete="CASCADE"), primary_key=True, index=True
    )
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class StockDigest(Base):
    """A morning on which somebody looked at what runs low, and what it was: new is what the last morning had not."""

    __tablename__ = "stock_digests"

    day: Mapped[date] = mapped_column(primary_key=True)
    product_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
