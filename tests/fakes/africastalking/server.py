"""The server that takes texts, and what tests can ask of it."""

import re
import ssl
import threading
from collections import deque
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, Self

from tests.fakes.africastalking.answers import Answer, Fault, is_accepted, recipient
from tests.fakes.africastalking.callbacks import SAFARICOM, SANDBOX, Callbacks, Reply
from tests.fakes.africastalking.handler import Server
from tests.fakes.africastalking.reporting import Reporter, Script
from tests.fakes.africastalking.ussd import UssdPhone
from tests.waiting import PATIENCE_SECONDS

API_KEY = "fake-api-key"


class FakeAfricasTalking:
    """A context manager; `url` is the origin for `AT_BASE_URL`, `messages` what was accepted, one dict a recipient.

    `attempts` counts every request, also those that accepted nothing, and `forms` keeps what they said. `delay` is
    waited, in seconds, before an answer; any number of requests wait at once. With `username` the key is that account's
    only, with `sender_ids` other senders are refused. Calls to the shop need `callback_url`.
    """

    def __init__(
        self,
        api_key: str = API_KEY,
        tls: ssl.SSLContext | None = None,
        delay: float = 0.0,
        username: str | None = None,
        sender_ids: frozenset[str] | None = None,
    ) -> None:
        self.api_key = api_key
        self.username = username
        self.sender_ids = sender_ids
        self.delay = delay
        self.balance = "KES 1785.50"
        self.attempts = 0
        self.closing = threading.Event()
        self.callbacks = Callbacks(network_code=SANDBOX if username == "sandbox" else SAFARICOM)
        self.reporter = Reporter(self.callbacks)
        self._forms: list[dict[str, str]] = []
        self._messages: list[dict[str, Any]] = []
        self._rejections: dict[str, int] = {}
        self._script: deque[Fault | Answer] = deque()
        self._always: Fault | Answer | None = None
        self._changed = threading.Condition()
        self._server = Server(self)
        if tls is not None:
            # The handshake happens in the request's own thread, so that one bad client cannot block the others.
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        self.reporter.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self.reporter.stop()

    @property
    def messages(self) -> list[dict[str, Any]]:
        """What was accepted so far: `to, message, from, username, at, id`."""
        with self._changed:
            return list(self._messages)

    @property
    def forms(self) -> list[dict[str, str]]:
        """What each request said, `enqueue` and `bulkSMSMode` included."""
        with self._changed:
            return list(self._forms)

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
        """Forget the recorded messages, forms and attempts."""
        with self._changed:
            self._messages.clear()
            self._forms.clear()
            self.attempts = 0

    def wait_for(self, count: int, timeout: float = PATIENCE_SECONDS) -> list[dict[str, Any]]:
        """Wait until `count` messages were accepted and return them all; raises AssertionError after `timeout` s."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._messages) >= count, timeout):
                raise AssertionError(f"{len(self._messages)} of {count} texts were accepted within {timeout} s")
            return list(self._messages)

    @property
    def callback_url(self) -> str:
        """Where the shop is called: `http://127.0.0.1:8000/notify/sms/SECRET`, or a path for `callbacks.post`."""
        return self.callbacks.base

    @callback_url.setter
    def callback_url(self, base: str) -> None:
        self.callbacks.base = base

    @property
    def reports(self) -> Script:
        """The delivery reports that each accepted message gets by itself, such as `["Sent", "Success"]`."""
        return self.reporter.script

    @reports.setter
    def reports(self, script: Script) -> None:
        self.reporter.script = script

    @property
    def report_before_answer(self) -> bool:
        """Whether those reports come while the request to send still waits for its answer."""
        return self.reporter.is_early

    @report_before_answer.setter
    def report_before_answer(self, is_early: bool) -> None:
        self.reporter.is_early = is_early

    def reports_for(self, number: str, script: Script) -> None:
        """Give this number a script of its own."""
        self.reporter.by_number[number] = script

    def text_from(self, number: str, text: str, **more: Any) -> Reply:
        """Send a text from a customer's phone to the shop; `more` is what `Callbacks.text_from` takes."""
        return self.callbacks.text_from(number, text, **more)

    def opt_out(self, number: str, **more: Any) -> Reply:
        """Let a phone opt out: the shop is told, and texts to it are refused with 406 from now on.

        Source: "UserInBlackList" in
        https://community.africastalking.com/v0/forum/help-18238/topic/at-help-comprehensive-94/.
        """
        self.reject(number, 406)
        return self.callbacks.opt_out(number, **more)

    def phone(self, number: str) -> UssdPhone:
        """A phone that can dial the shop's USSD code."""
        return UssdPhone(self.callbacks, number)

    def next_fault(self, form: dict[str, str] | None = None) -> Fault | Answer | None:
        """Count the request and say what it shall meet."""
        with self._changed:
            self.attempts += 1
            if form is not None:
                self._forms.append(form)
            return self._script.popleft() if self._script else self._always

    def accept(self, form: dict[str, str], code: int | None = None) -> list[dict[str, Any]]:
        """Record the message for each acceptable number and return the answer's recipients."""
        if code is None:
            # recorded: with-enqueue.json, without-enqueue.json; the docs call 1 the default, the answers do not.
            code = 102 if form.get("enqueue") == "1" else 101
        return [self._accept_one(number, form, code) for number in form["to"].split(",")]  # docs: comma separated

    def answered(self, recipients: list[dict[str, Any]]) -> None:
        """Tell that these were answered for, or never will be, so that their reports can come."""
        for entry in filter(is_accepted, recipients):
            self.reporter.answered(entry["messageId"], entry["number"])

    def _accept_one(self, number: str, form: dict[str, str], code: int) -> dict[str, Any]:
        code = self._rejections.get(number, code)
        if not re.fullmatch(r"\+[1-9][0-9]{6,14}", number):
            code = 403  # docs
        entry = recipient(number, form["message"], code)
        if is_accepted(entry):
            self._record(number, form, entry["messageId"])
            self.reporter.accepted(entry["messageId"], number)
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
