"""What strangers can reach: every route is known, none fetches what it is told to, none answers more than it should."""

import json
import logging
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient

from grocery.app import create_app
from grocery.auth.pages import Pages
from grocery.config import Settings
from grocery.notify.jobs import send_notifications
from tests.auth.factories import make_customer, sign_in
from tests.notify.conftest import at_server, smtp_server, wired  # noqa: F401  # fixtures
from tests.products.factories import make_product

Sql = Callable[..., list[tuple[Any, ...]]]

#: Served and not described: the description itself, its page with what that needs, and the files of the shop's pages.
NOT_DESCRIBED = {"/static/{version}/{name}", "/openapi.json", "/docs/", "/docs/ui/{name}", "/docs/static/{filename}"}


def test_every_route_is_described_or_named_here(app: Flask, client: FlaskClient) -> None:
    described = client.get("/openapi.json").json["paths"]
    unknown = set()
    for rule in app.url_map.iter_rules():
        if isinstance(app.blueprints.get(rule.endpoint.partition(".")[0]), Pages):
            continue  # pages are for people, and have their own declaration of who may see them
        path = re.sub(r"<(?:[^:<>]+:)?(\w+)>", r"{\1}", rule.rule)
        methods = (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if not {method.lower() for method in methods} <= described.get(path, {}).keys():
            unknown.add(path)
    assert unknown == NOT_DESCRIBED


def strings_in(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where in a JSON value texts stand."""
    if isinstance(value, str):
        yield path
    elif isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from strings_in(inner, (*path, key))


def with_text(value: Any, path: tuple[Any, ...], text: str) -> Any:
    """The same value with another text at this place."""
    if not path:
        return text
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = with_text(value[path[0]], path[1:], text)
    return copy


def bodies(operation: dict[str, Any], address: str) -> Iterator[dict[str, Any]]:
    """The documented bodies of an operation, an address in the place of each text in turn."""
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        examples = [one["value"] for one in content.get("examples", {}).values()] + [content.get("example")]
        for example in examples:
            if kind == "text/csv":
                yield {"data": f"name,category,price\n{address},{address},1.00\n", "content_type": kind}
            for path in strings_in(example) if kind != "text/csv" else ():
                filled = with_text(example, path, address)
                is_form = kind == "application/x-www-form-urlencoded"
                yield {"data": filled} if is_form else {"data": json.dumps(filled), "content_type": kind}


def attacks(document: dict[str, Any], address: str, known: dict[str, str]) -> Iterator[dict[str, Any]]:
    """Requests to every operation that have the address wherever a text is taken."""
    for path, item in document["paths"].items():
        filled = re.sub(r"\{(\w+)\}", lambda name: known.get(name[1], quote(address, safe="")), path)
        for method, operation in item.items():
            if method == "parameters":
                continue
            asked = {one["name"]: address for one in operation.get("parameters", []) if one.get("in") == "query"}
            request = {"path": filled, "method": method.upper()}
            yield request
            yield from ({**request, "query_string": {name: address}} for name in asked)
            yield from ({**request, **body} for body in bodies(operation, address))


def test_no_address_that_a_client_sends_is_ever_fetched(
    client: FlaskClient,
    wired: Flask,  # noqa: F811  # the fixture, not the import
    settings: Settings,
) -> None:
    """As an admin, who may do most, in every text of every operation, and after the messages went out."""
    product_id = make_product()
    with closing(socket.create_server(("127.0.0.1", 0))) as canary:
        canary.setblocking(False)
        address = f"http://127.0.0.1:{canary.getsockname()[1]}/canary"
        headers = dict.fromkeys(("Origin", "Referer", "X-Forwarded-Host", "X-Original-URL", "Forwarded"), address)
        known = {"product_id": str(product_id), **dict.fromkeys(("order_id", "user_id", "category_id", "line_id"), "1")}
        secrets = (settings.at_callback_secret, settings.mail_callback_secret)
        statuses = []
        for secret in secrets:
            for request in attacks(client.get("/openapi.json").json, address, {**known, "secret": secret}):
                if secret == secrets[0] or secret in request["path"]:
                    admin = sign_in(make_customer(role="admin"))
                    with client.open(**request, headers={**headers, **admin}) as answer:
                        statuses.append((answer.status_code, request))
        send_notifications()
        with pytest.raises(BlockingIOError):
            canary.accept()
    assert len(statuses) > 300
    assert len([status for status, _ in statuses if status < 300]) > 80, "the attack reached too little"
    assert [attack for attack in statuses if attack[0] >= 500] == []


def test_trace_which_shows_what_proxies_add_is_refused_everywhere(app: Flask, client: FlaskClient) -> None:
    paths = {re.sub(r"<[^<>]+>", "1", rule.rule) for rule in app.url_map.iter_rules()}
    assert len(paths) > 60
    answered = {path: client.open(path, method="TRACE").status_code for path in paths}
    assert {path: status for path, status in answered.items() if status not in (404, 405)} == {}


@pytest.mark.parametrize(
    "path",
    [
        "/.git/config",
        "/.env",
        "/docs/ui/",
        "/docs/ui/../__init__.py",
        "/docs/ui/%2e%2e/__init__.py",
        "/docs/ui/..%5c__init__.py",
        "/docs/static/",
        "/docs/static/..%2fapp.py",
        "/docs/static//etc/passwd",
        "/media/",
        "/media/../../etc/passwd",
        "/media/%2e%2e/%2e%2e/etc/passwd",
        "/static/app.py",
    ],
)
def test_no_directory_is_listed_and_no_path_leads_to_other_files(client: FlaskClient, path: str) -> None:
    assert client.get(path, follow_redirects=True).status_code == 404


@pytest.mark.parametrize(
    "path", ["//evil.example", "//evil.example/docs", "///evil.example", "/\\evil.example", "/docs"]
)
def test_nobody_is_led_to_another_host(client: FlaskClient, path: str) -> None:
    answer = client.get("/", environ_overrides={"PATH_INFO": path}, query_string={"next": "//evil.example"})
    assert answer.status_code in (200, 308, 404)
    assert urlsplit(answer.headers.get("Location", "/")).netloc in ("", "localhost")


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/products/", "application/json"),
        ("/nowhere", "application/problem+json"),
        ("/docs/", "text/html; charset=utf-8"),
        ("/t/1-aaaaaaaaaaaaaaaa", "text/html; charset=utf-8"),
        ("/docs/static/swagger.js", "text/javascript; charset=utf-8"),
        ("/docs/ui/swagger-ui.css", "text/css; charset=utf-8"),
        ("/metrics", "text/plain; version=0.0.4; charset=utf-8"),
        ("/products/export", "text/csv; charset=utf-8"),
    ],
)
def test_answers_say_what_they_are_and_in_which_characters(client: FlaskClient, path: str, kind: str) -> None:
    with client.get(path, headers=sign_in(make_customer(role="admin")) if "export" in path else {}) as answer:
        assert answer.headers["Content-Type"] == kind


def test_who_comes_without_tls_is_not_led_to_it_in_silence(app: Flask, settings: Settings) -> None:
    """A program that sends its token in the clear must notice (ASVS 5, 4.1.2); people are led there by the proxy."""
    client = create_app(replace(settings, environment="production", trusted_proxies=1)).test_client()
    sent = {"X-Forwarded-Proto": "http", "Authorization": "Bearer a.b.c"}
    answers = [client.get(path, headers=sent) for path in ("/products/", "/auth/me", "/orders/1", "/healthz")]
    assert [answer.headers.get("Location") for answer in answers] == [None] * 4
    assert {answer.status_code for answer in answers} <= {200, 401}


@pytest.mark.parametrize(("environment", "is_debug"), [("production", False), ("development", True)])
def test_flask_debug_counts_in_development_only(
    app: Flask, settings: Settings, monkeypatch: pytest.MonkeyPatch, environment: str, is_debug: bool
) -> None:
    monkeypatch.setenv("FLASK_DEBUG", "1")
    assert create_app(replace(settings, environment=environment)).debug is is_debug


@pytest.mark.parametrize("query", ["limit=5&limit=6", "q=maize&q=beans", "limit=5&limit=5"])
def test_a_query_argument_that_is_sent_twice_is_refused(client: FlaskClient, query: str) -> None:
    answer = client.get(f"/products/?{query}")
    assert (answer.status_code, answer.json["errors"]) == (422, {query.partition("=")[0]: ["Send it once."]})


INJECTIONS = [
    "' OR '1'='1",
    "'; DELETE FROM customers; --",
    '" OR 1=1 --',
    "%(q)s",
    ":q",
    "%",
    "_",
    "\\",
    "{{ 7 * 7 }}",
    "{0.__class__}",
    "${jndi:ldap://x}",
]


@pytest.mark.parametrize("text", INJECTIONS)
def test_what_is_typed_is_text_to_the_database(client: FlaskClient, context: None, run_sql: Sql, text: str) -> None:
    admin = sign_in(make_customer(name="Somebody Else", role="admin"))
    made = client.post(
        "/auth/register", json={"name": text, "email": "amina@example.com", "password": "long enough for this"}
    )
    assert (made.status_code, made.json["name"]) == (201, text)
    found = client.get("/auth/users", headers=admin, query_string={"q": text})
    assert [one["name"] for one in found.json] == [text]
    assert client.get("/products/", query_string={"q": text, "limit": 1}).status_code == 200
    assert run_sql("SELECT count(*) FROM customers") == [(2,)]


def test_who_tries_a_door_of_others_is_in_the_log(client: FlaskClient, caplog: pytest.LogCaptureFixture) -> None:
    person = make_customer()
    with caplog.at_level(logging.INFO, "grocery.auth.access"):
        assert client.get("/auth/users?q=secret", headers=sign_in(person)).status_code == 403
    assert caplog.messages == [f"refused: person {person.id} (customer), GET /auth/users"]
