"""First tables: people, catalogue, orders, outbox.

Revision ID: 0001
Revises:
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# Words only: PostgreSQL's parser takes "Container/Storage" for the path of a file. Accents are folded.
_WORDS = (
    "regexp_replace(translate(regexp_replace(normalize({}, NFD), '[\\u0300-\\u036f]+', '', 'g'), "
    "'–—…øØđĐłŁ''’', '   oOdDlL'), '[!-/:-@[-`{{-~]+', ' ', 'g')"
)
_SEARCH = " || ".join(
    f"setweight(to_tsvector('grocery'::regconfig, {_WORDS.format(column)}), '{weight}')"
    for column, weight in (
        ("name", "A"),
        ("coalesce(brand, '')", "B"),
        ("category_path", "C"),
        ("coalesce(description, '')", "D"),
    )
)

# English plurals are folded, no word is dropped: PostgreSQL's own configuration 'english' ignores "and", "more", "own" …
_TEXT_SEARCH = (
    "CREATE TEXT SEARCH DICTIONARY grocery_stem (TEMPLATE = snowball, LANGUAGE = english)",
    "CREATE TEXT SEARCH CONFIGURATION grocery (COPY = simple)",
    "ALTER TEXT SEARCH CONFIGURATION grocery ALTER MAPPING FOR asciiword, word, numword, asciihword, hword, numhword, "
    "hword_asciipart, hword_part, hword_numpart WITH grocery_stem",
)


def upgrade() -> None:
    for statement in _TEXT_SEARCH:
        op.execute(statement)
    op.create_table(
        "categories",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("parent_id", sa.BigInteger(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("position", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("parent_id <> id", name=op.f("ck_categories_not_own_parent")),
        sa.ForeignKeyConstraint(
            ["parent_id"], ["categories.id"], name=op.f("fk_categories_parent_id_categories"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_categories")),
    )
    op.create_index(op.f("ix_categories_parent_id"), "categories", ["parent_id"], unique=False)
    op.create_index("uq_categories_path", "categories", [sa.literal_column("md5(lower(path))")], unique=True)
    op.create_table(
        "customers",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("email", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("phone_verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("password_hash", sa.Text(), nullable=True),
        sa.Column("role", sa.Text(), server_default="customer", nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint("role IN ('customer', 'staff', 'admin')", name=op.f("ck_customers_role")),
        sa.CheckConstraint("email = lower(email)", name=op.f("ck_customers_email_lower")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_customers")),
        sa.UniqueConstraint("email", name=op.f("uq_customers_email")),
    )
    op.create_index(
        "uq_customers_verified_phone",
        "customers",
        ["phone"],
        unique=True,
        postgresql_where=sa.text("phone_verified_at IS NOT NULL"),
    )
    op.create_table(
        "sales_ledger",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("order_number", sa.Text(), nullable=False),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("delivery_fee_cents", sa.BigInteger(), nullable=False),
        sa.Column("total_cents", sa.BigInteger(), nullable=False),
        sa.Column("vat_cents", sa.BigInteger(), nullable=False),
        sa.Column("vat", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("payment_method", sa.Text(), nullable=False),
        sa.Column("cash_cents", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sales_ledger")),
        sa.UniqueConstraint("order_number", name=op.f("uq_sales_ledger_order_number")),
    )
    op.create_index(op.f("ix_sales_ledger_placed_at"), "sales_ledger", ["placed_at"], unique=False)
    op.create_table(
        "orders",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("number", sa.Text(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.Text(), server_default="pending", nullable=False),
        sa.Column("subtotal_cents", sa.BigInteger(), nullable=False),
        sa.Column("delivery_fee_cents", sa.BigInteger(), server_default=sa.text("0"), nullable=False),
        sa.Column("vat_cents", sa.BigInteger(), nullable=False),
        sa.Column("total_cents", sa.BigInteger(), nullable=False),
        sa.Column("currency", sa.Text(), nullable=False),
        sa.Column("delivery_method", sa.Text(), server_default="pickup", nullable=False),
        sa.Column("address", sa.Text(), nullable=True),
        sa.Column("landmark", sa.Text(), nullable=True),
        sa.Column("phone", sa.Text(), nullable=True),
        sa.Column("delivery_note", sa.Text(), nullable=True),
        sa.Column("payment_method", sa.Text(), server_default="cash_on_delivery", nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("placed_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("process_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=True),
        sa.Column("process_attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.CheckConstraint("delivery_method IN ('pickup', 'delivery')", name=op.f("ck_orders_delivery_method")),
        sa.CheckConstraint(
            "status IN ('pending', 'confirmed', 'packed', 'shipped', 'delivered', 'cancelled')",
            name=op.f("ck_orders_status"),
        ),
        sa.CheckConstraint("total_cents >= 0", name=op.f("ck_orders_total")),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_orders_customer_id_customers"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_orders")),
        sa.UniqueConstraint("number", name=op.f("uq_orders_number")),
    )
    op.create_index("ix_orders_customer_id_id", "orders", ["customer_id", "id"], unique=False)
    op.create_index(
        "ix_orders_process_at",
        "orders",
        ["process_at"],
        unique=False,
        postgresql_where=sa.text("process_at IS NOT NULL"),
    )
    op.create_index("ix_orders_status_id", "orders", ["status", "id"], unique=False)
    op.create_table(
        "products",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("sku", sa.Text(), nullable=True),
        sa.Column("barcode", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("brand", sa.Text(), nullable=True),
        sa.Column("category_id", sa.BigInteger(), nullable=False),
        sa.Column("category_path", sa.Text(), server_default="", nullable=False),
        sa.Column("price_cents", sa.BigInteger(), nullable=False),
        sa.Column("compare_at_price_cents", sa.BigInteger(), nullable=True),
        sa.Column("unit", sa.Text(), server_default="each", nullable=False),
        sa.Column("quantity_step", sa.Numeric(precision=8, scale=3), server_default=sa.text("1"), nullable=False),
        sa.Column("net_content", sa.Text(), nullable=True),
        sa.Column("vat_class", sa.Text(), server_default="standard", nullable=False),
        sa.Column("stock", sa.Numeric(precision=12, scale=3), server_default=sa.text("0"), nullable=False),
        sa.Column("in_stock", sa.Boolean(), sa.Computed("stock >= quantity_step", persisted=True), nullable=False),
        sa.Column("is_active", sa.Boolean(), server_default=sa.text("true"), nullable=False),
        sa.Column("image_url", sa.Text(), nullable=True),
        sa.Column("ingredients", sa.Text(), nullable=True),
        sa.Column("allergens", sa.ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("country_of_origin", sa.Text(), nullable=True),
        sa.Column("is_age_restricted", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column(
            "search",
            postgresql.TSVECTOR(),
            sa.Computed(
                _SEARCH,
                persisted=True,
            ),
            nullable=False,
        ),
        sa.CheckConstraint("unit IN ('each', 'kg')", name=op.f("ck_products_unit")),
        sa.CheckConstraint("vat_class IN ('standard', 'zero', 'exempt')", name=op.f("ck_products_vat_class")),
        sa.CheckConstraint("price_cents >= 0", name=op.f("ck_products_price")),
        sa.CheckConstraint("compare_at_price_cents > price_cents", name=op.f("ck_products_compare_at_price")),
        sa.CheckConstraint("quantity_step > 0", name=op.f("ck_products_quantity_step")),
        sa.CheckConstraint("stock >= 0", name=op.f("ck_products_stock")),
        sa.ForeignKeyConstraint(
            ["category_id"], ["categories.id"], name=op.f("fk_products_category_id_categories"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_products")),
        sa.UniqueConstraint("barcode", name=op.f("uq_products_barcode")),
        sa.UniqueConstraint("sku", name=op.f("uq_products_sku")),
        postgresql_with={"fillfactor": "80"},
    )
    op.create_index("ix_products_brand", "products", [sa.literal_column("lower(brand)")], unique=False)
    op.create_index(op.f("ix_products_category_id"), "products", ["category_id"], unique=False)
    op.create_index(
        "ix_products_facets",
        "products",
        ["category_id", "brand", "price_cents", "compare_at_price_cents", "in_stock"],
        unique=False,
        postgresql_where=sa.text("is_active"),
    )
    op.create_index("ix_products_name_id", "products", [sa.literal_column("lower(name)"), "id"], unique=False)
    op.create_index("ix_products_price_cents_id", "products", ["price_cents", "id"], unique=False)
    op.create_index("ix_products_search", "products", ["search"], unique=False, postgresql_using="gin")
    op.create_table(
        "token_blocklist",
        sa.Column("token_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_token_blocklist_customer_id_customers"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("token_id", name=op.f("pk_token_blocklist")),
    )
    op.create_index(op.f("ix_token_blocklist_customer_id"), "token_blocklist", ["customer_id"], unique=False)
    op.create_index(op.f("ix_token_blocklist_expires_at"), "token_blocklist", ["expires_at"], unique=False)
    op.create_table(
        "token_families",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("access_jti", sa.Uuid(), nullable=False),
        sa.Column("refresh_jti", sa.Uuid(), nullable=False),
        sa.Column("previous_refresh_jti", sa.Uuid(), nullable=True),
        sa.Column("rotation_key", sa.Text(), nullable=True),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_token_families_customer_id_customers"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_token_families")),
    )
    op.create_index(op.f("ix_token_families_customer_id"), "token_families", ["customer_id"], unique=False)
    op.create_index(op.f("ix_token_families_expires_at"), "token_families", ["expires_at"], unique=False)
    op.create_table(
        "idempotency_keys",
        sa.Column("customer_id", sa.BigInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.Text(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["customer_id"],
            ["customers.id"],
            name=op.f("fk_idempotency_keys_customer_id_customers"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.id"], name=op.f("fk_idempotency_keys_order_id_orders"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("customer_id", "key", name=op.f("pk_idempotency_keys")),
    )
    op.create_index(op.f("ix_idempotency_keys_created_at"), "idempotency_keys", ["created_at"], unique=False)
    op.create_index(op.f("ix_idempotency_keys_order_id"), "idempotency_keys", ["order_id"], unique=False)
    op.create_table(
        "notifications",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("dedupe_key", sa.Text(), nullable=False),
        sa.Column("channel", sa.Text(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), server_default="pending", nullable=False),
        sa.Column("attempts", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("max_attempts", sa.Integer(), server_default=sa.text("20"), nullable=False),
        sa.Column("unknowns", sa.Integer(), server_default=sa.text("0"), nullable=False),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=True),
        sa.Column("leased_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("provider_id", sa.Text(), nullable=True),
        sa.Column("cost", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("customer_id", sa.BigInteger(), nullable=True),
        sa.Column("order_id", sa.BigInteger(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("channel IN ('sms', 'email')", name=op.f("ck_notifications_channel")),
        sa.CheckConstraint(
            "status IN ('pending', 'sending', 'sent', 'delivered', 'failed', 'unknown')",
            name=op.f("ck_notifications_status"),
        ),
        sa.ForeignKeyConstraint(
            ["customer_id"], ["customers.id"], name=op.f("fk_notifications_customer_id_customers"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.id"], name=op.f("fk_notifications_order_id_orders"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notifications")),
        sa.UniqueConstraint("dedupe_key", name=op.f("uq_notifications_dedupe_key")),
    )
    op.create_index(op.f("ix_notifications_customer_id"), "notifications", ["customer_id"], unique=False)
    op.create_index(
        "ix_notifications_due",
        "notifications",
        ["channel", "next_attempt_at", "id"],
        unique=False,
        postgresql_where=sa.text("next_attempt_at IS NOT NULL"),
    )
    op.create_index(
        "ix_notifications_leased",
        "notifications",
        ["leased_until"],
        unique=False,
        postgresql_where=sa.text("status = 'sending'"),
    )
    op.create_index(op.f("ix_notifications_order_id"), "notifications", ["order_id"], unique=False)
    op.create_index("ix_notifications_status_id", "notifications", ["status", "id"], unique=False)
    op.create_table(
        "order_history",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("event", sa.Text(), nullable=False),
        sa.Column("from_status", sa.Text(), nullable=True),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("actor_id", sa.BigInteger(), nullable=True),
        sa.Column("actor_role", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("changed", postgresql.JSONB(astext_type=sa.Text()), nullable=True),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["customers.id"], name=op.f("fk_order_history_actor_id_customers"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.id"], name=op.f("fk_order_history_order_id_orders"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_history")),
    )
    op.create_index(op.f("ix_order_history_actor_id"), "order_history", ["actor_id"], unique=False)
    op.create_index(op.f("ix_order_history_order_id"), "order_history", ["order_id"], unique=False)
    op.create_table(
        "order_lines",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=True),
        sa.Column("sku", sa.Text(), nullable=True),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("category", sa.Text(), nullable=False),
        sa.Column("unit", sa.Text(), nullable=False),
        sa.Column("quantity", sa.Numeric(precision=12, scale=3), nullable=False),
        sa.Column("unit_price_cents", sa.BigInteger(), nullable=False),
        sa.Column("line_total_cents", sa.BigInteger(), nullable=False),
        sa.Column("vat_class", sa.Text(), nullable=False),
        sa.Column("vat_rate", sa.Numeric(precision=5, scale=2), nullable=False),
        sa.Column("vat_cents", sa.BigInteger(), nullable=False),
        sa.Column("if_unavailable", sa.Text(), server_default="remove", nullable=False),
        sa.Column("picked_quantity", sa.Numeric(precision=12, scale=3), nullable=True),
        sa.Column("substitute_for", sa.BigInteger(), nullable=True),
        sa.CheckConstraint(
            "if_unavailable IN ('remove', 'substitute', 'call')", name=op.f("ck_order_lines_if_unavailable")
        ),
        sa.CheckConstraint("quantity > 0", name=op.f("ck_order_lines_quantity")),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.id"], name=op.f("fk_order_lines_order_id_orders"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_order_lines_product_id_products"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["substitute_for"],
            ["order_lines.id"],
            name=op.f("fk_order_lines_substitute_for_order_lines"),
            ondelete="SET NULL",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_order_lines")),
    )
    op.create_index(op.f("ix_order_lines_order_id"), "order_lines", ["order_id"], unique=False)
    op.create_index(op.f("ix_order_lines_product_id"), "order_lines", ["product_id"], unique=False)
    op.create_index(op.f("ix_order_lines_substitute_for"), "order_lines", ["substitute_for"], unique=False)
    op.create_table(
        "stock_movements",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("product_id", sa.BigInteger(), nullable=False),
        sa.Column("delta", sa.Numeric(precision=12, scale=3), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("order_id", sa.BigInteger(), nullable=True),
        sa.Column("actor_id", sa.BigInteger(), nullable=True),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.CheckConstraint(
            "reason IN ('opening', 'received', 'sold', 'cancelled', 'returned', 'damaged', 'expired', 'counted')",
            name=op.f("ck_stock_movements_reason"),
        ),
        sa.CheckConstraint("delta <> 0", name=op.f("ck_stock_movements_delta")),
        sa.ForeignKeyConstraint(
            ["actor_id"], ["customers.id"], name=op.f("fk_stock_movements_actor_id_customers"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["order_id"], ["orders.id"], name=op.f("fk_stock_movements_order_id_orders"), ondelete="SET NULL"
        ),
        sa.ForeignKeyConstraint(
            ["product_id"], ["products.id"], name=op.f("fk_stock_movements_product_id_products"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_stock_movements")),
    )
    op.create_index(op.f("ix_stock_movements_actor_id"), "stock_movements", ["actor_id"], unique=False)
    op.create_index(op.f("ix_stock_movements_order_id"), "stock_movements", ["order_id"], unique=False)
    op.create_index(op.f("ix_stock_movements_product_id"), "stock_movements", ["product_id"], unique=False)


def downgrade() -> None:
    op.drop_index(op.f("ix_stock_movements_product_id"), table_name="stock_movements")
    op.drop_index(op.f("ix_stock_movements_order_id"), table_name="stock_movements")
    op.drop_index(op.f("ix_stock_movements_actor_id"), table_name="stock_movements")
    op.drop_table("stock_movements")
    op.drop_index(op.f("ix_order_lines_substitute_for"), table_name="order_lines")
    op.drop_index(op.f("ix_order_lines_product_id"), table_name="order_lines")
    op.drop_index(op.f("ix_order_lines_order_id"), table_name="order_lines")
    op.drop_table("order_lines")
    op.drop_index(op.f("ix_order_history_order_id"), table_name="order_history")
    op.drop_index(op.f("ix_order_history_actor_id"), table_name="order_history")
    op.drop_table("order_history")
    op.drop_index("ix_notifications_status_id", table_name="notifications")
    op.drop_index(op.f("ix_notifications_order_id"), table_name="notifications")
    op.drop_index("ix_notifications_leased", table_name="notifications", postgresql_where=sa.text("status = 'sending'"))
    op.drop_index(
        "ix_notifications_due", table_name="notifications", postgresql_where=sa.text("next_attempt_at IS NOT NULL")
    )
    op.drop_index(op.f("ix_notifications_customer_id"), table_name="notifications")
    op.drop_table("notifications")
    op.drop_index(op.f("ix_idempotency_keys_order_id"), table_name="idempotency_keys")
    op.drop_index(op.f("ix_idempotency_keys_created_at"), table_name="idempotency_keys")
    op.drop_table("idempotency_keys")
    op.drop_index(op.f("ix_token_families_expires_at"), table_name="token_families")
    op.drop_index(op.f("ix_token_families_customer_id"), table_name="token_families")
    op.drop_table("token_families")
    op.drop_index(op.f("ix_token_blocklist_expires_at"), table_name="token_blocklist")
    op.drop_index(op.f("ix_token_blocklist_customer_id"), table_name="token_blocklist")
    op.drop_table("token_blocklist")
    op.drop_index("ix_products_search", table_name="products", postgresql_using="gin")
    op.drop_index("ix_products_price_cents_id", table_name="products")
    op.drop_index("ix_products_name_id", table_name="products")
    op.drop_index(op.f("ix_products_category_id"), table_name="products")
    op.drop_index("ix_products_facets", table_name="products", postgresql_where=sa.text("is_active"))
    op.drop_index("ix_products_brand", table_name="products")
    op.drop_table("products")
    op.drop_index("ix_orders_status_id", table_name="orders")
    op.drop_index("ix_orders_process_at", table_name="orders", postgresql_where=sa.text("process_at IS NOT NULL"))
    op.drop_index("ix_orders_customer_id_id", table_name="orders")
    op.drop_table("orders")
    op.drop_index(op.f("ix_sales_ledger_placed_at"), table_name="sales_ledger")
    op.drop_table("sales_ledger")
    op.drop_index(
        "uq_customers_verified_phone", table_name="customers", postgresql_where=sa.text("phone_verified_at IS NOT NULL")
    )
    op.drop_table("customers")
    op.drop_index("uq_categories_path", table_name="categories")
    op.drop_index(op.f("ix_categories_parent_id"), table_name="categories")
    op.drop_table("categories")
    op.execute("DROP TEXT SEARCH CONFIGURATION grocery")
    op.execute("DROP TEXT SEARCH DICTIONARY grocery_stem")
