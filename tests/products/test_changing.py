"""Changing products over HTTP, and two who change the same one."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.problems import assert_problem
from tests.products.bodies import BAD, DEFAULTS, FULL, body_of, count_products
from tests.products.factories import make_product
from tests.products.ledger import movements_of, select_rows

pytestmark = pytest.mark.usefixtures("context")


def test_put_sets_what_is_sent_and_gives_the_rest_its_default_but_keeps_the_stock(
    client: FlaskClient, admin: dict[str, str]
) -> None:
    product = client.post("/products/", json=body_of(**FULL, stock=7), headers=admin).json
    answer = client.put(f"/products/{product['id']}", json=body_of(name="Plain", price="70"), headers=admin)
    assert answer.status_code == 200, answer.json
    assert {name: answer.json[name] for name in DEFAULTS} == DEFAULTS
    assert (answer.json["name"], answer.json["price"], answer.json["stock"]) == ("Plain", "70.00", 7)
    assert answer.json["version"] == 2
    assert answer.json["created_at"] == product["created_at"]
    assert answer.json["updated_at"] > product["updated_at"]
    assert answer.json == client.get(f"/products/{product['id']}", headers=admin).json
    assert len(movements_of(product["id"])) == 1


def test_put_refuses_the_stock_and_missing_fields(client: FlaskClient, admin: dict[str, str]) -> None:
    product = make_product()
    with_stock = client.put(f"/products/{product}", json=body_of(stock=5), headers=admin)
    assert list(with_stock.json["errors"]) == ["stock"]
    without_name = client.put(f"/products/{product}", json={"price": "5"}, headers=admin)
    assert set(without_name.json["errors"]) == {"name", "category_id"}
    assert select_rows("SELECT version, stock FROM products") == [(1, Decimal(10))]


def test_patch_changes_only_what_is_sent(client: FlaskClient, admin: dict[str, str]) -> None:
    product = client.post("/products/", json=body_of(**FULL), headers=admin).json
    answer = client.patch(f"/products/{product['id']}", json={"price": "70.00", "allergens": []}, headers=admin)
    assert answer.status_code == 200, answer.json
    changed = {"price", "allergens", "price_per_unit", "version", "updated_at"}
    assert {name for name in product if product[name] != answer.json[name]} == changed
    assert (answer.json["price"], answer.json["allergens"], answer.json["version"]) == ("70.00", [], 2)


def test_patch_without_a_change_leaves_the_version(client: FlaskClient, admin: dict[str, str]) -> None:
    product = make_product(name="Milk", price_cents=65_00)
    for sent in ({}, {"name": "Milk"}, {"price": 65}):
        answer = client.patch(f"/products/{product}", json=sent, headers=admin)
        assert (answer.status_code, answer.json["version"]) == (200, 1)


def test_patch_withdraws_and_brings_back(client: FlaskClient, admin: dict[str, str]) -> None:
    product = make_product()
    answer = client.patch(f"/products/{product}", json={"is_active": False}, headers=admin)
    assert (answer.status_code, answer.json["is_active"]) == (200, False)
    assert client.get(f"/products/{product}").status_code == 404
    client.patch(f"/products/{product}", json={"is_active": True}, headers=admin)
    assert client.get(f"/products/{product}").status_code == 200


@pytest.mark.parametrize(("overrides", "field"), [pair for pair in BAD if "stock" not in pair[0]])
def test_patch_refuses_bad_fields(
    client: FlaskClient, admin: dict[str, str], overrides: dict[str, Any], field: str
) -> None:
    product = make_product(price_cents=65_00)
    answer = client.patch(f"/products/{product}", json=overrides, headers=admin)
    assert_problem(answer, 422, "validation_failed")
    assert list(answer.json["errors"]) == [field]
    assert select_rows("SELECT version FROM products") == [(1,)]


def test_patch_checks_new_fields_against_those_that_stay(client: FlaskClient, admin: dict[str, str]) -> None:
    offer = make_product(price_cents=100_00, compare_at_price_cents=120_00)
    answer = client.patch(f"/products/{offer}", json={"price": "120.00"}, headers=admin)
    assert list(answer.json["errors"]) == ["compare_at_price"]
    answer = client.patch(f"/products/{offer}", json={"price": "120.00", "compare_at_price": None}, headers=admin)
    assert (answer.status_code, answer.json["compare_at_price"]) == (200, None)

    weighed = make_product(unit="kg", quantity_step=Decimal("0.250"), stock=Decimal(3))
    answer = client.patch(f"/products/{weighed}", json={"unit": "each"}, headers=admin)
    assert list(answer.json["errors"]) == ["quantity_step"]
    answer = client.patch(f"/products/{weighed}", json={"unit": "each", "quantity_step": 1}, headers=admin)
    assert (answer.status_code, answer.json["unit"]) == (200, "each")


def test_what_has_a_part_of_a_kilogram_in_stock_cannot_be_sold_by_piece(
    client: FlaskClient, admin: dict[str, str]
) -> None:
    weighed = make_product(unit="kg", quantity_step=Decimal("0.250"), stock=Decimal("2.750"))
    answer = client.put(f"/products/{weighed}", json=body_of(unit="each"), headers=admin)
    assert_problem(answer, 409, "fractional_stock")
    assert select_rows("SELECT unit, version FROM products") == [("kg", 1)]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "POST"])
@pytest.mark.parametrize("broken", ["type", "fields", "json"])
def test_an_unknown_product_is_404_before_its_body_is_looked_at(
    client: FlaskClient, admin: dict[str, str], method: str, broken: str
) -> None:
    requests: dict[str, dict[str, Any]] = {
        "type": {"data": "name=x", "content_type": "application/x-www-form-urlencoded"},
        "fields": {"json": {"nonsense": 1}},
        "json": {"data": "{", "content_type": "application/json"},
    }
    expected = {"type": 415, "fields": 422, "json": 400}
    ending = "/stock" if method == "POST" else ""
    known = make_product()
    unknown = client.open(f"/products/{known + 1}{ending}", method=method, headers=admin, **requests[broken])
    assert_problem(unknown, 404, "not_found")
    answer = client.open(f"/products/{known}{ending}", method=method, headers=admin, **requests[broken])
    assert answer.status_code == expected[broken]


def test_an_unknown_product_is_404_with_a_good_body_too(client: FlaskClient, admin: dict[str, str]) -> None:
    assert_problem(client.put("/products/999", json=body_of(), headers=admin), 404, "not_found")
    assert_problem(client.patch("/products/999", json={"price": 5}, headers=admin), 404, "not_found")
    assert_problem(client.delete("/products/999", headers=admin), 404, "not_found")
    stock = {"delta": 1, "reason": "received"}
    assert_problem(client.post("/products/999/stock", json=stock, headers=admin), 404, "not_found")


# If-Match


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_a_stale_if_match_changes_nothing(client: FlaskClient, admin: dict[str, str], method: str) -> None:
    product = make_product()
    tag = client.get(f"/products/{product}").headers["ETag"]
    client.patch(f"/products/{product}", json={"name": "Meanwhile"}, headers=admin)
    body = {"json": body_of(name="Late")} if method != "DELETE" else {}
    answer = client.open(f"/products/{product}", method=method, headers={**admin, "If-Match": tag}, **body)
    assert_problem(answer, 412, "stale_version")
    assert answer.json["current_version"] == 2
    assert select_rows("SELECT name, version FROM products") == [("Meanwhile", 2)]


@pytest.mark.parametrize("tag", ["W/", "nonsense", '"x"', '"99"', "", '"1-a", "2-b"'])
def test_an_if_match_that_was_never_given_out_is_stale(client: FlaskClient, admin: dict[str, str], tag: str) -> None:
    product = make_product()
    answer = client.delete(f"/products/{product}", headers={**admin, "If-Match": tag})
    assert_problem(answer, 412, "stale_version")
    assert count_products() == 1


def test_the_current_if_match_and_a_star_are_accepted(client: FlaskClient, admin: dict[str, str]) -> None:
    product = make_product()
    tag = client.get(f"/products/{product}").headers["ETag"]
    answer = client.patch(f"/products/{product}", json={"name": "New"}, headers={**admin, "If-Match": tag})
    assert (answer.status_code, answer.json["version"]) == (200, 2)
    newer = answer.headers["ETag"]
    answer = client.put(f"/products/{product}", json=body_of(), headers={**admin, "If-Match": newer})
    assert (answer.status_code, answer.json["version"]) == (200, 3)
    assert client.delete(f"/products/{product}", headers={**admin, "If-Match": "*"}).status_code == 204


def test_a_sale_does_not_make_an_edit_stale(client: FlaskClient, admin: dict[str, str]) -> None:
    product = make_product()
    tag = client.get(f"/products/{product}").headers["ETag"]
    client.post(f"/products/{product}/stock", json={"delta": -3, "reason": "damaged"}, headers=admin)
    answer = client.patch(f"/products/{product}", json={"name": "New"}, headers={**admin, "If-Match": tag})
    assert (answer.status_code, answer.json["stock"]) == (200, 7)


def test_of_two_editors_with_the_same_tag_one_is_told(app: Flask, client: FlaskClient, admin: dict[str, str]) -> None:
    product = make_product()
    tag = client.get(f"/products/{product}").headers["ETag"]

    def edit(number: int) -> int:
        sent = {"name": f"Editor {number}"}
        headers = {**admin, "If-Match": tag}
        return app.test_client().patch(f"/products/{product}", json=sent, headers=headers).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(edit, range(8)))
    assert statuses == [200] + [412] * 7
    assert select_rows("SELECT version FROM products") == [(2,)]
