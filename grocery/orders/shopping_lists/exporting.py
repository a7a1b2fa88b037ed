"""What is known of a customer's shopping lists, for the copy that they may have of it."""

from typing import Any

from sqlalchemy import text

from grocery.db import Row, db
from grocery.fields import quantity_number

# In one statement for all lists.
_ITEMS = text("""
    SELECT list.id, list.name, list.created_at, list.updated_at, item.product_id, product.name AS product,
           item.quantity, item.added_at
    FROM shopping_lists AS list LEFT JOIN (
        shopping_list_items AS item JOIN products AS product ON product.id = item.product_id
    ) ON item.list_id = list.id
    WHERE list.customer_id = :customer_id ORDER BY list.id, item.added_at, item.product_id
""")


def export_lists(_sender: object, *, customer_id: int) -> dict[str, Any]:
    """The answer to `customer_exporting`."""
    lists: dict[int, dict[str, Any]] = {}
    for row in db.session().execute(_ITEMS, {"customer_id": customer_id}).mappings():
        exported = lists.setdefault(row["id"], _list(row))
        if row["product_id"] is not None:
            exported["items"].append(_item(row))
    return {"shopping_lists": list(lists.values())}


def _list(row: Row) -> dict[str, Any]:
    return {"name": row["name"], "created_at": row["created_at"], "updated_at": row["updated_at"], "items": []}


def _item(row: Row) -> dict[str, Any]:
    return {
        "product_id": row["product_id"],
        "name": row["product"],
        "quantity": quantity_number(row["quantity"]),
        "added_at": row["added_at"],
    }
