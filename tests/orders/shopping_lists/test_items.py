"""What is on shopping lists, and putting it into the cart."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text

from grocery.db import db
from tests.auth.factories import PASSWORD
from tests.orders.conftest import Caller, wait_until_blocked
from tests.orders.shopping_lists.conftest import Sql, make_list, on, put
from tests.products.factories import make_product


def cart(customer: Caller) -> dict[int, float]:
    return {item["product_id"]: item["quantity"] for item in customer.get("/cart").json["items"]}


def test_quantities_are_set_and_taken_off(customer: Caller, weekly: dict[str, Any], flour: int, beef: int) -> None:
    assert put(customer, weekly, flour, 2).status_code == 200
    answer = put(customer, weekly, beef, 1.5).json
    assert [(item["name"], item["quantity"], item["unit"], item["unit_price"]) for item in answer["items"]] == [
        ("Maize Flour", 2, "each", "189.00"),
        ("Beef", 1.5, "kg", "119.90"),
    ]
    put(customer, weekly, flour, 3)
    assert on(customer, weekly) == {flour: 3, beef: 1.5}
    path = f"/lists/{weekly['id']}/items/{flour}"
    assert [customer.delete(path).status_code for _ in range(2)] == [204, 204]
    assert on(customer, weekly) == {beef: 1.5}


@pytest.mark.parametrize("quantity", [0, -1, 0.5, 10_001, 1e308, "1", None, True, [1]])
def test_nonsense_is_refused(customer: Caller, weekly: dict[str, Any], flour: int, quantity: Any) -> None:
    assert put(customer, weekly, flour, quantity).status_code == 422
    assert on(customer, weekly) == {}


def test_not_a_number_is_no_quantity(customer: Caller, weekly: dict[str, Any], flour: int) -> None:
    path = f"/lists/{weekly['id']}/items/{flour}"
    for body in ('{"quantity": NaN}', '{"quantity": Infinity}', '{"quantity": 1e999}', "[]", ""):
        answer = customer.put(path, data=body, content_type="application/json")
        assert answer.status_code in (400, 422)
    assert on(customer, weekly) == {}


def test_products_must_be_there_and_sold_and_may_be_sold_out(
    customer: Caller, weekly: dict[str, Any], run_sql: Sql
) -> None:
    assert put(customer, weekly, 999_999).status_code == 404
    sold_out, withdrawn = make_product(name="Out", stock=0), make_product(name="Old")
    run_sql("UPDATE products SET is_active = false WHERE id = :id", id=withdrawn)
    answer = put(customer, weekly, withdrawn)
    assert (answer.status_code, answer.json["code"]) == (409, "product_unavailable")
    (item,) = put(customer, weekly, sold_out).json["items"]
    assert (item["in_stock"], item["is_active"]) == (False, True)


def test_a_list_has_room_for_200_products(customer: Caller, weekly: dict[str, Any], flour: int, run_sql: Sql) -> None:
    put(customer, weekly, flour)
    run_sql("""
        INSERT INTO products (sku, name, price_cents, stock, category_id, category_path)
        SELECT 'many-' || n, 'Many', 100, 5, category_id, category_path FROM products, generate_series(1, 200) AS n
    """)
    run_sql("""
        INSERT INTO shopping_list_items (list_id, product_id, quantity)
        SELECT shopping_lists.id, products.id, 1 FROM shopping_lists, products WHERE products.name = 'Many'
        ORDER BY products.id LIMIT 198
    """)
    free = [row[0] for row in run_sql("SELECT id FROM products WHERE name = 'Many' ORDER BY id DESC LIMIT 2")]
    with ThreadPoolExecutor(2) as pool:
        answers = list(pool.map(lambda product_id: put(customer, weekly, product_id), free))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert [answer.json["code"] for answer in answers if answer.status_code == 409] == ["list_full"]
    assert len(on(customer, weekly)) == 200
    assert put(customer, weekly, flour, 5).status_code == 200


def test_a_deleted_product_leaves_all_lists(
    customer: Caller, admin: Caller, weekly: dict[str, Any], flour: int
) -> None:
    other = make_list(customer, "Other")
    put(customer, weekly, flour)
    put(customer, other, flour)
    assert admin.delete(f"/products/{flour}").status_code == 204
    assert (on(customer, weekly), on(customer, other)) == ({}, {})


def test_an_account_and_a_product_on_its_lists_are_deleted_at_once(
    customer: Caller, weekly: dict[str, Any], flour: int, run_sql: Sql
) -> None:
    put(customer, weekly, flour)
    put(customer, make_list(customer, "Other"), flour)
    with ThreadPoolExecutor(1) as pool, db.engine.begin() as connection:
        connection.execute(text("SELECT id FROM products WHERE id = :id FOR UPDATE"), {"id": flour})
        erasing = pool.submit(customer.delete, "/auth/me", json={"password": PASSWORD})
        wait_until_blocked(run_sql)
        # What waits has not touched the lists yet.
        connection.execute(text("DELETE FROM products WHERE id = :id"), {"id": flour})
        connection.commit()
        assert erasing.result(60).status_code == 204
    assert run_sql("SELECT count(*) FROM shopping_lists") == [(0,)]


def test_all_of_it_goes_into_the_cart_and_twice_is_once(
    customer: Caller, weekly: dict[str, Any], flour: int, beef: int, soap: int
) -> None:
    put(customer, weekly, flour, 2)
    put(customer, weekly, beef, 0.5)
    customer.put(f"/cart/items/{flour}", json={"quantity": 5})
    customer.put(f"/cart/items/{soap}", json={"quantity": 1})
    answer = customer.post(f"/lists/{weekly['id']}/to-cart")
    assert answer.status_code == 200
    assert answer.json.keys() == {"cart", "missing", "reduced"}
    assert (answer.json["missing"], answer.json["reduced"]) == ([], [])
    assert cart(customer) == {flour: 5, soap: 1, beef: 0.5}
    assert customer.post(f"/lists/{weekly['id']}/to-cart").json == answer.json
    assert on(customer, weekly) == {flour: 2, beef: 0.5}


def test_what_cannot_be_bought_is_said(customer: Caller, weekly: dict[str, Any], flour: int, run_sql: Sql) -> None:
    sold_out, withdrawn = make_product(name="Out", stock=0), make_product(name="Old")
    for product_id, quantity in ((flour, 9), (sold_out, 1), (withdrawn, 1)):
        put(customer, weekly, product_id, quantity)
    run_sql("UPDATE products SET is_active = false WHERE id = :id", id=withdrawn)
    run_sql("UPDATE products SET stock = 3 WHERE id = :id", id=flour)
    answer = customer.post(f"/lists/{weekly['id']}/to-cart").json
    assert answer["missing"] == [
        {"product_id": sold_out, "name": "Out", "reason": "out_of_stock"},
        {"product_id": withdrawn, "name": "Old", "reason": "withdrawn"},
    ]
    assert answer["reduced"] == [{"product_id": flour, "name": "Maize Flour", "quantity": {"from": 9, "to": 3}}]
    assert cart(customer) == {flour: 3}


def test_an_empty_list_puts_nothing_in(customer: Caller, weekly: dict[str, Any]) -> None:
    answer = customer.post(f"/lists/{weekly['id']}/to-cart")
    assert (answer.status_code, answer.json["cart"]["items"]) == (200, [])


def test_a_cart_that_has_no_room_stays_as_it_was(
    customer: Caller, weekly: dict[str, Any], flour: int, soap: int, run_sql: Sql
) -> None:
    put(customer, weekly, flour)
    customer.put(f"/cart/items/{soap}", json={"quantity": 1})
    run_sql("""
        INSERT INTO products (sku, name, price_cents, stock, category_id, category_path)
        SELECT 'many-' || n, 'Many', 100, 5, category_id, category_path
        FROM products, generate_series(1, 199) AS n WHERE products.name = 'Soap'
    """)
    run_sql("""
        INSERT INTO cart_items (cart_id, product_id, quantity, seen_price_cents)
        SELECT carts.id, products.id, 1, 100 FROM carts, products WHERE products.name = 'Many'
    """)
    answer = customer.post(f"/lists/{weekly['id']}/to-cart")
    assert (answer.status_code, answer.json["code"]) == (409, "cart_full")
    assert flour not in cart(customer)
