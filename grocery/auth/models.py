"""People and their tokens. All users are rows of `customers`; staff and admins are customers with a role."""

import uuid
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
    SmallInteger,
    Text,
    Uuid,
    func,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from grocery.db import Base

ROLES = ("customer", "staff", "admin")

#: How a customer is told of orders: "sms" means e-mail only where an SMS does not arrive.
NOTIFY_BY = ("sms_and_email", "sms", "email")


class Customer(Base):
    __tablename__ = "customers"
    __table_args__ = (
        CheckConstraint("role IN ('customer', 'staff', 'admin')", name="role"),
        CheckConstraint("email = lower(email)", name="email_lower"),
        # Only a verified phone identifies; the same number may be the contact of many.
        Index(
            "uq_customers_verified_phone", "phone", unique=True, postgresql_where=text("phone_verified_at IS NOT NULL")
        ),
        # A handful among all customers, whom every order looks for.
        Index("ix_customers_admins", "id", postgresql_where=text("role = 'admin'")),
        CheckConstraint("language IN ('en', 'sw')", name="language"),
        CheckConstraint("notify_by IN ('sms_and_email', 'sms', 'email')", name="notify_by"),
        # Whom a campaign goes to, read in the order of ids.
        Index("ix_customers_marketing_sms", "id", postgresql_where=text("marketing_sms")),
        Index("ix_customers_marketing_email", "id", postgresql_where=text("marketing_email")),
        # Whose phone it is that calls or writes.
        Index("ix_customers_phone", "phone", postgresql_where=text("phone IS NOT NULL")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    email: Mapped[str | None] = mapped_column(Text, unique=True)
    phone: Mapped[str | None] = mapped_column(Text)
    phone_verified_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    email_verified_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    # Of an account that an admin made for the holder of `phone`, until a code has proved who that is.
    invited_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    password_hash: Mapped[str | None] = mapped_column(Text)
    role: Mapped[str] = mapped_column(Text, server_default="customer")
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))
    language: Mapped[str | None] = mapped_column(Text)
    notify_by: Mapped[str] = mapped_column(Text, server_default="sms_and_email")
    marketing_sms: Mapped[bool] = mapped_column(server_default=text("false"))
    marketing_email: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(
        DateTime(timezone=True), server_default=func.now(), onupdate=func.now()
    )


class TokenFamily(Base):
    """One sign-in: the chain of refresh tokens that began with it. Only the newest of the chain is good."""

    __tablename__ = "token_families"

    id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), index=True)
    access_jti: Mapped[uuid.UUID] = mapped_column(Uuid)
    refresh_jti: Mapped[uuid.UUID] = mapped_column(Uuid)
    previous_refresh_jti: Mapped[uuid.UUID | None] = mapped_column(Uuid)
    rotation_key: Mapped[str | None] = mapped_column(Text)
    device: Mapped[str | None] = mapped_column(Text)
    issued_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class OneTimeCode(Base):
    """A code that was sent to a phone or an e-mail address, to prove that its holder is here. Only its hash is kept.

    `purpose` is "sign_in", "verify_phone", "verify_email" or "reset_password". `tries_left` are those of who asked for
    the code, known by `request_hash`; `tried_from` has an entry for each try of anyone else. See `codes.tries`. One
    that is not `is_sent` was asked for an account that is not there: it counts for its target, and costs no SMS.
    """

    __tablename__ = "one_time_codes"
    __table_args__ = (
        CheckConstraint("purpose IN ('sign_in', 'verify_phone', 'verify_email', 'reset_password')", name="purpose"),
        Index("ix_one_time_codes_target", "target", "purpose", "created_at"),
        Index("ix_one_time_codes_created_at", "created_at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    purpose: Mapped[str] = mapped_column(Text)
    target: Mapped[str] = mapped_column(Text)
    customer_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), index=True)
    secret_hash: Mapped[bytes] = mapped_column(LargeBinary, index=True)
    request_hash: Mapped[bytes | None] = mapped_column(LargeBinary)
    tries_left: Mapped[int] = mapped_column(SmallInteger)
    tried_from: Mapped[list[bytes]] = mapped_column(ARRAY(LargeBinary), server_default="{}")
    is_sent: Mapped[bool] = mapped_column(server_default=text("true"))
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True))
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class KnownDevice(Base):
    """A device from which somebody has signed in: it skips the delay that failures of strangers cause."""

    __tablename__ = "known_devices"

    token_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    used_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class SecondFactor(Base):
    """A person's TOTP secret (RFC 6238), encrypted; it counts once `confirmed_at` is set.

    `last_step` is the time step of the last code that was taken: none is good twice.
    """

    __tablename__ = "second_factors"

    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), primary_key=True)
    secret: Mapped[bytes] = mapped_column(LargeBinary)
    last_step: Mapped[int | None] = mapped_column(BigInteger)
    confirmed_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())


class RecoveryCode(Base):
    """One of the codes that stand in for a lost second factor, each good once."""

    __tablename__ = "recovery_codes"

    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), primary_key=True)
    code_hash: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    used_at: Mapped[datetime | None] = mapped_column(DateTime(timezone=True))


class BlockedToken(Base):
    """The blocklist: ids (`jti`) of tokens and of whole families that are dead before they expire."""

    __tablename__ = "token_blocklist"

    token_id: Mapped[uuid.UUID] = mapped_column(Uuid, primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id", ondelete="CASCADE"), index=True)
    expires_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), index=True)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
