"""Delivery reports, SMS that come in, suppressions, campaigns, the shop's own texts; priorities and fallbacks.

Revision ID: 0016
Revises: 0015
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

_NEW_TABLES = (
    "delivery_reports",
    "inbound_sms",
    "suppressions",
    "text_overrides",
    "campaigns",
    "channels",
    "sms_spending",
)


def _check(table: str, name: str, condition: str) -> tuple[str, ...]:
    """A check on a big table: added without a look at its rows, and then looked at without keeping writers out."""
    constraint = f"ck_{table}_{name}"
    return (
        f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {constraint}",
        f"ALTER TABLE {table} ADD CONSTRAINT {constraint} CHECK ({condition}) NOT VALID",
        f"ALTER TABLE {table} VALIDATE CONSTRAINT {constraint}",
    )


def _foreign_key(table: str, column: str, other: str) -> tuple[str, ...]:
    constraint = f"fk_{table}_{column}_{other}"
    return (
        f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {constraint}",
        f"ALTER TABLE {table} ADD CONSTRAINT {constraint} FOREIGN KEY ({column}) REFERENCES {other} "
        "ON DELETE CASCADE NOT VALID",
        f"ALTER TABLE {table} VALIDATE CONSTRAINT {constraint}",
    )


def _index(name: str, definition: str) -> tuple[str, ...]:
    """One that failed half-way is made anew."""
    return (f"DROP INDEX CONCURRENTLY IF EXISTS {name}", f"CREATE INDEX CONCURRENTLY {name} ON {definition}")


# Each commits by itself, so that big tables are never locked for long; each may be repeated when one has failed.
_BIG_TABLES = (
    """
    ALTER TABLE customers
        ADD COLUMN IF NOT EXISTS language text,
        ADD COLUMN IF NOT EXISTS notify_by text NOT NULL DEFAULT 'sms_and_email',
        ADD COLUMN IF NOT EXISTS marketing_sms boolean NOT NULL DEFAULT false,
        ADD COLUMN IF NOT EXISTS marketing_email boolean NOT NULL DEFAULT false
    """,
    *_check("customers", "language", "language IN ('en', 'sw')"),
    *_check("customers", "notify_by", "notify_by IN ('sms_and_email', 'sms', 'email')"),
    *_index("ix_customers_marketing_sms", "customers (id) WHERE marketing_sms"),
    *_index("ix_customers_marketing_email", "customers (id) WHERE marketing_email"),
    *_index("ix_customers_phone", "customers (phone) WHERE phone IS NOT NULL"),
    *_index("ix_orders_phone", "orders (phone, id) WHERE phone IS NOT NULL"),
    """
    ALTER TABLE notifications
        ADD COLUMN IF NOT EXISTS priority smallint NOT NULL DEFAULT 1,
        ADD COLUMN IF NOT EXISTS language text NOT NULL DEFAULT 'en',
        ADD COLUMN IF NOT EXISTS is_needed boolean NOT NULL DEFAULT false,
        ADD COLUMN IF NOT EXISTS attempted_at timestamptz,
        ADD COLUMN IF NOT EXISTS repeats integer NOT NULL DEFAULT 0,
        ADD COLUMN IF NOT EXISTS fallback_for_id bigint,
        ADD COLUMN IF NOT EXISTS campaign_id bigint,
        ADD COLUMN IF NOT EXISTS delivered_at timestamptz
    """,
    *_check("notifications", "priority", "priority BETWEEN 0 AND 2"),
    *_foreign_key("notifications", "fallback_for_id", "notifications"),
    *_foreign_key("notifications", "campaign_id", "campaigns"),
    *_index(
        "ix_notifications_waiting",
        "notifications (channel, priority, next_attempt_at, id) WHERE next_attempt_at IS NOT NULL",
    ),
    *_index("ix_notifications_provider_id", "notifications (provider_id) WHERE provider_id IS NOT NULL"),
    *_index(
        "ix_notifications_in_doubt",
        "notifications (recipient) WHERE channel = 'sms' AND status IN ('sending', 'unknown')",
    ),
    *_index("ix_notifications_fallback_for_id", "notifications (fallback_for_id) WHERE fallback_for_id IS NOT NULL"),
    *_index("ix_notifications_campaign_id", "notifications (campaign_id, status) WHERE campaign_id IS NOT NULL"),
    *_index("ix_notifications_created_at", "notifications USING brin (created_at)"),
    # The program of before, which may run for a while yet, looks for what is due by the columns that both have.
    "DROP INDEX CONCURRENTLY IF EXISTS ix_notifications_due",
)
_BIG_TABLES_BACK = (
    *_index("ix_notifications_due", "notifications (channel, next_attempt_at, id) WHERE next_attempt_at IS NOT NULL"),
    """
    ALTER TABLE notifications
        DROP COLUMN IF EXISTS priority, DROP COLUMN IF EXISTS language, DROP COLUMN IF EXISTS is_needed,
        DROP COLUMN IF EXISTS attempted_at, DROP COLUMN IF EXISTS repeats, DROP COLUMN IF EXISTS fallback_for_id,
        DROP COLUMN IF EXISTS campaign_id, DROP COLUMN IF EXISTS delivered_at
    """,
    "DROP INDEX CONCURRENTLY IF EXISTS ix_notifications_provider_id",
    "DROP INDEX CONCURRENTLY IF EXISTS ix_notifications_in_doubt",
    "DROP INDEX CONCURRENTLY IF EXISTS ix_notifications_created_at",
    "DROP INDEX CONCURRENTLY IF EXISTS ix_orders_phone",
    "DROP INDEX CONCURRENTLY IF EXISTS ix_customers_phone",
    """
    ALTER TABLE customers
        DROP COLUMN IF EXISTS language, DROP COLUMN IF EXISTS notify_by, DROP COLUMN IF EXISTS marketing_sms,
        DROP COLUMN IF EXISTS marketing_email
    """,
)


def upgrade() -> None:
    _create_campaigns()
    _create_inbound()
    _create_small_tables()
    _create_reports()
    with op.get_context().autocommit_block():
        for statement in _BIG_TABLES:
            op.execute(statement)


def _id() -> sa.Column[int]:
    return sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False)


def _moment(name: str, *, is_now: bool = False) -> sa.Column[object]:
    default = sa.text("now()") if is_now else None
    return sa.Column(name, sa.DateTime(timezone=True), server_default=default, nullable=not is_now)


def _create_campaigns() -> None:
    op.create_table(
        "campaigns",
        _id(),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("texts", JSONB(), nullable=False),
        sa.Column("status", sa.Text(), server_default="draft", nullable=False),
        sa.Column("last_customer_id", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("queued", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("is_all_queued", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_by", sa.BigInteger(), nullable=True),
        _moment("created_at", is_now=True),
        _moment("started_at"),
        _moment("finished_at"),
        sa.CheckConstraint("channel IN ('sms', 'email')", name=op.f("ck_campaigns_channel")),
        sa.CheckConstraint(
            "status IN ('draft', 'running', 'paused', 'finished', 'cancelled')", name=op.f("ck_campaigns_status")
        ),
        sa.ForeignKeyConstraint(
            ["created_by"], ["customers.id"], name=op.f("fk_campaigns_created_by_customers"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaigns")),
        if_not_exists=True,
    )
    op.create_index(op.f("ix_campaigns_created_by"), "campaigns", ["created_by"], if_not_exists=True)
    op.create_index(
        "ix_campaigns_running",
        "campaigns",
        ["id"],
        postgresql_where=sa.text("status = 'running'"),
        if_not_exists=True,
    )


def _create_inbound() -> None:
    op.create_table(
        "inbound_sms",
        _id(),
        sa.Column("provider_id", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("short_code", sa.Text(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("link_id", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), server_default="received", nullable=False),
        sa.Column("command", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        _moment("next_attempt_at", is_now=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        _moment("received_at", is_now=True),
        sa.CheckConstraint(
            "status IN ('received', 'answered', 'ignored', 'failed')", name=op.f("ck_inbound_sms_status")
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_inbound_sms_customer_id_customers"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_inbound_sms")),
        sa.UniqueConstraint("provider_id", name=op.f("uq_inbound_sms_provider_id")),
        if_not_exists=True,
    )
    op.create_index(op.f("ix_inbound_sms_customer_id"), "inbound_sms", ["customer_id"], if_not_exists=True)
    op.create_index("ix_inbound_sms_phone", "inbound_sms", ["phone", "received_at"], if_not_exists=True)
    op.create_index(
        "ix_inbound_sms_due",
        "inbound_sms",
        ["next_attempt_at", "id"],
        postgresql_where=sa.text("status = 'received'"),
        if_not_exists=True,
    )


def _create_small_tables() -> None:
    op.create_table(
        "suppressions",
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("detail", sa.Text(), nullable=True),
        _moment("created_at", is_now=True),
        sa.CheckConstraint("channel IN ('sms', 'email')", name=op.f("ck_suppressions_channel")),
        sa.CheckConstraint("reason IN ('stop', 'provider', 'bounce')", name=op.f("ck_suppressions_reason")),
        sa.PrimaryKeyConstraint("channel", "address", name=op.f("pk_suppressions")),
        if_not_exists=True,
    )
    op.create_table(
        "text_overrides",
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("language", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("updated_by", sa.BigInteger(), nullable=True),
        _moment("updated_at", is_now=True),
        sa.CheckConstraint("audience IN ('customer', 'admin')", name=op.f("ck_text_overrides_audience")),
        sa.CheckConstraint("channel IN ('sms', 'email')", name=op.f("ck_text_overrides_channel")),
        sa.CheckConstraint("language IN ('en', 'sw')", name=op.f("ck_text_overrides_language")),
        sa.ForeignKeyConstraint(
            ["updated_by"], ["customers.id"], name=op.f("fk_text_overrides_updated_by_customers"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("event", "audience", "channel", "language", name=op.f("pk_text_overrides")),
        if_not_exists=True,
    )
    op.create_index(op.f("ix_text_overrides_updated_by"), "text_overrides", ["updated_by"], if_not_exists=True)
    op.create_table(
        "channels",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("tokens", sa.Float(), nullable=False),
        sa.Column("refilled_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("failures", sa.Integer(), server_default=sa.text("0"), nullable=False),
        _moment("paused_until"),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_channels")),
        if_not_exists=True,
    )
    op.create_table(
        "sms_spending",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("amount", sa.Numeric(14, 4), nullable=False),
        sa.Column("messages", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("day", "currency", name=op.f("pk_sms_spending")),
        if_not_exists=True,
    )


def _create_reports() -> None:
    op.create_table(
        "delivery_reports",
        _id(),
        sa.Column("provider_id", sa.Text(), nullable=False),
        sa.Column("phone", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("network_code", sa.Text(), nullable=True),
        sa.Column("failure_reason", sa.Text(), nullable=True),
        sa.Column("retry_count", sa.Integer(), nullable=True),
        sa.Column("notification_id", sa.BigInteger(), nullable=True),
        _moment("received_at", is_now=True),
        sa.ForeignKeyConstraint(
            ["notification_id"],
            ["notifications.id"],
            name=op.f("fk_delivery_reports_notification_id_notifications"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_reports")),
        sa.UniqueConstraint(
            "provider_id", "phone", "status", name=op.f("uq_delivery_reports_provider_id_phone_status")
        ),
        if_not_exists=True,
    )
    op.create_index(
        op.f("ix_delivery_reports_notification_id"), "delivery_reports", ["notification_id"], if_not_exists=True
    )
    op.create_index("ix_delivery_reports_received_at", "delivery_reports", ["received_at"], if_not_exists=True)
    op.create_index(
        "ix_delivery_reports_unmatched",
        "delivery_reports",
        ["received_at"],
        postgresql_where=sa.text("notification_id IS NULL"),
        if_not_exists=True,
    )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        for statement in _BIG_TABLES_BACK:
            op.execute(statement)
    for table in _NEW_TABLES:
        op.drop_table(table)
