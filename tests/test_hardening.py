"""What holds for every answer and every log line: safe headers, limits, and no secret that leaks."""

import io
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from grocery.app import create_app
from grocery.config import Settings
from grocery.db import db, reader
from grocery.dev.supervisor import processes
from grocery.logs import JsonFormatter, TextFormatter, configure
from grocery.notify.jobs import send_notifications
from grocery.notify.links import make_unsubscribe_token
from grocery.serving.server import granian_arguments
from grocery.web import SAFE_HEADERS
from tests.auth.factories import make_customer, sign_in
from tests.notify.conftest import at_server, smtp_server, wired  # noqa: F401  # fixtures
from tests.products.factories import make_product
from tests.secret_tour import EMAIL, INVITED_EMAIL, OTHER_PHONE, PHONE, STAFF_EMAIL, Tour, found_in

ROOT = Path(__file__).parent.parent
Sql = Callable[..., list[tuple[Any, ...]]]

#: All kinds of secrets that a tour of the shop has to meet.
KINDS = {
    "password",
    "device token",
    "token",
    "request token",
    "verification",
    "reset",
    "sign-in code",
    "TOTP secret",
    "TOTP code",
    "recovery code",
    "invitation",
    "cart token",
    "stream ticket",
    "tracking link",
}

ANSWERS = [
    ("GET", "/products/", 200),
    ("GET", "/products/?limit=0", 422),
    ("GET", "/nowhere", 404),
    ("GET", "/auth/me", 401),
    ("POST", "/healthz", 405),
    ("POST", "/auth/login", 422),
    ("GET", "/", 200),
    ("GET", "/openapi.json", 200),
    ("GET", "/docs/", 200),
    ("GET", "/docs/ui/swagger-ui.css", 200),
    ("GET", "/docs/static/swagger.js", 200),
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
        assert "unsafe-inline" not in policy
        assert "unsafe-eval" not in policy
        assert not {"Server", "X-Powered-By", "Strict-Transport-Security"} & {*answer.headers.keys()}
        # Only pages know browsers; the first one gives a visitor the token for its forms.
        assert [line.partition("=")[0] for line in answer.headers.getlist("Set-Cookie")] == (
            ["csrf"] if path == "/" else []
        )


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
    handlers[0].setFormatter(TextFormatter())
    handlers[1].setFormatter(JsonFormatter())
    for handler in handlers:
        # The mail server of the tests, which runs in this process, writes down all that it is sent.
        handler.addFilter(lambda record: record.name != "mail.log")
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


@pytest.fixture
def tour(client: FlaskClient, wired: Flask, run_sql: Sql) -> Tour:  # noqa: F811  # the fixture, not the import
    def send(method: str, path: str, **kwargs: Any) -> tuple[Any, TestResponse]:
        kwargs.pop("allow_redirects", None)
        with client.open(path, method=method, **kwargs) as answer:
            return answer.get_json(silent=True), answer

    def read_body(recipient: str) -> str:
        last = "SELECT body FROM notifications WHERE recipient = :recipient ORDER BY id DESC LIMIT 1"
        [(body,)] = run_sql(last, recipient=recipient)
        return str(body)

    return Tour(send, read_body, sign_in(make_customer(role="admin")), make_product(stock=50))


def test_no_log_line_has_a_secret(client: FlaskClient, settings: Settings, tour: Tour, broken: str) -> None:
    unsubscribe = make_unsubscribe_token("amina@example.com")
    with all_logged() as written:
        tour.walk()
        send_notifications()
        client.get(broken)
        client.post(f"/notify/sms/{settings.at_callback_secret}/delivery", data={"id": "x", "status": "Odd"})
        client.post(f"/notify/sms/{settings.at_callback_secret}/nowhere", data={"id": "x"})
        client.post(f"/notify/mail/{settings.mail_callback_secret}/bounce", json={"type": "permanent"})
        client.post(f"/notify/unsubscribe/{unsubscribe}")
        stream, own = f"/orders/1/stream?ticket={max(tour.secrets['stream ticket'])}", tour.admin
        logging.getLogger("anything").error("GET %s failed, with %s and %s", stream, own, f"/t/{broken[3:]}?x=1")
    tour.note("token", tour.admin["Authorization"].rpartition(".")[2])
    tour.note("broken link", broken.removeprefix("/t/"))
    tour.note("unsubscribe token", unsubscribe)
    tour.note("callback", settings.at_callback_secret, settings.mail_callback_secret)
    tour.note("key", settings.secret_key, *settings.jwt_secret_keys.values())
    tour.note("address of a person", EMAIL, STAFF_EMAIL, INVITED_EMAIL, PHONE, OTHER_PHONE)
    assert tour.secrets.keys() >= KINDS
    for stream_of_lines in written:
        lines = stream_of_lines.getvalue()
        assert "it broke" in lines
        assert found_in(lines, tour.secrets) == []


def test_what_finds_secrets_in_a_log_finds_them(tour: Tour) -> None:
    tour.note("sign-in code", "493027")
    tour.note("cart token", "abcdefgh-1")
    assert found_in("code=493027; /cart/abcdefgh-1", tour.secrets) == ["sign-in code: 493027", "cart token: abcdefgh-1"]
    assert found_in("1493027 1.493027 abcdefgh-2", tour.secrets) == []


@pytest.mark.parametrize("log_format", ["text", "json"])
def test_statements_are_not_logged_with_their_values(log_format: str) -> None:
    """At DEBUG, SQLAlchemy would write every message and every hash."""
    root = logging.getLogger()
    before, handlers = root.level, root.handlers[:]
    try:
        configure("DEBUG", log_format)
        assert not logging.getLogger("sqlalchemy.engine.Engine").isEnabledFor(logging.INFO)
        assert logging.getLogger("grocery").isEnabledFor(logging.DEBUG)
    finally:
        root.setLevel(before)
        root.handlers[:] = handlers


def test_the_server_of_make_run_writes_no_access_log(settings: Settings) -> None:
    """Addresses have links and secrets of callbacks in them."""
    started = [child.arguments for child in chain(*processes(settings))]
    for arguments in (*started, granian_arguments(settings, "127.0.0.1", 8000)):
        assert not any("access" in word for word in arguments)


def test_settings_do_not_show_their_secrets(settings: Settings) -> None:
    secrets = [settings.secret_key, settings.at_callback_secret, settings.mail_callback_secret]
    assert [found for found in (*secrets, *settings.jwt_secret_keys.values()) if found in repr(settings)] == []


def test_what_is_installed_is_pinned() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        lines = (ROOT / name).read_text().splitlines()
        assert [line for line in lines if line and line[0] not in " #" and "==" not in line] == []
