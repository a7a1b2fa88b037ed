"""What staff do with the stock by hand, over HTTP: the stock, its ledger and its lots change together."""

from decimal import Decimal
from typing import Any

import pytest

from tests.orders.conftest import Caller
from tests.products.factories import make_product
from tests.products.inventory.factories import broken, in_days, make_lot, parts_of, remaining
from tests.products.ledger import select_rows, stock_of

pytestmark = pytest.mark.usefixtures("context")


def change(staff: Caller, product: int, status: int = 200, **body: Any) -> dict[str, Any]:
    response = staff.post(f"/products/{product}/stock", json=body)
    assert response.status_code == status, response.json
    return response.json


def test_a_delivery_makes_a_lot(staff: Caller) -> None:
    product = make_product()
    expires_on = in_days(30)
    answer = change(staff, product, delta=24, reason="received", lot={"code": "L-113", "expires_on": str(expires_on)})
    [lot] = select_rows("SELECT id, code, expires_on, received_quantity, remaining, actor_id FROM stock_lots")
    assert answer == {"product_id": product, "stock": 34, "lot_id": lot[0]}
    assert lot[1:] == ("L-113", expires_on, 24, 24, staff.person.id)
    assert parts_of(product) == [(24, "received", lot[0], 34)]
    assert broken() == []


def test_a_lot_may_never_expire_and_may_expire_today(staff: Caller) -> None:
    product = make_product()
    change(staff, product, delta=1, reason="received", lot={"code": "SALT"})
    change(staff, product, delta=1, reason="received", lot={"code": "BREAD", "expires_on": str(in_days(0))})
    assert select_rows("SELECT code, expires_on FROM stock_lots ORDER BY id") == [("SALT", None), ("BREAD", in_days(0))]


def test_a_delivery_without_a_lot_is_as_before(staff: Caller) -> None:
    product = make_product()
    assert change(staff, product, delta=5, reason="received") == {"product_id": product, "stock": 15}
    assert parts_of(product) == [(5, "received", None, 15)]
    assert select_rows("SELECT * FROM stock_lots") == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"reason": "counted"}, "delta"),
        ({"delta": 1, "quantity": 1, "reason": "counted"}, "delta"),
        ({"delta": 0, "reason": "received"}, "delta"),
        ({"quantity": 1, "reason": "received"}, "reason"),
        ({"quantity": -1, "reason": "counted"}, "quantity"),
        ({"delta": 1, "reason": "sold"}, "reason"),
        ({"delta": 1, "reason": "returned", "lot": {"code": "L"}}, "lot"),
        ({"delta": -1, "reason": "received", "lot": {"code": "L"}}, "lot"),
        ({"delta": 1, "reason": "received", "lot": {"code": " "}}, "lot"),
        ({"delta": 1, "reason": "received", "lot": {"expires_on": "2030-01-01"}}, "lot"),
        ({"delta": 1, "reason": "received", "lot": {"code": "L", "expires_on": "2020-01-01"}}, "lot"),
        ({"delta": 1, "reason": "received", "lot": {"code": "L", "expires_on": "soon"}}, "lot"),
        ({"delta": 1, "reason": "received", "lot": {"code": "L", "expires_on": 7}}, "lot"),
        ({"delta": 1, "reason": "received", "lot": None}, "lot"),
        ({"delta": 1, "reason": "received", "lot": "L-113"}, "lot"),
        ({"delta": 1, "reason": "returned", "lot_id": 1}, "lot_id"),
        ({"quantity": 1, "reason": "counted", "lot_id": 1}, "lot_id"),
        ({"delta": -1, "reason": "expired", "lot_id": 999}, "lot_id"),
        ({"delta": -1, "reason": "expired", "lot_id": None}, "lot_id"),
        ({"delta": 0.5, "reason": "received", "lot": {"code": "L"}}, "delta"),
        ({"quantity": 1.5, "reason": "counted"}, "quantity"),
        ({"delta": 10_000_000, "reason": "received", "lot": {"code": "L"}}, "delta"),
    ],
)
def test_what_cannot_be_is_refused_and_changes_nothing(staff: Caller, body: dict[str, Any], field: str) -> None:
    product = make_product()
    lot = make_lot(product, 2, days=5)
    ledger = parts_of(product)
    assert list(change(staff, product, 422, **body)["errors"]) == [field]
    assert (stock_of(product), remaining(lot), parts_of(product)) == (12, [2], ledger)
    assert len(select_rows("SELECT id FROM stock_lots")) == 1


def test_what_is_written_off_comes_out_of_its_lot(staff: Caller) -> None:
    product = make_product()
    first, second = make_lot(product, 5, days=1), make_lot(product, 5, days=9)
    change(staff, product, delta=-3, reason="expired", lot_id=second)
    assert remaining(first, second) == [5, 2]
    assert parts_of(product)[2:] == [(-3, "expired", second, 17)]


