"""The line that each request leaves."""

import logging
from collections.abc import Iterator
from contextvars import copy_context
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from grocery import logs
from grocery.access_log import AccessLog
from tests.orders.conftest import Caller, caller
from tests.products.factories import make_product


class Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, dict[str, Any], str | None, dict[str, Any]]] = []

    def emit(self, record: logging.LogRecord) -> None:
        fields = getattr(record, "fields", {})
        self.seen.append((record.getMessage(), fields, logs.request_id.get(), dict(logs.bound_ids())))


@pytest.fixture
def lines() -> Iterator[Lines]:
    handler, log = Lines(), logging.getLogger(logs.ACCESS)
    level = log.level
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    yield handler
    log.removeHandler(handler)
    log.setLevel(level)


@pytest.fixture
def customer(context: None, client: FlaskClient) -> Caller:
    return caller(client, name="Amina Otieno", email="amina@example.com", phone="+254712345678")


def test_a_request_leaves_its_template_and_nothing_of_its_address(client: FlaskClient, lines: Lines) -> None:
    client.get("/orders/4711?token=secret", headers={"X-Request-ID": "abc-1"})
    [(message, fields, request_id, _)] = lines.seen
    assert message == "GET /orders/<int:order_id> 401"
    assert 0 < fields.pop("ms") < 60_000
    assert fields == {"method": "GET", "route": "/orders/<int:order_id>", "status": 401}
    assert request_id == "abc-1"


def test_the_answer_has_the_id_that_is_logged(client: FlaskClient, lines: Lines) -> None:
    answers = [client.get("/orders/1"), client.get("/nowhere"), client.post("/auth/login", json={})]
    assert [request_id for _, _, request_id, _ in lines.seen] == [one.headers["X-Request-ID"] for one in answers]
    assert len({request_id for _, _, request_id, _ in lines.seen}) == 3


def test_what_has_no_route_has_no_address_in_the_log(client: FlaskClient, lines: Lines) -> None:
    client.get("/t0ken-of-somebody/nowhere")
    client.open("/healthz/x", method="SECRETWORD")
    assert [message for message, *_ in lines.seen] == ["GET - 404", "other - 404"]


def test_an_order_that_was_placed_is_named(customer: Caller, lines: Lines) -> None:
    body = {"items": [{"product_id": make_product(stock=5), "quantity": 1}]}
    placed = customer.post("/orders/", json=body)
    customer.get("/orders/")
    assert [(message, ids.get("order_id")) for message, _, _, ids in lines.seen] == [
        ("POST /orders/ 201", placed.json["id"]),
        ("GET /orders/ 200", None),
    ]


def test_probes_leave_no_line(client: FlaskClient, lines: Lines) -> None:
    assert client.get("/healthz").status_code == client.get("/readyz").status_code == 200
    assert lines.seen == []


def test_a_server_that_breaks_leaves_a_line_too(app: Flask, lines: Lines) -> None:
    def breaking(_environ: object, _start: object) -> list[bytes]:
        raise OSError("broken")

    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/"}
    with pytest.raises(OSError, match="broken"):
        copy_context().run(AccessLog(breaking), environ, lambda *_: lambda _: None)
    assert [message for message, *_ in lines.seen] == ["GET - 500"]
