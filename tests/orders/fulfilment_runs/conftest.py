"""A rider, and orders for the door."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from tests.orders.conftest import Caller, caller
from tests.orders.delivery.factories import make_slot, make_zone
from tests.orders.factories import place
from tests.orders.fulfilment_runs.factories import PLACE
from tests.products.factories import make_product

Order = dict[str, Any]


@pytest.fixture
def rider(context: None, client: FlaskClient) -> Caller:
    return caller(client, name="Otieno Rider", role="staff")


@pytest.fixture
def slot(context: None) -> int:
    return make_slot(make_zone(fee_cents=150_00), capacity=50)


@pytest.fixture
def order(customer: Caller, slot: int) -> Order:
    """One of 350.00, for the door."""
    return place(customer, {make_product(): 2}, delivery={**PLACE, "slot_id": slot})


@pytest.fixture
def another(other_customer: Caller, slot: int) -> Order:
    """One of 250.00, for another door."""
    delivery = {"slot_id": slot, "landmark": "behind the mosque", "phone": "+254733000001"}
    return place(other_customer, {make_product(): 1}, delivery=delivery)
