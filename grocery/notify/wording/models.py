"""The shop's own texts, in place of those that come with the program."""

from datetime import datetime

from sqlalchemy import CheckConstraint, DateTime, ForeignKey, Text, func
from sqlalchemy.orm import Mapped, mapped_column

from grocery.db import Base


class TextOverride(Base):
    """The source (Jinja) of one text in one language."""

    __tablename__ = "text_overrides"
    __table_args__ = (
        CheckConstraint("audience IN ('customer', 'admin')", name="audience"),
        CheckConstraint("channel IN ('sms', 'email')", name="channel"),
        CheckConstraint("language IN ('en', 'sw')", name="language"),
    )

    event: Mapped[str] = mapped_column(Text, primary_key=True)
    audience: Mapped[str] = mapped_column(Text, primary_key=True)
    channel: Mapped[str] = mapped_column(Text, primary_key=True)
    language: Mapped[str] = mapped_column(Text, primary_key=True)
    source: Mapped[str] = mapped_column(Text)
    updated_by: Mapped[int | None] = mapped_column(ForeignKey("customers.id", ondelete="SET NULL"), index=True)
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
