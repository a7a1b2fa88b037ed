"""Reading, adding and deleting products over HTTP."""

from decimal import Decimal
from typing import Any

import pytest
from flask.testing import FlaskClient

from grocery.products.hooks import product_deleting
from grocery.products.schemas import ProductSchema
from tests.problems import assert_problem
from tests.products.bodies import BAD, DEFAULTS, FULL, body_of, count_products
from tests.products.factories import make_category, make_product
from tests.products.ledger import movements_of, select_rows

pytestmark = pytest.mark.usefixtures("context")


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
