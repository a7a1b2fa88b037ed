"""The lanes before Flask: sign-ins stand in line, everything else goes by."""

import dataclasses
import json
import logging
import threading
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import Client, TestResponse

from grocery.auth.hashing import HASHING_PATHS
from grocery.config import Settings
from grocery.lanes import Lanes, Line, LineFullError, Refusal
from grocery.web import SAFE_HEADERS
from tests.waiting import wait_until, within

HERE, THERE = "196.201.0.1", "102.68.0.1"


@contextmanager
def standing(line: Line, *networks: str) -> Iterator[threading.Event]:
    """The line with these in it, in this order, who leave when the event is set."""
    leave = threading.Event()

    def stand(network: str) -> bool:
        with line.turn(network):
            return leave.wait(60)

    before = len(line)
    with ThreadPoolExecutor(max(1, len(networks))) as pool:
        all_of_them: list[Future[bool]] = []
        for number, network in enumerate(networks, before + 1):
            all_of_them.append(pool.submit(stand, network))
            wait_until(lambda number=number: len(line) == number)  # type: ignore[misc]
        try:
            yield leave
        finally:
            leave.set()
            assert all(one.result() for one in all_of_them)


def test_the_turn_is_had_by_so_many_at_once_in_the_order_in_which_they_came() -> None:
    line, order, alone = Line(at_once=1, waiting=20), list[int](), threading.Lock()

    def stand(number: int) -> None:
        with line.turn(HERE if number % 2 else THERE):
            assert alone.acquire(blocking=False)
            order.append(number)
            alone.release()

    with ThreadPoolExecutor(10) as pool, standing(line, HERE):
        for number in range(10):
            pool.submit(stand, number)
            wait_until(lambda number=number: len(line) == number + 2)  # type: ignore[misc]
        assert order == []
    assert (order, len(line)) == (list(range(10)), 0)


def test_who_finds_no_place_is_sent_away_at_once() -> None:
    line = Line(at_once=1, waiting=1)
    with standing(line, HERE, THERE):
        with within(0.5), pytest.raises(LineFullError), line.turn("2001:db8::"):
            pytest.fail("had the turn")
        assert len(line) == 2
    with line.turn(HERE):
        assert len(line) == 1


def test_who_has_waited_for_too_long_is_sent_away_and_leaves_the_place_to_others() -> None:
    line = Line(at_once=1, waiting=1, max_wait_seconds=0.1)
    with standing(line, HERE):
        for _ in range(3):
            with pytest.raises(LineFullError), line.turn(THERE):
                pytest.fail("had the turn")
            assert len(line) == 1


def test_one_network_does_not_get_the_places_of_all() -> None:
    line = Line(at_once=1, waiting=7)
    with standing(line, *[HERE] * 6, THERE):
        with pytest.raises(LineFullError), line.turn(HERE):
            pytest.fail("had the turn")
        assert len(line) == 7  # so there is a place left, for others


def test_an_error_in_the_turn_frees_the_place() -> None:
    line = Line(at_once=1, waiting=0)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), line.turn(HERE):
            _ = 1 // 0
    assert len(line) == 0


class Shop:
    """A WSGI application that notes what reaches it, and answers when it may."""

    def __init__(self) -> None:
        self.reached: list[str] = []
        self.may_answer = threading.Event()
        self.may_answer.set()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        self.reached.append(f"{environ['REQUEST_METHOD']} {environ['PATH_INFO']}")
        assert self.may_answer.wait(60)
        start_response("200 OK", [])
        return [b"served"]


def lanes_before(shop: Shop, settings: Settings, line: Line, at_once: int = 1) -> Client:
    app = Flask(__name__)
    app.extensions["settings"] = settings
    return Client(Lanes(shop, at_once=at_once, line=line, paths=HASHING_PATHS, refuse=Refusal(app)))


