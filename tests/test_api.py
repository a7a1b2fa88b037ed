"""The API's frame: bodies, statuses and headers that every route has from it."""

from collections.abc import Callable
from contextlib import ExitStack
from io import BytesIO
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from grocery.db import db
from grocery.web import MAX_BODY_BYTES
from tests.auth.factories import make_customer, sign_in
from tests.products.factories import make_product

Sql = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture
def admin(context: None) -> dict[str, str]:
    return sign_in(make_customer(role="admin"))


def test_a_body_that_is_missing_is_not_an_empty_one(client: FlaskClient, admin: dict[str, str], run_sql: Sql) -> None:
    path = f"/products/{make_product()}"
    before = run_sql("SELECT * FROM products")
    response = client.patch(path, headers=admin)
    assert (response.status_code, response.json["errors"]) == (422, {"_schema": ["The body is missing."]})
    assert client.patch(path, headers=admin, json={}).status_code == 200
    assert run_sql("SELECT * FROM products") == before


def post_category(client: FlaskClient, admin: dict[str, str], position: str) -> Any:
    body = f'{{"name": "Fruit", "position": {position}}}'
    return client.post("/categories/", headers={**admin, "Content-Type": "application/json"}, data=body)


def test_a_whole_number_may_be_written_with_a_fraction_of_zero(client: FlaskClient, admin: dict[str, str]) -> None:
    response = post_category(client, admin, "12.0")
    assert (response.status_code, repr(response.json["position"])) == (201, "12")


@pytest.mark.parametrize(
    "position", ["12.5", '"12"', "true", "1e300", str(2**63), str(2**64), str(-(2**63) - 1), str(10**300)]
)
def test_what_is_no_whole_number_is_refused_by_its_field(
    client: FlaskClient, admin: dict[str, str], run_sql: Sql, position: str
) -> None:
    response = post_category(client, admin, position)
    assert (response.status_code, list(response.json["errors"])) == (422, ["position"])
    assert run_sql("SELECT name FROM categories") == []


@pytest.mark.parametrize("position", ["1e400", "-1e400", "1" + 400 * "0", "NaN", "Infinity"])
def test_a_number_that_no_double_holds_is_not_json_for_us(
    client: FlaskClient, admin: dict[str, str], run_sql: Sql, position: str
) -> None:
    response = post_category(client, admin, position)
    assert (response.status_code, response.json["code"]) == (400, "malformed_request")
    assert run_sql("SELECT name FROM categories") == []


@pytest.mark.parametrize(
    ("price", "status"), [("19.99", 200), ('"19.99"', 200), ("19.999", 422), ("1e300", 422), ("true", 422)]
)
def test_an_amount_may_be_a_number_as_the_document_says(
    client: FlaskClient, admin: dict[str, str], run_sql: Sql, price: str, status: int
) -> None:
    path = f"/products/{make_product(price_cents=100)}"
    json = {**admin, "Content-Type": "application/json"}
    assert client.patch(path, headers=json, data=f'{{"price": {price}}}').status_code == status
    assert run_sql("SELECT price_cents FROM products") == [(1999 if status == 200 else 100,)]


@pytest.mark.parametrize("method", ["PUT", "PATCH", "DELETE"])
def test_what_does_not_exist_is_404_before_anything_else_is_wrong(
    client: FlaskClient, admin: dict[str, str], method: str
) -> None:
    for path in ("/products/0", "/products/999999", "/products/99999999999999999999"):
        response = client.open(path, method=method, headers={**admin, "If-Match": "nonsense"}, data="x")
        assert response.status_code == 404, path


def test_every_answer_carries_a_request_id(client: FlaskClient) -> None:
    for path in ("/healthz", "/nowhere", "/auth/me", "/products/?limit=0", "/openapi.json"):
        assert client.get(path, headers={"X-Request-ID": "abc-123"}).headers["X-Request-ID"] == "abc-123"
        made = {client.get(path).headers["X-Request-ID"] for _ in range(2)}
        assert len(made) == 2
        for forged in ("a b", "x" * 129, "é"):
            assert client.get(path, headers={"X-Request-ID": forged}).headers["X-Request-ID"] != forged


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "not_found"),
        ("POST", "/healthz", 405, "method_not_allowed"),
        ("GET", "/products/abc", 404, "not_found"),
        ("GET", "/products/-1", 404, "not_found"),
        ("GET", "/products/%00", 404, "not_found"),
        ("GET", "/docs/ui/../../app.py", 404, "not_found"),
        ("GET", "/docs/ui/%2e%2e/flask_swagger_ui.py", 404, "not_found"),
    ],
)
def test_errors_outside_of_views_are_problem_documents_too(
    client: FlaskClient, method: str, path: str, status: int, code: str
) -> None:
    response = client.open(path, method=method)
    assert (response.status_code, response.mimetype, response.json["code"]) == (
        status,
        "application/problem+json",
        code,
    )
    assert response.json["type"] == f"urn:grocery:problem:{code}"


