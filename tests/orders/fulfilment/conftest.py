"""An order to be picked."""

from typing import Any

import pytest

from tests.orders.conftest import Caller
from tests.orders.factories import place


@pytest.fixture
def order(customer: Caller, soap: int, flour: int) -> dict[str, Any]:
    """Three soaps and one flour: 537.00, of which 48.00 is VAT."""
    return place(customer, {soap: 3, flour: 1})
