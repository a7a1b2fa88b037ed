"""Examples for the API's documentation."""

NEW_PRODUCT = {
    "sku": "MILK-500",
    "barcode": "6161100240018",
    "name": "Brookside Fresh Milk",
    "brand": "Brookside",
    "category_id": 12,
    "price": "65.00",
    "compare_at_price": "72.00",
    "net_content": "500 ml",
    "vat_class": "exempt",
    "stock": 48,
    "low_stock_threshold": 12,
    "allergens": ["milk"],
    "country_of_origin": "KE",
}

LISTED_PRODUCT = {
    "id": 7,
    "sku": "MILK-500",
    "barcode": "6161100240018",
    "name": "Brookside Fresh Milk",
    "description": None,
    "brand": "Brookside",
    "category_id": 12,
    "category": "Dairy/Milk",
    "price": "65.00",
    "compare_at_price": "72.00",
    "currency": "KES",
    "unit": "each",
    "quantity_step": 1,
    "net_content": "500 ml",
    "price_per_unit": {"amount": "130.00", "per": "l"},
    "vat_class": "exempt",
    "vat_rate": "0.00",
    "in_stock": True,
    "left": None,
    "is_active": True,
    "image_url": None,
    "images": None,
    "ingredients": None,
    "allergens": ["milk"],
    "country_of_origin": "KE",
    "is_age_restricted": False,
    "created_at": "2026-03-02T08:15:00Z",
    "updated_at": "2026-03-02T08:15:00Z",
    "version": 1,
}

BREADCRUMBS = [{"id": 3, "name": "Dairy"}, {"id": 12, "name": "Milk"}]

PRODUCT = {**LISTED_PRODUCT, "stock": 48, "breadcrumbs": BREADCRUMBS, "low_stock_threshold": 12}

CATEGORY = {"id": 12, "name": "Milk", "parent_id": 3, "path": "Dairy/Milk", "position": 0}

TREE = [
    {
        "id": 3,
        "name": "Dairy",
        "parent_id": None,
        "path": "Dairy",
        "position": 0,
        "children": [{**CATEGORY, "children": []}],
    }
]

CATEGORY_PAGE = {
    **CATEGORY,
    "breadcrumbs": BREADCRUMBS,
    "children": [{"id": 31, "name": "Long life", "parent_id": 12, "path": "Dairy/Milk/Long life", "position": 0}],
    "product_count": 24,
}
