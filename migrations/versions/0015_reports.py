"""Reports: what stays of erased customers' sales and returns, and indexes by time.

Revision ID: 0015
Revises: 0014
"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

# Each commits by itself, so that big tables are never locked for long; each may be repeated when one has failed.
_BIG_TABLES = (
    """
    ALTER TABLE sales_ledger
        ADD COLUMN IF NOT EXISTS delivered_at timestamptz,
        ADD COLUMN IF NOT EXISTS discount_cents bigint NOT NULL DEFAULT 0
    """,
    "DROP INDEX CONCURRENTLY IF EXISTS ix_sales_ledger_sold_at",
    "CREATE INDEX CONCURRENTLY ix_sales_ledger_sold_at ON sales_ledger (coalesce(delivered_at, finished_at))",
    "DROP INDEX CONCURRENTLY IF EXISTS ix_orders_delivered_at",
    """
    CREATE INDEX CONCURRENTLY ix_orders_delivered_at ON orders (delivered_at)
        INCLUDE (total_cents, discount_cents, delivery_fee_cents, vat_cents) WHERE status = 'delivered'
    """,
    "DROP INDEX CONCURRENTLY IF EXISTS ix_orders_placed_at",
    "CREATE INDEX CONCURRENTLY ix_orders_placed_at ON orders USING brin (placed_at) WITH (autosummarize = on)",
    "DROP INDEX CONCURRENTLY IF EXISTS ix_order_lines_picked_at",
    "CREATE INDEX CONCURRENTLY ix_order_lines_picked_at ON order_lines USING brin (picked_at) WITH (autosummarize = on)",
    "DROP INDEX CONCURRENTLY IF EXISTS ix_stock_movements_created_at",
    """
    CREATE INDEX CONCURRENTLY ix_stock_movements_created_at ON stock_movements USING brin (created_at)
        WITH (autosummarize = on)
    """,
)
_BIG_TABLES_BACK = (
    "DROP INDEX CONCURRENTLY IF EXISTS ix_stock_movements_created_at",
    "DROP INDEX CONCURRENTLY IF EXISTS ix_order_lines_picked_at",
    "DROP INDEX CONCURRENTLY IF EXISTS ix_orders_placed_at",
    "DROP INDEX CONCURRENTLY IF EXISTS ix_orders_delivered_at",
    "DROP INDEX CONCURRENTLY IF EXISTS ix_sales_ledger_sold_at",
    "ALTER TABLE sales_ledger DROP COLUMN IF EXISTS delivered_at, DROP COLUMN IF EXISTS discount_cents",
)


def upgrade() -> None:
    op.create_table(
        "returns_ledger",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("order_number", sa.Text(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("refund_cents", sa.BigInteger(), nullable=False),
        sa.Column("vat_cents", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_returns_ledger")),
        sa.UniqueConstraint("number", name=op.f("uq_returns_ledger_number")),
        if_not_exists=True,
    )
    op.create_index(op.f("ix_returns_ledger_created_at"), "returns_ledger", ["created_at"], if_not_exists=True)
    with op.get_context().autocommit_block():
        for statement in _BIG_TABLES:
            op.execute(statement)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        for statement in _BIG_TABLES_BACK:
            op.execute(statement)
    op.drop_table("returns_ledger")
