from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest

from grocery.db import db, transaction
from grocery.orders.jobs import forget_keys
from tests.orders.conftest import Caller, wait_until_blocked
from tests.products.factories import make_product

Sql = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def body(context: None) -> dict[str, Any]:
    return {"items": [{"product_id": make_product(stock=100), "quantity": 2}]}


def post(caller: Caller, body: Any, key: str) -> Any:
    return caller.post("/orders/", json=body, headers={"Idempotency-Key": key})


def test_the_same_request_again_gets_the_same_answer_and_is_done_once(
    customer: Caller, staff: Caller, body: dict[str, Any], run_sql: Sql
) -> None:
    first = post(customer, body, "k-1")
    staff.patch(f"/orders/{first.json['id']}/status", json={"status": "shipped"})
    again = post(customer, dict(reversed(body.items())), "k-1")
    assert (again.status_code, again.data) == (201, first.data)
    assert again.headers["Location"] == first.headers["Location"]
    assert run_sql("SELECT count(*) FROM orders") == [(1,)]
    assert run_sql("SELECT stock FROM products") == [(Decimal(98),)]


def test_a_key_is_refused_for_another_body(customer: Caller, body: dict[str, Any], run_sql: Sql) -> None:
    post(customer, body, "k-1")
    response = post(customer, {**body, "note": "more"}, "k-1")
    assert (response.status_code, response.json["code"]) == (422, "idempotency_key_reused")
    assert run_sql("SELECT count(*) FROM orders") == [(1,)]


def test_a_key_belongs_to_its_customer(
    customer: Caller, other_customer: Caller, body: dict[str, Any], run_sql: Sql
) -> None:
    assert post(customer, body, "k-1").json["id"] != post(other_customer, body, "k-1").json["id"]
    assert run_sql("SELECT count(*) FROM orders") == [(2,)]


def test_an_order_that_failed_frees_its_key(customer: Caller, body: dict[str, Any], run_sql: Sql) -> None:
    run_sql("UPDATE products SET stock = 1")
    assert post(customer, body, "k-1").status_code == 409
    assert run_sql("SELECT count(*) FROM idempotency_keys") == [(0,)]
    run_sql("UPDATE products SET stock = 100")
    assert post(customer, body, "k-1").status_code == 201


@pytest.mark.parametrize("key", ["", " ", "x" * 256, "schlüssel"])
def test_a_key_that_cannot_be_one_is_refused(customer: Caller, body: dict[str, Any], run_sql: Sql, key: str) -> None:
    response = post(customer, body, key)
    assert (response.status_code, list(response.json["errors"])) == (422, ["Idempotency-Key"])
    assert run_sql("SELECT count(*) FROM orders") == [(0,)]


def test_fifty_at_once_make_one_order(customer: Caller, body: dict[str, Any], run_sql: Sql) -> None:
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda _: post(customer, body, "k-1"), range(50)))
    placed = [answer for answer in answers if answer.status_code == 201]
    refused = [answer for answer in answers if answer.status_code != 201]
    assert len({answer.data for answer in placed}) == 1
    assert {(answer.status_code, answer.json["code"]) for answer in refused} <= {(409, "request_in_progress")}
    assert run_sql("SELECT count(*) FROM orders") == [(1,)]
    assert run_sql("SELECT stock FROM products") == [(Decimal(98),)]
    assert run_sql("SELECT count(*) FROM notifications WHERE channel = 'sms'") == [(1,)]


def test_a_request_that_is_still_running_is_a_conflict(customer: Caller, body: dict[str, Any], run_sql: Sql) -> None:
    with transaction() as session:
        session.connection().exec_driver_sql(
            "INSERT INTO idempotency_keys (customer_id, key, fingerprint) VALUES (%s, 'k-1', 'x')",
            (customer.person.id,),
        )
        with ThreadPoolExecutor(1) as pool:
            response = pool.submit(post, customer, body, "k-1").result()
    assert (response.status_code, response.json["code"]) == (409, "request_in_progress")
    assert run_sql("SELECT count(*) FROM orders") == [(0,)]


def test_a_key_of_somebody_who_is_being_deleted_is_theirs_no_more(
    customer: Caller, body: dict[str, Any], run_sql: Sql
) -> None:
    with ThreadPoolExecutor(1) as pool, db.engine.connect() as deleting:
        deleting.exec_driver_sql("DELETE FROM customers WHERE id = %s", (customer.person.id,))
        answer = pool.submit(post, customer, body, "k-1")
        wait_until_blocked(run_sql)
        deleting.commit()
        response = answer.result()
    assert (response.status_code, response.json["detail"]) == (401, "This account is gone.")
    assert run_sql("SELECT count(*) FROM orders") == [(0,)]


def test_more_old_keys_than_a_batch_go_at_once(customer: Caller, run_sql: Sql) -> None:
    run_sql(
        "INSERT INTO idempotency_keys (customer_id, key, fingerprint, created_at)"
        " SELECT :id, 'k-' || n, 'x', now() - interval '3 days' FROM generate_series(1, 2100) AS n",
        id=customer.person.id,
    )
    forget_keys()
    assert run_sql("SELECT count(*) FROM idempotency_keys") == [(0,)]


def test_answers_are_kept_for_two_days(customer: Caller, body: dict[str, Any], run_sql: Sql) -> None:
    for key, age in (("old", 49), ("new", 47)):
        post(customer, body, key)
        run_sql(
            "UPDATE idempotency_keys SET created_at = now() - make_interval(hours => :age) WHERE key = :key",
            age=age,
            key=key,
        )
    forget_keys()
    assert run_sql("SELECT key FROM idempotency_keys") == [("new",)]
