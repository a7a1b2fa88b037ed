"""Tries of a code by who asked for it, and by others; codes that were written and never sent.

Revision ID: 0019
Revises: 0018
"""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Constant defaults: no row is written anew, and the lock is held for a moment only.
    op.execute("""
        ALTER TABLE one_time_codes
            ADD COLUMN request_hash bytea,
            ADD COLUMN tried_from bytea[] NOT NULL DEFAULT '{}',
            ADD COLUMN is_sent boolean NOT NULL DEFAULT true
    """)


def downgrade() -> None:
    # Older programs count all tries in one place: whoever is trying just now begins anew with the next code.
    op.execute("UPDATE one_time_codes SET expires_at = now() WHERE expires_at > now()")
    op.execute("""
        ALTER TABLE one_time_codes DROP COLUMN request_hash, DROP COLUMN tried_from, DROP COLUMN is_sent
    """)
