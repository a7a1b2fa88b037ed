"""Picking, delivery runs, failed deliveries and returns.

Revision ID: 0014
Revises: 0013
"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

# Each commits by itself, so that big tables are never locked for long; each may be repeated when one has failed.
_BIG_TABLES = (
    """
    ALTER TABLE orders
        ADD COLUMN IF NOT EXISTS run_id bigint,
        ADD COLUMN IF NOT EXISTS received_by text,
        ADD COLUMN IF NOT EXISTS delivered_at timestamptz,
        ADD COLUMN IF NOT EXISTS is_delivery_failed boolean NOT NULL DEFAULT false
    """,
    """
    ALTER TABLE order_lines
        ADD COLUMN IF NOT EXISTS picked_at timestamptz,
        ADD COLUMN IF NOT EXISTS picker_id bigint,
        ADD COLUMN IF NOT EXISTS short_reason text,
        ADD COLUMN IF NOT EXISTS checked_in_quantity numeric(12, 3)
    """,
    "ALTER TABLE order_lines DROP CONSTRAINT IF EXISTS ck_order_lines_short_reason",
    """
    ALTER TABLE order_lines ADD CONSTRAINT ck_order_lines_short_reason
        CHECK (short_reason IN ('not_found', 'damaged', 'unwanted')) NOT VALID
    """,
    "ALTER TABLE order_lines VALIDATE CONSTRAINT ck_order_lines_short_reason",
    "ALTER TABLE order_lines DROP CONSTRAINT IF EXISTS ck_order_lines_picked_quantity",
    """
    ALTER TABLE order_lines ADD CONSTRAINT ck_order_lines_picked_quantity CHECK (picked_quantity >= 0) NOT VALID
    """,
    "ALTER TABLE order_lines VALIDATE CONSTRAINT ck_order_lines_picked_quantity",
    "DROP INDEX CONCURRENTLY IF EXISTS ix_orders_run_id",
    "CREATE INDEX CONCURRENTLY ix_orders_run_id ON orders (run_id)",
    "DROP INDEX CONCURRENTLY IF EXISTS ix_order_lines_picker_id",
    "CREATE INDEX CONCURRENTLY ix_order_lines_picker_id ON order_lines (picker_id)",
    "ALTER TABLE orders DROP CONSTRAINT IF EXISTS fk_orders_run_id_delivery_runs",
    """
    ALTER TABLE orders ADD CONSTRAINT fk_orders_run_id_delivery_runs
        FOREIGN KEY (run_id) REFERENCES delivery_runs ON DELETE SET NULL NOT VALID
    """,
    "ALTER TABLE orders VALIDATE CONSTRAINT fk_orders_run_id_delivery_runs",
    "ALTER TABLE order_lines DROP CONSTRAINT IF EXISTS fk_order_lines_picker_id_customers",
    """
    ALTER TABLE order_lines ADD CONSTRAINT fk_order_lines_picker_id_customers
        FOREIGN KEY (picker_id) REFERENCES customers ON DELETE SET NULL NOT VALID
    """,
    "ALTER TABLE order_lines VALIDATE CONSTRAINT fk_order_lines_picker_id_customers",
    # The last change of a delivered order was its delivery.
    "UPDATE orders SET delivered_at = updated_at WHERE status = 'delivered' AND delivered_at IS NULL",
)
_BIG_TABLES_BACK = (
    """
    ALTER TABLE orders
        DROP COLUMN IF EXISTS run_id, DROP COLUMN IF EXISTS received_by, DROP COLUMN IF EXISTS delivered_at,
        DROP COLUMN IF EXISTS is_delivery_failed
    """,
    """
    ALTER TABLE order_lines
        DROP CONSTRAINT IF EXISTS ck_order_lines_picked_quantity,
        DROP COLUMN IF EXISTS picked_at, DROP COLUMN IF EXISTS picker_id, DROP COLUMN IF EXISTS short_reason,
        DROP COLUMN IF EXISTS checked_in_quantity
    """,
)


def upgrade() -> None:
    _create_runs()
    _create_returns()
    with op.get_context().autocommit_block():
        for statement in _BIG_TABLES:
            op.execute(statement)


def _create_runs() -> None:
    op.create_table(
        "delivery_runs",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("rider_id", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("departed_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["rider_id"], ["customers.id"], name=op.f("fk_delivery_runs_rider_id_customers"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_runs")),
        if_not_exists=True,
    )
    op.create_index(op.f("ix_delivery_runs_rider_id"), "delivery_runs", ["rider_id"], if_not_exists=True)


def _create_returns() -> None:
    op.create_table(
        "order_returns",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("refund_cents", sa.BigInteger(), nullable=False),
        sa.Column("vat_cents", sa.BigInteger(), nullable=False),
        sa.Column("actor_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("refund_cents >= 0", name=op.f("ck_order_returns_refund")),
        sa.CheckConstraint(
            "reason IN ('damaged', 'spoiled', 'wrong_item', 'unwanted', 'other')", name=op.f("ck_order_returns_reason")
        ),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["customers.id"], name=op.f("fk_order_returns_actor_id_customers"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.id"], name=op.f("fk_order_returns_order_id_orders"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_returns")),
        sa.UniqueConstraint("number", name=op.f("uq_order_returns_number")),
        if_not_exists=True,
    )
    op.create_index(op.f("ix_order_returns_order_id"), "order_returns", ["order_id"], if_not_exists=True)
    op.create_index(op.f("ix_order_returns_actor_id"), "order_returns", ["actor_id"], if_not_exists=True)
    op.create_index(op.f("ix_order_returns_created_at"), "order_returns", ["created_at"], if_not_exists=True)
    op.create_table(
        "order_return_lines",
        sa.Column("return_id", sa.BigInteger(), nullable=False),
        sa.Column("line_id", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.Numeric(12, 3), nullable=False),
        sa.Column("is_restocked", sa.Boolean(), nullable=False),
        sa.Column("amount_cents", sa.BigInteger(), nullable=False),
        sa.Column("vat_cents", sa.BigInteger(), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_order_return_lines_quantity")),
        sa.CheckConstraint("amount_cents >= 0", name=op.f("ck_order_return_lines_amount")),
        sa.ForeignKeyConstraint(
            ["line_id"], ["order_lines.id"], name=op.f("fk_order_return_lines_line_id_order_lines"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["return_id"],
            ["order_returns.id"],
            name=op.f("fk_order_return_lines_return_id_order_returns"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("return_id", "line_id", name=op.f("pk_order_return_lines")),
        if_not_exists=True,
    )
    op.create_index(op.f("ix_order_return_lines_line_id"), "order_return_lines", ["line_id"], if_not_exists=True)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        for statement in _BIG_TABLES_BACK:
            op.execute(statement)
    for table in ("order_return_lines", "order_returns", "delivery_runs"):
        op.drop_table(table)
