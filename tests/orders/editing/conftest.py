"""An order whose lines are changed."""

from typing import Any

import pytest

from tests.orders.conftest import Caller
from tests.orders.factories import place


@pytest.fixture
def order(customer: Caller, flour: int, soap: int) -> dict[str, Any]:
    """Two of flour and one soap: 494.00, of which 16.00 is VAT."""
    return place(customer, {flour: 2, soap: 1})
