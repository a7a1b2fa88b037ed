"""The stand-in for measurements: the right answer, the counts, and what it costs."""

from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode

import pytest
import requests

from tests.fakes.fast_africastalking import counts, fast_africastalking
from tests.waiting import stopwatch

AMINA = "+254711000001"
BRIAN = "+254711000002"


def ask(origin: str, to: str, text: str) -> dict[str, Any]:
    form = {"username": "shop", "to": to, "message": text, "bulkSMSMode": 1}
    answer = requests.post(f"{origin}/version1/messaging", data=form, headers={"apiKey": "any"}, timeout=60)
    assert (answer.status_code, answer.headers["Content-Type"]) == (201, "application/json")
    return dict(answer.json()["SMSMessageData"])


def test_texts_are_accepted_and_doubles_counted() -> None:
    with fast_africastalking() as origin:
        first = ask(origin, AMINA, "Habari 👋 & karibu")
        ask(origin, AMINA, "Habari 👋 & karibu")
        both = ask(origin, f"{AMINA},{BRIAN}", "Kwaheri")
        total = counts(origin)

    recipient = {"cost": "KES 0.8000", "messageParts": 1, "number": AMINA, "status": "Success", "statusCode": 101}
    assert first == {
        "Message": "Sent to 1/1 Total Cost: KES 0.8000",
        "Recipients": [recipient | {"messageId": f"ATXid_{1:032x}"}],
    }
    assert both["Message"] == "Sent to 2/2 Total Cost: KES 1.6000"
    assert [entry["number"] for entry in both["Recipients"]] == [AMINA, BRIAN]
    assert 0 < total.pop("cpu_seconds") < 5
    assert total == {"requests": 3, "accepted": 4, "duplicates": 1}


def test_requests_wait_at_once_and_connections_stay_open() -> None:
    def twice(number: int) -> list[int]:
        line = HTTPConnection(origin.removeprefix("http://"), timeout=60)
        statuses = []
        for text in ("one", "two"):
            line.request("POST", "/version1/messaging", urlencode({"to": f"+25471100{number:04d}", "message": text}))
            # http.client would connect again by itself, but forgets the socket first.
            assert line.sock is not None
            answer = line.getresponse()
            answer.read()
            statuses.append(answer.status)
            assert line.sock is not None, "the connection was closed"
        line.close()
        return statuses

    with fast_africastalking(delay_ms=200) as origin, ThreadPoolExecutor(20) as pool:
        with stopwatch() as watch:
            statuses = list(pool.map(twice, range(20)))
        accepted = counts(origin)["accepted"]

    assert statuses == [[201, 201]] * 20
    assert watch.of_the_clock >= 0.4
    assert watch.seconds < 3
    assert accepted == 40


@pytest.mark.prove
def test_request_costs_less_than_300_microseconds_of_cpu() -> None:
    with fast_africastalking() as origin:
        line = HTTPConnection(origin.removeprefix("http://"), timeout=60)
        before = counts(origin)["cpu_seconds"]
        for number in range(3000):
            body = urlencode({"username": "shop", "to": f"+25471100{number:04d}", "message": "Order G-7K3M9Q " * 8})
            line.request("POST", "/version1/messaging", body, {"apiKey": "any"})
            line.getresponse().read()
        spent = counts(origin)["cpu_seconds"] - before
        line.close()

    assert spent / 3000 < 300e-6
