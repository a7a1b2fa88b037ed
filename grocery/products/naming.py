"""Products by what people call them: their SKU, their barcode, their whole name."""

from collections.abc import Collection, Iterable

from sqlalchemy import Connection, text

_FIND = text("""
    SELECT wanted.words, array_agg(product.id) AS ids
    FROM unnest(CAST(:words AS text[])) AS wanted (words) JOIN products AS product
    ON product.sku = wanted.words OR product.barcode = wanted.words OR lower(product.name) = lower(wanted.words)
    GROUP BY wanted.words
""")

_NAMES = text("SELECT id, name, sku FROM products WHERE id = ANY(:ids) ORDER BY lower(name), id")


def find_named(connection: Connection, words: Iterable[str]) -> dict[str, list[int]]:
    """The ids of the products with each of these words as SKU, barcode or name; what nobody is called is left out."""
    return {row.words: list(row.ids) for row in connection.execute(_FIND, {"words": list(words)})}


def list_names(connection: Connection, product_ids: Collection[int]) -> list[dict[str, object]]:
    """`id`, `name` and `sku` of these products, by name."""
    return [dict(row) for row in connection.execute(_NAMES, {"ids": list(product_ids)}).mappings()]
