"""The stand-in for Africa's Talking itself: what it says to requests to send."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests

from tests.fakes.africastalking import API_KEY, FakeAfricasTalking, Fault
from tests.fakes.africastalking.septets import parts, septets
from tests.waiting import stopwatch

AMINA = "+254711000001"
BRIAN = "+254711000002"


@pytest.fixture
def fake() -> Iterator[FakeAfricasTalking]:
    with FakeAfricasTalking() as provider:
        yield provider


def ask(fake: FakeAfricasTalking, api_key: str = API_KEY, **form: Any) -> requests.Response:
    known = {"username": "shop", "to": AMINA, "message": "Habari"}
    wanted = {name: value for name, value in (known | form).items() if value is not None}
    return requests.post(f"{fake.url}/version1/messaging", data=wanted, headers={"apiKey": api_key}, timeout=60)


def data(answer: requests.Response) -> dict[str, Any]:
    assert answer.headers["Content-Type"] == "application/json"
    return dict(answer.json()["SMSMessageData"])


def refused(number: str, status: str, code: int) -> dict[str, Any]:
    return {"cost": "0", "messageId": "None", "number": number, "status": status, "statusCode": code}


def test_each_recipient_has_its_own_outcome(fake: FakeAfricasTalking) -> None:
    fake.reject(BRIAN, 406)

    answer = ask(fake, to=f"{AMINA},{BRIAN},0711000003")

    [message] = fake.messages
    assert answer.status_code == 201
    assert data(answer) == {
        "Message": "Sent to 1/3 Total Cost: KES 0.8000",
        "Recipients": [
            {
                "cost": "KES 0.8000",
                "messageId": message["id"],
                "messageParts": 1,
                "number": AMINA,
                "status": "Success",
                "statusCode": 101,
            },
            refused(BRIAN, "UserInBlacklist", 406),
            refused("0711000003", "InvalidPhoneNumber", 403),
        ],
    }
    assert (message["to"], fake.attempts) == (AMINA, 1)


def test_total_of_nothing_has_no_currency(fake: FakeAfricasTalking) -> None:
    fake.misbehave(Fault.INSUFFICIENT_BALANCE)

    answer = ask(fake, to=f"{AMINA},{BRIAN}")

    assert answer.status_code == 201
    assert data(answer) == {
        "Message": "Sent to 0/2 Total Cost: 0",
        "Recipients": [refused(AMINA, "InsufficientBalance", 405), refused(BRIAN, "InsufficientBalance", 405)],
    }
    assert fake.messages == []


def test_enqueued_text_has_another_code_and_the_same_status(fake: FakeAfricasTalking) -> None:
    [recipient] = data(ask(fake, enqueue=1, bulkSMSMode=1))["Recipients"]

    assert (recipient["statusCode"], recipient["status"]) == (102, "Success")
    assert fake.forms == [
        {"username": "shop", "to": AMINA, "message": "Habari", "enqueue": "1", "bulkSMSMode": "1"},
    ]


@pytest.mark.parametrize(
    ("text", "count", "cost"),
    [
        ("a" * 160, 1, "KES 0.8000"),
        ("a" * 161, 2, "KES 1.6000"),
        ("€" * 80, 1, "KES 0.8000"),
        ("€" * 81, 2, "KES 1.6000"),
        ("ũ" * 70, 1, "KES 0.8000"),
        ("👋" * 36, 2, "KES 1.6000"),
        ("a" * 2000, 14, "KES 11.2000"),
    ],
)
def test_long_text_costs_by_the_part(fake: FakeAfricasTalking, text: str, count: int, cost: str) -> None:
    answer = data(ask(fake, message=text))

    [recipient] = answer["Recipients"]
    assert (recipient["messageParts"], recipient["cost"]) == (count, cost)
    assert answer["Message"] == f"Sent to 1/1 Total Cost: {cost}"


@pytest.mark.parametrize("number", ["+254 711 000 001", f" {AMINA}", f"{AMINA} ", "254711000001", "+0711000001"])
def test_number_that_is_not_international_is_refused(fake: FakeAfricasTalking, number: str) -> None:
    assert data(ask(fake, to=number))["Recipients"] == [refused(number, "InvalidPhoneNumber", 403)]
    assert fake.messages == []


@pytest.mark.parametrize("value", [None, ""])
@pytest.mark.parametrize("name", ["username", "to", "message"])
def test_missing_field_is_named_in_plain_text(fake: FakeAfricasTalking, name: str, value: str | None) -> None:
    answer = ask(fake, **dict[str, Any]({name: value}))

    assert (answer.status_code, answer.text) == (400, f"Request is missing required form field '{name}'")
    assert answer.headers["Content-Type"] == "text/plain; charset=UTF-8"
    assert (fake.messages, fake.attempts) == ([], 1)


def test_wrong_key_gets_plain_text(fake: FakeAfricasTalking) -> None:
    answer = ask(fake, api_key="wrong")

    assert (answer.status_code, answer.text) == (401, "The supplied authentication is invalid")
    assert answer.headers["Content-Type"] == "text/plain; charset=UTF-8"
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="api",charset=UTF-8'
    assert fake.messages == []


def test_key_of_the_sandbox_is_not_the_live_accounts() -> None:
    with FakeAfricasTalking(username="sandbox") as sandbox:
        assert ask(sandbox, username="shop").status_code == 401
        assert ask(sandbox, username="sandbox").status_code == 201

        assert [message["username"] for message in sandbox.messages] == ["sandbox"]
        assert sandbox.callbacks.network_code == "99999"


def test_sender_that_is_not_the_accounts_is_refused_without_recipients() -> None:
    with FakeAfricasTalking(sender_ids=frozenset({"DUKA"})) as fake:
        answer = ask(fake, **{"from": "MPESA"})
        assert ask(fake, **{"from": "DUKA"}).status_code == ask(fake).status_code == 201

        assert (answer.status_code, data(answer)) == (201, {"Message": "InvalidSenderId", "Recipients": []})
        assert [message["from"] for message in fake.messages] == ["DUKA", None]


def test_json_and_other_addresses_are_refused(fake: FakeAfricasTalking) -> None:
    key = {"apiKey": API_KEY}
    json_body = requests.post(f"{fake.url}/version1/messaging", json={"to": AMINA}, headers=key, timeout=60)
    elsewhere = requests.post(f"{fake.url}/version1/message", data={"to": AMINA}, headers=key, timeout=60)

    assert (json_body.status_code, elsewhere.status_code) == (415, 404)
    assert (fake.messages, fake.attempts) == ([], 2)


def test_do_not_disturb_is_a_readable_answer_under_http_409(fake: FakeAfricasTalking) -> None:
    fake.misbehave(Fault.DO_NOT_DISTURB)

    answer = ask(fake)

    assert answer.status_code == 409
    assert data(answer) == {
        "Message": "Sent to 0/1 Total Cost: 0",
        "Recipients": [refused(AMINA, "DoNotDisturbRejection", 409)],
    }
    assert fake.messages == []


def test_slow_provider_serves_many_at_once() -> None:
    with FakeAfricasTalking(delay=0.3) as fake, ThreadPoolExecutor(20) as pool:
        with stopwatch() as watch:
            answers = list(pool.map(lambda number: ask(fake, to=f"+2547110000{number:02d}"), range(20)))

        assert [answer.status_code for answer in answers] == [201] * 20
        assert watch.of_the_clock >= 0.3
        assert watch.seconds < 3
        assert len(fake.messages) == 20


def test_wait_tells_what_came_when_it_is_not_enough(fake: FakeAfricasTalking) -> None:
    ask(fake)

    with pytest.raises(AssertionError, match=r"^1 of 2 texts were accepted within 0\.05 s$"):
        fake.wait_for(2, timeout=0.05)


@pytest.mark.parametrize(
    ("text", "size", "count"), [("", 0, 1), ("Jambo [1]", 11, 1), ("ũ", None, 1), ("a" * 306, 306, 2)]
)
def test_room_of_a_text(text: str, size: int | None, count: int) -> None:
    assert (septets(text), parts(text)) == (size, count)
