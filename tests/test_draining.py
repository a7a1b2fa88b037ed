"""While the drain file is there, proxies are sent away and everybody is served."""

from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from grocery.app import create_app
from grocery.config import Settings
from tests.products.factories import make_product


@pytest.fixture
def drain_file(tmp_path: Path) -> Path:
    return tmp_path / "draining"


@pytest.fixture
def visitor(app: Flask, settings: Settings, drain_file: Path) -> FlaskClient:
    return create_app(replace(settings, drain_file=drain_file)).test_client()


def test_readiness_says_so_and_every_answer_closes_its_connection(
    visitor: FlaskClient, context: None, drain_file: Path
) -> None:
    make_product()
    paths = ("/healthz", "/products/?limit=1", "/products/999999", "/readyz")
    usual = [(answer.status_code, answer.headers.get("Connection")) for answer in map(visitor.get, paths)]
    assert usual == [(200, None), (200, None), (404, None), (200, None)]
    drain_file.touch()
    draining = [(answer.status_code, answer.headers.get("Connection")) for answer in map(visitor.get, paths)]
    assert draining == [(200, "close"), (200, "close"), (404, "close"), (503, "close")]
    answer = visitor.get("/readyz")
    assert (answer.json["code"], answer.mimetype) == ("draining", "application/problem+json")
    drain_file.unlink()
    assert visitor.get("/readyz").status_code == 200


def test_kept_answers_close_their_connection_too(app: Flask, settings: Settings, drain_file: Path) -> None:
    keeping = create_app(replace(settings, drain_file=drain_file, kept_answers_mb=1))
    client = keeping.test_client()
    try:
        while client.get("/products/").headers["X-Cache"] != "hit":
            pass
        drain_file.touch()
        answer = client.get("/products/")
        assert (answer.headers["X-Cache"], answer.headers["Connection"]) == ("hit", "close")
    finally:
        keeping.extensions["answers"].close()


def test_a_request_that_began_before_closes_its_connection_at_its_end(
    settings: Settings, app: Flask, drain_file: Path
) -> None:
    shop = create_app(replace(settings, drain_file=drain_file))
    shop.before_request(drain_file.touch)
    assert shop.test_client().get("/healthz").headers["Connection"] == "close"


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics"])
def test_probes_are_answered_whatever_they_call_the_shop(app: Flask, settings: Settings, path: str) -> None:
    client = create_app(replace(settings, trusted_hosts=(".shop.example",))).test_client()
    assert client.get(path, headers={"Host": "10.42.0.17:8000"}).status_code == 200
    assert client.get("/products/", headers={"Host": "10.42.0.17:8000"}).status_code == 400
