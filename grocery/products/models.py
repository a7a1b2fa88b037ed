"""Categories, products and the ledger of their stock."""

from datetime import datetime
from decimal import Decimal

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Computed,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    Numeric,
    Text,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import TSVECTOR
from sqlalchemy.orm import Mapped, mapped_column

from grocery.db import Base

UNITS = ("each", "kg")
VAT_CLASSES = ("standard", "zero", "exempt")
MOVEMENT_REASONS = ("opening", "received", "sold", "cancelled", "returned", "damaged", "expired", "counted")


def words_sql(column: str) -> str:
    """SQL for a text as words without accents.

    PostgreSQL's own parser takes "Jar/Bowl" for a file, "Bru.com" for a host and "-5" for a number, which no shopper
    finds again. Apostrophes go without a trace, so that "kelloggs" finds Kellogg's; `search/words.py` does the same.
    """
    plain = f"regexp_replace(normalize({column}, NFD), '[\\u0300-\\u036f]+', '', 'g')"
    return f"regexp_replace(translate({plain}, '–—…øØđĐłŁ''’', '   oOdDlL'), '[!-/:-@[-`{{-~]+', ' ', 'g')"


# Names weigh more than brands, those more than categories, and those more than descriptions. The configuration
# 'grocery', made by the first migration, folds English plurals and drops no words: names of groceries are English,
# Swahili and brands in one line, and a brand may be called "And".
_SEARCH = " || ".join(
    f"setweight(to_tsvector('grocery'::regconfig, {words_sql(column)}), '{weight}')"
    for column, weight in (
        ("name", "A"),
        ("coalesce(brand, '')", "B"),
        ("category_path", "C"),
        ("coalesce(description, '')", "D"),
    )
)


