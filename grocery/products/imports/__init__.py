"""Importing products from CSV: `reading` knows files, `cells` values, `matching` products, `service` what to do."""

from grocery.products.imports.service import ImportReport, import_products

__all__ = ["ImportReport", "import_products"]
