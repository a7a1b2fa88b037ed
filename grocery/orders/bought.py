"""What a customer has bought before, to be bought again."""

from sqlalchemy import Connection, Row, func, select

from grocery.orders.models import Order, OrderLine
from grocery.products.rows import PRODUCTS, select_products

# Of the last so many orders: what somebody bought years ago is no habit, and this costs the same for everyone.
_ORDERS = 30


def list_bought(connection: Connection, customer_id: int, limit: int) -> list[Row]:
    """The products that were in most of a customer's last orders and are still sold; those in stock first.

    Rows of `select_products()`. What was cancelled does not count.
    """
    latest = (
        select(Order.id)
        .where(Order.customer_id == customer_id, Order.status != "cancelled")
        .order_by(Order.id.desc())
        .limit(_ORDERS)
        .subquery("latest")
    )
    times = func.count(OrderLine.order_id.distinct())
    bought = (
        select(OrderLine.product_id, times.label("times"), func.max(OrderLine.id).label("last_id"))
        .join(latest, latest.c.id == OrderLine.order_id)
        .where(OrderLine.product_id.is_not(None))
        .group_by(OrderLine.product_id)
        .subquery("bought")
    )
    statement = (
        select_products()
        .join(bought, bought.c.product_id == PRODUCTS.c.id)
        .where(PRODUCTS.c.is_active)
        .order_by(PRODUCTS.c.in_stock.desc(), bought.c.times.desc(), bought.c.last_id.desc())
        .limit(limit)
    )
    return list(connection.execute(statement))
