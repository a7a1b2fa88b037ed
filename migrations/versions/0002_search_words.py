"""Search in words only, and offers that are offers.

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_BEFORE = (
    "setweight(to_tsvector('simple', name), 'A') || setweight(to_tsvector('simple', coalesce(brand, '')), 'B')"
    " || setweight(to_tsvector('simple', coalesce(description, '')), 'D')"
)
_AFTER = (
    "setweight(to_tsvector('simple', regexp_replace(translate(name, '–—…''’', '   '), '[!-/:-@[-`{-~]+', ' ', 'g')), 'A') || "
    "setweight(to_tsvector('simple', regexp_replace(translate(coalesce(brand, ''), '–—…''’', '   '), '[!-/:-@[-`{-~]+', ' ', 'g')), 'B') || "
    "setweight(to_tsvector('simple', regexp_replace(translate(coalesce(description, ''), '–—…''’', '   '), '[!-/:-@[-`{-~]+', ' ', 'g')), 'D')"
)


def upgrade() -> None:
    op.execute("UPDATE products SET compare_at_price_cents = NULL WHERE compare_at_price_cents <= price_cents")
    op.create_check_constraint("compare_at_price", "products", "compare_at_price_cents > price_cents")
    _replace_search(_AFTER)


def downgrade() -> None:
    _replace_search(_BEFORE)
    op.drop_constraint(op.f("ck_products_compare_at_price"), "products", type_="check")


def _replace_search(expression: str) -> None:
    """Make the generated column anew: older PostgreSQL cannot change its expression."""
    op.drop_column("products", "search")
    column = sa.Column("search", postgresql.TSVECTOR(), sa.Computed(expression, persisted=True), nullable=False)
    op.add_column("products", column)
    op.create_index("ix_products_search", "products", ["search"], unique=False, postgresql_using="gin")
