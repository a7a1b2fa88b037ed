"""Promotions and what they are for."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Identity, Index, Numeric, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column

from grocery.db import Base


class Promotion(Base):
    """What lowers a total: a coupon when it has a `code` (capital letters), else automatic.

    `value` is percent or an amount in the shop's currency. `scope` says what it is for; it stays "products" when all of
    them were deleted, and then fits nothing. `used_count` counts the orders that hold it, kept right only while there
    is a `usage_limit`: else each order with a popular promotion would wait for this row.
    """

    __tablename__ = "promotions"
    __table_args__ = (
        CheckConstraint("kind IN ('percent', 'fixed', 'buy_x_get_y', 'free_delivery')", name="kind"),
        CheckConstraint("scope IN ('basket', 'products', 'categories')", name="scope"),
        CheckConstraint("value >= 0", name="value"),
        CheckConstraint(
            "kind <> 'buy_x_get_y' OR coalesce(buy_quantity > 0 AND get_quantity > 0, false)", name="buy_x_get_y"
        ),
        CheckConstraint("used_count >= 0 AND used_count <= usage_limit", name="usage_limit"),
        CheckConstraint("ends_at > starts_at", name="ends_at"),
        Index("ix_promotions_automatic", "id", postgresql_where=text("code IS NULL AND is_active")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    code: Mapped[str | None] = mapped_column(Text, unique=True)
    kind: Mapped[str] = mapped_column(Text)
    scope: Mapped[str] = mapped_column(Text, server_default="basket")
    value: Mapped[Decimal] = mapped_column(Numeric(12, 2), server_default=text("0"))
    buy_quantity: Mapped[int | None] = mapped_column()
    get_quantity: Mapped[int | None] = mapped_column()
    min_basket_cents: Mapped[int | None] = mapped_column(BigInteger)
    usage_limit: Mapped[int | None] = mapped_column()
    usage_limit_per_customer: Mapped[int | None] = mapped_column()
    used_count: Mapped[int] = mapped_column(server_default=text("0"))
    # A coupon of one person: for all others it does not exist.
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), index=True)
    starts_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    ends_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    version: Mapped[int] = mapped_column(server_default=text("1"))


class PromotionProduct(Base):
    __tablename__ = "promotion_products"

    promotion_id: Mapped[int] = mapped_column(ForeignKey("promotions.id", ondelete="CASCADE"), primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id", ondelete="CASCADE"), primary_key=True, index=True)


class PromotionCategory(Base):
    __tablename__ = "promotion_categories"

    promotion_id: Mapped[int] = mapped_column(ForeignKey("promotions.id", ondelete="CASCADE"), primary_key=True)
    category_id: Mapped[int] = mapped_column(
        ForeignKey("categories.id", ondelete="CASCADE"), primary_key=True, index=True
    )
