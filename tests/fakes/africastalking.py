"""Africa's Talking on loopback: answers `POST /version1/messaging` as the provider does, and misbehaves when told to.

Sources, named beside each behaviour: "docs" is https://developers.africastalking.com/docs/sms/sending, "seen" is what
the SDK 2.0.3 was seen to need or do, "fault" is something that any HTTP service does on a bad day.
"""

import json
import re
import socket
import ssl
import struct
import threading
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs
from uuid import uuid4

API_KEY = "fake-api-key"
COST = "KES 0.8000"  # docs: currency, space, four decimals
MAX_HANG_SECONDS = 60.0

# docs, and the lists of third-party clients: what the provider says beside each code.
STATUS_NAMES = {
    100: "Processed",
    101: "Success",  # docs: an accepted recipient's status is "Success", not the code's own name "Sent"
    102: "Queued",
    401: "RiskHold",
    402: "InvalidSenderId",
    403: "InvalidPhoneNumber",
    404: "UnsupportedNumberType",
    405: "InsufficientBalance",
    406: "UserInBlacklist",
    407: "CouldNotRoute",
    409: "DoNotDisturbRejection",
    500: "InternalServerError",
    501: "GatewayError",
    502: "RejectedByGateway",
}


class Fault(Enum):
    """What a request can meet instead of the right answer."""

    HANG_BEFORE_ACCEPTING = auto()  # fault
    HANG_AFTER_ACCEPTING = auto()  # fault
    RESET_BEFORE_ACCEPTING = auto()  # fault
    RESET_AFTER_ACCEPTING = auto()  # fault
    HTML_500 = auto()  # fault: what a load balancer in front says
    TOO_MANY_REQUESTS = auto()  # fault
    CHARSET_JSON = auto()  # seen: the SDK then answers a string
    EMPTY_RECIPIENTS = auto()  # fault: accepted or not, the answer does not say
    INSUFFICIENT_BALANCE = auto()  # docs: code 405 for the recipient
    INVALID_SENDER = auto()  # docs: `Message` is "InvalidSenderId", no recipients
    WRONG_TYPES = auto()  # fault


@dataclass(frozen=True)
class Answer:
    """A literal HTTP answer."""

    status: int
    body: bytes
    content_type: str = "application/json"
    location: str | None = None


