"""What the provider says to a request to send, and what can go wrong with it."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any
from uuid import uuid4

from tests.fakes.africastalking.septets import parts

PART_COST_CENTS = 80
PLAIN = "text/plain; charset=UTF-8"  # recorded: invalid-key.json

# docs: the codes. recorded: what stands beside an accepted one is "Success" for each of them, not the code's own name.
STATUS_NAMES = {
    100: "Success",
    101: "Success",
    102: "Success",
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
    INVALID_SENDER = auto()  # recorded: invalid-sender-id.json; medic-docs #112
    DO_NOT_DISTURB = auto()  # notifications: Nigeria by night, HTTP 409 around a readable answer with code 409
    WRONG_TYPES = auto()  # fault


@dataclass(frozen=True)
class Answer:
    """A literal HTTP answer."""

    status: int
    body: bytes
    content_type: str = "application/json"
    location: str | None = None


def recipient(number: str, text: str, code: int) -> dict[str, Any]:
    """One recipient of an answer; a refused one has the string "None" and costs "0" (africastalking-node.js #143)."""
    if code >= 400:
        return {"cost": "0", "messageId": "None", "number": number, "status": STATUS_NAMES[code], "statusCode": code}
    count = parts(text)
    return {
        # A text of two parts for 44.0000 at 22.0000 each, told by `messageParts`, which answers of 2023 did not have
        # yet: Tanzania-students-on-Stellar-hack/stella-remit, SMS_STATUS_CODES.md.
        "cost": f"KES {kes(PART_COST_CENTS * count)}",
        "messageId": f"ATXid_{uuid4().hex}",
        "messageParts": count,
        "number": number,
        "status": STATUS_NAMES[code],
        "statusCode": code,
    }


def is_accepted(entry: dict[str, Any]) -> bool:
    """Whether this recipient's text was taken."""
    return bool(entry["messageId"] != "None")


def summary(recipients: list[dict[str, Any]]) -> Answer:
    """The answer for these recipients: 201, also when every one was refused (docs, africastalking-node.js #143)."""
    accepted = [entry for entry in recipients if is_accepted(entry)]
    # The total of nothing has no currency: africastalking-node.js #143, #160.
    total = f"KES {kes(_cents(accepted))}" if accepted else "0"
    return sms_data(f"Sent to {len(accepted)}/{len(recipients)} Total Cost: {total}", recipients)


def sms_data(message: Any, recipients: Any, status: int = 201) -> Answer:
    """The envelope of each answer about texts."""
    return Answer(status, json.dumps({"SMSMessageData": {"Message": message, "Recipients": recipients}}).encode())


def missing_field(name: str) -> Answer:
    """What akka-http, which the provider runs on ("recorded"), says by default for a MissingFormFieldRejection.

    africastalking-laravel, `tests/Feature/CallTransferTest.php`, has the same sentence for the provider's voice API.
    """
    return Answer(400, f"Request is missing required form field '{name}'".encode(), PLAIN)


def kes(cents: int) -> str:
    """Shillings with four decimals (docs), from cents."""
    return f"{cents // 100}.{cents % 100:02d}00"


def _cents(recipients: Iterable[dict[str, Any]]) -> int:
    return sum(PART_COST_CENTS * int(entry["messageParts"]) for entry in recipients)


INVALID_SENDER = sms_data("InvalidSenderId", [])
# The words of these two are guesses at akka-http's; their codes are what such a server answers.
NOT_FOUND = Answer(404, b"The requested resource could not be found.", PLAIN)
NOT_A_FORM = Answer(415, b"The request's Content-Type is not supported.", PLAIN)
# recorded: invalid-key.json; africastalking-php #11, africastalking-python #52, #74.
UNAUTHORIZED = Answer(401, b"The supplied authentication is invalid", PLAIN)

LITERAL = {
    Fault.HTML_500: Answer(500, b"<html><body><h1>Internal\nServer Error</h1></body></html>\n", "text/html"),
    Fault.TOO_MANY_REQUESTS: Answer(429, b"Too many requests", "text/plain"),
    Fault.EMPTY_RECIPIENTS: sms_data("Sent to 0/1 Total Cost: 0", []),
    Fault.INVALID_SENDER: INVALID_SENDER,
    Fault.WRONG_TYPES: sms_data(17, {"statusCode": [101], "messageId": 5}),
}
