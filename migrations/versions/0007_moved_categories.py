"""Note which categories were moved, so that their products can follow.

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("categories", sa.Column("is_moved", sa.Boolean(), server_default=sa.text("false"), nullable=False))
    # Products made before have no path yet.
    op.execute("UPDATE categories SET is_moved = true")


def downgrade() -> None:
    op.drop_column("categories", "is_moved")
