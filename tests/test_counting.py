"""Every answer is counted, whoever gives it, under a route of which there are few."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import Client, EnvironBuilder, run_wsgi_app

from grocery.app import create_app
from grocery.config import Settings
from grocery.counting import Counting
from grocery.db import db, reader
from grocery.metrics.cells import Cells
from grocery.metrics.counted import KINDS, REQUEST_SECONDS
from grocery.web import ROUTE
from tests.auth.factories import make_customer, sign_in
from tests.waiting import wait_until

RunSql = Callable[..., list[tuple[Any, ...]]]


def figures(app: Flask) -> dict[str, float]:
    text = app.test_client().get("/metrics").text
    return {match[1]: float(match[2]) for match in re.finditer(r"^(\w+(?:\{[^}]*\})?) (\S+)$", text, re.MULTILINE)}


@pytest.fixture
def counted(app: Flask, settings: Settings) -> Flask:
    """An application of its own, that has counted nothing."""
    return create_app(settings)


def requests_of(app: Flask) -> dict[tuple[str, str, str], float]:
    pattern = re.compile(r'grocery_http_requests_total\{method="(.*)",route="(.*)",status="(.*)"\}')
    found = {pattern.fullmatch(name): value for name, value in figures(app).items()}
    return {(match[1], match[2], match[3]): value for match, value in found.items() if match}


def test_requests_are_counted_by_template_method_and_status(counted: Flask, context: None) -> None:
    client = counted.test_client()
    admin = sign_in(make_customer(role="admin"))
    for product_id in (901, 902, 903):
        client.get(f"/products/{product_id}")
    client.get("/auth/me")
    client.get("/auth/me", headers=admin)
    client.post("/auth/login", data="{", content_type="application/json")

    assert requests_of(counted) == {
        ("GET", "/products/<int:product_id>", "404"): 3,
        ("GET", "/auth/me", "401"): 1,
        ("GET", "/auth/me", "200"): 1,
        ("POST", "/auth/login", "400"): 1,
    }
    seen = figures(counted)
    labels = '{method="GET",route="/products/<int:product_id>"}'
    assert seen[f"grocery_http_request_seconds_count{labels}"] == 3
    assert 0 < seen[f"grocery_http_request_seconds_sum{labels}"] < 60


def test_whatever_is_asked_for_makes_no_labels(counted: Flask) -> None:
    client = counted.test_client()
    for number in range(50):
        client.get(f"/nowhere/{number}")
        client.open("/products/", method=f"WORD{number}")
        client.open(f"/healthz/{number}?x={number}", method="POST")

    assert requests_of(counted) == {
        ("GET", "none", "404"): 50,
        ("other", "none", "405"): 50,
        ("POST", "none", "404"): 50,
    }


def test_preflights_and_errors_are_counted(settings: Settings, app: Flask) -> None:
    counted = create_app(replace(settings, cors_origins=("https://app.example.com",)))
    preflight = {"Origin": "https://app.example.com", "Access-Control-Request-Method": "GET"}
    counted.test_client().options("/products/", headers=preflight)
    assert requests_of(counted) == {("OPTIONS", "none", "204"): 1}


def test_an_application_that_breaks_is_counted_as_500() -> None:
    def broken(_environ: Any, _start: Any) -> Any:
        raise RuntimeError("broken")

    cells = Cells(None, KINDS)
    with pytest.raises(RuntimeError):
        run_wsgi_app(Counting(broken, cells), EnvironBuilder("/").get_environ())
    counted = {sample.name: sample for family in cells.families() for sample in family.samples}
    assert counted["grocery_http_requests_total"].labels == {"route": "none", "method": "GET", "status": "500"}
    assert counted["grocery_http_requests_under_way"].value == 0


def test_a_request_stands_in_the_first_bucket_that_it_fits_in(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([0.0, 0.25, 1.0, 1.2501, 2.0, 99.0])
    monkeypatch.setattr("grocery.counting.time.perf_counter", lambda: next(clock))

    def shop(environ: Any, start_response: Any) -> list[bytes]:
        environ[ROUTE] = "/slow"
        start_response("200 OK", [])
        return [b""]

    cells = Cells(None, KINDS)
    client = Client(Counting(shop, cells))
    for _ in range(3):
        client.get("/slow")
    upto = {
        sample.labels["le"]: sample.value
        for family in cells.families()
        for sample in family.samples
        if sample.name == "grocery_http_request_seconds_bucket"
    }
    assert (upto["0.1"], upto["0.25"], upto["0.5"], upto["30.0"], upto["+Inf"]) == (0, 1, 2, 2, 3)
    assert len(upto) == len(REQUEST_SECONDS.bounds) + 1


def test_kept_answers_are_counted_by_outcome_under_their_route(settings: Settings, app: Flask, context: None) -> None:
    keeping = create_app(replace(settings, kept_answers_mb=1))
    client = keeping.test_client()
    try:
        wait_until(lambda: client.get("/products/?limit=3").headers["X-Cache"] == "hit")
        before = figures(keeping)
        client.get("/products/?limit=3")
        client.get("/products/?limit=3", headers=sign_in(make_customer()))
        client.get("/healthz")
        after = figures(keeping)
    finally:
        keeping.extensions["answers"].close()

    def grown(name: str) -> float:
        return after.get(name, 0) - before.get(name, 0)

    assert grown('grocery_kept_answers_total{outcome="hit"}') == 1
    assert grown('grocery_kept_answers_total{outcome="miss"}') == 0
    assert grown('grocery_kept_answers_total{outcome="bypass"}') == 1
    assert grown('grocery_http_requests_total{method="GET",route="/products/",status="200"}') == 2


def test_sign_ins_that_are_sent_away_are_counted(settings: Settings, app: Flask) -> None:
    counted = create_app(replace(settings, passwords_waiting=0))
    line = counted.extensions["lanes"].line
    with line.turn("198.51.100.1"), line.turn("198.51.100.2") if line._places > 1 else line.turn("x"):
        answer = counted.test_client().post("/auth/login", json={"email": "a@b.example", "password": "x"})
    assert answer.status_code == 503
    assert requests_of(counted)[("POST", "/auth/login", "503")] == 1
    assert figures(counted)["grocery_sign_ins_refused_total"] == 1


def test_connections_that_requests_have_taken_are_counted(counted: Flask, context: None) -> None:
    with counted.app_context():
        assert figures(counted)["grocery_db_pool_in_use"] == 0
        with reader(), db.engine.connect() as connection:
            assert figures(counted)["grocery_db_pool_in_use"] == 2
            connection.invalidate()
        assert figures(counted)["grocery_db_pool_in_use"] == 0


def test_probes_and_figures_wait_for_nobody(settings: Settings, app: Flask) -> None:
    """A shop in which all are busy is the one whose figures are wanted."""
    busy = create_app(replace(settings, requests_at_once=1))
    with busy.extensions["lanes"]._others:
        client: FlaskClient = busy.test_client()
        assert client.get("/metrics").status_code == 200
        assert client.get("/healthz").status_code == 200
