"""Customers who wait for a product are told once that it is back: none is forgotten, none is told twice."""

import threading
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from grocery.bulk import run_bulk
from grocery.db import db, transaction
from grocery.products.inventory.alerts import is_alert_due, tell_batch
from grocery.products.inventory.tasks import bulk_tasks, tell_alerts
from tests.auth.factories import make_customer
from tests.orders.conftest import Caller
from tests.products.factories import make_product
from tests.products.ledger import select_rows
from tests.products.test_stock import in_threads

pytestmark = pytest.mark.usefixtures("context")

Sql = Any


def out_of_stock(**overrides: Any) -> int:
    return make_product(stock=Decimal(0), **overrides)


def restock(*product_ids: int) -> None:
    with db.engine.begin() as connection:
        connection.execute(text("UPDATE products SET stock = 5 WHERE id = ANY(:ids)"), {"ids": list(product_ids)})


def wait_for(product_id: int, *customer_ids: int) -> None:
    with db.engine.begin() as connection:
        connection.execute(
            text("INSERT INTO stock_alerts (product_id, customer_id) SELECT :product_id, unnest(:ids)"),
            {"product_id": product_id, "ids": list(customer_ids)},
        )


def waiting() -> list[tuple]:
    return select_rows("SELECT product_id, customer_id FROM stock_alerts ORDER BY product_id, customer_id")


def told() -> list[tuple]:
    return select_rows("SELECT channel, recipient FROM notifications WHERE event = 'back_in_stock' ORDER BY id")


def is_due() -> bool:
    due = is_alert_due(db.session())
    db.session.remove()
    return due


# Asking


def test_asking_twice_is_asking_once(customer: Caller) -> None:
    product = out_of_stock()
    for _ in range(2):
        response = customer.put(f"/products/{product}/alert")
        assert (response.status_code, response.data) == (204, b"")
    assert waiting() == [(product, customer.person.id)]
    assert told() == []


def test_what_can_be_bought_now_is_nothing_to_wait_for(customer: Caller) -> None:
    product = make_product(stock=Decimal(1))
    response = customer.put(f"/products/{product}/alert")
    assert (response.status_code, response.json["code"]) == (409, "in_stock")
    assert waiting() == []


def test_less_than_one_step_is_out_of_stock(customer: Caller) -> None:
    product = make_product(unit="kg", quantity_step=Decimal("0.5"), stock=Decimal("0.4"))
    assert customer.put(f"/products/{product}/alert").status_code == 204


def test_what_is_withdrawn_or_unknown_is_not_found(customer: Caller, client: FlaskClient) -> None:
    withdrawn = out_of_stock(is_active=False)
    for product in (withdrawn, withdrawn + 1000):
        assert customer.put(f"/products/{product}/alert").status_code == 404
    assert customer.delete(f"/products/{withdrawn + 1000}/alert").status_code == 404
    assert client.put(f"/products/{withdrawn}/alert").status_code == 401
    assert waiting() == []


def test_not_waiting_any_more_is_fine_twice(customer: Caller, other_customer: Caller) -> None:
    product = out_of_stock()
    wait_for(product, customer.person.id, other_customer.person.id)
    for _ in range(2):
        assert customer.delete(f"/products/{product}/alert").status_code == 204
    assert waiting() == [(product, other_customer.person.id)]


def test_a_customer_waits_for_a_hundred_products_at_most(customer: Caller) -> None:
    products = [out_of_stock() for _ in range(101)]
    for product in products[:100]:
        wait_for(product, customer.person.id)
    assert customer.put(f"/products/{products[0]}/alert").status_code == 204
    response = customer.put(f"/products/{products[100]}/alert")
    assert (response.status_code, response.json["code"]) == (409, "too_many_alerts")
    customer.delete(f"/products/{products[5]}/alert")
    assert customer.put(f"/products/{products[100]}/alert").status_code == 204
    assert len(waiting()) == 100


