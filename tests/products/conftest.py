"""Who asks: headers of an admin, a staff member and a customer."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, event

from grocery.db import db
from tests.auth.factories import make_customer, sign_in


@pytest.fixture
def admin(context: None) -> dict[str, str]:
    return sign_in(make_customer(role="admin"))


@pytest.fixture
def staff(context: None) -> dict[str, str]:
    return sign_in(make_customer(role="staff"))


@pytest.fixture
def customer(context: None) -> dict[str, str]:
    return sign_in(make_customer())


@pytest.fixture
def statements(context: None) -> Iterator[list[str]]:
    """The SQL that is sent while the test runs, on any engine."""
    sent: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        sent.append(statement)

    assert db.engine
    event.listen(Engine, "before_cursor_execute", note)
    yield sent
    event.remove(Engine, "before_cursor_execute", note)
