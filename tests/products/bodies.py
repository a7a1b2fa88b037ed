"""Products as they are sent and answered."""

from typing import Any

from tests.products.factories import make_category
from tests.products.ledger import select_rows

DEFAULTS = {
    "sku": None,
    "barcode": None,
    "description": None,
    "brand": None,
    "compare_at_price": None,
    "unit": "each",
    "quantity_step": 1,
    "net_content": None,
    "vat_class": "standard",
    "low_stock_threshold": None,
    "is_active": True,
    "image_url": None,
    "ingredients": None,
    "allergens": [],
    "country_of_origin": None,
    "is_age_restricted": False,
}

FULL: dict[str, Any] = {
    "sku": "MILK-500",
    "barcode": "6161100240018",
    "name": "Brookside Fresh Milk",
    "description": "From Ruiru.",
    "brand": "Brookside",
    "price": "65.00",
    "compare_at_price": "72.50",
    "unit": "each",
    "quantity_step": 1,
    "net_content": "500 ml",
    "vat_class": "exempt",
    "low_stock_threshold": 12.5,
    "is_active": True,
    "image_url": "https://img.example/milk.webp?v=1",
    "ingredients": "Milk",
    "allergens": ["milk"],
    "country_of_origin": "KE",
    "is_age_restricted": False,
}


def body_of(**overrides: Any) -> dict[str, Any]:
    return {"name": "Milk", "category_id": make_category("Dairy"), "price": "65.00", **overrides}


def count_products() -> int:
    return select_rows("SELECT count(*) FROM products")[0][0]


BAD = [
    ({"name": None}, "name"),
    ({"name": "  "}, "name"),
    ({"name": "x" * 201}, "name"),
    ({"name": "a\x00b"}, "name"),
    ({"name": 5}, "name"),
    ({"price": "-1"}, "price"),
    ({"price": -1}, "price"),
    ({"price": "1.005"}, "price"),
    ({"price": 1e300}, "price"),
    ({"price": "1e3"}, "price"),
    ({"price": "Infinity"}, "price"),
    ({"price": None}, "price"),
    ({"price": True}, "price"),
    ({"price": "10000000.01"}, "price"),
    ({"price": {"amount": 5}}, "price"),
    ({"compare_at_price": "65.00"}, "compare_at_price"),
    ({"compare_at_price": "1.00"}, "compare_at_price"),
    ({"category_id": 987654321}, "category_id"),
    ({"category_id": 2**63}, "category_id"),
    ({"category_id": 0}, "category_id"),
    ({"category_id": "1"}, "category_id"),
    ({"category_id": None}, "category_id"),
    ({"category_id": 1.5}, "category_id"),
    ({"barcode": "1234567"}, "barcode"),
    ({"barcode": "123456789012345"}, "barcode"),
    ({"barcode": "12345678x"}, "barcode"),
    ({"barcode": "١٢٣٤٥٦٧٨"}, "barcode"),
    ({"sku": "x" * 65}, "sku"),
    ({"unit": "litre"}, "unit"),
    ({"unit": None}, "unit"),
    ({"quantity_step": 0}, "quantity_step"),
    ({"quantity_step": -1}, "quantity_step"),
    ({"quantity_step": 0.5}, "quantity_step"),
    ({"unit": "kg", "quantity_step": 0.0005}, "quantity_step"),
    ({"quantity_step": 1001}, "quantity_step"),
    ({"quantity_step": "1"}, "quantity_step"),
    ({"vat_class": "reduced"}, "vat_class"),
    ({"stock": -1}, "stock"),
    ({"stock": 1.5}, "stock"),
    ({"stock": 10_000_001}, "stock"),
    ({"stock": "5"}, "stock"),
    ({"unit": "kg", "stock": 0.0001}, "stock"),
    ({"is_active": "yes"}, "is_active"),
    ({"is_active": None}, "is_active"),
    ({"image_url": "javascript:alert(1)"}, "image_url"),
    ({"image_url": "//evil.example/x"}, "image_url"),
    ({"image_url": "https://"}, "image_url"),
    ({"image_url": "images/1.webp"}, "image_url"),
    ({"image_url": "https://a.example/a b"}, "image_url"),
    ({"allergens": "milk"}, "allergens"),
    ({"allergens": [""]}, "allergens"),
    ({"allergens": [5]}, "allergens"),
    ({"allergens": ["a"] * 31}, "allergens"),
    ({"allergens": None}, "allergens"),
    ({"country_of_origin": "Kenya"}, "country_of_origin"),
    ({"country_of_origin": "XX"}, "country_of_origin"),
    ({"is_age_restricted": 1}, "is_age_restricted"),
    ({"colour": "red"}, "colour"),
    ({"id": 5}, "id"),
    ({"version": 1}, "version"),
]