class FakeAfricasTalking:
    """A context manager; `url` is the origin for `AT_BASE_URL`, `messages` what was accepted, one dict a recipient.

    `attempts` counts every request, also those that accepted nothing. `delay` is waited, in seconds, before an answer.
    """

    def __init__(self, api_key: str = API_KEY, tls: ssl.SSLContext | None = None, delay: float = 0.0) -> None:
        self.api_key = api_key
        self.delay = delay
        self.attempts = 0
        self.closing = threading.Event()
        self._messages: list[dict[str, Any]] = []
        self._rejections: dict[str, int] = {}
        self._script: deque[Fault | Answer] = deque()
        self._always: Fault | Answer | None = None
        self._changed = threading.Condition()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.fake = self
        if tls is not None:
            # The handshake happens in the request's own thread, so that one bad client cannot block the others.
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def messages(self) -> list[dict[str, Any]]:
        """What was accepted so far: `to, message, from, username, at, id`."""
        with self._changed:
            return list(self._messages)

    def misbehave(self, fault: Fault | Answer, times: int | None = 1) -> None:
        """Let the next `times` requests meet `fault`, every one from now on when None."""
        with self._changed:
            if times is None:
                self._always = fault
            else:
                self._script.extend([fault] * times)

    def behave(self) -> None:
        """Forget every fault, rejection and delay."""
        with self._changed:
            self._script.clear()
            self._always = None
            self._rejections.clear()
            self.delay = 0.0

    def reject(self, number: str, code: int) -> None:
        """Answer `code` (401–409, 500–502) for this number from now on, as for a number on the blacklist (406)."""
        self._rejections[number] = code

    def clear(self) -> None:
        """Forget the recorded messages and attempts."""
        with self._changed:
            self._messages.clear()
            self.attempts = 0

    def wait_for(self, count: int, timeout: float = 5.0) -> list[dict[str, Any]]:
        """Wait until `count` messages were accepted and return them all; raises AssertionError after `timeout` s."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._messages) >= count, timeout):
                raise AssertionError(f"{len(self._messages)} of {count} texts were accepted within {timeout} s")
            return list(self._messages)

    def next_fault(self) -> Fault | Answer | None:
        """Count the request and say what it shall meet."""
        with self._changed:
            self.attempts += 1
            return self._script.popleft() if self._script else self._always

    def accept(self, form: dict[str, str], code: int = 101) -> list[dict[str, Any]]:
        """Record the message for each acceptable number and return the answer's recipients."""
        return [self._accept_one(number, form, code) for number in form["to"].split(",")]

    def _accept_one(self, number: str, form: dict[str, str], code: int) -> dict[str, Any]:
        code = self._rejections.get(number, code)
        if not re.fullmatch(r"\+[1-9][0-9]{6,14}", number):
            code = 403  # docs
        accepted = code < 200
        entry: dict[str, Any] = {
            "statusCode": code,
            "number": number,
            "status": STATUS_NAMES[code],
            # africastalking-node.js #143, #160: a refused recipient has the string "None" and costs "0".
            "cost": COST if accepted else "0",
            "messageId": f"ATXid_{uuid4().hex}" if accepted else "None",
        }
        if accepted:
            self._record(number, form, entry["messageId"])
        return entry

    def _record(self, number: str, form: dict[str, str], message_id: str) -> None:
        with self._changed:
            self._messages.append(
                {
                    "to": number,
                    "message": form["message"],
                    "from": form.get("from"),
                    "username": form["username"],
                    "at": datetime.now(UTC),
                    "id": message_id,
                }
            )
            self._changed.notify_all()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False  # a hanging request must not hang the test's end
    request_queue_size = 128
    fake: FakeAfricasTalking

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent: a client that gives up is what many tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:
        """Stay silent: the log belongs to the code under test."""

    def do_GET(self) -> None:
        """A followed redirect arrives here; the provider has nothing to say to it."""
        self.server.fake.next_fault()
        self._reply(Answer(404, b"Not found", "text/plain"))

    def do_POST(self) -> None:
        """Read the form, then act out the fault or the right answer."""
        fake = self.server.fake
        form = self._form()
        fault = fake.next_fault()
        refusal = self._refusal(form)
        if isinstance(fault, Answer):
            self._reply(fault)
        elif refusal is not None:
            self._reply(refusal)
        elif fault is None:
            self._reply(_summary(fake.accept(form)))
        else:
            self._misbehave(fault, form)

    def _form(self) -> dict[str, str]:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
        return {name: values[0] for name, values in parse_qs(body, keep_blank_values=True).items()}

    def _refusal(self, form: dict[str, str]) -> Answer | None:
        """What the provider says to a request that it does not even look into."""
        if self.path != "/version1/messaging":
            return Answer(404, b"Not found", "text/plain")
        if self.headers.get("apiKey") != self.server.fake.api_key:
            # africastalking-php #11, africastalking-python #52, #74: 401 with this plain text
            return Answer(401, b"The supplied authentication is invalid", "text/plain")
        missing = [name for name in ("username", "to", "message") if not form.get(name)]
        if missing or self.headers.get_content_type() != "application/x-www-form-urlencoded":
            return Answer(400, f"Must have {missing} in your request".encode(), "text/plain")  # docs: required fields
        return None

    def _misbehave(self, fault: Fault, form: dict[str, str]) -> None:
        fake = self.server.fake
        if fault in (Fault.HANG_AFTER_ACCEPTING, Fault.RESET_AFTER_ACCEPTING):
            fake.accept(form)
        match fault:
            case Fault.HANG_BEFORE_ACCEPTING | Fault.HANG_AFTER_ACCEPTING:
                fake.closing.wait(MAX_HANG_SECONDS)
                self._reset()
            case Fault.RESET_BEFORE_ACCEPTING | Fault.RESET_AFTER_ACCEPTING:
                self._reset()
            case Fault.CHARSET_JSON:
                answer = _summary(fake.accept(form))
                self._reply(Answer(201, answer.body, "application/json; charset=utf-8"))
            case Fault.INSUFFICIENT_BALANCE:
                self._reply(_summary(fake.accept(form, code=405)))
            case _:
                self._reply(_LITERAL[fault])

    def _reply(self, answer: Answer) -> None:
        self.server.fake.closing.wait(self.server.fake.delay)
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        if answer.location is not None:
            self.send_header("Location", answer.location)
        self.end_headers()
        self.wfile.write(answer.body)

    def _reset(self) -> None:
        """Close with RST instead of FIN, as a crashed peer does."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()


def _summary(recipients: list[dict[str, Any]]) -> Answer:
    """The provider's answer, docs: 201, also when every recipient was refused."""
    accepted = sum(1 for entry in recipients if entry["statusCode"] < 200)
    message = f"Sent to {accepted}/{len(recipients)} Total Cost: KES {accepted * 0.8:.4f}"
    return _sms_data(message, recipients)


def _sms_data(message: Any, recipients: Any) -> Answer:
    return Answer(201, json.dumps({"SMSMessageData": {"Message": message, "Recipients": recipients}}).encode())


_LITERAL = {
    Fault.HTML_500: Answer(500, b"<html><body><h1>Internal\nServer Error</h1></body></html>\n", "text/html"),
    Fault.TOO_MANY_REQUESTS: Answer(429, b"Too many requests", "text/plain"),
    Fault.EMPTY_RECIPIENTS: _sms_data("Sent to 0/1 Total Cost: 0", []),
    Fault.INVALID_SENDER: _sms_data("InvalidSenderId", []),
    Fault.WRONG_TYPES: _sms_data(17, {"statusCode": [101], "messageId": 5}),
}
