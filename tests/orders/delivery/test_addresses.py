"""The addresses that a customer has saved, over HTTP."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text

from grocery.db import db, reader
from grocery.errors import NotFoundError
from grocery.orders.delivery import examples
from grocery.orders.delivery.addresses import get_address
from grocery.orders.delivery.schemas import AddressSchema, WriteAddressSchema
from tests.orders.conftest import Caller
from tests.orders.delivery.factories import make_zone
from tests.problems import assert_problem
from tests.products.ledger import select_rows, wait_for_a_lock

pytestmark = pytest.mark.usefixtures("context")


def save(customer: Caller, **body: Any) -> dict[str, Any]:
    answer = customer.post("/addresses/", json={"address": "Moi Avenue 12", **body})
    assert answer.status_code == 201, answer.json
    return answer.json


def ids(customer: Caller) -> list[int]:
    return [address["id"] for address in customer.get("/addresses/").json]


def defaults() -> list[int]:
    return [address for (address,) in select_rows("SELECT id FROM addresses WHERE is_default ORDER BY id")]


def test_a_customer_saves_an_address(customer: Caller) -> None:
    zone = make_zone()
    saved = save(
        customer, label=" Home ", zone_id=zone, landmark="near  Shell", phone="0712 345 678", note="Ring\ntwice",
        is_default=True,
    )  # fmt: skip
    assert saved == {
        "id": saved["id"], "label": "Home", "zone_id": zone, "address": "Moi Avenue 12", "landmark": "near Shell",
        "phone": "+254712345678", "note": "Ring\ntwice", "is_default": True,
        "created_at": saved["created_at"], "updated_at": saved["created_at"],
    }  # fmt: skip
    assert set(saved) == set(AddressSchema().fields) == set(examples.ADDRESS)
    assert customer.get(f"/addresses/{saved['id']}").json == saved
    assert customer.get("/addresses/").json == [saved]


def test_the_default_comes_first_then_the_newest(customer: Caller, other_customer: Caller) -> None:
    first, second, third = (save(customer)["id"] for _ in range(3))
    save(other_customer)
    assert ids(customer) == [third, second, first]
    customer.put(f"/addresses/{first}", json={"address": "Moi Avenue 12", "is_default": True})
    assert ids(customer) == [first, third, second]


def test_a_new_default_takes_the_place_of_the_other(customer: Caller, other_customer: Caller) -> None:
    first, others = save(customer, is_default=True)["id"], save(other_customer, is_default=True)["id"]
    second = save(customer, is_default=True)["id"]
    assert defaults() == [others, second]
    answer = customer.put(f"/addresses/{first}", json={"address": "Moi Avenue 12", "is_default": True})
    assert (answer.status_code, answer.json["is_default"]) == (200, True)
    assert defaults() == [first, others]
    customer.put(f"/addresses/{first}", json={"address": "Moi Avenue 12"})
    assert defaults() == [others]


def test_putting_an_address_replaces_all_of_it(customer: Caller) -> None:
    saved = save(customer, label="Home", zone_id=make_zone(), phone="+254712345678", note="x", is_default=True)
    answer = customer.put(f"/addresses/{saved['id']}", json={"landmark": "blue gate", "label": ""})
    assert answer.status_code == 200, answer.json
    assert answer.json == {
        **saved, "label": None, "zone_id": None, "address": None, "landmark": "blue gate", "phone": None, "note": None,
        "is_default": False, "updated_at": answer.json["updated_at"],
    }  # fmt: skip
    assert answer.json["updated_at"] > saved["updated_at"]


def test_a_deleted_address_is_gone(customer: Caller) -> None:
    saved, kept = save(customer)["id"], save(customer)["id"]
    answer = customer.delete(f"/addresses/{saved}")
    assert (answer.status_code, answer.data, ids(customer)) == (204, b"", [kept])
    assert_problem(customer.delete(f"/addresses/{saved}"), 404, "not_found")


@pytest.mark.parametrize("role", ["other_customer", "staff", "admin"])
def test_another_persons_address_is_not_found(customer: Caller, role: str, request: pytest.FixtureRequest) -> None:
    saved = save(customer, is_default=True)
    other: Caller = request.getfixturevalue(role)
    own = save(other, is_default=True)["id"]
    address = f"/addresses/{saved['id']}"
    assert_problem(other.get(address), 404, "not_found")
    assert_problem(other.put(address, json={"address": "Elsewhere", "is_default": True}), 404, "not_found")
    assert_problem(other.put(address, json={"address": "Elsewhere", "zone_id": 999_999}), 404, "not_found")
    assert_problem(other.put(address, json={"nonsense": 1}), 404, "not_found")
    assert_problem(other.put(address, data="x"), 404, "not_found")
    assert_problem(other.delete(address), 404, "not_found")
    assert customer.get(address).json == saved
    assert defaults() == [saved["id"], own]


def test_orders_find_the_address_of_their_customer_only(customer: Caller, other_customer: Caller) -> None:
    saved = save(customer)["id"]
    with reader() as connection:
        assert get_address(connection, saved, customer.person.id)["address"] == "Moi Avenue 12"
        for address, person in ((saved, other_customer.person.id), (saved + 1, customer.person.id)):
            with pytest.raises(NotFoundError):
                get_address(connection, address, person)


@pytest.mark.parametrize(
    ("overrides", "field"),
    [
        ({"address": None}, "address"),
        ({"address": "  ", "landmark": ""}, "address"),
        ({"address": "x" * 301}, "address"),
        ({"address": "a\x00b"}, "address"),
        ({"address": 5}, "address"),
        ({"landmark": "x" * 301}, "landmark"),
        ({"label": "x" * 61}, "label"),
        ({"note": "x" * 501}, "note"),
        ({"phone": "123"}, "phone"),
        ({"phone": ""}, "phone"),
        ({"zone_id": 999_999}, "zone_id"),
        ({"zone_id": 2**63 - 1}, "zone_id"),
        ({"zone_id": 2**63}, "zone_id"),
        ({"zone_id": "1"}, "zone_id"),
        ({"is_default": None}, "is_default"),
        ({"is_default": 1}, "is_default"),
        ({"customer_id": 1}, "customer_id"),
    ],
)
def test_bad_fields_are_refused_by_name(customer: Caller, overrides: dict[str, Any], field: str) -> None:
    saved = save(customer, is_default=True)
    sent = {"address": "Elsewhere", "is_default": True, **overrides}
    for answer in (customer.post("/addresses/", json=sent), customer.put(f"/addresses/{saved['id']}", json=sent)):
        assert_problem(answer, 422, "validation_failed")
        assert list(answer.json["errors"]) == [field]
    assert customer.get("/addresses/").json == [saved]


def test_unknown_addresses_are_not_found(customer: Caller) -> None:
    for address in (1, 2**63 - 1, 2**63):
        assert_problem(customer.get(f"/addresses/{address}"), 404, "not_found")


def test_twenty_addresses_are_enough_even_at_once(customer: Caller, other_customer: Caller) -> None:
    for _ in range(17):
        save(customer)

    def post(_: int) -> int:
        return customer.post("/addresses/", json={"landmark": "blue gate", "is_default": True}).status_code

    with ThreadPoolExecutor(8) as pool:
        assert Counter(pool.map(post, range(8))) == {201: 3, 409: 5}
    answer = customer.post("/addresses/", json={"address": "One more", "is_default": True})
    assert_problem(answer, 409, "too_many_addresses")
    assert (answer.json["limit"], len(ids(customer)), defaults()) == (20, 20, [ids(customer)[0]])
    save(other_customer)
    customer.delete(f"/addresses/{ids(customer)[-1]}")
    save(customer)


def test_a_customer_who_is_deleted_meanwhile_saves_nothing(customer: Caller) -> None:
    with ThreadPoolExecutor(1) as pool, db.engine.begin() as connection:
        connection.execute(text("DELETE FROM customers WHERE id = :id"), {"id": customer.person.id})
        answer = pool.submit(customer.post, "/addresses/", json={"address": "Moi Avenue"})
        wait_for_a_lock()
        connection.commit()
        assert answer.result(60).status_code == 401
    assert select_rows("SELECT FROM addresses") == []


def test_addresses_go_with_their_customer(customer: Caller, admin: Caller) -> None:
    save(customer)
    assert admin.delete(f"/auth/users/{customer.person.id}").status_code == 204
    assert select_rows("SELECT FROM addresses") == []


def test_the_example_is_what_can_be_sent(customer: Caller) -> None:
    zone = make_zone()
    assert WriteAddressSchema().load(examples.ADDRESS_WANTED)["label"] == "Home"
    save(customer, **{**examples.ADDRESS_WANTED, "zone_id": zone})
