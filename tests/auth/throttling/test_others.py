"""Registrations, codes, confirmations and orders beyond their limits."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from grocery.auth.throttling.tries import limit_codes
from grocery.errors import TooManyRequestsError
from tests.auth.conftest import RunSql
from tests.auth.factories import PASSWORD, make_customer, sign_in
from tests.auth.throttling.conftest import LogIn, post_from
from tests.products.factories import make_product
from tests.valkey_process import ValkeyProcess

Limited = Callable[..., None]


def register(app: Flask, number: int, address: str = "203.0.113.7") -> int:
    body = {"name": "Amina", "email": f"new{number}@example.com", "password": PASSWORD}
    return post_from(app, address, "/auth/register", json=body).status_code


def test_registrations_of_one_address_are_limited(app: Flask, limited: Limited, run_sql: RunSql) -> None:
    limited(register="2/hour")
    assert [register(app, number) for number in range(4)] == [201, 201, 429, 429]
    assert register(app, 9, "198.51.100.1") == 201
    assert run_sql("SELECT count(*) FROM customers") == [(3,)]


def test_asking_who_has_an_account_by_registering_is_limited(app: Flask, limited: Limited) -> None:
    limited(register="2/hour")
    assert [register(app, 1) for _ in range(4)] == [201, 409, 429, 429]


def test_bodies_that_are_not_valid_are_not_counted(app: Flask, limited: Limited) -> None:
    limited(register="1/hour")
    for _ in range(3):
        assert post_from(app, "203.0.113.7", "/auth/register", json={"name": "Amina"}).status_code == 422
    assert register(app, 1) == 201


def test_wrong_passwords_of_who_is_signed_in_are_limited(client: FlaskClient, limited: Limited) -> None:
    limited(login="2/minute")
    headers = sign_in(make_customer())

    def erase(password: str) -> int:
        return client.delete("/auth/me", json={"password": password}, headers=headers).status_code

    assert [erase("wrong password") for _ in range(3)] == [403, 403, 429]
    assert erase(PASSWORD) == 429
    assert client.get("/auth/me", headers=headers).status_code == 200


def test_orders_of_one_customer_are_limited(client: FlaskClient, limited: Limited, run_sql: RunSql) -> None:
    limited(orders="2/minute")
    product = make_product(stock=50)
    amina, brian = (sign_in(make_customer(phone="+254712345678")) for _ in range(2))
    body = {"items": [{"product_id": product, "quantity": 1}]}

    def order(headers: dict[str, str]) -> Any:
        return client.post("/orders/", json=body, headers=headers)

    assert [order(amina).status_code for _ in range(3)] == [201, 201, 429]
    assert int(order(amina).headers["Retry-After"]) >= 1
    assert order(brian).status_code == 201
    assert run_sql("SELECT count(*), 50 - max(stock) FROM orders, products") == [(3, 3)]


def test_orders_go_on_without_redis(client: FlaskClient, limited: Limited, own_redis: ValkeyProcess) -> None:
    limited(orders="2/minute")
    own_redis.stop()
    body = {"items": [{"product_id": make_product(stock=50), "quantity": 1}]}
    headers = sign_in(make_customer(phone="+254712345678"))
    assert [client.post("/orders/", json=body, headers=headers).status_code for _ in range(3)] == [201, 201, 429]


def ask_for_code(app: Flask, identifier: str, address: str = "203.0.113.7", device: str = "") -> bool:
    headers = {"X-Device-Token": device}
    with app.test_request_context("/auth/otp", method="POST", environ_base={"REMOTE_ADDR": address}, headers=headers):
        try:
            limit_codes(identifier)
        except TooManyRequestsError:
            return False
        return True


def test_codes_to_one_number_are_limited_from_wherever_they_are_asked_for(app: Flask, limited: Limited) -> None:
    limited(otp="2/hour")
    spellings = ["0712345678", "+254712345678", "0712 345 678"]
    asked = [ask_for_code(app, number, f"198.51.100.{n}") for n, number in enumerate(spellings)]
    assert asked == [True, True, False]
    assert ask_for_code(app, "0712345679", "198.51.100.1")


def test_codes_that_one_address_asks_for_are_ten_times_as_many(app: Flask, limited: Limited) -> None:
    limited(otp="2/hour")
    asked = [ask_for_code(app, f"07123456{number}") for number in range(10, 32)]
    assert asked == [True] * 20 + [False] * 2
    assert ask_for_code(app, "0712345640", "198.51.100.1")


def test_a_stranger_cannot_use_up_the_codes_of_a_known_device(app: Flask, limited: Limited, log_in: LogIn) -> None:
    limited(otp="1/hour")
    person = make_customer()
    email = person.email or ""
    device = log_in(email).headers["X-Device-Token"]
    assert [ask_for_code(app, email, f"198.51.100.{n}") for n in range(2)] == [True, False]
    assert [ask_for_code(app, email, device=device) for _ in range(2)] == [True, False]


@pytest.mark.parametrize(
    ("method", "path"), [("post", "/auth/login"), ("post", "/auth/register"), ("post", "/orders/")]
)
def test_the_refusal_is_documented(client: FlaskClient, method: str, path: str) -> None:
    refusal = client.get("/openapi.json").json["paths"][path][method]["responses"]["429"]
    assert "too_many_requests" in refusal["description"]
    assert refusal["headers"]["Retry-After"]["schema"]["type"] == "integer"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/auth/login", {"email": "nobody{}@example.com", "password": "guess"}),
        ("/auth/otp/login", {"phone": "+2547123456{:02}", "code": "123456"}),
    ],
)
def test_failures_of_one_network_do_not_fill_the_audit_log(
    app: Flask, limited: Limited, run_sql: RunSql, path: str, body: dict[str, str]
) -> None:
    limited(login="1/minute")

    def fail(number: int, address: str) -> int:
        filled = {name: value.format(number) for name, value in body.items()}
        return post_from(app, address, path, json=filled).status_code

    assert {fail(number, "203.0.113.7") for number in range(12)} == {401}
    assert run_sql("SELECT count(*) FROM audit_log") == [(10,)]
    assert fail(50, "198.51.100.1") == 401
    assert run_sql("SELECT count(*) FROM audit_log") == [(11,)]


@pytest.mark.parametrize(
    ("method", "path", "done"),
    [("GET", "/auth/me/export", 200), ("DELETE", "/auth/sessions", 204), ("DELETE", "/auth/sessions/x", 404)],
)
def test_costly_requests_of_one_person_are_limited(
    client: FlaskClient, limited: Limited, run_sql: RunSql, method: str, path: str, done: int
) -> None:
    limited(costly="2/hour")
    amina, brian = (sign_in(make_customer()) for _ in range(2))
    answers = [client.open(path, method=method, headers=amina) for _ in range(4)]
    assert [answer.status_code for answer in answers] == [done, done, 429, 429]
    assert answers[3].json["code"] == "too_many_requests"
    assert int(answers[3].headers["Retry-After"]) > 3500
    assert client.open(path, method=method, headers=brian).status_code == done
    assert client.get("/auth/me", headers=amina).status_code == 200


def test_exports_and_imports_of_products_are_limited(client: FlaskClient, limited: Limited, run_sql: RunSql) -> None:
    limited(costly="1/hour")
    admin = sign_in(make_customer(role="admin"))
    exported = [client.get("/products/export", headers=admin).status_code for _ in range(2)]
    csv = {"data": "name,category,price\nKale,Greens,40\n", "content_type": "text/csv"}
    imported = [client.post("/products/import", headers=admin, **csv).status_code for _ in range(2)]
    assert (exported, imported) == ([200, 429], [202, 429])
    assert run_sql("SELECT count(*) FROM product_imports") == [(1,)]


def test_documents_are_limited_when_they_are_laid_out(client: FlaskClient, limited: Limited) -> None:
    limited(costly="1/hour")
    headers = sign_in(make_customer(phone="+254712345678"))
    body = {"items": [{"product_id": make_product(stock=5), "quantity": 1}]}
    path = f"/orders/{client.post('/orders/', json=body, headers=headers).json['id']}/invoice"
    first = client.get(path, headers=headers)
    assert first.status_code == 200
    unchanged = client.get(path, headers={**headers, "If-None-Match": first.headers["ETag"]})
    assert (unchanged.status_code, client.get(path, headers=headers).status_code) == (304, 429)
