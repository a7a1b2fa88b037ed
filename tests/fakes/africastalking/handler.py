"""The HTTP of the stand-in: reads a request, then acts out the right answer or the fault."""

import json
import socket
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

from tests.fakes.africastalking.answers import (
    INVALID_SENDER,
    LITERAL,
    NOT_A_FORM,
    NOT_FOUND,
    UNAUTHORIZED,
    Answer,
    Fault,
    missing_field,
    recipient,
    sms_data,
    summary,
)

MAX_HANG_SECONDS = 60.0


class Provider(Protocol):
    """What the handler asks of the stand-in."""

    api_key: str
    username: str | None
    sender_ids: frozenset[str] | None
    delay: float
    balance: str
    closing: threading.Event

    def next_fault(self, form: dict[str, str] | None = None) -> Fault | Answer | None:
        """Count the request and say what it shall meet."""

    def accept(self, form: dict[str, str], code: int | None = None) -> list[dict[str, Any]]:
        """Record the message for each acceptable number and return the answer's recipients."""

    def answered(self, recipients: list[dict[str, Any]]) -> None:
        """Tell that these were answered for, or never will be."""


class Server(ThreadingHTTPServer):
    """A thread for each connection, on a free port of loopback."""

    daemon_threads = True
    block_on_close = False  # a hanging request must not hang the test's end
    request_queue_size = 128

    def __init__(self, fake: Provider) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.fake = fake

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay silent: a client that gives up is what many tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def log_message(self, format: str, *args: Any) -> None:
        """Stay silent: the log belongs to the code under test."""

    def version_string(self) -> str:
        """recorded: what the provider's server calls itself."""
        return "akka-http/10.0.5"

    def do_GET(self) -> None:
        """The account's balance. A followed redirect arrives here too; the provider has nothing to say to it."""
        fake, address = self.server.fake, urlsplit(self.path)
        fault = fake.next_fault()
        username = parse_qs(address.query).get("username", [""])[0]
        if isinstance(fault, Answer):
            self._reply(fault)
        elif address.path != "/version1/user":
            self._reply(NOT_FOUND)
        elif self.headers.get("apiKey") != fake.api_key or fake.username not in (None, username):
            self._reply(UNAUTHORIZED)
        else:
            # docs: https://developers.africastalking.com/docs/application
            self._reply(Answer(200, json.dumps({"UserData": {"balance": fake.balance}}).encode()))

    def do_HEAD(self) -> None:
        """Who asks for the time."""
        self.send_response(404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self) -> None:
        """Read the form, then act out the fault or the right answer."""
        form = self._form()
        fault = self.server.fake.next_fault(form)
        refusal = self._refusal(form)
        if isinstance(fault, Answer):
            self._reply(fault)
        elif refusal is not None:
            self._reply(refusal)
        elif fault is None:
            self._take(form)
        else:
            self._misbehave(fault, form)

    def _form(self) -> dict[str, str]:
        body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
        return {name: values[0] for name, values in parse_qs(body, keep_blank_values=True).items()}

    def _refusal(self, form: dict[str, str]) -> Answer | None:
        """What the provider says to a request that it does not even look into."""
        fake = self.server.fake
        if self.path != "/version1/messaging":
            return NOT_FOUND
        if self.headers.get("apiKey") != fake.api_key or fake.username not in (None, form.get("username")):
            # The key of the sandbox is none of the live account's, and the other way round: africastalking-node.js #88.
            return UNAUTHORIZED
        if self.headers.get_content_type() != "application/x-www-form-urlencoded":
            return NOT_A_FORM
        for name in ("username", "to", "message"):  # docs: required
            if not form.get(name):
                return missing_field(name)
        if fake.sender_ids is not None and form.get("from", "AFRICASTKNG") not in fake.sender_ids | {"AFRICASTKNG"}:
            return INVALID_SENDER  # docs: AFRICASTKNG is the sender of those who have none
        return None

    def _take(self, form: dict[str, str], code: int | None = None, content_type: str = "application/json") -> None:
        recipients = self.server.fake.accept(form, code)
        answer = summary(recipients)
        try:
            self._reply(Answer(answer.status, answer.body, content_type))
        finally:
            # A client that gave up before the answer gets its reports all the same.
            self.server.fake.answered(recipients)

    def _misbehave(self, fault: Fault, form: dict[str, str]) -> None:
        fake = self.server.fake
        if fault in (Fault.HANG_AFTER_ACCEPTING, Fault.RESET_AFTER_ACCEPTING):
            fake.answered(fake.accept(form))
        match fault:
            case Fault.HANG_BEFORE_ACCEPTING | Fault.HANG_AFTER_ACCEPTING:
                fake.closing.wait(MAX_HANG_SECONDS)
                self._reset()
            case Fault.RESET_BEFORE_ACCEPTING | Fault.RESET_AFTER_ACCEPTING:
                self._reset()
            case Fault.CHARSET_JSON:
                self._take(form, content_type="application/json; charset=utf-8")
            case Fault.INSUFFICIENT_BALANCE:
                self._take(form, code=405)
            case Fault.DO_NOT_DISTURB:
                refused = [recipient(number, form["message"], 409) for number in form["to"].split(",")]
                self._reply(sms_data(f"Sent to 0/{len(refused)} Total Cost: 0", refused, status=409))
            case _:
                self._reply(LITERAL[fault])

    def _reply(self, answer: Answer) -> None:
        self.server.fake.closing.wait(self.server.fake.delay)
        self.send_response(answer.status)
        self.send_header("Content-Type", answer.content_type)
        self.send_header("Content-Length", str(len(answer.body)))
        if answer.location is not None:
            self.send_header("Location", answer.location)
        if answer.status == 401:
            self.send_header("WWW-Authenticate", 'Basic realm="api",charset=UTF-8')  # recorded: invalid-key.json
        self.end_headers()
        self.wfile.write(answer.body)

    def _reset(self) -> None:
        """Close with RST instead of FIN, as a crashed peer does."""
        self.close_connection = True
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
