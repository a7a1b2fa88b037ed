"""Words of the catalogue and synonyms, for the search.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "words",
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column("uses", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("word", name=op.f("pk_words")),
    )
    op.create_table(
        "synonyms",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("term", sa.Text(), nullable=False),
        sa.Column("meaning", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_synonyms")),
        sa.UniqueConstraint("term", "meaning", name=op.f("uq_synonyms_term_meaning")),
    )
    op.create_table(
        "vocabulary_state",
        sa.Column("id", sa.SmallInteger(), server_default=sa.text("1"), autoincrement=False, nullable=False),
        sa.Column("generation", sa.Uuid(), server_default=sa.text("gen_random_uuid()"), nullable=False),
        sa.Column("catalogue_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("counted_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_vocabulary_state_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vocabulary_state")),
    )
    op.execute("INSERT INTO vocabulary_state (counted_at) VALUES ('-infinity')")
    with op.get_context().autocommit_block():
        op.create_index("ix_products_updated_at", "products", ["updated_at"], postgresql_concurrently=True)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.drop_index("ix_products_updated_at", table_name="products", postgresql_concurrently=True)
    op.drop_table("vocabulary_state")
    op.drop_table("synonyms")
    op.drop_table("words")
