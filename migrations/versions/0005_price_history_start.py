"""Begin the history of prices with those of now, and find withdrawn products fast.

Revision ID: 0005
Revises: 0004
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# What is known of the prices of now is that they hold since the last change of the product. Not in the transaction that
# makes the table, which holds up writes of products until it commits.
_BEGIN_HISTORY = """
    INSERT INTO price_history (product_id, price_cents, compare_at_price_cents, changed_at, reason)
    SELECT id, price_cents, compare_at_price_cents, updated_at, CASE version WHEN 1 THEN 'created' ELSE 'edited' END
    FROM products WHERE NOT EXISTS (SELECT FROM price_history WHERE product_id = products.id)
    ORDER BY id
"""


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(_BEGIN_HISTORY)
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS ix_products_withdrawn")
        op.create_index(
            "ix_products_withdrawn",
            "products",
            [sa.literal_column("lower(name)"), "id"],
            postgresql_where=sa.text("NOT is_active"),
            postgresql_concurrently=True,
        )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index("ix_products_withdrawn", table_name="products", postgresql_concurrently=True)