class Category(Base):
    """A node of the category tree. `path` has the names from the root ("Drinks/Juice"), kept right by the service."""

    __tablename__ = "categories"
    __table_args__ = (
        CheckConstraint("parent_id <> id", name="not_own_parent"),
        # Of the hash, since an index takes up to 2,704 bytes and a deep tree has longer paths.
        Index("uq_categories_path", text("md5(lower(path))"), unique=True),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    parent_id: Mapped[int | None] = mapped_column(ForeignKey("categories.id", ondelete="RESTRICT"), index=True)
    name: Mapped[str] = mapped_column(Text)
    path: Mapped[str] = mapped_column(Text)
    position: Mapped[int] = mapped_column(server_default=text("0"))
    # Its path was changed, and copies of it in products have not followed yet.
    is_moved: Mapped[bool] = mapped_column(server_default=text("false"))


class Product(Base):
    __tablename__ = "products"
    __table_args__ = (
        CheckConstraint("price_cents >= 0", name="price"),
        CheckConstraint("compare_at_price_cents > price_cents", name="compare_at_price"),
        CheckConstraint("stock >= 0", name="stock"),
        CheckConstraint("unit IN ('each', 'kg')", name="unit"),
        CheckConstraint("vat_class IN ('standard', 'zero', 'exempt')", name="vat_class"),
        CheckConstraint("quantity_step > 0", name="quantity_step"),
        CheckConstraint("low_stock_threshold >= 0", name="low_stock_threshold"),
        Index("ix_products_name_id", text("lower(name)"), "id"),
        # What staff list of those withdrawn from sale: few, found without reading all the others.
        Index("ix_products_withdrawn", text("lower(name)"), "id", postgresql_where=text("NOT is_active")),
        Index("ix_products_price_cents_id", "price_cents", "id"),
        Index("ix_products_brand", text("lower(brand)")),
        # For the newest change of all; sales leave the column, and so the index, alone.
        Index("ix_products_updated_at", "updated_at"),
        Index("ix_products_search", "search", postgresql_using="gin"),
        # All that facets count, so that they need not read the rows.
        Index(
            "ix_products_facets",
            "category_id",
            "brand",
            "price_cents",
            "compare_at_price_cents",
            "in_stock",
            postgresql_where=text("is_active"),
        ),
        # Not of the stock: an index that has it would be touched by every sale.
        Index("ix_products_watched", "id", postgresql_where=text("low_stock_threshold IS NOT NULL")),
        # Every sale updates the row: room on the page keeps such an update from touching the indexes.
        {"postgresql_with": {"fillfactor": "80"}},
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    sku: Mapped[str | None] = mapped_column(Text, unique=True)
    barcode: Mapped[str | None] = mapped_column(Text, unique=True)
    name: Mapped[str] = mapped_column(Text)
    description: Mapped[str | None] = mapped_column(Text)
    brand: Mapped[str | None] = mapped_column(Text)
    category_id: Mapped[int] = mapped_column(ForeignKey("categories.id", ondelete="RESTRICT"), index=True)
    # A copy of the category's path for the search, which follows a moved category in the background.
    category_path: Mapped[str] = mapped_column(Text, server_default="")
    price_cents: Mapped[int] = mapped_column(BigInteger)
    compare_at_price_cents: Mapped[int | None] = mapped_column(BigInteger)
    unit: Mapped[str] = mapped_column(Text, server_default="each")
    quantity_step: Mapped[Decimal] = mapped_column(Numeric(8, 3), server_default=text("1"))
    net_content: Mapped[str | None] = mapped_column(Text)
    vat_class: Mapped[str] = mapped_column(Text, server_default="standard")
    stock: Mapped[Decimal] = mapped_column(Numeric(12, 3), server_default=text("0"))
    # Generated and not computed when read, so that indexes can have it: an update that leaves it as it is touches none.
    in_stock: Mapped[bool] = mapped_column(Computed("stock >= quantity_step", persisted=True))
    # From this stock downwards staff are told; null: nobody watches it.
    low_stock_threshold: Mapped[Decimal | None] = mapped_column(Numeric(12, 3))
    is_active: Mapped[bool] = mapped_column(server_default=text("true"))
    image_url: Mapped[str | None] = mapped_column(Text)
    ingredients: Mapped[str | None] = mapped_column(Text)
    allergens: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=text("'{}'"))
    country_of_origin: Mapped[str | None] = mapped_column(Text)
    is_age_restricted: Mapped[bool] = mapped_column(server_default=text("false"))
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    updated_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
    version: Mapped[int] = mapped_column(server_default=text("1"))
    search: Mapped[str] = mapped_column(TSVECTOR, Computed(_SEARCH, persisted=True), deferred=True)


class StockMovement(Base):
    """One change of a product's stock. The sum over a product is its stock, always.

    `stock_after` is null in rows from before it was noted. `lot_id` has no foreign key: lots are deleted with their
    product only, as these rows are, and the index that a key needs would cost each sale.
    """

    __tablename__ = "stock_movements"
    __table_args__ = (
        CheckConstraint("delta <> 0", name="delta"),
        CheckConstraint(
            "reason IN ('opening', 'received', 'sold', 'cancelled', 'returned', 'damaged', 'expired', 'counted')",
            name="reason",
        ),
        Index("ix_stock_movements_product_id_id", "product_id", "id"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    product_id: Mapped[int] = mapped_column(ForeignKey("products.id", ondelete="CASCADE"))
    delta: Mapped[Decimal] = mapped_column(Numeric(12, 3))
    stock_after: Mapped[Decimal | None] = mapped_column(Numeric(12, 3))
    reason: Mapped[str] = mapped_column(Text)
    lot_id: Mapped[int | None] = mapped_column(BigInteger)
    order_id: Mapped[int | None] = mapped_column(ForeignKey("orders.id", ondelete="SET NULL"), index=True)
    actor_id: Mapped[int | None] = mapped_column(ForeignKey("customers.id", ondelete="SET NULL"), index=True)
    note: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(DateTime(timezone=True), server_default=func.now())
