"""People of a shop, signed in."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from grocery.auth.people import Person
from tests.auth.factories import make_customer, sign_in
from tests.products.factories import make_product
from tests.waiting import wait_until


@dataclass
class Caller:
    """A signed-in person and a client: `caller.post("/orders/", json=…)`."""

    client: FlaskClient
    person: Person
    headers: dict[str, str]

    def __getattr__(self, method: str) -> Callable[..., TestResponse]:
        call = getattr(self.client, method)

        def request(path: str, *, headers: dict[str, str] | None = None, **kwargs: Any) -> TestResponse:
            return call(path, headers={**self.headers, **(headers or {})}, **kwargs)

        return request


def caller(client: FlaskClient, **person: Any) -> Caller:
    made = make_customer(**person)
    return Caller(client, made, sign_in(made))


def wait_until_blocked(run_sql: Callable[..., list[tuple[Any, ...]]], number: int = 1) -> None:
    """Wait until statements of so many connections wait for locks."""
    waiting = "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted"
    wait_until(lambda: run_sql(waiting)[0][0] >= number, f"{number} wait for a lock")


@pytest.fixture
def customer(context: None, client: FlaskClient) -> Caller:
    return caller(client, name="Amina Otieno", email="amina@example.com", phone="+254712345678")


@pytest.fixture
def other_customer(context: None, client: FlaskClient) -> Caller:
    return caller(client, name="Brian Kiprop", email="brian@example.com")


@pytest.fixture
def staff(context: None, client: FlaskClient) -> Caller:
    return caller(client, name="Njeri Staff", role="staff")


@pytest.fixture
def admin(context: None, client: FlaskClient) -> Caller:
    return caller(client, name="Mwangi Admin", role="admin")


@pytest.fixture
def flour(context: None) -> int:
    return make_product("Flour", name="Maize Flour", sku="FLR", price_cents=189_00, vat_class="zero")


@pytest.fixture
def soap(context: None) -> int:
    return make_product("Home", name="Soap", sku="SOAP", price_cents=116_00)


@pytest.fixture
def beef(context: None) -> int:
    return make_product(
        "Meat",
        name="Beef",
        sku="BEEF",
        unit="kg",
        quantity_step=Decimal("0.25"),
        price_cents=119_90,
        stock=Decimal("5.5"),
    )
