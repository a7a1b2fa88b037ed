"""Which lots an order is given: allocated when it is packed, given back when it is cancelled after that."""

from collections.abc import Sequence
from decimal import Decimal

from sqlalchemy import text
from sqlalchemy.orm import Session

from grocery.db import Row
from grocery.orders.lines import quantity_of
from grocery.orders.states import OPEN_STATUSES
from grocery.products.inventory import lots
from grocery.products.inventory.days import shop_today

# Read after the products were locked: what changes a stock holds that lock, so that both fit together.
_RESERVED = text("""
    SELECT wanted.id, coalesce((
        SELECT sum(coalesce(line.picked_quantity, line.quantity))
        FROM orders JOIN order_lines AS line ON line.order_id = orders.id
        WHERE orders.status = ANY(:open) AND line.product_id = wanted.id
    ), 0) AS quantity
    FROM unnest(CAST(:product_ids AS bigint[])) AS wanted (id)
""")


def allocate_lots(session: Session, order_id: int, lines: Sequence[Row]) -> None:
    """Allocate the lots of an order that has just been packed. It is locked; products and lots are locked here."""
    uncovered = lots.pick(order_id, sum_quantities(lines), today=shop_today())
    if uncovered:
        parameters = {"product_ids": sorted(uncovered), "open": list(OPEN_STATUSES)}
        lots.cut_to_stock({row.id: row.quantity for row in session.execute(_RESERVED, parameters)})


def return_lots(order_id: int) -> None:
    """Put what a cancelled order was given back into its lots."""
    lots.give_back(order_id)


def sum_quantities(lines: Sequence[Row]) -> dict[int, Decimal]:
    """How much of each product these lines hold, picked or still on the shelf; nothing of what was deleted."""
    quantities: dict[int, Decimal] = {}
    for line in lines:
        if line["product_id"] is not None and (quantity := quantity_of(line)):
            quantities[line["product_id"]] = quantities.get(line["product_id"], Decimal(0)) + quantity
    return quantities
