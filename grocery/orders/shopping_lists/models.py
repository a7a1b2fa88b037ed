"""Shopping lists and what is on them."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import BigInteger, CheckConstraint, DateTime, ForeignKey, Identity, Index, Numeric, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column

from grocery.db import Base


class ShoppingList(Base):
    """A customer's list; its name is another one than that of all others of theirs, in any letter case."""

    __tablename__ = "shopping_lists"
    __table_args__ = (Index("uq_shopping_lists_customer_id_name", "customer_id", text("lower(name)"), unique=True),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class ShoppingListItem(Base):
    """A product on a list; of one that is deleted nothing stays."""

    __tablename__ = "shopping_list_items"
    __table_args__ = (CheckConstraint("quantity > 0", name="quantity"),)

    list_id: Mapped[int] = mapped_column(ForeignKey("shopping_lists.id", ondelete="CASCADE"), primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id", ondelete="CASCADE"), primary_key=True, index=True)
    quantity: Mapped[Decimal] = mapped_column(Numeric(12, 3))
    added_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
