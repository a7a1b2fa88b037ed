"""Picks over HTTP, and what must be right after each."""

from collections.abc import Callable
from typing import Any

from tests.orders.conftest import Caller
from tests.products.ledger import unbalanced

Sql = Callable[..., list[tuple[Any, ...]]]


def pick(
    staff: Caller, order: dict[str, Any], quantity: Any, *, index: int = 0, headers: Any = None, **body: Any
) -> Any:
    path = f"/orders/{order['id']}/lines/{order['items'][index]['id']}/pick"
    return staff.post(path, json={"picked_quantity": quantity, **body}, headers=headers)


def last_changed(staff: Caller, order: dict[str, Any]) -> dict[str, Any]:
    """What the newest row of the history says about the lines."""
    entry = staff.get(f"/orders/{order['id']}/history").json[-1]
    assert (entry["event"], entry["status"], entry["actor_id"]) == ("lines", order["status"], staff.person.id)
    return entry["changed"]


def events(run_sql: Sql) -> list[tuple[Any, ...]]:
    """What was told, how and to whom, but for that the order was placed."""
    return run_sql("SELECT event, channel, recipient FROM notifications WHERE event <> 'order_placed' ORDER BY 1, 2, 3")


def assert_books_are_right(run_sql: Sql) -> None:
    """Stocks are the sum of their movements, orders have taken what was picked, totals are the sum of their parts."""
    assert unbalanced() == []
    assert (
        run_sql("""
        SELECT * FROM (
            SELECT orders.id AS order_id, line.product_id, sum(coalesce(line.picked_quantity, line.quantity)) AS sum
            FROM orders JOIN order_lines AS line ON line.order_id = orders.id
            WHERE orders.status <> 'cancelled' AND line.product_id IS NOT NULL GROUP BY 1, 2
        ) AS held FULL JOIN (
            SELECT order_id, product_id, -sum(delta) AS sum
            FROM stock_movements WHERE order_id IS NOT NULL GROUP BY 1, 2
        ) AS moved USING (order_id, product_id)
        WHERE coalesce(held.sum, 0) <> coalesce(moved.sum, 0)
    """)
        == []
    )
    assert (
        run_sql("""
        SELECT orders.id FROM orders,
            LATERAL (SELECT coalesce(sum(line_total_cents), 0) AS total, coalesce(sum(discount_cents), 0) AS discount,
                            bool_or(discount_cents > line_total_cents) AS is_below_zero
                     FROM order_lines WHERE order_id = orders.id) AS lines,
            LATERAL (SELECT coalesce(sum(amount_cents), 0) AS amount,
                            coalesce(sum(amount_cents) FILTER (WHERE kind <> 'free_delivery'), 0) AS goods
                     FROM order_discounts WHERE order_id = orders.id) AS held
        WHERE orders.subtotal_cents <> lines.total OR orders.discount_cents <> held.amount
              OR lines.discount <> held.goods OR lines.is_below_zero
              OR orders.total_cents <> subtotal_cents - orders.discount_cents + delivery_fee_cents
    """)
        == []
    )


def assert_refused(answer: Any, status: int, code: str, **fields: Any) -> None:
    assert (answer.status_code, answer.json["code"]) == (status, code), answer.json
    assert {name: answer.json[name] for name in fields} == fields
