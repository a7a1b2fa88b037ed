"""The copies of category paths in products, which the search looks into."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from grocery import bulk
from grocery.db import db
from grocery.products.search import paths
from grocery.queues import BULK, doorbell
from tests.products.factories import make_category, make_product
from tests.products.ledger import wait_for_a_lock

pytestmark = pytest.mark.usefixtures("context")
Sql = Callable[..., list[tuple[Any, ...]]]
COPIES = "SELECT name, category_path FROM products ORDER BY id"


def rename(client: FlaskClient, admin: dict[str, str], path: str, name: str, parent: str | None = None) -> None:
    body = {"name": name, "parent_id": make_category(parent) if parent else None}
    answer = client.put(f"/categories/{make_category(path)}", json=body, headers=admin)
    assert answer.status_code == 200, answer.json


def test_a_product_has_the_path_of_its_category_from_the_first(
    client: FlaskClient, admin: dict[str, str], run_sql: Sql
) -> None:
    body = {"name": "Mango", "price": "10", "category_id": make_category("Drinks/Juice")}
    made = client.post("/products/", json=body, headers=admin)
    assert made.status_code == 201
    assert run_sql(COPIES) == [("Mango", "Drinks/Juice")]
    address = f"/products/{made.json['id']}"
    assert client.patch(address, json={"category_id": make_category("Food")}, headers=admin).status_code == 200
    assert run_sql(COPIES) == [("Mango", "Food")]
    assert client.patch(address, json={"category_id": 999}, headers=admin).status_code == 422
    assert run_sql(COPIES) == [("Mango", "Food")]


def test_products_follow_a_renamed_branch_and_no_others_are_touched(
    client: FlaskClient, admin: dict[str, str], run_sql: Sql
) -> None:
    make_product("Drinks/Juice", name="mango")
    make_product("Drinks", name="water")
    make_product("Drinks & Snacks", name="crisps")
    [before] = run_sql("SELECT xmin::text FROM products WHERE name = 'crisps'")
    rename(client, admin, "Drinks", "Beverages")
    assert doorbell().depth(BULK) == 1
    assert paths.is_due()
    assert [product["name"] for product in client.get("/products/?q=beverages").json] == []
    bulk.run_bulk()
    assert run_sql(COPIES) == [
        ("mango", "Beverages/Juice"), ("water", "Beverages"), ("crisps", "Drinks & Snacks")
    ]  # fmt: skip
    assert not paths.is_due()
    assert run_sql("SELECT xmin::text FROM products WHERE name = 'crisps'") == [before]
    assert [product["name"] for product in client.get("/products/?q=beverages&sort=name").json] == ["mango", "water"]
    assert run_sql("SELECT version FROM products") == [(1,), (1,), (1,)]


def test_products_follow_in_batches(
    client: FlaskClient, admin: dict[str, str], run_sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paths, "BATCH_PRODUCTS", 2)
    for number in range(5):
        make_product("Drinks", name=str(number))
    rename(client, admin, "Drinks", "Vinywaji")
    behind = "SELECT count(*) FROM products WHERE category_path = 'Drinks'"
    left = []
    while paths.follow_moved_category():
        left += run_sql(behind)
    assert left == [(3,), (1,), (0,)]
    assert not paths.is_due()


def test_a_move_that_begins_when_products_have_followed_is_not_deadlocked(
    app: Flask, client: FlaskClient, admin: dict[str, str], run_sql: Sql
) -> None:
    category = make_category("Drinks")
    rename(client, admin, "Drinks", "Vinywaji")

    def follow() -> bool:
        with app.app_context():
            return paths.follow_moved_category()

    with ThreadPoolExecutor() as pool, db.engine.begin() as mover:
        mover.execute(text("LOCK TABLE categories IN SHARE ROW EXCLUSIVE MODE"))
        following = pool.submit(follow)
        wait_for_a_lock()
        mover.execute(text("UPDATE categories SET path = 'Pombe' WHERE id = :id"), {"id": category})
        mover.commit()
        assert following.result(60)
    assert run_sql("SELECT path, is_moved FROM categories") == [("Pombe", False)]


def test_a_new_position_moves_nothing(client: FlaskClient, admin: dict[str, str]) -> None:
    category = make_category("Drinks")
    answer = client.put(f"/categories/{category}", json={"name": "Drinks", "position": 3}, headers=admin)
    assert answer.status_code == 200
    assert not paths.is_due()
    assert doorbell().depth(BULK) == 0


def test_words_are_counted_again_after_a_move_and_a_deletion(
    client: FlaskClient, admin: dict[str, str], run_sql: Sql
) -> None:
    run_sql("INSERT INTO vocabulary_state (catalogue_at) VALUES ('-infinity')")
    stale = "SELECT catalogue_at IS NULL FROM vocabulary_state"
    product = make_product("Drinks", name="water")
    rename(client, admin, "Drinks", "Vinywaji")
    assert run_sql(stale) == [(False,)]
    bulk.run_bulk()
    assert run_sql(stale) == [(True,)]
    run_sql("UPDATE vocabulary_state SET catalogue_at = '-infinity'")
    assert client.delete(f"/products/{product}", headers=admin).status_code == 204
    assert run_sql(stale) == [(True,)]
