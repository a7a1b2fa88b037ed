"""Products, their stock, prices and pictures, categories, and the import."""

from grocery.storefront.desk.products import categories, editing, imports, listing, pictures, prices, quick, stocks
from grocery.storefront.desk.products.blueprint import blp

__all__ = ["blp", "categories", "editing", "imports", "listing", "pictures", "prices", "quick", "stocks"]
