"""Which orders go with which rider."""

from datetime import datetime

from sqlalchemy import BigInteger, DateTime, ForeignKey, Identity, Text, func
from sqlalchemy.orm import Mapped, mapped_column

from grocery.db import Base


class DeliveryRun(Base):
    """A round of a rider, who is one of the staff. Its orders name it; `departed_at` is null while it is planned."""

    __tablename__ = "delivery_runs"

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    rider_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id", ondelete="SET NULL"), index=True)
    note: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    departed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
