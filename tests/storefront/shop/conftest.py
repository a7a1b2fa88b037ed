"""A customer with orders."""

from tests.orders.conftest import customer

__all__ = ["customer"]
