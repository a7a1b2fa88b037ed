"""The head of a request as it comes from browsers, proxies and people who try what happens."""

from http import HTTPStatus

import orjson
import pytest

from grocery.stream.messages import Cors, MalformedRequestError, Request, parse_head, problem

SHOP, APP = "https://shop.example", "https://app.example"


def request(**headers: str) -> Request:
    return Request("GET", "/", {}, {name.lower(): value for name, value in headers.items()})


def test_head_of_a_request_is_taken_apart() -> None:
    head = b"GET /stream/orders/12?ticket=a%2Bb&ticket=c&x= HTTP/1.1\r\nHost: x\r\nLast-Event-ID:  40 \r\nX:"
    parsed = parse_head(head)
    assert (parsed.method, parsed.path) == ("GET", "/stream/orders/12")
    assert parsed.query == {"ticket": "c"}
    assert parsed.headers == {"host": "x", "last-event-id": "40", "x": ""}


def test_a_proxy_may_send_the_whole_address() -> None:
    parsed = parse_head(b"GET http://x:1/healthz?a=1 HTTP/1.0")
    assert (parsed.path, parsed.query) == ("/healthz", {"a": "1"})


@pytest.mark.parametrize(
    "head",
    [
        b"",
        b"GET /",
        b"GET  / HTTP/1.1",
        b"get / HTTP/1.1",
        b"GET / HTTP/2.0",
        b"GET /\x00 HTTP/1.1",
        b"GET /\xff HTTP/1.1",
        b"GET http://[::1 HTTP/1.1",
        b"GET /?" + b"a=1&" * 11 + b" HTTP/1.1",
        b"GET /" + b"a" * 9000 + b" HTTP/1.1",
        b"GET / HTTP/1.1\r\nno colon",
        b"GET / HTTP/1.1\r\n folded: yes",
        b"GET / HTTP/1.1\r\nA: b\nC: d",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ],
)
def test_what_is_no_request_is_refused(head: bytes) -> None:
    with pytest.raises(MalformedRequestError):
        parse_head(head)


def test_the_clients_own_request_id_is_kept_if_it_is_one() -> None:
    assert request(**{"X-Request-ID": "abc-1"}).id == "abc-1"
    for bad in ("", "a b", "x" * 200, "ü"):
        assert len(request(**{"X-Request-ID": bad}).id) == 32


def test_pages_of_the_shop_and_of_allowed_origins_may_read() -> None:
    cors = Cors([SHOP], [APP])
    for origin in (SHOP, APP, "null"):
        assert cors.headers(request(Origin=origin)) == {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}
    for origin in ("https://evil.example", ""):
        assert cors.headers(request(Origin=origin)) == {"Vary": "Origin"}


def test_without_allowed_origins_only_the_shop_may_read() -> None:
    assert Cors([SHOP], []).headers(request(Origin="null")) == {"Vary": "Origin"}
    assert Cors([], ["*"]).headers(request(Origin="https://any.example")) == {"Access-Control-Allow-Origin": "*"}


def test_a_preflight_is_one_that_asks_for_a_method() -> None:
    asked = parse_head(b"OPTIONS / HTTP/1.1\r\nAccess-Control-Request-Method: GET")
    assert asked.is_preflight
    assert not parse_head(b"OPTIONS / HTTP/1.1").is_preflight


def test_a_problem_looks_like_those_of_the_api() -> None:
    head, _, body = problem(HTTPStatus.FORBIDDEN, "some_code", "Why.", {"X-Request-ID": "a"}).partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "HTTP/1.1 403 Forbidden"
    assert {"Content-Type: application/problem+json", f"Content-Length: {len(body)}", "X-Request-ID: a"} < set(lines)
    assert orjson.loads(body) == {
        "type": "urn:grocery:problem:some_code",
        "title": "Forbidden",
        "status": 403,
        "detail": "Why.",
        "code": "some_code",
    }
