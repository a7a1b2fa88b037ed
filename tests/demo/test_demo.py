import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from grocery.config import Settings
from grocery.demo.shop import NotEmptyError, is_empty, load_demo
from tests.auth.factories import make_customer
from tests.products.factories import make_product

Sql = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def own_settings(settings: Settings, tmp_path: Path) -> Settings:
    return replace(settings, data_dir=tmp_path / "data")


def test_the_demo_fills_an_empty_shop_and_tells_nobody(context: None, own_settings: Settings, run_sql: Sql) -> None:
    path = load_demo(own_settings)
    people = json.loads(path.read_text())
    assert [person["role"] for person in people] == ["admin", "staff", "customer", "customer", "customer"]
    assert len({person["password"] for person in people}) == 5
    assert oct(path.stat().st_mode & 0o777) == "0o600"
    assert run_sql("SELECT count(*) FROM products") == [(218,)]
    assert run_sql("SELECT count(*) >= 12 FROM categories WHERE parent_id IS NULL") == [(True,)]
    assert run_sql("SELECT status, count(*) FROM orders GROUP BY status ORDER BY status") == [
        ("cancelled", 1),
        ("confirmed", 1),
        ("delivered", 26),
        ("packed", 1),
        ("pending", 1),
        ("shipped", 1),
    ]
    assert run_sql("SELECT count(*) FROM notifications") == [(0,)]
    assert run_sql("SELECT count(*) FROM orders WHERE process_at IS NOT NULL") == [(0,)]
    assert run_sql("SELECT code FROM promotions ORDER BY code") == [("KARIBU",), ("LETA",)]
    assert run_sql("SELECT count(*), min(fee_cents) FROM delivery_zones") == [(1, 150_00)]
    # Three a day, but none on Sundays; of today those that have begun are missing.
    [(slots,)] = run_sql("SELECT count(*) FROM delivery_slots")
    assert 33 <= slots <= 36
    assert run_sql("SELECT count(*) FROM orders WHERE delivery_method = 'delivery' AND zone_id IS NULL") == [(0,)]
    assert run_sql("SELECT sum(stock) - (SELECT sum(delta) FROM stock_movements) FROM products") == [(Decimal(0),)]


def test_each_of_the_last_two_weeks_days_has_something_delivered(
    context: None, own_settings: Settings, run_sql: Sql
) -> None:
    load_demo(own_settings)
    day = "(current_timestamp AT TIME ZONE 'Africa/Nairobi')::date - (delivered_at AT TIME ZONE 'Africa/Nairobi')::date"
    days = {ago for (ago,) in run_sql(f"SELECT {day} FROM orders WHERE status = 'delivered'")}
    assert days >= set(range(1, 14))
    assert run_sql("SELECT count(*) FROM orders WHERE delivered_at <= placed_at OR delivered_at > now()") == [(0,)]
    steps = "SELECT at - lag(at) OVER (PARTITION BY order_id ORDER BY id) AS took FROM order_history"
    assert run_sql(f"SELECT count(*) FROM ({steps}) AS step WHERE took < interval '0'") == [(0,)]
    # What was paid adds up to what was delivered, on the day of the delivery.
    assert run_sql("SELECT count(*) FROM orders WHERE status = 'delivered' AND paid_cents <> total_cents") == [(0,)]
    paid = "SELECT count(*) FROM payments JOIN orders ON orders.id = order_id WHERE at <> delivered_at"
    assert run_sql(paid) == [(0,)]


def test_who_looks_for_the_dish_finds_the_flour_first(context: None, client: Any, own_settings: Settings) -> None:
    load_demo(own_settings)
    found = client.get("/products/?q=ugali").json
    assert {product["category"] for product in found[:4]} == {"Flour & Grains/Maize flour"}


def test_its_sign_ins_work(context: None, client: Any, own_settings: Settings) -> None:
    for person in json.loads(load_demo(own_settings).read_text()):
        body = {"email": person["email"], "password": person["password"]}
        assert client.post("/auth/login", json=body).status_code == 200


def test_a_shop_that_is_in_use_is_left_alone(context: None, own_settings: Settings, run_sql: Sql) -> None:
    make_product(name="Their own")
    with pytest.raises(NotEmptyError):
        load_demo(own_settings)
    run_sql("DELETE FROM products")
    make_customer()
    assert not is_empty()
    with pytest.raises(NotEmptyError):
        load_demo(own_settings)
    assert run_sql("SELECT count(*) FROM products") == [(0,)]
    assert not own_settings.data_dir.exists()


def test_a_load_that_was_interrupted_after_the_products_can_be_repeated(
    context: None, own_settings: Settings, run_sql: Sql
) -> None:
    load_demo(own_settings)
    run_sql("DELETE FROM payments; DELETE FROM delivery_zones; DELETE FROM promotions; DELETE FROM customers")
    load_demo(own_settings)
    assert run_sql("SELECT (SELECT count(*) FROM products), (SELECT count(*) FROM customers)") == [(218, 5)]


def test_the_command_refuses_a_database_that_is_not_embedded(app: Flask, run_sql: Sql) -> None:
    result = app.test_cli_runner().invoke(args=["demo", "load"])
    assert result.exit_code == 1
    assert "only for the embedded database" in result.output
    assert run_sql("SELECT count(*) FROM products") == [(0,)]
