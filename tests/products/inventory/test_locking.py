"""Who changes a stock and who erases a person lock the same rows in the same order."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from werkzeug.test import TestResponse

from grocery.db import db
from tests.orders.conftest import Caller
from tests.products.factories import make_product
from tests.products.inventory.factories import make_lot
from tests.products.ledger import select_rows, stock_of, wait_for_a_lock

pytestmark = pytest.mark.usefixtures("context")

LOT = {"code": "L", "expires_on": None}


def is_free_while(locked: str, request: Callable[[], TestResponse], needed: str) -> int:
    """Lock rows, let a request wait for them, and check that it does not hold what we need next; its status."""
    with ThreadPoolExecutor(1) as pool, db.engine.begin() as connection:
        connection.execute(text(locked))
        answer = pool.submit(request)
        wait_for_a_lock()
        assert connection.execute(text(f"{needed} NOWAIT")).all()
        connection.commit()
        return answer.result(60).status_code


@pytest.mark.parametrize(
    "body",
    [
        {"delta": 1, "reason": "received", "lot": LOT},
        {"delta": 1, "reason": "returned"},
        {"delta": -1, "reason": "damaged"},
        {"quantity": 3, "reason": "counted"},
    ],
    ids=["receive", "add", "take", "count"],
)
def test_staff_whose_account_is_being_changed_wait_before_they_lock_the_product(
    staff: Caller, body: dict[str, object]
) -> None:
    product = make_product()
    status = is_free_while(
        f"SELECT FROM customers WHERE id = {staff.person.id} FOR UPDATE",
        lambda: staff.post(f"/products/{product}/stock", json=body),
        f"SELECT FROM products WHERE id = {product} FOR UPDATE",
    )
    assert status == 200


def test_staff_who_are_deleted_meanwhile_change_nothing(staff: Caller) -> None:
    product = make_product()
    with ThreadPoolExecutor(1) as pool, db.engine.begin() as connection:
        connection.execute(text("DELETE FROM customers WHERE id = :id"), {"id": staff.person.id})
        body = {"delta": 1, "reason": "received", "lot": LOT}
        answer = pool.submit(staff.post, f"/products/{product}/stock", json=body)
        wait_for_a_lock()
        connection.commit()
        assert answer.result(60).status_code == 401
    assert (stock_of(product), select_rows("SELECT * FROM stock_lots")) == (10, [])


def test_the_deletion_of_a_person_locks_lots_in_the_order_of_their_ids(staff: Caller, admin: Caller) -> None:
    product = make_product()
    first, second = make_lot(product, 2), make_lot(product, 2)
    with db.engine.begin() as connection:
        for lot in (second, first):  # so that the first one lies behind the second one in the table
            values = {"id": lot, "actor_id": staff.person.id}
            connection.execute(text("UPDATE stock_lots SET actor_id = :actor_id WHERE id = :id"), values)
    status = is_free_while(
        f"SELECT FROM stock_lots WHERE id = {first} FOR UPDATE",
        lambda: admin.delete(f"/auth/users/{staff.person.id}"),
        f"SELECT FROM stock_lots WHERE id = {second} FOR UPDATE",
    )
    assert status == 204
    assert select_rows("SELECT DISTINCT actor_id FROM stock_lots") == [(None,)]
