"""Orders, their lines and history, idempotency keys and the anonymous ledger of sales."""

from datetime import datetime
from decimal import Decimal
from typing import Any

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
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from grocery.db import Base


class Order(Base):
    """An order with its own copy of all amounts (cents, VAT included).

    `delivery_price_cents` is what zone and slot cost when it was placed, `free_from_cents` the goods from which on they
    cost nothing: what is needed to price the order again when its lines change. The slot's times are a copy, too.
    `is_delivery_failed` marks a cancelled order that came back: its goods return as they are checked in.
    `process_at` is when a worker should take it on next; null when no worker has to.
    """

    __tablename__ = "orders"
    __table_args__ = (
        CheckConstraint(
            "status IN ('pending', 'confirmed', 'packed', 'shipped', 'delivered', 'cancelled')", name="status"
        ),
        CheckConstraint("delivery_method IN ('pickup', 'delivery')", name="delivery_method"),
        CheckConstraint("total_cents >= 0", name="total"),
        CheckConstraint("total_cents = subtotal_cents - discount_cents + delivery_fee_cents", name="sum"),
        Index("ix_orders_customer_id_id", "customer_id", "id"),
        Index("ix_orders_status_id", "status", "id"),
        # Whose order it is that a phone asks about.
        Index("ix_orders_phone", "phone", "id", postgresql_where=text("phone IS NOT NULL")),
        Index("ix_orders_process_at", "process_at", postgresql_where=text("process_at IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    number: Mapped[str] = mapped_column(Text, unique=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"))
    status: Mapped[str] = mapped_column(Text, server_default="pending")
    subtotal_cents: Mapped[int] = mapped_column(BigInteger)
    discount_cents: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    delivery_fee_cents: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    vat_cents: Mapped[int] = mapped_column(BigInteger)
    total_cents: Mapped[int] = mapped_column(BigInteger)
    paid_cents: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    currency: Mapped[str] = mapped_column(Text)
    coupon: Mapped[str | None] = mapped_column(Text)
    delivery_price_cents: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    free_from_cents: Mapped[int | None] = mapped_column(BigInteger)
    zone_id: Mapped[int | None] = mapped_column(ForeignKey("delivery_zones.id", ondelete="SET NULL"), index=True)
    slot_id: Mapped[int | None] = mapped_column(ForeignKey("delivery_slots.id", ondelete="SET NULL"), index=True)
    slot_starts_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    slot_ends_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    delivery_method: Mapped[str] = mapped_column(Text, server_default="pickup")
    address: Mapped[str | None] = mapped_column(Text)
    landmark: Mapped[str | None] = mapped_column(Text)
    phone: Mapped[str | None] = mapped_column(Text)
    delivery_note: Mapped[str | None] = mapped_column(Text)
    run_id: Mapped[int | None] = mapped_column(ForeignKey("delivery_runs.id", ondelete="SET NULL"), index=True)
    received_by: Mapped[str | None] = mapped_column(Text)
    delivered_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    is_delivery_failed: Mapped[bool] = mapped_column(server_default=text("false"))
    payment_method: Mapped[str] = mapped_column(Text, server_default="cash_on_delivery")
    note: Mapped[str | None] = mapped_column(Text)
    placed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    version: Mapped[int] = mapped_column(server_default=text("1"))
    process_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True), server_default=func.now())
    process_attempts: Mapped[int] = mapped_column(server_default=text("0"))
    request_id: Mapped[str | None] = mapped_column(Text)
    traceparent: Mapped[str | None] = mapped_column(Text)


