"""Many orders of the shapes that shops have, many at once: no answer but placed or refused, and the books are right."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from itertools import accumulate
from random import Random
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.orders.conftest import Caller, caller
from tests.orders.delivery.factories import make_slot, make_zone
from tests.orders.promotions.factories import make_promotion
from tests.orders.test_held import assert_holdings_are_right
from tests.orders.test_races import assert_ledgers_are_right
from tests.products.factories import make_category, make_product

Sql = Callable[..., list[tuple[Any, ...]]]

CONCURRENCY = 16
PEOPLE = 60
PRODUCTS = 120
COUPONS = ("ONCE", "FIFTY", "TEN")

#: What may be wrong with an order here. That a process has too few connections for its threads would be a 503.
REFUSALS = {"out_of_stock", "slot_full", "coupon_used_up", "coupon_already_used", "coupon_not_applicable"}


class Shop:
    """Products of which few are in most baskets, slots, coupons and offers, and the people who order."""

    def __init__(self, client: FlaskClient, orders: int):
        make_category("Pantry")
        # Of those that most people want there is not enough for all.
        self.products = [make_product(stock=Decimal(orders * 3 // 5), price_cents=50_00 + n) for n in range(40)]
        self.products += [make_product(stock=Decimal(orders), price_cents=90_00 + n) for n in range(PRODUCTS - 40)]
        self._weights = list(accumulate(1 / rank for rank in range(1, PRODUCTS + 1)))
        zone = make_zone(free_from_cents=2000_00)
        self.slots = [make_slot(zone, hours=24 + 2 * number, capacity=orders // 30) for number in range(6)]
        make_promotion(code="ONCE", usage_limit_per_customer=1)
        make_promotion(code="FIFTY", kind="fixed", value=Decimal(50), usage_limit=orders // 40)
        make_promotion(code="TEN", product_ids=self.products[:10], usage_limit=orders // 40)
        make_promotion(
            name="2 + 1",
            kind="buy_x_get_y",
            value=Decimal(0),
            buy_quantity=2,
            get_quantity=1,
            product_ids=self.products[5:9],
            usage_limit=orders * 2,
        )
        self.people = [caller(client, name=f"Customer {number}", phone="+254733000001") for number in range(PEOPLE)]

    def basket(self, random: Random) -> dict[int, int]:
        """Three to thirty lines, more often few than many; popular products far more often than others."""
        lines = min(30, 3 + int(random.expovariate(1 / 6)))
        chosen: dict[int, int] = {}
        while len(chosen) < lines:
            [product_id] = random.choices(self.products, cum_weights=self._weights)
            chosen[product_id] = random.choice((1, 1, 1, 2, 2, 3))
        return chosen

    def body(self, random: Random) -> dict[str, Any]:
        items = [{"product_id": product_id, "quantity": n} for product_id, n in self.basket(random).items()]
        body: dict[str, Any] = {"items": items}
        if random.random() < 0.5:
            body["delivery"] = {"slot_id": random.choice(self.slots), "address": "Moi Avenue 12"}
        if random.random() < 0.3:
            body["coupon"] = random.choice(COUPONS)
        return body


def order_and_perhaps_cancel(shop: Shop, seed: int) -> list[tuple[int, str | None]]:
    """What one order is answered: status and code. Each sixth that was placed is cancelled again."""
    random = Random(seed)
    person: Caller = random.choice(shop.people)
    headers = {"Idempotency-Key": f"order-{seed}"} if random.random() < 0.5 else {}
    answers = [person.post("/orders/", json=shop.body(random), headers=headers)]
    if answers[0].status_code == 201 and random.random() < 1 / 6:
        answers.append(person.post(f"/orders/{answers[0].json['id']}/cancel"))
    return [(answer.status_code, answer.json.get("code")) for answer in answers]


def assert_orders_add_up(run_sql: Sql) -> None:
    """Each order's amounts are the sums of its parts, and a coupon of once per customer was used once by each."""
    assert (
        run_sql("""
        SELECT id FROM orders
        WHERE subtotal_cents <> (SELECT sum(line_total_cents) FROM order_lines WHERE order_id = orders.id)
           OR discount_cents <> (SELECT sum(discount_cents) FROM order_lines WHERE order_id = orders.id)
           OR discount_cents <> (
               SELECT coalesce(sum(amount_cents), 0) FROM order_discounts WHERE order_id = orders.id
           )
    """)
        == []
    )
    assert (
        run_sql("""
        SELECT orders.customer_id FROM order_discounts AS held JOIN orders ON orders.id = held.order_id
        WHERE held.code = 'ONCE' AND orders.status <> 'cancelled' GROUP BY 1 HAVING count(*) > 1
    """)
        == []
    )


def replay(client: FlaskClient, run_sql: Sql, orders: int) -> None:
    shop = Shop(client, orders)
    with ThreadPoolExecutor(CONCURRENCY) as pool:
        answers = list(pool.map(lambda seed: order_and_perhaps_cancel(shop, seed), range(orders)))
    placed = Counter(answer[0] for answer in answers)
    assert {status for status, _ in placed} == {201, 409}
    assert {code for _, code in placed} <= {None, *REFUSALS}
    # A good part of each, so that this was no walk in an empty shop.
    assert placed[201, None] > orders // 2
    assert all(placed[409, code] for code in ("out_of_stock", "slot_full", "coupon_used_up"))
    cancelled = Counter(answer[1] for answer in answers if len(answer) == 2)
    assert set(cancelled) == {(200, None)}
    assert run_sql("SELECT status = 'cancelled', count(*) FROM orders GROUP BY 1 ORDER BY 1") == [
        (False, placed[201, None] - cancelled[200, None]),
        (True, cancelled[200, None]),
    ]
    assert_ledgers_are_right(run_sql)
    assert_holdings_are_right(run_sql)
    assert_orders_add_up(run_sql)


def test_three_hundred_orders_at_once_are_placed_or_refused(context: None, client: FlaskClient, run_sql: Sql) -> None:
    replay(client, run_sql, 300)


@pytest.mark.prove
def test_two_thousand_orders_at_once_are_placed_or_refused(context: None, client: FlaskClient, run_sql: Sql) -> None:
    replay(client, run_sql, 2000)
