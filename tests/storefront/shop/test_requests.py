"""What the shop is asked for, as those who buy for it read it."""

import pytest

from grocery.db import reader, transaction
from grocery.products.requests.service import list_requests, request_product
from tests.auth.factories import make_customer
from tests.storefront.conftest import Sql

pytestmark = pytest.mark.usefixtures("context")


def test_the_most_wanted_comes_first_whatever_the_letter_case(run_sql: Sql) -> None:
    amina, brian = make_customer(), make_customer()
    with transaction() as session:
        for words, customer_id in (
            ("Soy milk", amina.id),
            ("oat milk", amina.id),
            ("Oat Milk", brian.id),
            ("OAT MILK", None),
            ("OAT MILK", None),
            ("oat milk", amina.id),
        ):
            request_product(session, words, customer_id)
        request_product(session, "Old wish", None)
    run_sql("UPDATE product_requests SET created_at = now() - interval '91 days' WHERE words = 'Old wish'")
    with reader() as connection:
        found = list_requests(connection)
    assert [(one["words"], one["requests"], one["customers"]) for one in found] == [
        ("OAT MILK", 4, 2),
        ("Soy milk", 1, 1),
    ]


def test_a_wish_outlives_its_customer(run_sql: Sql) -> None:
    amina = make_customer()
    with transaction() as session:
        request_product(session, "Oat milk", amina.id)
    run_sql("DELETE FROM customers WHERE id = :id", id=amina.id)
    assert run_sql("SELECT customer_id, words FROM product_requests") == [(None, "Oat milk")]