def test_the_own_list_goes_by_name(customer: Caller, other_customer: Caller) -> None:
    names = ("unga", "Apples", "Milk")
    unga, apples, milk = (out_of_stock(name=name) for name in names)
    for product in (unga, apples, milk):
        wait_for(product, customer.person.id)
    wait_for(out_of_stock(name="Bread"), other_customer.person.id)
    first = customer.get("/alerts/?limit=2")
    assert [row["name"] for row in first.json] == ["Apples", "Milk"]
    second = customer.get(first.headers["Link"].partition(">")[0].removeprefix("<"))
    assert [(row["product_id"], row["name"], row["is_active"], row["in_stock"]) for row in second.json] == [
        (unga, "unga", True, False)
    ]
    assert set(second.json[0]) == {"product_id", "name", "is_active", "in_stock", "created_at"}
    assert "Link" not in second.headers
    assert customer.get("/alerts/?cursor=WzFd").status_code == 422


# Telling


def test_customers_are_told_when_it_is_back(customer: Caller, run_sql: Sql) -> None:
    product = out_of_stock(name="Brookside Milk", price_cents=65_50)
    by_phone = make_customer(email=None, phone="+254722000001", password=None)
    wait_for(product, customer.person.id, by_phone.id)
    assert not is_due()
    assert tell_alerts() is False
    assert told() == []
    restock(product)
    assert is_due()
    assert tell_alerts() is False
    assert told() == [("email", "amina@example.com"), ("sms", "+254722000001")]
    [(subject, body, customer_id, status)] = run_sql(
        "SELECT subject, body, customer_id, status FROM notifications WHERE channel = 'email'"
    )
    assert (subject, customer_id, status) == ("Brookside Milk is back in stock", customer.person.id, "pending")
    assert body.startswith("Hello Amina Otieno,\n\nBrookside Milk is back.\nIt costs KES 65.50.\n")
    assert run_sql("SELECT body FROM notifications WHERE channel = 'sms'") == [
        ("Test Grocer: Brookside Milk is back in stock for KES 65.50. http://shop.example",)
    ]
    assert waiting() == []
    assert not is_due()
    assert tell_alerts() is False
    assert len(told()) == 2


@pytest.mark.parametrize(
    ("notify_by", "expected"),
    [
        ("sms_and_email", [("email", "amina@example.com")]),
        ("email", [("email", "amina@example.com")]),
        ("sms", [("sms", "+254712345678"), ("email", "amina@example.com")]),
    ],
)
def test_they_are_told_as_they_chose(customer: Caller, run_sql: Sql, notify_by: str, expected: list[tuple]) -> None:
    product = out_of_stock()
    run_sql("UPDATE customers SET notify_by = :way WHERE id = :id", way=notify_by, id=customer.person.id)
    wait_for(product, customer.person.id)
    restock(product)
    tell_alerts()
    assert told() == expected
    # The e-mail stands in the place of the SMS.
    assert run_sql("""
        SELECT mail.next_attempt_at > now() + interval '9 minutes' FROM notifications AS mail
        JOIN notifications AS sms ON sms.id = mail.fallback_for_id AND sms.channel = 'sms'
    """) == ([(True,)] if notify_by == "sms" else [])


def test_each_is_told_in_their_language(customer: Caller, run_sql: Sql) -> None:
    product = out_of_stock(name="Maziwa")
    by_phone = make_customer(email=None, phone="+254722000001", password=None)
    run_sql("UPDATE customers SET language = 'sw' WHERE id = :id", id=by_phone.id)
    wait_for(product, customer.person.id, by_phone.id)
    restock(product)
    tell_alerts()
    [english, swahili] = run_sql("SELECT language, split_part(body, 'KES', 1) FROM notifications ORDER BY language")
    assert english == ("en", "Hello Amina Otieno,\n\nMaziwa is back.\nIt costs ")
    assert swahili == ("sw", "Test Grocer: Maziwa inapatikana tena kwa ")


def test_the_bulk_job_tells_them(app: Flask, customer: Caller) -> None:
    product = out_of_stock()
    wait_for(product, customer.person.id)
    restock(product)
    assert [task.name for task in bulk_tasks(app)] == ["inventory.alerts"]
    run_bulk()
    assert told() == [("email", "amina@example.com")]