def test_an_unexpected_error_tells_nothing_about_itself(app: Flask, client: FlaskClient, caplog: Any) -> None:
    def fail() -> None:
        raise RuntimeError("the secret is 42")

    original = app.view_functions["health.healthz"]
    app.view_functions["health.healthz"] = fail
    try:
        response = client.get("/healthz")
    finally:
        app.view_functions["health.healthz"] = original
    assert (response.status_code, response.json["code"]) == (500, "internal_error")
    assert b"42" not in response.data
    assert "the secret is 42" in caplog.text


def test_pages_of_swagger_ui_allow_no_inline_script(client: FlaskClient) -> None:
    response = client.get("/docs", follow_redirects=True)
    assert response.status_code == 200
    assert "script-src 'self';" in response.headers["Content-Security-Policy"]
    assert b"<script>" not in response.data
    for asset in ("swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png"):
        with client.get(f"/docs/ui/{asset}") as answer:
            assert answer.status_code == 200


def test_readiness_tells_of_a_database_that_awaits_its_migration(client: FlaskClient, run_sql: Sql) -> None:
    [(current,)] = run_sql("SELECT version_num FROM alembic_version")
    try:
        run_sql("UPDATE alembic_version SET version_num = 'made-by-a-newer-one'")
        assert client.get("/readyz").status_code == 200
        run_sql("DELETE FROM alembic_version")
        response = client.get("/readyz")
        assert (response.status_code, response.json["code"]) == (503, "migration_pending")
        assert response.headers["Retry-After"] == "2"
    finally:
        run_sql("DELETE FROM alembic_version")
        run_sql("INSERT INTO alembic_version VALUES (:current)", current=current)
    assert client.get("/readyz").status_code == 200


@pytest.mark.parametrize(("size", "status"), [(MAX_BODY_BYTES - 1, 422), (MAX_BODY_BYTES + 1, 413)])
def test_a_body_in_chunks_is_held_to_the_limit_and_never_cut(
    client: FlaskClient, run_sql: Sql, size: int, status: int
) -> None:
    body = b"{}".ljust(size)
    chunked = {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}
    for environ in ({"CONTENT_LENGTH": str(size)}, chunked):
        environ = {"wsgi.input": BytesIO(body), "CONTENT_TYPE": "application/json", **environ}
        response = client.post("/auth/register", environ_overrides=environ)
        assert response.status_code == status
    assert run_sql("SELECT count(*) FROM customers") == [(0,)]


def test_more_requests_than_connections_is_busy_and_no_fault(
    client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    pool = app.extensions["reads"].pool
    monkeypatch.setattr(pool, "_timeout", 0.05)
    with ExitStack() as held:
        for _ in range(10):
            held.enter_context(app.extensions["reads"].connect())
        response = client.get("/products/")
    assert (response.status_code, response.json["code"], response.headers["Retry-After"]) == (503, "overloaded", "2")
    assert client.get("/products/").status_code == 200


@pytest.mark.parametrize("sent", ["*", '"1"', "nonsense"])
def test_if_match_is_for_changes_and_without_effect_on_reads(client: FlaskClient, context: None, sent: str) -> None:
    for path in (f"/products/{make_product()}", "/products/", "/categories/"):
        response = client.get(path, headers={"If-Match": sent})
        assert (response.status_code, response.data) == (200, client.get(path).data)


def test_a_wait_for_others_that_was_given_up_is_not_a_lost_database(
    client: FlaskClient, admin: dict[str, str], run_sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    product_id = make_product()
    with db.engine.connect() as holder:
        holder.execute(text("SELECT FROM products FOR UPDATE"))
        monkeypatch.setattr("grocery.engines._REQUEST_OPTIONS", "-c lock_timeout=50")
        db.engine.dispose()
        response = client.patch(f"/products/{product_id}", headers=admin, json={"price": "1.00"})
    monkeypatch.undo()  # no later connection may give up so soon
    db.engine.dispose()
    assert (response.status_code, response.json["code"], response.headers["Retry-After"]) == (503, "busy", "1")
    assert run_sql("SELECT price_cents FROM products") == [(100_00,)]