def test_more_than_a_lot_has_is_refused(staff: Caller) -> None:
    product, other = make_product(), make_product()
    lot, foreign = make_lot(product, 2), make_lot(other, 2)
    refusal = change(staff, product, 409, delta=-3, reason="damaged", lot_id=lot)
    assert (refusal["code"], refusal["available"]) == ("insufficient_lot", 2)
    change(staff, product, delta=-2, reason="damaged", lot_id=lot)
    refusal = change(staff, product, 409, delta=-1, reason="damaged", lot_id=lot)
    assert (refusal["code"], refusal["available"]) == ("insufficient_lot", 0)
    assert change(staff, product, 422, delta=-1, reason="damaged", lot_id=foreign)["errors"] == {
        "lot_id": ["The product has no such lot."]
    }
    assert (stock_of(product), remaining(lot, foreign)) == (10, [0, 2])


def test_what_goes_without_a_lot_is_taken_from_those_that_expire_first(staff: Caller) -> None:
    product = make_product(stock=Decimal(0))
    never, late, soon = make_lot(product, 4), make_lot(product, 5, days=20), make_lot(product, 2, days=-1)
    change(staff, product, delta=-4, reason="damaged", note="The shelf fell")
    assert remaining(never, late, soon) == [4, 3, 0]
    assert parts_of(product)[3:] == [(-2, "damaged", soon, 9), (-2, "damaged", late, 7)]
    assert select_rows("SELECT DISTINCT note FROM stock_movements WHERE reason = 'damaged'") == [("The shelf fell",)]
    change(staff, product, delta=-7, reason="damaged")
    assert (remaining(never, late, soon), stock_of(product)) == ([0, 0, 0], 0)
    assert broken() == []


def test_what_no_lot_has_goes_without_one(staff: Caller) -> None:
    product = make_product(stock=Decimal(3))
    lot = make_lot(product, 2)
    change(staff, product, delta=-4, reason="damaged")
    assert remaining(lot) == [0]
    assert parts_of(product)[1:] == [(-2, "damaged", lot, 3), (-2, "damaged", None, 1)]


def test_a_count_notes_the_difference_and_takes_it_from_the_lots(staff: Caller) -> None:
    product = make_product(stock=Decimal(0))
    first, second = make_lot(product, 5, days=1), make_lot(product, 5, days=2)
    assert change(staff, product, quantity=4, reason="counted") == {"product_id": product, "stock": 4}
    assert remaining(first, second) == [0, 4]
    assert parts_of(product)[2:] == [(-5, "counted", first, 5), (-1, "counted", second, 4)]
    assert change(staff, product, quantity=4, reason="counted")["stock"] == 4
    assert len(parts_of(product)) == 4
    assert change(staff, product, quantity=6, reason="counted")["stock"] == 6
    assert (remaining(first, second), parts_of(product)[4:]) == ([0, 4], [(2, "counted", None, 6)])
    assert change(staff, product, quantity=0, reason="counted")["stock"] == 0
    assert remaining(first, second) == [0, 0]
    assert broken() == []


def test_more_than_the_most_can_still_be_written_off(staff: Caller) -> None:
    """Cancelled orders can bring back more than may be received."""
    product = make_product(stock=Decimal(10_000_005))
    assert change(staff, product, delta=-3, reason="damaged")["stock"] == 10_000_002
    assert list(change(staff, product, 422, delta=1, reason="returned")["errors"]) == ["delta"]
    assert change(staff, product, quantity=9_999_999, reason="counted")["stock"] == 9_999_999
    assert broken() == []


def test_goods_that_are_ordered_cannot_be_written_off(staff: Caller, customer: Caller) -> None:
    product = make_product(stock=Decimal(0))
    lot = make_lot(product, 5, days=3)
    customer.post("/orders/", json={"items": [{"product_id": product, "quantity": 4}]})
    refusal = change(staff, product, 409, delta=-2, reason="damaged", lot_id=lot)
    assert (refusal["code"], refusal["available"]) == ("insufficient_stock", 1)
    assert (stock_of(product), remaining(lot)) == (1, [5])


def test_the_stock_is_for_staff(customer: Caller, staff: Caller, client: Any) -> None:
    product = make_product()
    body = {"quantity": 1, "reason": "counted"}
    assert client.post(f"/products/{product}/stock", json=body).status_code == 401
    assert customer.post(f"/products/{product}/stock", json=body).status_code == 403
    assert staff.post("/products/999999/stock", json={"delta": 0}).status_code == 404
    assert stock_of(product) == 10
