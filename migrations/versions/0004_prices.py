"""Scheduled prices and the history of prices.

Revision ID: 0004
Revises: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "price_changes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("price_cents", sa.BigInteger(), nullable=False),
        sa.Column("compare_at_price_cents", sa.BigInteger(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("status", sa.Text(), server_default="scheduled", nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("price_before_cents", sa.BigInteger(), nullable=True),
        sa.Column("compare_at_before_cents", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("actor_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("price_cents >= 0", name=op.f("ck_price_changes_price")),
        sa.CheckConstraint("compare_at_price_cents > price_cents", name=op.f("ck_price_changes_compare_at_price")),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_price_changes_ends_at")),
        sa.CheckConstraint(
            "status IN ('scheduled', 'active', 'applied', 'ended', 'cancelled', 'missed')",
            name=op.f("ck_price_changes_status"),
        ),
        sa.CheckConstraint(
            "status <> 'active' OR (ends_at IS NOT NULL AND price_before_cents IS NOT NULL)",
            name=op.f("ck_price_changes_active"),
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_price_changes_product_id_products"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["customers.id"], name=op.f("fk_price_changes_actor_id_customers"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_changes")),
    )
    op.create_index("ix_price_changes_product_id_starts_at_id", "price_changes", ["product_id", "starts_at", "id"])
    op.create_index(op.f("ix_price_changes_actor_id"), "price_changes", ["actor_id"])
    op.create_index(
        "ix_price_changes_due_start", "price_changes", ["starts_at"], postgresql_where=sa.text("status = 'scheduled'")
    )
    op.create_index(
        "ix_price_changes_due_end", "price_changes", ["ends_at"], postgresql_where=sa.text("status = 'active'")
    )
    op.create_index(
        "uq_price_changes_active",
        "price_changes",
        ["product_id"],
        unique=True,
        postgresql_where=sa.text("status = 'active'"),
    )
    op.create_table(
        "price_history",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("price_cents", sa.BigInteger(), nullable=False),
        sa.Column("compare_at_price_cents", sa.BigInteger(), nullable=True),
        sa.Column("changed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("actor_id", sa.BigInteger(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.CheckConstraint(
            "reason IN ('created', 'edited', 'imported', 'scheduled', 'offer_started', 'offer_ended')",
            name=op.f("ck_price_history_reason"),
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_price_history_product_id_products"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["customers.id"], name=op.f("fk_price_history_actor_id_customers"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_price_history")),
    )
    op.create_index("ix_price_history_product_id_id", "price_history", ["product_id", "id"])
    op.create_index(op.f("ix_price_history_actor_id"), "price_history", ["actor_id"])


def downgrade() -> None:
    op.drop_table("price_history")
    op.drop_table("price_changes")
