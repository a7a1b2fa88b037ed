"""Shopping lists, drafts of a checkout, and what customers ask the shop to stock.

Revision ID: 0020
Revises: 0019
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "shopping_lists",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_shopping_lists_customer_id_customers"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shopping_lists")),
    )
    op.create_index(
        "uq_shopping_lists_customer_id_name", "shopping_lists", ["customer_id", sa.text("lower(name)")], unique=True
    )
    op.create_table(
        "shopping_list_items",
        sa.Column("list_id", sa.BigInteger(), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.Numeric(12, 3), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_shopping_list_items_quantity")),
        sa.ForeignKeyConstraint(
            ["list_id"],
            ["shopping_lists.id"],
            name=op.f("fk_shopping_list_items_list_id_shopping_lists"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_shopping_list_items_product_id_products"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("list_id", "product_id", name=op.f("pk_shopping_list_items")),
    )
    op.create_index(op.f("ix_shopping_list_items_product_id"), "shopping_list_items", ["product_id"])
    op.create_table(
        "product_requests",
        sa.Column("id", sa.BigInteger(), sa.Identity(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customers.id"],
            name=op.f("fk_product_requests_customer_id_customers"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_product_requests")),
    )
    op.create_index(op.f("ix_product_requests_customer_id"), "product_requests", ["customer_id"])
    op.create_index(op.f("ix_product_requests_created_at"), "product_requests", ["created_at"])
    op.add_column("carts", sa.Column("draft", postgresql.JSONB(), nullable=True))


def downgrade() -> None:
    op.drop_column("carts", "draft")
    op.drop_table("product_requests")
    op.drop_table("shopping_list_items")
    op.drop_table("shopping_lists")
