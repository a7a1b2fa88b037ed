"""What orders, messages and imports go back to: the request, and its trace.

Revision ID: 0021
Revises: 0020
"""

from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None

_TABLES = ("orders", "notifications", "product_imports")


def upgrade() -> None:
    # Without a default no row is written anew: the lock is held for a moment, by a statement of its own for each table,
    # since requests lock some of them one after the other. Repeatable, as it is not undone when a later one fails.
    with op.get_context().autocommit_block():
        for table in _TABLES:
            op.execute(
                f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS request_id text, ADD COLUMN IF NOT EXISTS traceparent text"
            )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        for table in _TABLES:
            op.execute(f"ALTER TABLE {table} DROP COLUMN IF EXISTS request_id, DROP COLUMN IF EXISTS traceparent")