def test_who_asks_again_is_told_again(customer: Caller) -> None:
    product = out_of_stock()
    for _ in range(2):
        with db.engine.begin() as connection:
            connection.execute(text("UPDATE products SET stock = 0"))
        assert customer.put(f"/products/{product}/alert").status_code == 204
        restock(product)
        tell_alerts()
    assert len(told()) == 2


def test_what_is_withdrawn_keeps_its_alerts_until_it_is_for_sale_again(customer: Caller, admin: Caller) -> None:
    product = out_of_stock()
    wait_for(product, customer.person.id)
    restock(product)
    admin.patch(f"/products/{product}", json={"is_active": False})
    tell_alerts()
    assert (told(), waiting()) == ([], [(product, customer.person.id)])
    assert not is_due()
    admin.patch(f"/products/{product}", json={"is_active": True})
    tell_alerts()
    assert (len(told()), waiting()) == (1, [])


def test_deactivated_customers_and_those_without_an_address_are_not_told(run_sql: Sql) -> None:
    product = out_of_stock()
    inactive, nobody = make_customer(), make_customer()
    run_sql("UPDATE customers SET is_active = false WHERE id = :id", id=inactive.id)
    run_sql("UPDATE customers SET email = NULL, phone = NULL WHERE id = :id", id=nobody.id)
    wait_for(product, inactive.id, nobody.id)
    restock(product)
    tell_alerts()
    assert (told(), waiting()) == ([], [])


def test_alerts_go_with_their_customer_and_their_product(customer: Caller, admin: Caller) -> None:
    gone, stays = out_of_stock(), out_of_stock()
    other = make_customer()
    wait_for(gone, customer.person.id, other.id)
    wait_for(stays, customer.person.id, other.id)
    assert admin.delete(f"/products/{gone}").status_code == 204
    assert admin.delete(f"/auth/users/{customer.person.id}").status_code == 204
    assert waiting() == [(stays, other.id)]


def test_a_worker_that_dies_before_the_commit_has_told_nobody_and_forgotten_nobody(customer: Caller) -> None:
    product = out_of_stock()
    wait_for(product, customer.person.id)
    restock(product)

    def die() -> None:
        with transaction() as session:
            assert tell_batch(session) == 1
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        die()
    assert (told(), waiting()) == ([], [(product, customer.person.id)])
    tell_alerts()
    assert (len(told()), waiting()) == (1, [])


def test_batches_follow_each_other() -> None:
    product = out_of_stock()
    people = [make_customer() for _ in range(3)]
    wait_for(product, *[person.id for person in people])
    restock(product)
    with transaction() as session:
        assert tell_batch(session, limit=2) == 2
    with transaction() as session:
        assert tell_batch(session, limit=2) == 1
    assert [recipient for _, recipient in told()] == [person.email for person in people]


def test_workers_at_once_tell_each_customer_once(app: Flask) -> None:
    products = [out_of_stock() for _ in range(3)]
    people = [make_customer() for _ in range(10)]
    for product in products:
        wait_for(product, *[person.id for person in people])
    restock(*products)
    start = threading.Barrier(4)

    def work(_number: int) -> None:
        start.wait(60)
        for _ in range(8):
            with transaction() as session:
                tell_batch(session, limit=5)

    assert in_threads(app, 4, work) == [None] * 4
    tell_alerts()
    assert (len(told()), waiting()) == (30, [])
    assert select_rows("SELECT recipient FROM notifications GROUP BY recipient HAVING count(*) <> 3") == []


def test_a_customer_who_is_being_deleted_is_passed_by_without_waiting(customer: Caller) -> None:
    product = out_of_stock()
    other = make_customer()
    wait_for(product, customer.person.id, other.id)
    restock(product)
    with db.engine.begin() as connection:
        connection.execute(text("SELECT FROM customers WHERE id = :id FOR UPDATE"), {"id": customer.person.id})
        with transaction() as session:
            session.execute(text("SET LOCAL lock_timeout = '1s'"))
            assert tell_batch(session) == 1
    assert told() == [("email", other.email)]
    assert waiting() == [(product, customer.person.id)]
