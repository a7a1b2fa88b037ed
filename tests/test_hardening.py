"""What holds for every answer and every log line: safe headers, limits, and no secret that leaks."""

import io
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text

from grocery.app import create_app
from grocery.config import Settings
from grocery.db import db, reader
from grocery.logs import JsonFormatter, TextFormatter
from grocery.notify.jobs import send_notifications
from grocery.notify.links import make_unsubscribe_token
from grocery.web import SAFE_HEADERS
from tests.auth.factories import PASSWORD, make_customer, sign_in, token_pair
from tests.notify.conftest import at_server, smtp_server, wired  # noqa: F401  # fixtures
from tests.products.factories import make_product

ROOT = Path(__file__).parent.parent
Sql = Callable[..., list[tuple[Any, ...]]]

ANSWERS = [
    ("GET", "/products/", 200),
    ("GET", "/products/?limit=0", 422),
    ("GET", "/nowhere", 404),
    ("GET", "/auth/me", 401),
    ("POST", "/healthz", 405),
    ("POST", "/auth/login", 422),
    ("GET", "/", 302),
    ("GET", "/openapi.json", 200),
    ("GET", "/docs/", 200),
    ("GET", "/docs/ui/swagger-ui.css", 200),
    ("GET", "/docs/static/tracking.js", 200),
    ("GET", "/t/1-aaaaaaaaaaaaaaaa", 404),
    ("GET", "/notify/unsubscribe/x", 404),
    ("GET", "/media/00000000000000000000000000000000/320.webp", 404),
    ("GET", "/metrics", 200),
    ("OPTIONS", "/products/", 200),
]


@pytest.mark.parametrize(("method", "path", "status"), ANSWERS)
def test_every_answer_has_the_safe_headers(client: FlaskClient, method: str, path: str, status: int) -> None:
    with client.open(path, method=method) as answer:
        assert answer.status_code == status
        assert SAFE_HEADERS.keys() <= {name for name, _ in answer.headers}
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        policy = answer.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "script-src 'unsafe-inline'" not in policy
        assert "unsafe-eval" not in policy
        assert not {"Server", "X-Powered-By", "Strict-Transport-Security", "Set-Cookie"} & {*answer.headers.keys()}


def test_an_answer_that_is_kept_has_them_too(app: Flask, settings: Settings) -> None:
    client = create_app(replace(settings, kept_answers_mb=1)).test_client()
    while (answer := client.get("/products/")).headers["X-Cache"] != "hit":
        pass
    assert {name: answer.headers[name] for name in SAFE_HEADERS} == SAFE_HEADERS
    client.application.extensions["answers"].close()


@pytest.mark.parametrize(
    ("environment", "scheme", "expected"),
    [
        ("production", "https", "max-age=31536000; includeSubDomains"),
        ("production", "http", None),
        ("development", "https", None),
    ],
)
def test_browsers_are_held_to_https_in_production(
    app: Flask, settings: Settings, environment: str, scheme: str, expected: str | None
) -> None:
    client = create_app(replace(settings, environment=environment, trusted_proxies=1)).test_client()
    answer = client.get("/healthz", headers={"X-Forwarded-Proto": scheme})
    assert answer.headers.get("Strict-Transport-Security") == expected


def test_who_is_no_trusted_proxy_cannot_claim_https_or_another_host(app: Flask, settings: Settings) -> None:
    client = create_app(replace(settings, environment="production")).test_client()
    forged = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "evil.example", "X-Forwarded-For": "10.0.0.1"}
    answer = client.get("/products/?limit=1", headers=forged)
    assert "Strict-Transport-Security" not in answer.headers
    assert "evil.example" not in str(answer.headers)


def test_a_host_that_is_not_trusted_gets_nothing(app: Flask, settings: Settings) -> None:
    client = create_app(replace(settings, trusted_hosts=("shop.example",))).test_client()
    assert client.get("/products/", headers={"Host": "shop.example"}).status_code == 200
    answer = client.get("/products/", headers={"Host": "evil.example"})
    assert (answer.status_code, answer.mimetype) == (400, "application/problem+json")


def test_no_statement_of_a_request_runs_for_ever(app: Flask, context: None) -> None:
    limits = {"statement_timeout": "15s", "lock_timeout": "10s", "idle_in_transaction_session_timeout": "1min"}
    with reader() as reading, db.engine.connect() as writing:
        for connection in (reading, writing):
            shown = {name: connection.execute(text(f"SHOW {name}")).scalar() for name in limits}
            assert shown == limits


