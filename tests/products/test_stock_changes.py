"""POST /products/{id}/stock: what staff note of the stock."""

from decimal import Decimal
from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.problems import assert_problem
from tests.products.factories import make_product
from tests.products.ledger import movements_of, select_rows, stock_of

pytestmark = pytest.mark.usefixtures("context")


def test_staff_change_the_stock(client: FlaskClient, staff: dict[str, str]) -> None:
    product = make_product()
    sent = {"delta": 24, "reason": "received", "note": "Delivery 77"}
    answer = client.post(f"/products/{product}/stock", json=sent, headers=staff)
    assert (answer.status_code, answer.json) == (200, {"product_id": product, "stock": 34})
    [[staff_id]] = select_rows("SELECT id FROM customers")
    ledger = select_rows("SELECT delta, reason, actor_id, note, order_id FROM stock_movements ORDER BY id")
    assert ledger[1:] == [(Decimal(24), "received", staff_id, "Delivery 77", None)]


def test_a_stock_below_zero_is_a_conflict(client: FlaskClient, staff: dict[str, str]) -> None:
    product = make_product(unit="kg", stock=Decimal("2.500"))
    answer = client.post(f"/products/{product}/stock", json={"delta": -2.501, "reason": "expired"}, headers=staff)
    assert_problem(answer, 409, "insufficient_stock")
    assert answer.json["available"] == 2.5
    assert stock_of(product) == Decimal("2.500")
    assert len(movements_of(product)) == 1


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"delta": 0, "reason": "received"}, "delta"),
        ({"delta": 0.5, "reason": "received"}, "delta"),
        ({"delta": "5", "reason": "received"}, "delta"),
        ({"delta": 1e300, "reason": "received"}, "delta"),
        ({"delta": -1e300, "reason": "received"}, "delta"),
        ({"delta": 10_000_000, "reason": "received"}, "delta"),
        ({"delta": None, "reason": "received"}, "delta"),
        ({"reason": "received"}, "delta"),
        ({"delta": 5}, "reason"),
        ({"delta": 5, "reason": "sold"}, "reason"),
        ({"delta": 5, "reason": "opening"}, "reason"),
        ({"delta": 5, "reason": "cancelled"}, "reason"),
        ({"delta": 5, "reason": "received", "note": "x" * 501}, "note"),
        ({"delta": 5, "reason": "received", "order_id": 1}, "order_id"),
    ],
)
def test_bad_stock_changes_are_refused(
    client: FlaskClient, staff: dict[str, str], sent: dict[str, Any], field: str
) -> None:
    product = make_product()
    answer = client.post(f"/products/{product}/stock", json=sent, headers=staff)
    assert_problem(answer, 422, "validation_failed")
    assert list(answer.json["errors"]) == [field]
    assert (stock_of(product), len(movements_of(product))) == (10, 1)


def test_a_withdrawn_product_still_has_a_stock_to_correct(client: FlaskClient, staff: dict[str, str]) -> None:
    product = make_product(is_active=False)
    answer = client.post(f"/products/{product}/stock", json={"delta": -10, "reason": "expired"}, headers=staff)
    assert (answer.status_code, answer.json["stock"]) == (200, 0)
