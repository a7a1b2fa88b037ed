"""Imports that were sent to the API: what is asked for, how far it is, and what became of it."""

from datetime import datetime

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    LargeBinary,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from grocery.db import Base

STATUSES = ("waiting", "running", "done", "failed", "cancelled")


class ProductImport(Base):
    """One file to import.

    `position_row` and `position_offset` are the end of the last chunk that was committed, in the transaction of that
    chunk; `claim` is the number of the worker who may commit the next one, and `leased_until` when that worker must be
    taken for dead. `attempts` counts the workers since the last progress. A strict import goes through its file twice:
    `is_checked` says that the first time, which writes nothing, is over.
    """

    __tablename__ = "product_imports"
    __table_args__ = (
        CheckConstraint("status IN ('waiting', 'running', 'done', 'failed', 'cancelled')", name="status"),
        Index("ix_product_imports_open", "id", postgresql_where=text("status IN ('waiting', 'running')")),
        Index("ix_product_imports_finished_at", "finished_at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    status: Mapped[str] = mapped_column(Text, server_default="waiting")
    filename: Mapped[str | None] = mapped_column(Text)
    dry_run: Mapped[bool]
    strict: Mapped[bool]
    mapping: Mapped[dict[str, str]] = mapped_column(JSONB)
    delimiter: Mapped[str] = mapped_column(Text)
    ignored_columns: Mapped[list[str]] = mapped_column(ARRAY(Text))
    size: Mapped[int] = mapped_column(BigInteger)
    position_row: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    position_offset: Mapped[int] = mapped_column(BigInteger, server_default=text("0"))
    is_checked: Mapped[bool] = mapped_column(server_default=text("false"))
    is_applied: Mapped[bool] = mapped_column(server_default=text("false"))
    created: Mapped[int] = mapped_column(server_default=text("0"))
    updated: Mapped[int] = mapped_column(server_default=text("0"))
    unchanged: Mapped[int] = mapped_column(server_default=text("0"))
    refused: Mapped[int] = mapped_column(server_default=text("0"))
    error: Mapped[str | None] = mapped_column(Text)
    claim: Mapped[int] = mapped_column(server_default=text("0"))
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    leased_until: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id", ondelete="SET NULL"), index=True)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    started_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    finished_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    request_id: Mapped[str | None] = mapped_column(Text)
    traceparent: Mapped[str | None] = mapped_column(Text)


class ImportPart(Base):
    """A piece of the file, each but the last of the same length; gone when the import is finished."""

    __tablename__ = "import_parts"

    import_id: Mapped[int] = mapped_column(ForeignKey("product_imports.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    content: Mapped[bytes] = mapped_column(LargeBinary)


class ImportChunk(Base):
    """What a committed chunk leaves for the next worker; gone when the import is finished.

    `seen` is what its rows are known by, `changed_ids` the products that a strict import will change.
    """

    __tablename__ = "import_chunks"

    import_id: Mapped[int] = mapped_column(ForeignKey("product_imports.id", ondelete="CASCADE"), primary_key=True)
    row: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    seen: Mapped[bytes] = mapped_column(LargeBinary)
    changed_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))


class ImportRefusal(Base):
    """A row that was not applied."""

    __tablename__ = "import_refusals"

    import_id: Mapped[int] = mapped_column(ForeignKey("product_imports.id", ondelete="CASCADE"), primary_key=True)
    row: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    reason: Mapped[str] = mapped_column(Text)
