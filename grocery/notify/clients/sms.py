"""SMS clients: the console for development, Africa's Talking for real."""

import json
import logging
import re
import ssl
import time
import uuid
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import Any, Final, Protocol, Self
from urllib.parse import urlsplit

import requests
import urllib3.exceptions
from africastalking import SMSService
from africastalking.Service import DEFAULT_TIMEOUT_S

from grocery.notify.clients.transport import WholeAnswers
from grocery.notify.outcome import Outcome, SendResult, one_line

log = logging.getLogger("grocery.notify.sms")

# ITU-T E.164: a plus and at most 15 digits, the first of them not zero. The SDK's own pattern takes `+0000`.
E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")

# Recipient codes: https://developers.africastalking.com/docs/sms/sending
# 405 alone among the 4xx is RETRY: an empty purse is the shop's trouble, not the message's, and is filled in minutes.
# An unregistered sender ID (402) is the shop's trouble too, but takes operators weeks: failing lets e-mail take over.
STATUSES: Final[dict[int, tuple[str, Outcome]]] = {
    100: ("Processed", Outcome.SENT),
    101: ("Sent", Outcome.SENT),
    102: ("Queued", Outcome.SENT),
    401: ("RiskHold", Outcome.FAILED),
    402: ("InvalidSenderId", Outcome.FAILED),
    403: ("InvalidPhoneNumber", Outcome.FAILED),
    404: ("UnsupportedNumberType", Outcome.FAILED),
    405: ("InsufficientBalance", Outcome.RETRY),
    406: ("UserInBlacklist", Outcome.FAILED),
    407: ("CouldNotRoute", Outcome.FAILED),
    409: ("DoNotDisturbRejection", Outcome.FAILED),
    500: ("InternalServerError", Outcome.RETRY),
    501: ("GatewayError", Outcome.RETRY),
    502: ("RejectedByGateway", Outcome.RETRY),
}
REFUSALS: Final = {name: outcome for name, outcome in STATUSES.values() if outcome is not Outcome.SENT}
INSUFFICIENT_BALANCE: Final = 405
# HTTP statuses that may be about this one request's content; all others below 500 would meet every message alike.
ABOUT_THE_MESSAGE: Final = frozenset({400, 413, 414, 422, 431})

# A connection that was idle for longer is not used again: the provider may be closing it, and a request that meets the
# closing may have been accepted for all we know. (One that was closed already is noticed by urllib3 before it writes.)
IDLE_SECONDS: Final = 1.0


class SmsSession(Protocol):
    """Something that hands one text to one phone, and then the next; for one thread."""

    def send(self, to: str, body: str) -> SendResult:
        """Send `body` to the E.164 number `to`; what goes wrong is told by the result, not by an exception."""


class SmsBackend(SmsSession, Protocol):
    """A connection of its own for a single text, or one for many."""

    def session(self) -> AbstractContextManager[SmsSession]:
        """Share one connection: `with backend.session() as session: session.send(…)`."""


class ConsoleSms:
    """Writes texts to the log, for development without an account.

    With `hides_content` neither text nor number: a code in a log opens an account to whoever reads that.
    """

    def __init__(self, *, hides_content: bool = False) -> None:
        self._hides_content = hides_content

    def send(self, to: str, body: str) -> SendResult:
        """Log the text in one line; in development codes are shown on purpose, since nothing else delivers them."""
        if self._hides_content:
            log.info("SMS of %d characters, hidden since this is production; nothing is sent", len(body))
        else:
            log.info("SMS to %s: %s", to, one_line(body, limit=2000))
        return SendResult(Outcome.SENT, provider_id=f"console-{uuid.uuid4().hex}")

    def session(self) -> AbstractContextManager[SmsSession]:
        """Nothing is shared, since nothing is opened."""
        return nullcontext(self)


class _MessagingService(WholeAnswers, SMSService):
    """Sends messages over connections that it keeps."""


class AfricasTalkingSms:
    """Sends through Africa's Talking; the user name `sandbox` goes to its sandbox.

    `base_url` is an origin only (`http://127.0.0.1:8080`); `timeouts` are the seconds to connect and between two reads.
    Raises ValueError for settings that could never send.
    """

    def __init__(
        self,
        username: str,
        api_key: str,
        sender_id: str | None = None,
        base_url: str | None = None,
        timeouts: tuple[float, float] = DEFAULT_TIMEOUT_S,
    ) -> None:
        if not (api_key.isascii() and api_key.isprintable()):
            raise ValueError("the API key travels in an HTTP header and must be printable ASCII")
        # Not `africastalking.initialize`: it keeps one account in globals of the module for the whole process.
        self._account = (username, api_key, _origin(base_url) if base_url else None)
        self._sender_id = sender_id or None
        self._timeouts = timeouts
        self.endpoint: str = _MessagingService(*self._account)._make_url("/messaging")

    def send(self, to: str, body: str) -> SendResult:
        """Send one text over a connection of its own."""
        with self.session() as session:
            return session.send(to, body)

    def session(self) -> "AfricasTalkingSession":
        """Make a session, which connects when its first text is sent."""
        return AfricasTalkingSession(_MessagingService(*self._account), self._sender_id, self._timeouts)


