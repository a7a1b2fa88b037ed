"""The people of `tests.orders`, whose callers these tests share."""

from tests.orders.conftest import admin, customer, other_customer, staff

__all__ = ["admin", "customer", "other_customer", "staff"]
