"""What reports keep of erased customers' returns, and the indexes that only reports need."""

from datetime import datetime

from sqlalchemy import BigInteger, DateTime, Identity, Index, Text, func, text
from sqlalchemy.orm import Mapped, mapped_column

from grocery.db import Base
from grocery.orders.models import Order, OrderLine, SalesLedger
from grocery.products.models import StockMovement


class ReturnsLedger(Base):
    """A return whose customer was erased: the credit note's number and amounts (cents); no person."""

    __tablename__ = "returns_ledger"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    number: Mapped[str] = mapped_column(Text, unique=True)
    order_number: Mapped[str] = mapped_column(Text)
    currency: Mapped[str] = mapped_column(Text)
    refund_cents: Mapped[int] = mapped_column(BigInteger)
    vat_cents: Mapped[int] = mapped_column(BigInteger)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)


# All that day sums add up, so that they need not read the rows. Placing an order leaves it alone.
Index(
    "ix_orders_delivered_at",
    Order.delivered_at,
    postgresql_include=["total_cents", "discount_cents", "delivery_fee_cents", "vat_cents"],
    postgresql_where=text("status = 'delivered'"),
)

# When it was sold. Rows from before `delivered_at` was kept have the moment of the order's last change.
Index("ix_sales_ledger_sold_at", func.coalesce(SalesLedger.delivered_at, SalesLedger.finished_at))

# Rows lie on the disk in about the order of these times, so ranges of pages are enough: such an index has a thousandth
# of the size of a common one, and costs those who place, pick and sell next to nothing.
for _name, _column in (
    ("ix_orders_placed_at", Order.placed_at),
    ("ix_order_lines_picked_at", OrderLine.picked_at),
    ("ix_stock_movements_created_at", StockMovement.created_at),
):
    Index(_name, _column, postgresql_using="brin", postgresql_with={"autosummarize": "on"})