class OrderLine(Base):
    """One product of an order, with its own copy of name, price and VAT rate (percent).

    `discount_cents` is this line's share of the order's discounts; `vat_cents` is inside what is left of the line's
    total. `category_ids` are the product's category and all above it, for which promotions may be.

    `picked_quantity` is what was really put into the bag, null until somebody picks or packs; from then on the amounts
    are for that. A substitute is a line of its own that names the line which it is for. `checked_in_quantity` is what
    came back of a delivery that failed.
    """

    __tablename__ = "order_lines"
    __table_args__ = (
        CheckConstraint("quantity > 0", name="quantity"),
        CheckConstraint("if_unavailable IN ('remove', 'substitute', 'call')", name="if_unavailable"),
        CheckConstraint("picked_quantity >= 0", name="picked_quantity"),
        CheckConstraint("short_reason IN ('not_found', 'damaged', 'unwanted')", name="short_reason"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"), index=True)
    product_id: Mapped[int | None] = mapped_column(ForeignKey("products.id", ondelete="SET NULL"), index=True)
    sku: Mapped[str | None] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    category: Mapped[str] = mapped_column(Text)
    unit: Mapped[str] = mapped_column(Text)
    quantity: Mapped[Decimal] = mapped_column(Numeric(12, 3))
    unit_price_cents: Mapped[int] = mapped_column(BigInteger)
    line_total_cents: Mapped[int] = mapped_column(BigInteger)
    discount_cents: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    category_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger), server_default=text("'{}'"))
    vat_class: Mapped[str] = mapped_column(Text)
    vat_rate: Mapped[Decimal] = mapped_column(Numeric(5, 2))
    vat_cents: Mapped[int] = mapped_column(BigInteger)
    if_unavailable: Mapped[str] = mapped_column(Text, server_default="remove")
    picked_quantity: Mapped[Decimal | None] = mapped_column(Numeric(12, 3))
    picked_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    picker_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id", ondelete="SET NULL"), index=True)
    short_reason: Mapped[str | None] = mapped_column(Text)
    checked_in_quantity: Mapped[Decimal | None] = mapped_column(Numeric(12, 3))
    substitute_for: Mapped[int | None] = mapped_column(ForeignKey("order_lines.id", ondelete="SET NULL"), index=True)


class OrderDiscount(Base):
    """A promotion that an order holds: what it takes off (cents), and its terms as they were when it was placed."""

    __tablename__ = "order_discounts"
    __table_args__ = (CheckConstraint("amount_cents >= 0", name="amount"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"), index=True)
    promotion_id: Mapped[int | None] = mapped_column(ForeignKey("promotions.id", ondelete="SET NULL"), index=True)
    code: Mapped[str | None] = mapped_column(Text)
    name: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    amount_cents: Mapped[int] = mapped_column(BigInteger)
    terms: Mapped[dict[str, Any]] = mapped_column(JSONB)


class OrderHistory(Base):
    """Every change of an order: what, who (null: the system, or someone deleted since) and when."""

    __tablename__ = "order_history"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"), index=True)
    event: Mapped[str] = mapped_column(Text)
    from_status: Mapped[str | None] = mapped_column(Text)
    status: Mapped[str] = mapped_column(Text)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id", ondelete="SET NULL"), index=True)
    actor_role: Mapped[str] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)
    changed: Mapped[dict[str, Any] | None] = mapped_column(JSONB)
    at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class IdempotencyKey(Base):
    """The answer that was given under a customer's key, for the same request sent again."""

    __tablename__ = "idempotency_keys"

    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), primary_key=True)
    key: Mapped[str] = mapped_column(Text, primary_key=True)
    fingerprint: Mapped[str] = mapped_column(Text)
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id", ondelete="CASCADE"), index=True)
    answer: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now(), index=True)


class SalesLedger(Base):
    """What the tax office asks for after a customer was erased: amounts, VAT and cash; no person.

    `vat` maps each VAT class to its gross amount and the VAT in it, in cents.
    """

    __tablename__ = "sales_ledger"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    order_number: Mapped[str] = mapped_column(Text, unique=True)
    placed_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)
    finished_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    delivered_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    currency: Mapped[str] = mapped_column(Text)
    discount_cents: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    delivery_fee_cents: Mapped[int] = mapped_column(BigInteger)
    total_cents: Mapped[int] = mapped_column(BigInteger)
    vat_cents: Mapped[int] = mapped_column(BigInteger)
    vat: Mapped[dict[str, Any]] = mapped_column(JSONB)
    payment_method: Mapped[str] = mapped_column(Text)
    cash_cents: Mapped[int] = mapped_column(BigInteger)
