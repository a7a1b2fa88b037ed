"""The synonyms that a shop begins with.

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

from grocery.products.search.seeds import SYNONYMS

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_synonyms = sa.table("synonyms", sa.column("term", sa.Text), sa.column("meaning", sa.Text))


def upgrade() -> None:
    # Those of now: a shop that has passed this migration keeps its own, whatever the list becomes.
    op.bulk_insert(_synonyms, [{"term": term, "meaning": meaning} for term, meaning in SYNONYMS])
    op.execute("UPDATE vocabulary_state SET generation = gen_random_uuid()")


def downgrade() -> None:
    op.execute("DELETE FROM synonyms")