def test_while_the_line_is_full_a_sign_in_reaches_nothing_and_all_else_goes_by(settings: Settings) -> None:
    shop, line = Shop(), Line(at_once=1, waiting=0)
    client = lanes_before(shop, settings, line)
    with standing(line, THERE):
        for path in HASHING_PATHS:
            assert client.post(path).status_code == 503
        assert shop.reached == []
        for method, path in (("GET", "/auth/login"), ("OPTIONS", "/auth/login"), ("POST", "/orders/")):
            assert client.open(path, method=method).text == "served"
    assert shop.reached == ["GET /auth/login", "OPTIONS /auth/login", "POST /orders/"]
    assert client.post("/auth/login").text == "served"


def test_sign_ins_go_on_while_all_else_waits_and_no_more_than_so_many_are_in_at_once(settings: Settings) -> None:
    shop = Shop()
    client = lanes_before(shop, settings, Line(at_once=1, waiting=0), at_once=2)
    shop.may_answer.clear()
    with ThreadPoolExecutor(6) as pool:
        browsing = [pool.submit(client.get, "/products/") for _ in range(5)]
        wait_until(lambda: len(shop.reached) == 2)
        signing_in = pool.submit(client.post, "/auth/login")
        wait_until(lambda: len(shop.reached) == 3)
        time.sleep(0.05)
        assert shop.reached == ["GET /products/", "GET /products/", "POST /auth/login"]
        shop.may_answer.set()
        assert [one.result().text for one in (*browsing, signing_in)] == ["served"] * 6


@pytest.fixture
def full_line(app: Flask) -> Iterator[None]:
    lanes: Lanes = app.extensions["lanes"]
    usual, lanes.line = lanes.line, Line(at_once=1, waiting=0)
    with standing(lanes.line, THERE):
        yield
    lanes.line = usual


def test_the_answer_without_a_place_is_a_problem_like_any_other(client: FlaskClient, full_line: None) -> None:
    answer = client.post("/auth/login", json={}, headers={"X-Request-ID": "mine"})
    assert (answer.status_code, answer.content_type) == (503, "application/problem+json")
    assert answer.json == {
        "type": "urn:grocery:problem:busy",
        "title": "Service Unavailable",
        "status": 503,
        "detail": "Too many people are signing in at this moment. Try again.",
        "code": "busy",
    }
    assert (answer.headers["X-Request-ID"], answer.headers["Retry-After"]) == ("mine", "2")
    assert {name: answer.headers[name] for name in SAFE_HEADERS} == SAFE_HEADERS
    assert len(client.post("/auth/login").headers["X-Request-ID"]) == 32


def test_the_answer_without_a_place_holds_browsers_to_https_in_production(settings: Settings) -> None:
    line = Line(at_once=1, waiting=0)

    def refused(settings: Settings, url: str) -> TestResponse:
        return lanes_before(Shop(), settings, line).post("/auth/login", base_url=url)

    production = dataclasses.replace(settings, environment="production")
    with standing(line, THERE):
        assert "max-age=31536000" in refused(production, "https://shop.example").headers["Strict-Transport-Security"]
        for quiet in (refused(production, "http://shop.example"), refused(settings, "https://shop.example")):
            assert quiet.status_code == 503
            assert "Strict-Transport-Security" not in quiet.headers


def test_the_log_says_once_a_minute_how_many_were_sent_away(
    settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    line = Line(at_once=1, waiting=0)
    client = lanes_before(Shop(), settings, line)
    with standing(line, THERE), caplog.at_level(logging.WARNING, "grocery.lanes"):
        for _ in range(5):
            client.post("/auth/login", data=json.dumps({"email": "amina@example.com"}))
    assert [record.getMessage() for record in caplog.records] == ["sign-ins sent away since too many came at once: 1"]


def test_who_stands_in_line_are_routes_that_anyone_may_call(client: FlaskClient) -> None:
    document = client.get("/openapi.json").json
    for path in HASHING_PATHS:
        operation = document["paths"][path]["post"]
        assert operation["x-access"] == "public"
        assert "`busy`" in operation["responses"]["503"]["description"]
