"""Tell processes when something changes that kept answers show.

Revision ID: 0010
Revises: 0009
"""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None

_FUNCTION = """
    CREATE FUNCTION grocery_catalogue_changed() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        -- The same ones of a transaction are one.
        PERFORM pg_notify('grocery_catalogue', coalesce(TG_ARGV[0], ''));
        RETURN NULL;
    END $$
"""

# What lists show of a row or choose rows by. The stock is shown when few are left; a sale that leaves many must not
# notify, since that doubles the cost of its commit.
_SHOWN = (
    "sku, barcode, name, description, brand, category_id, category_path, price_cents, compare_at_price_cents, unit, "
    "quantity_step, net_content, vat_class, in_stock, is_active, image_url, ingredients, allergens, country_of_origin, "
    "is_age_restricted, created_at, updated_at, version"
)
_LEFT = "CASE WHEN {0}.stock <= 5 THEN {0}.stock END"


def _row(name: str) -> str:
    columns = ", ".join(f"{name}.{column}" for column in _SHOWN.split(", "))
    return f"ROW ({columns}, {_LEFT.format(name)})"


# In the order in which everyone locks these tables, so that nobody who writes meanwhile meets a deadlock.
_TRIGGERS = (
    "CREATE TRIGGER catalogue_changed AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON categories FOR EACH STATEMENT "
    "EXECUTE FUNCTION grocery_catalogue_changed()",
    "CREATE TRIGGER catalogue_changed AFTER INSERT OR DELETE OR TRUNCATE ON products FOR EACH STATEMENT "
    "EXECUTE FUNCTION grocery_catalogue_changed()",
    "CREATE TRIGGER catalogue_updated AFTER UPDATE ON products FOR EACH ROW "
    f"WHEN ({_row('OLD')} IS DISTINCT FROM {_row('NEW')}) EXECUTE FUNCTION grocery_catalogue_changed()",
    # Its generation stands for the words and synonyms, which processes remember.
    "CREATE TRIGGER catalogue_changed AFTER INSERT OR UPDATE OF generation OR DELETE ON vocabulary_state "
    "FOR EACH STATEMENT EXECUTE FUNCTION grocery_catalogue_changed('words')",
)


def upgrade() -> None:
    op.execute(_FUNCTION)
    for trigger in _TRIGGERS:
        op.execute(trigger)


def downgrade() -> None:
    op.execute("DROP TRIGGER catalogue_changed ON categories")
    op.execute("DROP TRIGGER catalogue_changed ON products")
    op.execute("DROP TRIGGER catalogue_updated ON products")
    op.execute("DROP TRIGGER catalogue_changed ON vocabulary_state")
    op.execute("DROP FUNCTION grocery_catalogue_changed()")
