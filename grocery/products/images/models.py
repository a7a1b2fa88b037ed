"""When the pictures that nothing refers to are looked for next, and where the search is."""

from datetime import datetime

from sqlalchemy import CheckConstraint, DateTime, SmallInteger, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from grocery.db import Base


class PictureSweep(Base):
    """One row, there since the first picture was stored."""

    __tablename__ = "picture_sweeps"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False, server_default=text("1"))
    due_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    # The last name that was looked at; empty: it begins.
    position: Mapped[str] = mapped_column(Text, server_default="")
