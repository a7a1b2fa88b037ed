"""Delivery zones and slots, saved addresses, carts, promotions.

Revision ID: 0011
Revises: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


# Tables that refer to customers come first, then those to categories and products: the order in which everyone locks.
def upgrade() -> None:
    op.create_table(
        "delivery_zones",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("fee_cents", sa.BigInteger(), nullable=False),
        sa.Column("min_basket_cents", sa.BigInteger(), nullable=True),
        sa.Column("free_from_cents", sa.BigInteger(), nullable=True),
        sa.Column("is_slot_required", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.CheckConstraint("fee_cents >= 0", name=op.f("ck_delivery_zones_fee")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_zones")),
    )
    op.create_index("uq_delivery_zones_name", "delivery_zones", [sa.literal_column("lower(name)")], unique=True)
    op.create_table(
        "slot_templates",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("zone_id", sa.BigInteger(), nullable=False),
        sa.Column("weekday", sa.Integer(), nullable=False),
        sa.Column("starts", sa.Time(), nullable=False),
        sa.Column("ends", sa.Time(), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("cutoff_minutes", sa.Integer(), server_default=sa.text("60"), nullable=False),
        sa.Column("fee_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("made_until", sa.Date(), nullable=True),
        sa.CheckConstraint("capacity >= 0", name=op.f("ck_slot_templates_capacity")),
        sa.CheckConstraint("cutoff_minutes >= 0", name=op.f("ck_slot_templates_cutoff_minutes")),
        sa.CheckConstraint("ends > starts", name=op.f("ck_slot_templates_ends")),
        sa.CheckConstraint("fee_cents >= 0", name=op.f("ck_slot_templates_fee")),
        sa.CheckConstraint("weekday BETWEEN 0 AND 6", name=op.f("ck_slot_templates_weekday")),
        sa.ForeignKeyConstraint(
            ["zone_id"],
            ["delivery_zones.id"],
            name=op.f("fk_slot_templates_zone_id_delivery_zones"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_slot_templates")),
    )
    op.create_index(op.f("ix_slot_templates_zone_id"), "slot_templates", ["zone_id"], unique=False)
    op.create_table(
        "delivery_slots",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("zone_id", sa.BigInteger(), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cutoff_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("capacity", sa.Integer(), nullable=False),
        sa.Column("booked", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("fee_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("booked >= 0 AND booked <= capacity", name=op.f("ck_delivery_slots_booked")),
        sa.CheckConstraint("cutoff_at <= ends_at", name=op.f("ck_delivery_slots_cutoff_at")),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_delivery_slots_ends_at")),
        sa.CheckConstraint("fee_cents >= 0", name=op.f("ck_delivery_slots_fee")),
        sa.ForeignKeyConstraint(
            ["zone_id"],
            ["delivery_zones.id"],
            name=op.f("fk_delivery_slots_zone_id_delivery_zones"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_delivery_slots")),
        sa.UniqueConstraint(
            "zone_id", "starts_at", "ends_at", name=op.f("uq_delivery_slots_zone_id_starts_at_ends_at")
        ),
    )
    op.create_index("ix_delivery_slots_starts_at_id", "delivery_slots", ["starts_at", "id"], unique=False)
    op.create_table(
        "addresses",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("label", sa.Text(), nullable=True),
        sa.Column("zone_id", sa.BigInteger(), nullable=True),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("landmark", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("is_default", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_addresses_customer_id_customers"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["zone_id"], ["delivery_zones.id"], name=op.f("fk_addresses_zone_id_delivery_zones"), ondelete="SET NULL"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_addresses")),
    )
    op.create_index("ix_addresses_customer_id", "addresses", ["customer_id"], unique=False)
    op.create_index(op.f("ix_addresses_zone_id"), "addresses", ["zone_id"], unique=False)
    op.create_index(
        "uq_addresses_default", "addresses", ["customer_id"], unique=True, postgresql_where=sa.text("is_default")
    )
    op.create_table(
        "carts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("token_hash", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("(customer_id IS NULL) <> (token_hash IS NULL)", name=op.f("ck_carts_owner")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_carts_customer_id_customers"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_carts")),
        sa.UniqueConstraint("customer_id", name=op.f("uq_carts_customer_id")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_carts_token_hash")),
    )
    op.create_index(
        "ix_carts_abandoned", "carts", ["updated_at"], unique=False, postgresql_where=sa.text("customer_id IS NULL")
    )
    op.create_table(
        "promotions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("code", sa.Text(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), server_default="basket", nullable=False),
        sa.Column("value", sa.Numeric(precision=12, scale=2), server_default=sa.text("0"), nullable=False),
        sa.Column("buy_quantity", sa.Integer(), nullable=True),
        sa.Column("get_quantity", sa.Integer(), nullable=True),
        sa.Column("min_basket_cents", sa.BigInteger(), nullable=True),
        sa.Column("usage_limit", sa.Integer(), nullable=True),
        sa.Column("usage_limit_per_customer", sa.Integer(), nullable=True),
        sa.Column("used_count", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.CheckConstraint(
            "kind IN ('percent', 'fixed', 'buy_x_get_y', 'free_delivery')", name=op.f("ck_promotions_kind")
        ),
        sa.CheckConstraint("scope IN ('basket', 'products', 'categories')", name=op.f("ck_promotions_scope")),
        sa.CheckConstraint("ends_at > starts_at", name=op.f("ck_promotions_ends_at")),
        sa.CheckConstraint("used_count >= 0 AND used_count <= usage_limit", name=op.f("ck_promotions_usage_limit")),
        sa.CheckConstraint("value >= 0", name=op.f("ck_promotions_value")),
        sa.CheckConstraint(
            "kind <> 'buy_x_get_y' OR coalesce(buy_quantity > 0 AND get_quantity > 0, false)",
            name=op.f("ck_promotions_buy_x_get_y"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_promotions_customer_id_customers"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_promotions")),
        sa.UniqueConstraint("code", name=op.f("uq_promotions_code")),
    )
    op.create_index(
        "ix_promotions_automatic",
        "promotions",
        ["id"],
        unique=False,
        postgresql_where=sa.text("code IS NULL AND is_active"),
    )
    op.create_index(op.f("ix_promotions_customer_id"), "promotions", ["customer_id"], unique=False)
    op.create_table(
        "promotion_categories",
        sa.Column("promotion_id", sa.BigInteger(), nullable=False),
        sa.Column("category_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["category_id"],
            ["categories.id"],
            name=op.f("fk_promotion_categories_category_id_categories"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["promotion_id"],
            ["promotions.id"],
            name=op.f("fk_promotion_categories_promotion_id_promotions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("promotion_id", "category_id", name=op.f("pk_promotion_categories")),
    )
    op.create_index(op.f("ix_promotion_categories_category_id"), "promotion_categories", ["category_id"], unique=False)
    op.create_table(
        "promotion_products",
        sa.Column("promotion_id", sa.BigInteger(), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_promotion_products_product_id_products"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["promotion_id"],
            ["promotions.id"],
            name=op.f("fk_promotion_products_promotion_id_promotions"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("promotion_id", "product_id", name=op.f("pk_promotion_products")),
    )
    op.create_index(op.f("ix_promotion_products_product_id"), "promotion_products", ["product_id"], unique=False)
    op.create_table(
        "cart_items",
        sa.Column("cart_id", sa.BigInteger(), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=12, scale=3), nullable=False),
        sa.Column("if_unavailable", sa.Text(), server_default="remove", nullable=False),
        sa.Column("seen_price_cents", sa.BigInteger(), nullable=False),
        sa.Column("added_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "if_unavailable IN ('remove', 'substitute', 'call')", name=op.f("ck_cart_items_if_unavailable")
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_cart_items_quantity")),
        sa.ForeignKeyConstraint(
            ["cart_id"], ["carts.id"], name=op.f("fk_cart_items_cart_id_carts"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_cart_items_product_id_products"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("cart_id", "product_id", name=op.f("pk_cart_items")),
    )
    op.create_index(op.f("ix_cart_items_product_id"), "cart_items", ["product_id"], unique=False)


def downgrade() -> None:
    for table in (
        "cart_items",
        "promotion_products",
        "promotion_categories",
        "promotions",
        "carts",
        "addresses",
        "delivery_slots",
        "slot_templates",
        "delivery_zones",
    ):
        op.drop_table(table)
