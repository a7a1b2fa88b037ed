"""Lots, low-stock thresholds, alerts, and a ledger that can be paged.

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# Each commits by itself, so that big tables are never locked for long; each may be repeated when one has failed.
_BIG_TABLES = (
    "ALTER TABLE products ADD COLUMN IF NOT EXISTS low_stock_threshold numeric(12, 3)",
    "ALTER TABLE products DROP CONSTRAINT IF EXISTS ck_products_low_stock_threshold",
    "ALTER TABLE products ADD CONSTRAINT ck_products_low_stock_threshold CHECK (low_stock_threshold >= 0) NOT VALID",
    "ALTER TABLE products VALIDATE CONSTRAINT ck_products_low_stock_threshold",
    "DROP INDEX CONCURRENTLY IF EXISTS ix_products_watched",
    "CREATE INDEX CONCURRENTLY ix_products_watched ON products (id) WHERE low_stock_threshold IS NOT NULL",
    "DROP INDEX CONCURRENTLY IF EXISTS ix_stock_movements_product_id_id",
    "CREATE INDEX CONCURRENTLY ix_stock_movements_product_id_id ON stock_movements (product_id, id)",
    "DROP INDEX CONCURRENTLY IF EXISTS ix_stock_movements_product_id",
    "ALTER TABLE stock_movements ADD COLUMN IF NOT EXISTS stock_after numeric(12, 3), ADD COLUMN IF NOT EXISTS lot_id bigint",
)
_BIG_TABLES_BACK = (
    "ALTER TABLE stock_movements DROP COLUMN IF EXISTS stock_after, DROP COLUMN IF EXISTS lot_id",
    "DROP INDEX CONCURRENTLY IF EXISTS ix_stock_movements_product_id",
    "CREATE INDEX CONCURRENTLY ix_stock_movements_product_id ON stock_movements (product_id)",
    "DROP INDEX CONCURRENTLY IF EXISTS ix_stock_movements_product_id_id",
    "DROP INDEX CONCURRENTLY IF EXISTS ix_products_watched",
    "ALTER TABLE products DROP COLUMN IF EXISTS low_stock_threshold",
)


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for statement in _BIG_TABLES:
            op.execute(statement)
    _create_lots()
    op.create_table(
        "stock_alerts",
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_stock_alerts_product_id_products"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_stock_alerts_customer_id_customers"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("product_id", "customer_id", name=op.f("pk_stock_alerts")),
    )
    op.create_index(op.f("ix_stock_alerts_customer_id"), "stock_alerts", ["customer_id"])
    op.create_table(
        "stock_digests",
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("product_ids", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("day", name=op.f("pk_stock_digests")),
    )


def _create_lots() -> None:
    op.create_table(
        "stock_lots",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("expires_on", sa.Date(), nullable=True),
        sa.Column("received_quantity", sa.Numeric(12, 3), nullable=False),
        sa.Column("remaining", sa.Numeric(12, 3), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("actor_id", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("received_quantity > 0", name=op.f("ck_stock_lots_received_quantity")),
        sa.CheckConstraint("remaining BETWEEN 0 AND received_quantity", name=op.f("ck_stock_lots_remaining")),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_stock_lots_product_id_products"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["customers.id"], name=op.f("fk_stock_lots_actor_id_customers"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_lots")),
    )
    op.create_index(op.f("ix_stock_lots_product_id"), "stock_lots", ["product_id"])
    op.create_index(op.f("ix_stock_lots_actor_id"), "stock_lots", ["actor_id"])
    on_shelf = sa.text("remaining > 0")
    columns = ["product_id", "expires_on", "id"]
    op.create_index("ix_stock_lots_on_shelf", "stock_lots", columns, postgresql_where=on_shelf)
    op.create_index("ix_stock_lots_expires_on_id", "stock_lots", ["expires_on", "id"], postgresql_where=on_shelf)
    op.create_table(
        "lot_picks",
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("lot_id", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.Numeric(12, 3), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_lot_picks_quantity")),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.id"], name=op.f("fk_lot_picks_order_id_orders"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["lot_id"], ["stock_lots.id"], name=op.f("fk_lot_picks_lot_id_stock_lots"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("order_id", "lot_id", name=op.f("pk_lot_picks")),
    )
    op.create_index(op.f("ix_lot_picks_lot_id"), "lot_picks", ["lot_id"])


def downgrade() -> None:
    for table in ("stock_digests", "stock_alerts", "lot_picks", "stock_lots"):
        op.drop_table(table)
    with op.get_context().autocommit_block():
        for statement in _BIG_TABLES_BACK:
            op.execute(statement)