def test_a_statement_that_is_too_slow_is_given_up_and_answered(
    client: FlaskClient, context: None, run_sql: Sql, monkeypatch: pytest.MonkeyPatch
) -> None:
    product_id, admin = make_product(), sign_in(make_customer(role="admin"))
    with db.engine.connect() as holder:
        holder.execute(text("SELECT FROM products FOR UPDATE"))
        monkeypatch.setattr("grocery.engines._REQUEST_OPTIONS", "-c statement_timeout=50")
        db.engine.dispose()
        answer = client.patch(f"/products/{product_id}", headers=admin, json={"price": "1.00"})
    monkeypatch.undo()
    db.engine.dispose()
    assert (answer.status_code, answer.json["code"]) == (503, "busy")
    assert run_sql("SELECT price_cents FROM products") == [(100_00,)]


@contextmanager
def all_logged() -> Iterator[list[io.StringIO]]:
    """Everything that is logged at any level, as text and as JSON."""
    root = logging.getLogger()
    written = [io.StringIO(), io.StringIO()]
    handlers = [logging.StreamHandler(stream) for stream in written]
    handlers[0].setFormatter(TextFormatter("%(asctime)s %(levelname)s %(name)s%(request)s %(message)s"))
    handlers[1].setFormatter(JsonFormatter())
    level = root.level
    root.setLevel(logging.DEBUG)
    for handler in handlers:
        root.addHandler(handler)
    try:
        yield written
    finally:
        root.setLevel(level)
        for handler in handlers:
            root.removeHandler(handler)


def fail(*_: Any, **__: Any) -> None:
    raise RuntimeError("it broke")


@pytest.fixture
def broken(app: Flask) -> Iterator[str]:
    """A route that has a key in its address, and fails: what goes wrong is logged with its stack."""
    name = "tracking.show_tracked_order"
    original = app.view_functions[name]
    app.view_functions[name] = fail
    yield "/t/1-brokenBrokenBrok"
    app.view_functions[name] = original


def test_no_log_line_has_a_secret(
    client: FlaskClient,
    app: Flask,
    wired: Flask,  # noqa: F811  # the fixture, not the import
    settings: Settings,
    broken: str,
) -> None:
    product_id, secret = make_product(), "wrong-Password-Qx81"
    person = make_customer(email="amina@example.com", phone="+254711000001")
    pair = token_pair(person)
    own = {"Authorization": f"Bearer {pair.access_token}"}
    unsubscribe = make_unsubscribe_token("amina@example.com")
    with all_logged() as written:
        client.post("/auth/login", json={"email": "amina@example.com", "password": PASSWORD})
        client.post("/auth/login", json={"email": "amina@example.com", "password": secret})
        client.post("/auth/register", json={"name": "B", "email": "b@example.com", "password": secret})
        client.post("/auth/login", data=f'{{"password": "{secret}"', content_type="application/json")
        client.get(f"/auth/me?password={secret}", headers={"Authorization": f"Bearer {pair.access_token}x"})
        cart_token = client.get("/cart").headers["X-Cart-Token"]
        client.put(f"/cart/items/{product_id}", headers={"X-Cart-Token": cart_token}, json={"quantity": 1})
        items = [{"product_id": product_id, "quantity": 1}]
        order = client.post("/orders/", headers=own, json={"items": items}).json
        send_notifications()
        stream = client.get(f"/orders/{order['id']}/stream", headers=own).headers["Location"]
        client.get(broken)
        client.post(f"/notify/sms/{settings.at_callback_secret}/delivery", data={"id": "x", "status": "Odd"})
        client.post(f"/notify/mail/{settings.mail_callback_secret}/bounce", json={"type": "permanent"})
        client.post(f"/notify/unsubscribe/{unsubscribe}")
        client.post("/auth/refresh", headers={"Authorization": f"Bearer {pair.refresh_token}"})
        client.post(f"/orders/{order['id']}/cancel", headers=own)
        send_notifications()
        logging.getLogger("anything").error("GET %s failed, with %s and %s", stream, own, f"/t/{broken[3:]}?x=1")
    secrets = [
        PASSWORD,
        secret,
        pair.access_token.rpartition(".")[2],
        pair.refresh_token.rpartition(".")[2],
        cart_token,
        stream.partition("ticket=")[2],
        broken.removeprefix("/t/"),
        unsubscribe,
        settings.at_callback_secret,
        settings.mail_callback_secret,
        settings.secret_key,
        *settings.jwt_secret_keys.values(),
    ]
    for stream_of_lines in written:
        lines = stream_of_lines.getvalue()
        assert "it broke" in lines
        assert [found for found in secrets if found in lines] == []


def test_settings_do_not_show_their_secrets(settings: Settings) -> None:
    secrets = [settings.secret_key, settings.at_callback_secret, settings.mail_callback_secret]
    assert [found for found in (*secrets, *settings.jwt_secret_keys.values()) if found in repr(settings)] == []


def test_what_is_installed_is_pinned() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        lines = (ROOT / name).read_text().splitlines()
        assert [line for line in lines if line and line[0] not in " #" and "==" not in line] == []