class AfricasTalkingSession:
    """Texts over one connection, which is made anew when it was idle for more than IDLE_SECONDS."""

    def __init__(self, service: _MessagingService, sender_id: str | None, timeouts: tuple[float, float]) -> None:
        self._service = service
        self._sender_id = sender_id
        self._timeouts = timeouts
        self._used_at = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._service.connections.close()

    def send(self, to: str, body: str) -> SendResult:
        """Send `body` to the E.164 number `to`; a malformed number fails without a call."""
        if not E164.fullmatch(to):
            return SendResult(Outcome.FAILED, error=f"not an E.164 number: {one_line(to, limit=40)}")
        if time.monotonic() - self._used_at > IDLE_SECONDS:
            self._service.connections.close()
        try:
            response: requests.Response = self._service.send(body, [to], self._sender_id, timeout=self._timeouts)
        except requests.RequestException as error:
            is_unsent = _is_surely_unsent(error)
            outcome = Outcome.RETRY if is_unsent else Outcome.UNKNOWN
            description = one_line(f"{type(error).__name__}: {_reason(error)}")
            return SendResult(outcome, error=description, is_general=is_unsent)
        finally:
            self._used_at = time.monotonic()
        return _read_answer(response.status_code, response.content, to)


def _origin(base_url: str) -> str:
    parts = urlsplit(base_url)
    has_more = parts.path.strip("/") or parts.query or parts.fragment or parts.username
    if parts.scheme not in ("http", "https") or not parts.hostname or has_more:
        raise ValueError(f"the base URL must be an origin such as https://api.africastalking.com, not {base_url}")
    return f"{parts.scheme}://{parts.netloc}"


def _is_surely_unsent(error: requests.RequestException) -> bool:
    """Whether the request cannot have reached the provider; in doubt it may have."""
    if isinstance(error, requests.exceptions.ConnectTimeout | requests.exceptions.ProxyError):
        return True
    reason = _reason(error)
    if isinstance(reason, urllib3.exceptions.SSLError):
        # Other TLS errors can also strike while the answer is read.
        return isinstance(reason.args[0], ssl.SSLCertVerificationError)
    return isinstance(reason, urllib3.exceptions.NewConnectionError)


def _reason(error: requests.RequestException) -> object:
    """What lies under requests' own exception, which speaks of retries that are never made."""
    cause = error.args[0] if error.args else None
    return cause.reason if isinstance(cause, urllib3.exceptions.MaxRetryError) else cause


def _read_answer(status: int, content: bytes, to: str) -> SendResult:
    excerpt = content[:2000].decode("utf-8", "replace")
    data = _message_data(content)
    recipient = _recipient(data, to)
    if recipient is not None:
        # Whatever the HTTP status: a number that does not want to be disturbed is told with 409, say.
        return _read_recipient(recipient)
    if 300 <= status < 500:
        # It speaks about the key, the account, the address or the rate: a wrong key must not burn all messages, and a
        # new one takes up to 20 minutes to work (africastalking-python #74).
        error = one_line(f"HTTP {status}: {excerpt}")
        return SendResult(Outcome.RETRY, error=error, is_general=status not in ABOUT_THE_MESSAGE)
    summary = data.get("Message")
    if isinstance(summary, str) and summary in REFUSALS:
        # A bad sender ID is told here, with no recipients at all.
        return SendResult(REFUSALS[summary], error=summary)
    return SendResult(Outcome.UNKNOWN, error=one_line(f"HTTP {status} without a readable answer: {excerpt}"))


def _message_data(content: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    data = answer.get("SMSMessageData") if isinstance(answer, dict) else None
    return data if isinstance(data, dict) else {}


def _recipient(data: dict[str, Any], to: str) -> dict[str, Any] | None:
    listed = data.get("Recipients")
    recipients = [entry for entry in listed if isinstance(entry, dict)] if isinstance(listed, list) else []
    if len(recipients) == 1:
        return recipients[0]
    return next((entry for entry in recipients if entry.get("number") == to), None)


def _read_recipient(recipient: dict[str, Any]) -> SendResult:
    code = _status_code(recipient.get("statusCode"))
    name, outcome = STATUSES.get(code, ("unknown status code", Outcome.UNKNOWN))
    said = _text(recipient.get("status")) or name
    message_id = _text(recipient.get("messageId"))
    return SendResult(
        outcome,
        # A refused recipient has the string "None" for an id (africastalking-node.js #143).
        provider_id=None if message_id == "None" else message_id,
        cost=_text(recipient.get("cost")),
        error=None if outcome is Outcome.SENT else f"{code if code >= 0 else 'no status code'} {said}",
        is_general=code == INSUFFICIENT_BALANCE,
    )


def _status_code(value: object) -> int:
    """The code as a number, -1 when there is none."""
    if isinstance(value, int):
        return value
    return int(value) if isinstance(value, str) and re.fullmatch("[0-9]{3}", value) else -1


def _text(value: object) -> str | None:
    return one_line(value, limit=100) or None if isinstance(value, str) else None
