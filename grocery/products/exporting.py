"""What the package knows of a person, for the copy that they may have of it."""

from typing import Any

from sqlalchemy import text

from grocery.db import db

_ALERTS = text("""
    SELECT product.id AS product_id, product.name, alert.created_at
    FROM stock_alerts AS alert JOIN products AS product ON product.id = alert.product_id
    WHERE alert.customer_id = :customer_id ORDER BY product.id
""")


def export_alerts(_sender: object, *, customer_id: int) -> dict[str, Any]:
    """The answer to `customer_exporting`."""
    rows = db.session().execute(_ALERTS, {"customer_id": customer_id}).mappings()
    return {"stock_alerts": [dict(row) for row in rows]}
