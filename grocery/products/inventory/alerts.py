"""Customers who wait for a product: asking, taking it back, telling them."""

from datetime import datetime
from typing import Any

from flask import current_app
from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

from grocery import money
from grocery.db import Row
from grocery.errors import UnauthenticatedError
from grocery.notify.service import Message, queue_messages
from grocery.notify.ways import EMAIL, choose_ways
from grocery.paging import Page, cut_page, decode_cursor, encode_cursor
from grocery.products.errors import ProductNotFoundError
from grocery.products.inventory.errors import InStockError, TooManyAlertsError

#: Alerts of a customer.
MAX_ALERTS = 100
#: Alerts that are told in one transaction.
BATCH = 100

_PRODUCT = text("SELECT in_stock FROM products WHERE id = :product_id AND is_active FOR KEY SHARE")
# Requests of one customer take turns, so that together they keep to the limit.
_LOCK_CUSTOMER = text("SELECT id FROM customers WHERE id = :customer_id FOR NO KEY UPDATE")
_COUNT_OTHERS = text("""
    SELECT count(*) FROM stock_alerts WHERE customer_id = :customer_id AND product_id <> :product_id
""")
_ADD = text("""
    INSERT INTO stock_alerts (product_id, customer_id) VALUES (:product_id, :customer_id) ON CONFLICT DO NOTHING
""")
_DROP = text("DELETE FROM stock_alerts WHERE product_id = :product_id AND customer_id = :customer_id")

_HAS = text("""
    SELECT EXISTS (SELECT FROM stock_alerts WHERE product_id = :product_id AND customer_id = :customer_id)
""")

_LIST = text("""
    SELECT product.id, product.name, product.is_active, product.in_stock, alert.created_at,
           lower(product.name) AS sort_key
    FROM stock_alerts AS alert JOIN products AS product ON product.id = alert.product_id
    WHERE alert.customer_id = :customer_id AND (lower(product.name), product.id) > (:sort_key, :product_id)
    ORDER BY lower(product.name), product.id LIMIT :limit
""")

_IS_DUE = text("""
    SELECT EXISTS (
        SELECT FROM products WHERE id IN (SELECT product_id FROM stock_alerts) AND is_active AND in_stock
    )
""")

# Skipped are alerts that another worker has, and those of customers who are being changed or deleted just now: a
# deletion holds the customer's row and waits for the alerts. The product is only read; its lock is not needed.
_CLAIM = text("""
    SELECT alert.product_id, alert.customer_id, alert.created_at, product.name, product.price_cents,
           customer.name AS customer_name, customer.email, customer.phone, customer.is_active, customer.language,
           customer.notify_by
    FROM stock_alerts AS alert
    JOIN products AS product ON product.id = alert.product_id
    JOIN customers AS customer ON customer.id = alert.customer_id
    WHERE product.is_active AND product.in_stock
    ORDER BY alert.customer_id, alert.product_id LIMIT :limit
    FOR UPDATE OF alert SKIP LOCKED FOR KEY SHARE OF customer SKIP LOCKED
""")

_DROP_TOLD = text("""
    DELETE FROM stock_alerts AS alert
    USING unnest(CAST(:product_ids AS bigint[]), CAST(:customer_ids AS bigint[])) AS told (product_id, customer_id)
    WHERE alert.product_id = told.product_id AND alert.customer_id = told.customer_id
""")


def add_alert(session: Session, product_id: int, customer_id: int) -> None:
    """Note that a customer waits for a product; once more changes nothing.

    Raises ProductNotFoundError, also for one that is withdrawn from sale, InStockError for one that can be bought now,
    TooManyAlertsError, and UnauthenticatedError for an account that is deleted meanwhile.
    """
    parameters = {"product_id": product_id, "customer_id": customer_id}
    if session.execute(_LOCK_CUSTOMER, parameters).scalar() is None:
        raise UnauthenticatedError("This account is gone.")
    product = session.execute(_PRODUCT, parameters).one_or_none()
    if product is None:
        raise ProductNotFoundError
    if product.in_stock:
        raise InStockError
    if session.execute(_COUNT_OTHERS, parameters).scalar_one() >= MAX_ALERTS:
        raise TooManyAlertsError(MAX_ALERTS)
    session.execute(_ADD, parameters)


def drop_alert(session: Session, product_id: int, customer_id: int) -> None:
    """Forget that a customer waits for a product, if so."""
    session.execute(_DROP, {"product_id": product_id, "customer_id": customer_id})


def has_alert(connection: Connection, product_id: int, customer_id: int) -> bool:
    """Whether a customer waits for a product."""
    return bool(connection.execute(_HAS, {"product_id": product_id, "customer_id": customer_id}).scalar())


def list_alerts(connection: Connection, customer_id: int, *, limit: int, cursor: str | None = None) -> Page:
    """What a customer waits for, by name. Raises InvalidError for a cursor of another list."""
    sort_key, product_id = decode_cursor(cursor, str, int) if cursor else ("", 0)
    after = {"sort_key": sort_key, "product_id": product_id}
    found = connection.execute(_LIST, {"customer_id": customer_id, "limit": limit + 1, **after}).all()
    rows, next_cursor = cut_page(found, limit, lambda row: encode_cursor(row.sort_key, row.id))
    items = [
        {
            "product_id": row.id,
            "name": row.name,
            "is_active": row.is_active,
            "in_stock": row.in_stock,
            "created_at": row.created_at,
        }
        for row in rows
    ]
    return Page(items, next_cursor)


def is_alert_due(session: Session) -> bool:
    """Whether somebody waits for a product that can be bought now."""
    return bool(session.execute(_IS_DUE).scalar())


def tell_batch(session: Session, limit: int = BATCH) -> int:
    """Tell up to `limit` customers that what they wait for is back; how many alerts were claimed.

    The messages and the end of the alerts are one transaction: nobody is told twice, nobody is forgotten. Whose
    account is deactivated is not told; the moment has passed.
    """
    alerts = session.execute(_CLAIM, {"limit": limit}).mappings().all()
    queue_messages([message for alert in alerts if alert["is_active"] for message in _messages(alert)])
    if alerts:
        told = {f"{name}s": [alert[name] for alert in alerts] for name in ("product_id", "customer_id")}
        session.execute(_DROP_TOLD, told)
    return len(alerts)


def _messages(alert: Row) -> list[Message]:
    """By e-mail if there is an address and the customer did not choose otherwise: SMS cost money."""
    ways = choose_ways(alert["notify_by"], phone=alert["phone"], email=alert["email"], usual=(EMAIL,), has_sms=True)
    asked_at: datetime = alert["created_at"]
    # The same customer may wait for the same product again later.
    key = f"back_in_stock:{alert['product_id']}:{alert['customer_id']}:{asked_at.isoformat()}"
    return [
        Message(
            way.channel,
            "back_in_stock",
            "customer",
            way.address,
            _context(alert),
            f"{key}:{way.channel}",
            alert["customer_id"],
            language=alert["language"],
            fallback_for=f"{key}:{ways[0].channel}" if way.is_fallback else None,
        )
        for way in ways
    ]


def _context(alert: Row) -> dict[str, Any]:
    config = current_app.config
    return {
        "shop": config["SHOP_NAME"],
        "url": config["SHOP_URL"],
        "customer": {"name": alert["customer_name"]},
        "product": {"name": alert["name"], "price": money.to_display(alert["price_cents"], config["CURRENCY"])},
    }
