"""PostgreSQL tells of each change that kept answers show, and of no sale that changes nothing of it."""

import select
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from grocery.answers.listener import CHANNEL
from grocery.db import transaction
from grocery.products.rows import PRODUCT_COLUMNS
from grocery.products.stock import take_stock
from tests.products.factories import make_category, make_order_row, make_product

Heard = Callable[[], list[str]]
Sql = Callable[..., list[tuple[Any, ...]]]

# Another value for each column that lists show or choose rows by.
_OTHER_VALUES = {
    "sku": "'OTHER'",
    "barcode": "'6161100000003'",
    "name": "'Other'",
    "description": "'Other'",
    "brand": "'Other'",
    "category_id": "(SELECT max(id) FROM categories)",
    "category_path": "'Other'",
    "price_cents": "price_cents + 1",
    "compare_at_price_cents": "price_cents + 1",
    "unit": "'kg'",
    "quantity_step": "2",
    "net_content": "'2 kg'",
    "vat_class": "'zero'",
    "is_active": "false",
    "image_url": "'/other.webp'",
    "ingredients": "'Other'",
    "allergens": "'{milk}'",
    "country_of_origin": "'KE'",
    "is_age_restricted": "true",
    "created_at": "created_at - interval '1 s'",
    "updated_at": "updated_at + interval '1 s'",
    "version": "version + 1",
}

# `stock` has a test of its own, `in_stock` follows from it, and the id never changes.
_OTHERS = {"id", "stock", "in_stock"}

#: Columns that no answer to visitors depends on.
_NOT_SHOWN = {"low_stock_threshold"}


@pytest.fixture
def heard(app: Flask) -> Iterator[Heard]:
    """The payloads that were notified since the last call."""
    connection = app.extensions["engines"].connect()
    connection.autocommit = True
    connection.cursor().execute(f"LISTEN {CHANNEL}")

    def read() -> list[str]:
        # PostgreSQL tells what was committed before this statement before it answers it.
        connection.cursor().execute("SELECT 1")
        payloads = [notification.payload for notification in connection.notifies]
        connection.notifies.clear()
        return payloads

    yield read
    connection.close()


def test_every_column_is_either_shown_or_not() -> None:
    assert {column.name for column in PRODUCT_COLUMNS} == _OTHER_VALUES.keys() | _OTHERS | _NOT_SHOWN


@pytest.mark.parametrize("column", _OTHER_VALUES)
def test_a_change_of_what_is_shown_is_told_once(context: None, heard: Heard, run_sql: Sql, column: str) -> None:
    for _ in range(3):
        make_product()
    make_category("Other")
    heard()
    where = "WHERE id = (SELECT min(id) FROM products)" if column in ("sku", "barcode") else ""
    run_sql(f"UPDATE products SET {column} = {_OTHER_VALUES[column]} {where}")
    assert heard() == [""]
    run_sql(f"UPDATE products SET {column} = {column}")
    assert heard() == []


@pytest.mark.parametrize(
    ("before", "after", "is_told"),
    [("50", "49", False), ("7", "6", False), ("6", "5", True), ("5", "4", True), ("1", "0", True), ("0", "50", True),
     ("50", "0", True), ("5.5", "5.2", False), ("5.2", "5", True), ("0.5", "0.2", True)],
)  # fmt: skip
def test_the_stock_is_told_only_when_few_are_left(
    context: None, heard: Heard, run_sql: Sql, before: str, after: str, is_told: bool
) -> None:
    make_product(stock=Decimal(before), unit="kg", quantity_step="0.1")
    heard()
    run_sql(f"UPDATE products SET stock = {after}")
    assert heard() == [""] * is_told


def test_a_large_step_is_told_when_it_ends_what_is_in_stock(context: None, heard: Heard, run_sql: Sql) -> None:
    make_product(stock=Decimal(24), quantity_step=Decimal(12))
    heard()
    run_sql("UPDATE products SET stock = 13")
    assert heard() == []
    run_sql("UPDATE products SET stock = 11")
    assert heard() == [""]


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO products (name, category_id, price_cents) SELECT 'New', category_id, 1 FROM products",
        "DELETE FROM products",
        "TRUNCATE products CASCADE",
        "INSERT INTO categories (name, path) VALUES ('New', 'New')",
        "UPDATE categories SET position = 2",
        "UPDATE categories SET path = 'Other' WHERE name = 'Empty'",
        "DELETE FROM categories WHERE name = 'Empty'",
    ],
)
def test_what_comes_and_goes_is_told(context: None, heard: Heard, run_sql: Sql, statement: str) -> None:
    make_product()
    run_sql("INSERT INTO categories (name, path) VALUES ('Empty', 'Empty')")
    heard()
    run_sql(statement)
    assert heard() == [""]


def test_new_words_are_told_as_such(context: None, heard: Heard, run_sql: Sql) -> None:
    run_sql("INSERT INTO vocabulary_state DEFAULT VALUES")
    assert heard() == ["words"]
    run_sql("UPDATE vocabulary_state SET catalogue_at = NULL")
    assert heard() == []
    run_sql("UPDATE vocabulary_state SET generation = gen_random_uuid()")
    assert heard() == ["words"]


def test_what_is_rolled_back_is_not_told(context: None, heard: Heard, app: Flask) -> None:
    make_product()
    heard()
    connection = app.extensions["engines"].connect()
    connection.cursor().execute("DELETE FROM products")
    connection.rollback()
    connection.close()
    assert heard() == []


def test_a_sale_of_what_is_plenty_costs_no_notification(context: None, heard: Heard) -> None:
    plenty, few = make_product(stock=Decimal(50)), make_product(stock=Decimal(6))
    order_id = make_order_row()
    heard()
    with transaction():
        take_stock({plenty: Decimal(1)}, order_id=order_id, actor_id=None)
    assert heard() == []
    with transaction():
        take_stock({plenty: Decimal(1), few: Decimal(1)}, order_id=order_id, actor_id=None)
    assert heard() == [""]


def test_a_notification_reaches_whoever_waits_for_it(context: None, app: Flask, run_sql: Sql) -> None:
    """As the listener waits: for the socket, without asking."""
    connection = app.extensions["engines"].connect()
    connection.autocommit = True
    connection.cursor().execute(f"LISTEN {CHANNEL}")
    make_product()
    assert select.select([connection], [], [], 5) == ([connection], [], [])
    connection.close()


def test_a_writer_sees_its_change_in_the_next_request(
    visitor: FlaskClient, keep: Callable[[str], None], admin: dict[str, str]
) -> None:
    """Twenty times in a row: a notification alone would come a moment too late in some of them."""
    product = make_product(price_cents=100)
    category = make_category("Pantry")
    for price in range(101, 121):
        keep("/products/")
        text = f"{price // 100}.{price % 100:02}"
        assert visitor.patch(f"/products/{product}", headers=admin, json={"price": text}).status_code == 200
        assert visitor.get("/products/").json[0]["price"] == text
    for delta, left in ((-6, 4), (-4, 0), (20, None)):
        keep("/products/")
        body = {"delta": delta, "reason": "counted"}
        assert visitor.post(f"/products/{product}/stock", headers=admin, json=body).status_code == 200
        assert visitor.get("/products/").json[0]["left"] == left
    keep("/categories/")
    body = {"name": "Shelf"}
    assert visitor.put(f"/categories/{category}", headers=admin, json=body).status_code == 200
    assert [node["name"] for node in visitor.get("/categories/").json] == ["Shelf"]
    keep("/products/")
    assert visitor.delete(f"/products/{product}", headers=admin).status_code == 204
    assert visitor.get("/products/").json == []
