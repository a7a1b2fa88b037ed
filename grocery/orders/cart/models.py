"""Carts of customers and of visitors."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Identity, Index, Numeric, Text, func, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from grocery.db import Base


class Cart(Base):
    """A customer's cart, or that of a visitor who has its token. Only the token's hash is kept: it opens the cart."""

    __tablename__ = "carts"
    __table_args__ = (
        CheckConstraint("(customer_id IS NULL) <> (token_hash IS NULL)", name="owner"),
        Index("ix_carts_abandoned", "updated_at", postgresql_where=text("customer_id IS NULL")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), unique=True)
    token_hash: Mapped[str | None] = mapped_column(Text, unique=True)
    # What was filled in at the checkout, so that an interruption loses nothing: the fields of its form.
    draft: Mapped[dict[str, str] | None] = mapped_column(JSONB)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class CartItem(Base):
    """A product in a cart, with the price (cents) that was seen when its quantity was last set."""

    __tablename__ = "cart_items"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("if_unavailable IN ('remove', 'substitute', 'call')", name="if_unavailable"),
    )

    cart_id: Mapped[int] = mapped_column(ForeignKey("carts.id", ondelete="CASCADE"), primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id", ondelete="CASCADE"), primary_key=True, index=True)
    quantity: Mapped[Decimal] = mapped_column(Numeric(12, 3))
    if_unavailable: Mapped[str] = mapped_column(Text, server_default="remove")
    seen_price_cents: Mapped[int] = mapped_column(BigInteger)
    added_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
