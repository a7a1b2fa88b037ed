"""The methods of payment, without an order."""

import pytest

from grocery.errors import status_of
from grocery.orders.payments.errors import TooManyOpenOrdersError, UnknownMethodError
from grocery.orders.payments.methods import METHODS, payment_method


def test_methods_are_known_by_name() -> None:
    assert METHODS == ("cash_on_delivery",)
    assert [payment_method(name).name for name in METHODS] == list(METHODS)


@pytest.mark.parametrize("name", ["mpesa", "", "CASH_ON_DELIVERY"])
def test_an_unknown_method_is_refused(name: str) -> None:
    with pytest.raises(UnknownMethodError) as refused:
        payment_method(name)
    assert (status_of(refused.value), refused.value.code) == (422, "unknown_payment_method")
    assert refused.value.members == {"errors": {"payment_method": ["Must be one of: cash_on_delivery."]}}


@pytest.mark.parametrize(("open_orders", "limit"), [(0, 10), (9, 10), (0, 1), (0, 0), (1_000_000, 0)])
def test_cash_lets_an_order_be_placed_while_few_are_open(open_orders: int, limit: int) -> None:
    payment_method("cash_on_delivery").authorize(open_unpaid_orders=open_orders, limit=limit)


@pytest.mark.parametrize(("open_orders", "limit"), [(10, 10), (11, 10), (1, 1)])
def test_cash_refuses_one_order_more_than_the_limit(open_orders: int, limit: int) -> None:
    with pytest.raises(TooManyOpenOrdersError) as refused:
        payment_method("cash_on_delivery").authorize(open_unpaid_orders=open_orders, limit=limit)
    assert (status_of(refused.value), refused.value.code) == (409, "too_many_open_orders")
    assert refused.value.members == {"open_orders": open_orders, "limit": limit}
