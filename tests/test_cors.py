"""Cross-origin requests: what browsers are told before they send something, and about what they got."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from grocery.app import create_app
from grocery.config import ConfigError, Settings, load_settings

MINE, OTHER = "https://app.example.com", "https://evil.example"


@pytest.fixture
def page(app: Flask, settings: Settings) -> Callable[..., FlaskClient]:
    """A client of an application that allows these origins."""

    def make(*origins: str, **changes: Any) -> FlaskClient:
        return create_app(replace(settings, cors_origins=origins, **changes)).test_client()

    return make


def preflight(client: FlaskClient, origin: str, path: str = "/orders/") -> Any:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }
    return client.options(path, headers=headers)


def cors_headers(answer: Any) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name.startswith("Access-Control-")}


def test_a_preflight_of_an_allowed_origin_is_answered(page: Callable[..., FlaskClient]) -> None:
    answer = preflight(page(MINE, "http://localhost:5173"), MINE)
    assert (answer.status_code, answer.data) == (204, b"")
    headers = cors_headers(answer)
    assert headers["Access-Control-Allow-Origin"] == MINE
    assert set(headers["Access-Control-Allow-Methods"].split(", ")) == {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"}
    assert set(headers["Access-Control-Allow-Headers"].split(", ")) == {
        "Authorization", "Content-Type", "Idempotency-Key", "If-Match", "If-None-Match", "Last-Event-ID",
        "X-Request-ID", "X-Cart-Token", "X-Device-Token"
    }  # fmt: skip
    assert headers["Access-Control-Max-Age"] == "7200"
    assert "Access-Control-Allow-Credentials" not in headers
    assert answer.headers["Vary"] == "Origin"
    assert answer.headers["X-Request-ID"]


def test_a_page_of_an_allowed_origin_may_read_answers_and_errors(page: Callable[..., FlaskClient]) -> None:
    client = page(MINE)
    for path, status in (("/products/", 200), ("/products/?limit=0", 422), ("/nowhere", 404), ("/auth/me", 401)):
        answer = client.get(path, headers={"Origin": MINE})
        assert answer.status_code == status
        assert answer.headers["Access-Control-Allow-Origin"] == MINE
        assert {"ETag", "Link", "Location", "Retry-After", "X-Request-ID"} <= set(
            answer.headers["Access-Control-Expose-Headers"].split(", ")
        )
        assert "Origin" in answer.headers.getlist("Vary")


@pytest.mark.parametrize(
    "origin", [OTHER, "null", "https://app.example.com.evil.example", "http://app.example.com", ""]
)
def test_other_origins_get_nothing(page: Callable[..., FlaskClient], origin: str) -> None:
    client = page(MINE)
    for answer in (client.get("/products/", headers={"Origin": origin}), preflight(client, origin)):
        assert cors_headers(answer) == {}
        assert "Origin" in answer.headers.getlist("Vary")
    assert preflight(client, origin, "/nowhere").status_code == 404


def test_options_without_a_preflight_is_the_apis_own(page: Callable[..., FlaskClient]) -> None:
    answer = page(MINE).options("/products/", headers={"Origin": MINE})
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, MINE)
    assert "GET" in answer.headers["Allow"]


def test_a_star_lets_every_origin_in_and_answers_do_not_vary(page: Callable[..., FlaskClient]) -> None:
    client = page("*")
    answer = client.get("/healthz", headers={"Origin": OTHER})
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert preflight(client, OTHER).status_code == 204
    assert "Vary" not in answer.headers
    assert cors_headers(client.get("/healthz")) == {}


def test_without_the_setting_no_other_origin_is_let_in(client: FlaskClient) -> None:
    assert cors_headers(client.get("/products/", headers={"Origin": MINE})) == {}
    assert cors_headers(preflight(client, MINE)) == {}


def test_kept_answers_have_the_headers_of_who_asks(page: Callable[..., FlaskClient]) -> None:
    client = page(MINE, kept_answers_mb=1)
    while client.get("/products/").headers["X-Cache"] != "hit":
        pass
    for origin, expected in ((MINE, MINE), (OTHER, None), (MINE, MINE)):
        answer = client.get("/products/", headers={"Origin": origin})
        assert (answer.headers["X-Cache"], answer.headers.get("Access-Control-Allow-Origin")) == ("hit", expected)
    client.application.extensions["answers"].close()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("", ()),
        ("*", ("*",)),
        ("https://App.example.com, http://localhost:5173", ("https://app.example.com", "http://localhost:5173")),
        ("http://[::1]:8000", ("http://[::1]:8000",)),
    ],
)
def test_origins_are_read_as_browsers_send_them(value: str, expected: tuple[str, ...], environ: dict[str, str]) -> None:
    assert load_settings({**environ, "CORS_ORIGINS": value}).cors_origins == expected


@pytest.mark.parametrize(
    "value", ["app.example.com", "https://app.example.com/", "https://a b", "ftp://x", "null", "https://*.example.com"]
)
def test_what_is_no_origin_is_refused_at_the_start(value: str, environ: dict[str, str]) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings({**environ, "CORS_ORIGINS": f"{MINE},{value}"})
    assert caught.value.problems == [f"CORS_ORIGINS has {value!r}, which is no origin such as https://app.example.com."]


def test_a_star_stands_alone(environ: dict[str, str]) -> None:
    with pytest.raises(ConfigError) as caught:
        load_settings({**environ, "CORS_ORIGINS": f"*,{MINE}"})
    assert caught.value.problems == ["CORS_ORIGINS must be * alone, or a list of origins."]
