"""As much of HTTP/1.1 as a stream needs: the head of one request, and answers after which the connection ends.

One request for each connection leaves nothing to be smuggled behind it. Source: https://www.rfc-editor.org/rfc/rfc9112
"""

import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from urllib.parse import parse_qs, urlsplit

import orjson

MAX_HEAD_BYTES = 16 * 1024
END_OF_HEAD = b"\r\n\r\n"

PROBLEM_TYPE = "application/problem+json"

_REQUEST_LINE = re.compile(r"([A-Z]{1,16}) ([\x21-\x7e]{1,8192}) HTTP/1\.[01]")
_HEADER = re.compile(r"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*")
_REQUEST_ID = re.compile(r"[\x21-\x7e]{1,128}")

_COMMON = {"Connection": "close", "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}

# A proxy that gathers what is sent, to compress it say, would hold the events back.
_STREAM = {"Content-Type": "text/event-stream", "Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}

_PREFLIGHT = {
    "Access-Control-Allow-Methods": "GET",
    # Those of the request to the API, which a browser repeats when it follows the redirect.
    "Access-Control-Allow-Headers": "Authorization, Cache-Control, Last-Event-ID, X-Request-ID",
    "Access-Control-Max-Age": "7200",
}


class MalformedRequestError(ValueError):
    """It is no request; the message says why."""


@dataclass(frozen=True)
class Request:
    """The head of a request. Header names are in small letters."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]

    @property
    def is_preflight(self) -> bool:
        return self.method == "OPTIONS" and "access-control-request-method" in self.headers

    @property
    def id(self) -> str:
        """The client's own `X-Request-ID` if it is one, else a new one."""
        sent = self.headers.get("x-request-id", "")
        return sent if _REQUEST_ID.fullmatch(sent) else uuid.uuid4().hex


def parse_head(head: bytes) -> Request:
    """The request whose head this is, without the empty line at its end; raises MalformedRequestError."""
    first, *lines = head.decode("latin-1").split("\r\n")
    match = _REQUEST_LINE.fullmatch(first)
    if match is None:
        raise MalformedRequestError("This is no request line of HTTP/1.1.")
    headers = {}
    for line in lines:
        header = _HEADER.fullmatch(line)
        if header is None:
            raise MalformedRequestError("A header is malformed.")
        headers[header[1].lower()] = header[2]
    try:
        target = urlsplit(match[2])
        query = parse_qs(target.query, max_num_fields=10)
    except ValueError as error:
        raise MalformedRequestError("The address is malformed.") from error
    return Request(match[1], target.path, {name: values[-1] for name, values in query.items()}, headers)


class Cors:
    """Which pages may read the streams: those of the shop, and of CORS_ORIGINS.

    Where a page of another origin than the shop's is sent here by the shop's API, its browser no longer says which one
    it was: `null`. It is let in where others are at all. Nothing depends on that but good manners, since there are no
    cookies here: without a ticket nobody gets anything.
    """

    def __init__(self, shop_origins: Iterable[str], others: Iterable[str]):
        self._is_open = "*" in others
        self._origins = {*shop_origins, *others, *(["null"] if others else [])}

    def headers(self, request: Request) -> dict[str, str]:
        """What tells the browser of the page that it may read the answer."""
        origin = request.headers.get("origin", "")
        if self._is_open:
            return {"Access-Control-Allow-Origin": "*"} if origin else {}
        if origin in self._origins:
            return {"Access-Control-Allow-Origin": origin, "Vary": "Origin"}
        return {"Vary": "Origin"}


def stream_head(headers: Mapping[str, str]) -> bytes:
    """The beginning of an answer whose body goes on until the connection ends."""
    return _head(HTTPStatus.OK, {**_COMMON, **_STREAM, **headers})


def preflight(headers: Mapping[str, str]) -> bytes:
    return _head(HTTPStatus.NO_CONTENT, {**_COMMON, **_PREFLIGHT, **headers})


def nothing(headers: Mapping[str, str]) -> bytes:
    """204: to an `EventSource` it says not to come back."""
    return _head(HTTPStatus.NO_CONTENT, {**_COMMON, **headers})


def json_answer(body: Mapping[str, object], headers: Mapping[str, str], *, has_body: bool = True) -> bytes:
    return _whole(HTTPStatus.OK, "application/json", orjson.dumps(body), headers, has_body)


def text_answer(body: bytes, kind: str, headers: Mapping[str, str], *, has_body: bool = True) -> bytes:
    return _whole(HTTPStatus.OK, kind, body, headers, has_body)


def problem(status: HTTPStatus, code: str, detail: str, headers: Mapping[str, str]) -> bytes:
    """An error as RFC 9457 problem details, like those of the API."""
    body = {
        "type": f"urn:grocery:problem:{code}",
        "title": status.phrase,
        "status": int(status),
        "detail": detail,
        "code": code,
    }
    return _whole(status, PROBLEM_TYPE, orjson.dumps(body), headers, True)


def _whole(status: HTTPStatus, kind: str, body: bytes, headers: Mapping[str, str], has_body: bool) -> bytes:
    own = {**_COMMON, "Content-Type": kind, "Content-Length": str(len(body))}
    return _head(status, {**own, **headers}) + (body if has_body else b"")


def _head(status: HTTPStatus, headers: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status.value} {status.phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")
