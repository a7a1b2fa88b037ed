"""The calls that the provider makes to the shop: delivery reports, incoming texts, opt-outs and USSD.

Nothing in them proves who calls: no signature or shared secret is documented.
"""

import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from http.client import HTTPException, HTTPResponse
from typing import Any, NamedTuple
from urllib.parse import urlencode
from uuid import uuid4

from flask import Flask

from tests.waiting import PATIENCE_SECONDS

# A captured request, headers and all: amitashanand/AfricaTalkSmsService, README.md.
FORM = "application/x-www-form-urlencoded; charset=UTF-8"
POST_TIMEOUT_SECONDS = 10.0

SAFARICOM = "63902"  # notifications
SANDBOX = "99999"  # notifications: "Athena", the network of the sandbox
SHORT_CODE = "22384"

# notifications. Of the last two, neither is called final or interim there, and older editions do not have them.
INTERIM = frozenset({"Sent", "Submitted", "Buffered"})
FINAL = frozenset({"Success", "Rejected", "Failed"})
UNREACHED = frozenset({"AbsentSubscriber", "Expired"})

# notifications, with its own spelling.
FAILURE_REASONS = frozenset(
    {
        *("InsufficientCredit", "InvalidLinkId", "UserIsInactive", "UserInBlackList", "UserAccountSuspended"),
        *("NotNetworkSubcriber", "UserNotSubscribedToProduct", "UserDoesNotExist", "DeliveryFailure"),
        "DoNotDisturbRejection",
    }
)


class Reply(NamedTuple):
    """What the shop said; status 0 when it could not be reached. The content type is None where it is not known."""

    status: int
    body: str
    content_type: str | None = None


@dataclass(frozen=True)
class Call:
    """One call that was made, and what it met."""

    address: str
    form: dict[str, str]
    reply: Reply


# Posts a form to an address and answers (status, body) or (status, body, content type).
Post = Callable[[str, dict[str, str]], tuple[Any, ...]]


def post_by_http(address: str, form: dict[str, str]) -> Reply:
    """Post to a real origin."""
    request = urllib.request.Request(address, urlencode(form).encode(), {"Content-Type": FORM})
    # Without the proxies of the environment: the shop is on loopback.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=POST_TIMEOUT_SECONDS) as answer:
            return _reply(answer)
    except urllib.error.HTTPError as error:
        with error:
            return _reply(error)
    except (OSError, HTTPException) as error:
        return Reply(0, str(error))


def through(app: Flask) -> Post:
    """A way to post that goes through the app's test client; the base is then a path, `/notify/sms/SECRET`."""

    def post(address: str, form: dict[str, str]) -> Reply:
        # A client for each call, since reports come from a thread of their own.
        answer = app.test_client().post(address, data=urlencode(form), content_type=FORM)
        return Reply(answer.status_code, answer.get_data(as_text=True), answer.content_type)

    return post


class Callbacks:
    """Calls the addresses below `base`; every call is kept in `calls`.

    A call that is not answered with 200 is made again: up to `tries` times, `pause` seconds apart. The provider does so
    for ten minutes (africastalking-node.js #8, #10), tests only when they ask for it.
    """

    def __init__(self, base: str = "", post: Post = post_by_http, network_code: str = SAFARICOM) -> None:
        self.base = base
        self.post = post
        self.network_code = network_code
        self.tries = 1
        self.pause = 0.05
        self._calls: list[Call] = []
        self._changed = threading.Condition()

    @property
    def calls(self) -> list[Call]:
        """The calls so far, in the order of their answers."""
        with self._changed:
            return list(self._calls)

    def wait_for(self, count: int, timeout: float = PATIENCE_SECONDS) -> list[Call]:
        """Wait until `count` calls were answered and return them all; raises AssertionError after `timeout` s."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._calls) >= count, timeout):
                raise AssertionError(f"{len(self._calls)} of {count} calls were made within {timeout} s")
            return list(self._calls)

    def clear(self) -> None:
        """Forget the calls."""
        with self._changed:
            self._calls.clear()

    def send(self, path: str, form: dict[str, str]) -> Reply:
        """Post any form, also one that the provider would never send, and return the last answer."""
        reply = self._send_once(path, form)
        for _ in range(self.tries - 1):
            if reply.status == 200:
                break
            time.sleep(self.pause)
            reply = self._send_once(path, form)
        return reply

    def _send_once(self, path: str, form: dict[str, str]) -> Reply:
        address = f"{self.base}{path}"
        reply = Reply(*self.post(address, form))
        with self._changed:
            self._calls.append(Call(address, form, reply))
            self._changed.notify_all()
        return reply

    def deliver(self, message_id: str, number: str, status: str, reason: str | None = None) -> Reply:
        """Report a message's status; `reason` is for Rejected and Failed, "DeliveryFailure" when None is given."""
        _check(status in INTERIM | FINAL | UNREACHED, f"the provider has no status {status}")
        _check(reason in FAILURE_REASONS | {None}, f"the provider has no reason {reason}")
        # A captured report, `retryCount=0` and all: thekiharani/contacts-manager, README.md.
        form = {"phoneNumber": number, "retryCount": "0", "id": message_id, "status": status}
        if status in ("Rejected", "Failed"):  # notifications: given only then
            form["failureReason"] = reason or "DeliveryFailure"
        return self.send("/delivery", {**form, "networkCode": self.network_code})

    def life(self, message_id: str, number: str, *statuses: str) -> list[Reply]:
        """Report one status after the other, in any order and as often as given; a whole life when none is given."""
        return [self.deliver(message_id, number, status) for status in statuses or ("Sent", "Submitted", "Success")]

    def text_from(
        self,
        number: str,
        text: str,
        to: str = SHORT_CODE,
        message_id: str | None = None,
        link_id: str | None = None,
        at: datetime | None = None,
    ) -> Reply:
        """Pass on a text that a phone sent to the short code; the same `message_id` again is the same text again."""
        form = {
            # The date's form is that of africastalking-laravel, `tests/Datasets/callback-requests.php`.
            "date": (at or datetime.now(UTC)).strftime("%Y-%m-%d %H:%M:%S"),
            "from": number,
            "id": message_id or str(uuid4()),
            "text": text,
            "to": to,
            "cost": "KES 0.0000",  # notifications
            "networkCode": self.network_code,
        }
        # notifications: optional; the same data set has it absent and empty.
        return self.send("/inbound", form if link_id is None else {**form, "linkId": link_id})

    def opt_out(self, number: str, sender_id: str = SHORT_CODE) -> Reply:
        """Tell that a phone wants no more bulk texts of this sender (notifications)."""
        return self.send("/opt-out", {"senderId": sender_id, "phoneNumber": number})


def _reply(answer: HTTPResponse | urllib.error.HTTPError) -> Reply:
    return Reply(answer.status or 0, answer.read().decode(), answer.headers.get("Content-Type"))


def _check(is_right: bool, complaint: str) -> None:
    if not is_right:
        raise AssertionError(complaint)
