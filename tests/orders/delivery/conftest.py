"""The SQL that is sent, as in `tests.products`."""

from tests.products.conftest import statements

__all__ = ["statements"]
