"""Where the shop delivers, when, and the places that customers have saved."""

from datetime import date, datetime, time

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Date,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Text,
    Time,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from grocery.db import Base


class DeliveryZone(Base):
    """An area with its fee (cents). From `free_from_cents` of goods on, neither its fee nor the slot's is charged."""

    __tablename__ = "delivery_zones"
    __table_args__ = (
        CheckConstraint("fee_cents >= 0", name="fee"),
        Index("uq_delivery_zones_name", text("lower(name)"), unique=True),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    fee_cents: Mapped[int] = mapped_column(BigInteger)
    min_basket_cents: Mapped[int | None] = mapped_column(BigInteger)
    free_from_cents: Mapped[int | None] = mapped_column(BigInteger)
    is_slot_required: Mapped[bool] = mapped_column(server_default=text("false"))


class SlotTemplate(Base):
    """A delivery window of every week, in the shop's time zone; `weekday` is 0 for Monday.

    Slots were made for all days up to `made_until`. One that staff have deleted since is not made again.
    """

    __tablename__ = "slot_templates"
    __table_args__ = (
        CheckConstraint("weekday BETWEEN 0 AND 6", name="weekday"),
        CheckConstraint("ends > starts", name="ends"),
        CheckConstraint("capacity >= 0", name="capacity"),
        CheckConstraint("cutoff_minutes >= 0", name="cutoff_minutes"),
        CheckConstraint("fee_cents >= 0", name="fee"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    zone_id: Mapped[int] = mapped_column(ForeignKey("delivery_zones.id", ondelete="CASCADE"), index=True)
    weekday: Mapped[int] = mapped_column()
    starts: Mapped[time] = mapped_column(Time)
    ends: Mapped[time] = mapped_column(Time)
    capacity: Mapped[int] = mapped_column()
    cutoff_minutes: Mapped[int] = mapped_column(server_default=text("60"))
    fee_cents: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    made_until: Mapped[date | None] = mapped_column(Date)


class DeliverySlot(Base):
    """A window with room for `capacity` orders, `booked` of which are taken: as many as orders hold it."""

    __tablename__ = "delivery_slots"
    __table_args__ = (
        CheckConstraint("booked >= 0 AND booked <= capacity", name="booked"),
        CheckConstraint("ends_at > starts_at", name="ends_at"),
        CheckConstraint("cutoff_at <= ends_at", name="cutoff_at"),
        CheckConstraint("fee_cents >= 0", name="fee"),
        UniqueConstraint("zone_id", "starts_at", "ends_at"),
        Index("ix_delivery_slots_starts_at_id", "starts_at", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    zone_id: Mapped[int] = mapped_column(ForeignKey("delivery_zones.id", ondelete="CASCADE"))
    starts_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    ends_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    cutoff_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    capacity: Mapped[int] = mapped_column()
    booked: Mapped[int] = mapped_column(server_default=text("0"))
    fee_cents: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))


class Address(Base):
    """A place that a customer has saved, with what a rider needs to find it. One of them may be the default."""

    __tablename__ = "addresses"
    __table_args__ = (
        Index("uq_addresses_default", "customer_id", unique=True, postgresql_where=text("is_default")),
        Index("ix_addresses_customer_id", "customer_id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"))
    label: Mapped[str | None] = mapped_column(Text)
    zone_id: Mapped[int | None] = mapped_column(ForeignKey("delivery_zones.id", ondelete="SET NULL"), index=True)
    address: Mapped[str | None] = mapped_column(Text)
    landmark: Mapped[str | None] = mapped_column(Text)
    phone: Mapped[str | None] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)
    is_default: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
