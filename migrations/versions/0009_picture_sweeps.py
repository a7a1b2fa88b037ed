"""Picture sweeps

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "picture_sweeps",
        sa.Column("id", sa.SmallInteger(), server_default=sa.text("1"), autoincrement=False, nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("position", sa.Text(), server_default="", nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_picture_sweeps_single")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_picture_sweeps")),
    )


def downgrade() -> None:
    op.drop_table("picture_sweeps")
