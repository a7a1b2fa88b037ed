"""What is in the tables of promotions, and what is sent to make one."""

from typing import Any

from tests.products.ledger import select_rows


def body_of(**overrides: Any) -> dict[str, Any]:
    return {"name": "Ten percent", "kind": "percent", "value": "10.00", **overrides}


def count_promotions() -> int:
    return select_rows("SELECT count(*) FROM promotions")[0][0]


def stored(promotion_id: int) -> list[tuple]:
    """All columns of a promotion, what it is for, and the times that it was counted: to compare before and after."""
    return select_rows(
        "SELECT promotions.*, ARRAY(SELECT product_id FROM promotion_products WHERE promotion_id = id ORDER BY 1),"
        " ARRAY(SELECT category_id FROM promotion_categories WHERE promotion_id = id ORDER BY 1)"
        " FROM promotions WHERE id = :id",
        id=promotion_id,
    )


def used_count_of(promotion_id: int) -> int:
    return select_rows("SELECT used_count FROM promotions WHERE id = :id", id=promotion_id)[0][0]
