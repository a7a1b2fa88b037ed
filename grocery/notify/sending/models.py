"""The way to each provider: how fast it may be used, whether it works, and what SMS have cost."""

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Date, DateTime, Float, Numeric, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from grocery.db import Base


class Channel(Base):
    """The state of a channel that all senders share: a token bucket, and a pause after failures that meet everyone.

    `tokens` were there at `refilled_at`; `failures` counts those in a row, `paused_until` follows from them.
    """

    __tablename__ = "channels"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    tokens: Mapped[float] = mapped_column(Float)
    refilled_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    failures: Mapped[int] = mapped_column(server_default=text("0"))
    paused_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    error: Mapped[str | None] = mapped_column(Text)


class SmsSpending(Base):
    """What the SMS of a day (in the shop's time zone) have cost, as the provider told at their acceptance."""

    __tablename__ = "sms_spending"

    day: Mapped[date] = mapped_column(Date, primary_key=True)
    currency: Mapped[str] = mapped_column(Text, primary_key=True)
    amount: Mapped[Decimal] = mapped_column(Numeric(14, 4))
    messages: Mapped[int]
