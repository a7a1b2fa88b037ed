"""When somebody was invited by phone, whose number counts once a code proves it.

Revision ID: 0018
Revises: 0017
"""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Without a default, so no row is written and the table is locked for a moment only.
    op.execute("ALTER TABLE customers ADD COLUMN invited_at timestamptz")


def downgrade() -> None:
    op.execute("ALTER TABLE customers DROP COLUMN invited_at")
