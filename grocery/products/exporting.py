"""What the package knows of a person, for the copy that they may have of it."""

from typing import Any

from sqlalchemy import TextClause, text

from grocery.db import db

_ALERTS = text("""
    SELECT product.id AS product_id, product.name, alert.created_at
    FROM stock_alerts AS alert JOIN products AS product ON product.id = alert.product_id
    WHERE alert.customer_id = :customer_id ORDER BY product.id
""")

_REQUESTS = text("SELECT words, created_at FROM product_requests WHERE customer_id = :customer_id ORDER BY id")


def export_wishes(_sender: object, *, customer_id: int) -> dict[str, Any]:
    """The answer to `customer_exporting`: what a customer waits for and has asked the shop to stock."""
    return {"stock_alerts": _rows(_ALERTS, customer_id), "product_requests": _rows(_REQUESTS, customer_id)}


def _rows(statement: TextClause, customer_id: int) -> list[dict[str, Any]]:
    return [dict(row) for row in db.session().execute(statement, {"customer_id": customer_id}).mappings()]
