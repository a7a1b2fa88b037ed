import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.auth.factories import PASSWORD, make_customer
from tests.products.factories import make_product
from tests.rollout.fleet import Fleet, Version, open_fleet, this_version
from tests.rollout.load import Buyer
from tests.rollout.nginx import PROGRAM

CUSTOMERS = 6


@pytest.fixture
def buyers(context: None) -> list[Buyer]:
    """Customers who can sign in."""
    people = [make_customer(phone=f"+25471234567{number}") for number in range(CUSTOMERS)]
    return [Buyer(person.email or "", PASSWORD) for person in people]


@pytest.fixture
def product_id(context: None) -> int:
    """A product of which there is more than anybody will buy."""
    return make_product(name="Maize Flour", stock=900_000)


@pytest.fixture
def version(environ: dict[str, str]) -> Version:
    """The program as it is, with what the tests of one process turn off."""
    inherited = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    return this_version({**inherited, **environ, "KEPT_ANSWERS_MB": "16", "LOG_LEVEL": "INFO", "DRAIN_SECONDS": "3"})


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[Fleet]:
    """Servers behind nginx; none runs yet."""
    if PROGRAM is None:
        pytest.skip("nginx is not installed")
    fleet = open_fleet(tmp_path)
    with fleet.nginx, fleet:
        yield fleet
