"""What bounces and complaints mean for messages and addresses, told over HTTP."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from tests.auth.factories import make_customer
from tests.notify.clients import AMINA, MESSAGE_ID
from tests.notify.factories import find_notification, make_notification, pick

RunSql = Callable[..., list[tuple[Any, ...]]]
Tell = Callable[..., TestResponse]

SECRET = "bounce-secret-for-tests"
REASON = "550 5.1.1 No such user"


@pytest.fixture
def tell(client: FlaskClient) -> Tell:
    def post(secret: str = SECRET, **note: Any) -> TestResponse:
        body = {"recipient": AMINA, "type": "permanent", "message_id": MESSAGE_ID, "reason": REASON, **note}
        return client.post(f"/notify/mail/{secret}/bounce", json=body)

    return post


@pytest.fixture
def suppressed(run_sql: RunSql) -> Callable[[], list[tuple[Any, ...]]]:
    return lambda: run_sql("SELECT channel, address, reason, detail FROM suppressions ORDER BY address")


def sent_mail(**overrides: Any) -> int:
    known = {"channel": "email", "status": "sent", "next_attempt_at": None, "provider_id": MESSAGE_ID}
    return make_notification(**{**known, **overrides})


def test_permanent_bounce_fails_the_message_and_suppresses_the_address(tell: Tell, suppressed: Any) -> None:
    message = sent_mail()

    for _ in range(2):
        answer = tell()
        assert (answer.status_code, answer.json) == (200, {"notification_id": message, "is_suppressed": True})

    error = f"Came back: {REASON}"
    assert pick(message, "status", "error") == {"status": "failed", "error": error}
    assert suppressed() == [("email", AMINA, "bounce", error)]


def test_message_in_doubt_is_not_tried_again_when_it_came_back(tell: Tell) -> None:
    message = sent_mail(status="unknown", next_attempt_at="now()", unknowns=1)

    assert tell().status_code == 200

    assert pick(message, "status", "next_attempt_at") == {"status": "failed", "next_attempt_at": None}


def test_transient_bounce_is_only_noted(tell: Tell, suppressed: Any) -> None:
    message = sent_mail()

    answer = tell(type="transient", reason="452 4.2.2 Mailbox full")

    assert answer.json == {"notification_id": message, "is_suppressed": False}
    assert pick(message, "status", "error") == {"status": "sent", "error": "Came back: 452 4.2.2 Mailbox full"}
    assert suppressed() == []


@pytest.mark.parametrize("status", ["failed", "delivered", "pending", "sending"])
def test_bounce_moves_no_status_backwards(tell: Tell, status: str) -> None:
    message = sent_mail(status=status, error="as it was")
    before = find_notification(message)

    assert tell(type="transient").status_code == 200

    assert find_notification(message) == before


@pytest.mark.parametrize("note", [{"message_id": "<other@duka.example>"}, {"message_id": None}])
def test_bounce_of_an_unknown_message_still_suppresses_a_dead_address(
    tell: Tell, suppressed: Any, note: dict[str, Any]
) -> None:
    message = sent_mail()

    assert tell(type="transient", **note).json == {"notification_id": None, "is_suppressed": False}
    assert suppressed() == []
    assert tell(**note).json == {"notification_id": None, "is_suppressed": True}
    assert [row[:3] for row in suppressed()] == [("email", AMINA, "bounce")]
    assert pick(message, "status", "error") == {"status": "sent", "error": None}


def test_message_to_somebody_else_is_not_failed_by_its_number(tell: Tell, suppressed: Any) -> None:
    message = sent_mail(recipient="juma@example.com")

    assert tell().json == {"notification_id": None, "is_suppressed": True}

    assert pick(message, "status", "error") == {"status": "sent", "error": None}
    assert [row[1] for row in suppressed()] == [AMINA]


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("amina@dükä.example", "Amina@XN--DK-WIA8G.example"),
        ("amina@example.com", "AMINA@Example.COM"),
    ],
)
def test_address_is_known_however_mail_systems_write_it(tell: Tell, suppressed: Any, ours: str, theirs: str) -> None:
    message = sent_mail(recipient=ours)

    assert tell(recipient=theirs, message_id=MESSAGE_ID.strip("<>")).json == {
        "notification_id": message,
        "is_suppressed": True,
    }
    assert [row[1] for row in suppressed()] == [ours]


def test_suppressed_address_gets_no_further_news(tell: Tell, run_sql: RunSql, context: None) -> None:
    waiting = make_notification(channel="email")
    of_juma = make_notification(channel="email", recipient="juma@example.com")

    assert tell(message_id=None).status_code == 200

    assert pick(waiting, "status", "next_attempt_at") == {"status": "failed", "next_attempt_at": None}
    assert pick(of_juma, "status") == {"status": "pending"}


def test_complaint_is_as_good_as_stop(tell: Tell, suppressed: Any, run_sql: RunSql) -> None:
    make_customer(email=AMINA)
    make_customer(email="juma@example.com")
    run_sql("UPDATE customers SET marketing_email = true")
    message = sent_mail()

    answer = tell(type="complaint", recipient="Amina@example.com", reason="abuse")

    assert answer.json == {"notification_id": message, "is_suppressed": True}
    assert suppressed() == [("email", AMINA, "stop", "Called spam: abuse")]
    assert run_sql("SELECT email FROM customers WHERE marketing_email") == [("juma@example.com",)]
    assert pick(message, "status", "error") == {"status": "sent", "error": None}


def test_complaint_takes_the_place_of_a_bounce_and_not_the_other_way(tell: Tell, suppressed: Any) -> None:
    for kind, reason in (("permanent", "bounce"), ("complaint", "stop"), ("permanent", "stop")):
        assert tell(type=kind).status_code == 200
        assert [row[2] for row in suppressed()] == [reason]


@pytest.mark.parametrize("secret", ["wrong", "callback-secret-for-tests", f"{SECRET}x", SECRET.upper(), "%C3%A4"])
def test_wrong_secret_is_an_address_that_is_not_there(
    tell: Tell, client: FlaskClient, suppressed: Any, secret: str
) -> None:
    message = sent_mail()

    answers = [tell(secret), tell(secret, type="nonsense"), client.post(f"/notify/mail/{secret}/bounce", data="x")]

    assert [answer.status_code for answer in answers] == [404] * 3
    assert pick(message, "status") == {"status": "sent"}
    assert suppressed() == []


@pytest.mark.parametrize(
    ("note", "field"),
    [
        ({"recipient": "amina"}, "recipient"),
        ({"recipient": "amina@example.com, juma@example.com"}, "recipient"),
        ({"recipient": ""}, "recipient"),
        ({"recipient": None}, "recipient"),
        ({"recipient": f"{'a' * 251}@b.c"}, "recipient"),
        ({"recipient": "amina\x00@example.com"}, "recipient"),
        ({"type": "hard"}, "type"),
        ({"type": 5}, "type"),
        ({"reason": "x" * 2001}, "reason"),
        ({"message_id": ["a"]}, "message_id"),
        ({"bounce": 1}, "bounce"),
    ],
)
def test_malformed_note_changes_nothing(tell: Tell, suppressed: Any, note: dict[str, Any], field: str) -> None:
    message = sent_mail()

    answer = tell(**note)

    assert answer.status_code == 422
    assert answer.json is not None
    assert list(answer.json["errors"]) == [field]
    assert pick(message, "status", "error") == {"status": "sent", "error": None}
    assert suppressed() == []


def test_long_reason_of_many_lines_is_kept_on_one(tell: Tell) -> None:
    message = sent_mail()

    assert tell(type="transient", reason="no\n" * 600).status_code == 200

    error = pick(message, "error")["error"]
    assert (len(error), error.isprintable()) == (300, True)
