"""Reading, adding, changing and deleting products over HTTP."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from grocery.products.hooks import product_deleting
from grocery.products.schemas import ProductSchema
from tests.products.factories import make_category, make_product
from tests.products.ledger import movements_of, select_rows, stock_of

pytestmark = pytest.mark.usefixtures("context")

DEFAULTS = {
    "sku": None,
    "barcode": None,
    "description": None,
    "brand": None,
    "compare_at_price": None,
    "unit": "each",
    "quantity_step": 1,
    "net_content": None,
    "vat_class": "standard",
    "low_stock_threshold": None,
    "is_active": True,
    "image_url": None,
    "ingredients": None,
    "allergens": [],
    "country_of_origin": None,
    "is_age_restricted": False,
}

FULL: dict[str, Any] = {
    "sku": "MILK-500",
    "barcode": "6161100240018",
    "name": "Brookside Fresh Milk",
    "description": "From Ruiru.",
    "brand": "Brookside",
    "price": "65.00",
    "compare_at_price": "72.50",
    "unit": "each",
    "quantity_step": 1,
    "net_content": "500 ml",
    "vat_class": "exempt",
    "low_stock_threshold": 12.5,
    "is_active": True,
    "image_url": "https://img.example/milk.webp?v=1",
    "ingredients": "Milk",
    "allergens": ["milk"],
    "country_of_origin": "KE",
    "is_age_restricted": False,
}


def body_of(**overrides: Any) -> dict[str, Any]:
    return {"name": "Milk", "category_id": make_category("Dairy"), "price": "65.00", **overrides}


def count_products() -> int:
    return select_rows("SELECT count(*) FROM products")[0][0]


def assert_problem(answer: Any, status: int, code: str) -> None:
    assert (answer.status_code, answer.json["code"]) == (status, code), answer.json
    assert answer.mimetype == "application/problem+json"


# Reading


def test_a_product_is_read_with_its_stock(client: FlaskClient, statements: list[str]) -> None:
    product = make_product("Drinks/Juice", name="Mango juice", stock=Decimal(48))
    del statements[:]
    answer = client.get(f"/products/{product}")
    assert answer.status_code == 200
    assert len(statements) == 1
    assert set(answer.json) == set(ProductSchema().fields) - {"low_stock_threshold"}
    assert (answer.json["name"], answer.json["category"], answer.json["stock"]) == ("Mango juice", "Drinks/Juice", 48)


def test_a_weighed_stock_is_a_json_number(client: FlaskClient) -> None:
    product = make_product(unit="kg", stock=Decimal("9.800"), quantity_step=Decimal("0.250"), price_cents=140_00)
    answer = client.get(f"/products/{product}").json
    assert (answer["stock"], answer["quantity_step"]) == (9.8, 0.25)
    assert answer["price_per_unit"] == {"amount": "140.00", "per": "kg"}


@pytest.mark.parametrize("product_id", ["0", "999999", str(2**63 - 1), str(2**63), "9" * 400, "-1", "x", "1.0"])
def test_an_unknown_product_is_not_found(client: FlaskClient, product_id: str) -> None:
    make_product()
    assert_problem(client.get(f"/products/{product_id}"), 404, "not_found")


def test_a_withdrawn_product_is_not_found(client: FlaskClient) -> None:
    assert_problem(client.get(f"/products/{make_product(is_active=False)}"), 404, "not_found")


def test_staff_read_a_withdrawn_product(
    client: FlaskClient, customer: dict[str, str], staff: dict[str, str], admin: dict[str, str]
) -> None:
    product = make_product(name="Old tea", is_active=False)
    assert_problem(client.get(f"/products/{product}", headers=customer), 404, "not_found")
    for headers in (staff, admin):
        answer = client.get(f"/products/{product}", headers=headers)
        assert (answer.status_code, answer.json["name"], answer.json["is_active"]) == (200, "Old tea", False)


def test_a_bad_token_is_not_taken_for_a_visitor(client: FlaskClient) -> None:
    product = make_product()
    broken = {"Authorization": "Bearer a.b.c"}
    assert_problem(client.get(f"/products/{product}", headers=broken), 401, "invalid_token")
    assert_problem(client.get("/products/", headers=broken), 401, "invalid_token")


def test_an_unchanged_product_answers_304_and_a_sold_one_does_not(client: FlaskClient, staff: dict[str, str]) -> None:
    product = make_product()
    tag = client.get(f"/products/{product}").headers["ETag"]
    assert tag.startswith('"1-')
    again = client.get(f"/products/{product}", headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")
    client.post(f"/products/{product}/stock", json={"delta": -1, "reason": "damaged"}, headers=staff)
    changed = client.get(f"/products/{product}", headers={"If-None-Match": tag})
    assert (changed.status_code, changed.json["stock"], changed.json["version"]) == (200, 9, 1)


# Adding


def test_the_required_fields_are_enough(client: FlaskClient, admin: dict[str, str]) -> None:
    answer = client.post("/products/", json=body_of(), headers=admin)
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/products/{answer.json['id']}"
    assert answer.headers["ETag"].startswith('"1-')
    assert {name: answer.json[name] for name in DEFAULTS} == DEFAULTS
    assert (answer.json["stock"], answer.json["in_stock"], answer.json["left"]) == (0, False, 0)
    assert answer.json == client.get(answer.headers["Location"], headers=admin).json
    assert movements_of(answer.json["id"]) == []


def test_every_field_is_kept_and_the_opening_stock_is_in_the_ledger(client: FlaskClient, admin: dict[str, str]) -> None:
    category = make_category("Dairy/Milk")
    answer = client.post("/products/", json={**FULL, "category_id": category, "stock": 48}, headers=admin)
    assert answer.status_code == 201, answer.json
    assert {name: answer.json[name] for name in FULL} == FULL
    assert (answer.json["category"], answer.json["stock"]) == ("Dairy/Milk", 48)
    assert answer.json["price_per_unit"] == {"amount": "130.00", "per": "l"}
    assert answer.json["vat_rate"] == "0.00"
    assert movements_of(answer.json["id"]) == [(Decimal(48), "opening", None)]
    [[actor]] = select_rows("SELECT actor_id FROM stock_movements")
    assert actor == select_rows("SELECT id FROM customers")[0][0]


def test_what_is_weighed_goes_in_tenths_unless_told(client: FlaskClient, admin: dict[str, str]) -> None:
    answer = client.post("/products/", json=body_of(unit="kg", stock=2.125), headers=admin)
    assert (answer.json["quantity_step"], answer.json["stock"]) == (0.1, 2.125)
    other = client.post("/products/", json=body_of(unit="kg", quantity_step=0.005), headers=admin)
    assert other.json["quantity_step"] == 0.005


def test_texts_are_tidied_and_empty_ones_are_none(client: FlaskClient, admin: dict[str, str]) -> None:
    sent = body_of(name="  Fresh \n Milk ", brand=" ", sku="", description="", barcode="", country_of_origin="ke")
    answer = client.post("/products/", json=sent, headers=admin)
    assert answer.status_code == 201, answer.json
    assert (answer.json["name"], answer.json["country_of_origin"]) == ("Fresh Milk", "KE")
    assert [answer.json[name] for name in ("brand", "sku", "description", "barcode")] == [None] * 4


def test_prices_may_be_numbers_and_free(client: FlaskClient, admin: dict[str, str]) -> None:
    assert client.post("/products/", json=body_of(price=65.5), headers=admin).json["price"] == "65.50"
    assert client.post("/products/", json=body_of(price="0"), headers=admin).json["price"] == "0.00"


BAD = [
    ({"name": None}, "name"),
    ({"name": "  "}, "name"),
    ({"name": "x" * 201}, "name"),
    ({"name": "a\x00b"}, "name"),
    ({"name": 5}, "name"),
    ({"price": "-1"}, "price"),
    ({"price": -1}, "price"),
    ({"price": "1.005"}, "price"),
    ({"price": 1e300}, "price"),
    ({"price": "1e3"}, "price"),
    ({"price": "Infinity"}, "price"),
    ({"price": None}, "price"),
    ({"price": True}, "price"),
    ({"price": "10000000.01"}, "price"),
    ({"price": {"amount": 5}}, "price"),
    ({"compare_at_price": "65.00"}, "compare_at_price"),
    ({"compare_at_price": "1.00"}, "compare_at_price"),
    ({"category_id": 987654321}, "category_id"),
    ({"category_id": 2**63}, "category_id"),
    ({"category_id": 0}, "category_id"),
    ({"category_id": "1"}, "category_id"),
    ({"category_id": None}, "category_id"),
    ({"category_id": 1.5}, "category_id"),
    ({"barcode": "1234567"}, "barcode"),
    ({"barcode": "123456789012345"}, "barcode"),
    ({"barcode": "12345678x"}, "barcode"),
    ({"barcode": "١٢٣٤٥٦٧٨"}, "barcode"),
    ({"sku": "x" * 65}, "sku"),
    ({"unit": "litre"}, "unit"),
    ({"unit": None}, "unit"),
    ({"quantity_step": 0}, "quantity_step"),
    ({"quantity_step": -1}, "quantity_step"),
    ({"quantity_step": 0.5}, "quantity_step"),
    ({"unit": "kg", "quantity_step": 0.0005}, "quantity_step"),
    ({"quantity_step": 1001}, "quantity_step"),
    ({"quantity_step": "1"}, "quantity_step"),
    ({"vat_class": "reduced"}, "vat_class"),
    ({"stock": -1}, "stock"),
    ({"stock": 1.5}, "stock"),
    ({"stock": 10_000_001}, "stock"),
    ({"stock": "5"}, "stock"),
    ({"unit": "kg", "stock": 0.0001}, "stock"),
    ({"is_active": "yes"}, "is_active"),
    ({"is_active": None}, "is_active"),
    ({"image_url": "javascript:alert(1)"}, "image_url"),
    ({"image_url": "//evil.example/x"}, "image_url"),
    ({"image_url": "https://"}, "image_url"),
    ({"image_url": "images/1.webp"}, "image_url"),
    ({"image_url": "https://a.example/a b"}, "image_url"),
    ({"allergens": "milk"}, "allergens"),
    ({"allergens": [""]}, "allergens"),
    ({"allergens": [5]}, "allergens"),
    ({"allergens": ["a"] * 31}, "allergens"),
    ({"allergens": None}, "allergens"),
    ({"country_of_origin": "Kenya"}, "country_of_origin"),
    ({"country_of_origin": "XX"}, "country_of_origin"),
    ({"is_age_restricted": 1}, "is_age_restricted"),
    ({"colour": "red"}, "colour"),
    ({"id": 5}, "id"),
    ({"version": 1}, "version"),
]


@pytest.mark.parametrize(("overrides", "field"), BAD)
def test_bad_fields_are_refused_by_name_and_nothing_is_written(
    client: FlaskClient, admin: dict[str, str], overrides: dict[str, Any], field: str
) -> None:
    answer = client.post("/products/", json=body_of(**overrides), headers=admin)
    assert_problem(answer, 422, "validation_failed")
    assert list(answer.json["errors"]) == [field]
    assert count_products() == 0


@pytest.mark.parametrize("field", ["name", "price", "category_id"])
def test_required_fields_are_required(client: FlaskClient, admin: dict[str, str], field: str) -> None:
    sent = body_of()
    del sent[field]
    answer = client.post("/products/", json=sent, headers=admin)
    assert_problem(answer, 422, "validation_failed")
    assert list(answer.json["errors"]) == [field]


def test_a_number_too_large_for_json_is_malformed_or_refused(client: FlaskClient, admin: dict[str, str]) -> None:
    sent = b'{"name": "x", "category_id": 1, "price": 1e400}'
    answer = client.post("/products/", data=sent, content_type="application/json", headers=admin)
    assert answer.status_code in (400, 422)
    assert count_products() == 0


def test_a_taken_sku_or_barcode_is_a_conflict(client: FlaskClient, admin: dict[str, str]) -> None:
    make_product(sku="A", barcode="12345678")
    other = make_product(sku="B", barcode=None)
    assert_problem(client.post("/products/", json=body_of(sku="A"), headers=admin), 409, "sku_taken")
    assert_problem(client.post("/products/", json=body_of(barcode="12345678"), headers=admin), 409, "barcode_taken")
    assert_problem(client.patch(f"/products/{other}", json={"sku": "A"}, headers=admin), 409, "sku_taken")
    answer = client.patch(f"/products/{other}", json={"barcode": "12345678"}, headers=admin)
    assert_problem(answer, 409, "barcode_taken")
    assert count_products() == 2
    assert select_rows("SELECT sku, barcode, version FROM products ORDER BY id") == [
        ("A", "12345678", 1),
        ("B", None, 1),
    ]


# Who may


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/products/"),
        ("PUT", "/products/{id}"),
        ("PATCH", "/products/{id}"),
        ("DELETE", "/products/{id}"),
        ("POST", "/products/{id}/stock"),
        ("PUT", "/products/999999"),
        ("POST", "/products/999999/stock"),
    ],
)
def test_only_the_right_people_may_write(
    client: FlaskClient, customer: dict[str, str], staff: dict[str, str], method: str, path: str
) -> None:
    product = make_product()
    address = path.format(id=product)
    assert_problem(client.open(address, method=method, json={"nonsense": 1}), 401, "missing_token")
    assert_problem(client.open(address, method=method, json={"nonsense": 1}, headers=customer), 403, "forbidden")
    if not path.endswith("/stock"):
        assert_problem(client.open(address, method=method, json={"nonsense": 1}, headers=staff), 403, "forbidden")
    assert select_rows("SELECT id, version, stock FROM products") == [(product, 1, Decimal(10))]


# Changing


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


# Deleting


def test_deleting_takes_the_ledger_along(client: FlaskClient, admin: dict[str, str]) -> None:
    product, other = make_product(), make_product()
    answer = client.delete(f"/products/{product}", headers=admin)
    assert (answer.status_code, answer.data) == (204, b"")
    assert client.get(f"/products/{product}").status_code == 404
    assert select_rows("SELECT product_id FROM stock_movements") == [(other,)]
    assert_problem(client.delete(f"/products/{product}", headers=admin), 404, "not_found")


def test_deleting_asks_the_receivers_first_in_the_same_transaction(client: FlaskClient, admin: dict[str, str]) -> None:
    product = make_product()
    heard: list[Any] = []

    def receiver(_sender: object, *, product_id: int, actor_id: int | None) -> None:
        heard.append((product_id, actor_id, count_products()))

    with product_deleting.connected_to(receiver):
        assert client.delete(f"/products/{product}", headers=admin).status_code == 204
        assert client.delete(f"/products/{product}", headers=admin).status_code == 404
    [[admin_id]] = select_rows("SELECT id FROM customers")
    assert heard == [(product, admin_id, 1)]


def test_a_receiver_that_raises_keeps_the_product(client: FlaskClient, admin: dict[str, str]) -> None:
    product = make_product()

    def receiver(_sender: object, **_: Any) -> None:
        raise RuntimeError("no")

    with product_deleting.connected_to(receiver):
        assert client.delete(f"/products/{product}", headers=admin).status_code == 500
    assert count_products() == 1


# Stock


def test_staff_change_the_stock(client: FlaskClient, staff: dict[str, str]) -> None:
    product = make_product()
    sent = {"delta": 24, "reason": "received", "note": "Delivery 77"}
    answer = client.post(f"/products/{product}/stock", json=sent, headers=staff)
    assert (answer.status_code, answer.json) == (200, {"product_id": product, "stock": 34})
    [[staff_id]] = select_rows("SELECT id FROM customers")
    ledger = select_rows("SELECT delta, reason, actor_id, note, order_id FROM stock_movements ORDER BY id")
    assert ledger[1:] == [(Decimal(24), "received", staff_id, "Delivery 77", None)]


def test_a_stock_below_zero_is_a_conflict(client: FlaskClient, staff: dict[str, str]) -> None:
    product = make_product(unit="kg", stock=Decimal("2.500"))
    answer = client.post(f"/products/{product}/stock", json={"delta": -2.501, "reason": "expired"}, headers=staff)
    assert_problem(answer, 409, "insufficient_stock")
    assert answer.json["available"] == 2.5
    assert stock_of(product) == Decimal("2.500")
    assert len(movements_of(product)) == 1


@pytest.mark.parametrize(
    ("sent", "field"),
    [
        ({"delta": 0, "reason": "received"}, "delta"),
        ({"delta": 0.5, "reason": "received"}, "delta"),
        ({"delta": "5", "reason": "received"}, "delta"),
        ({"delta": 1e300, "reason": "received"}, "delta"),
        ({"delta": -1e300, "reason": "received"}, "delta"),
        ({"delta": 10_000_000, "reason": "received"}, "delta"),
        ({"delta": None, "reason": "received"}, "delta"),
        ({"reason": "received"}, "delta"),
        ({"delta": 5}, "reason"),
        ({"delta": 5, "reason": "sold"}, "reason"),
        ({"delta": 5, "reason": "opening"}, "reason"),
        ({"delta": 5, "reason": "cancelled"}, "reason"),
        ({"delta": 5, "reason": "received", "note": "x" * 501}, "note"),
        ({"delta": 5, "reason": "received", "order_id": 1}, "order_id"),
    ],
)
def test_bad_stock_changes_are_refused(
    client: FlaskClient, staff: dict[str, str], sent: dict[str, Any], field: str
) -> None:
    product = make_product()
    answer = client.post(f"/products/{product}/stock", json=sent, headers=staff)
    assert_problem(answer, 422, "validation_failed")
    assert list(answer.json["errors"]) == [field]
    assert (stock_of(product), len(movements_of(product))) == (10, 1)


def test_a_withdrawn_product_still_has_a_stock_to_correct(client: FlaskClient, staff: dict[str, str]) -> None:
    product = make_product(is_active=False)
    answer = client.post(f"/products/{product}/stock", json={"delta": -10, "reason": "expired"}, headers=staff)
    assert (answer.status_code, answer.json["stock"]) == (200, 0)
