"""The SMS clients against a provider that behaves, and one that does not."""

import json
import logging
from datetime import UTC, datetime, timedelta

import africastalking
import pytest

from grocery.notify.clients.sms import AfricasTalkingSms, ConsoleSms
from grocery.notify.outcome import Outcome, SendResult
from tests.fakes.africastalking import API_KEY, Answer, FakeAfricasTalking, Fault
from tests.notify.clients import PHONE, TIMEOUTS, sms_client


def test_accepted_text_is_sent_with_the_id_and_the_cost_of_the_provider(at_server: FakeAfricasTalking) -> None:
    result = sms_client(at_server).send(PHONE, "Habari 👋 & karibu = 100%")

    [message] = at_server.messages
    assert result == SendResult(Outcome.SENT, provider_id=message["id"], cost="KES 0.8000", error=None)
    assert timedelta(0) <= datetime.now(UTC) - message.pop("at") < timedelta(seconds=5)
    assert message.pop("id").startswith("ATXid_")
    assert message == {"to": PHONE, "message": "Habari 👋 & karibu = 100%", "from": None, "username": "shop"}
    assert at_server.attempts == 1


def test_sender_id_is_passed_on(at_server: FakeAfricasTalking) -> None:
    assert sms_client(at_server, sender_id="DUKA").send(PHONE, "x").outcome is Outcome.SENT

    assert at_server.messages[0]["from"] == "DUKA"


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (100, Outcome.SENT),
        (101, Outcome.SENT),
        (102, Outcome.SENT),
        (401, Outcome.FAILED),
        (402, Outcome.FAILED),
        (403, Outcome.FAILED),
        (404, Outcome.FAILED),
        (405, Outcome.RETRY),
        (406, Outcome.FAILED),
        (407, Outcome.FAILED),
        (409, Outcome.FAILED),
        (500, Outcome.RETRY),
        (501, Outcome.RETRY),
        (502, Outcome.RETRY),
    ],
)
def test_code_of_the_recipient_decides(at_server: FakeAfricasTalking, code: int, outcome: Outcome) -> None:
    at_server.reject(PHONE, code)

    result = sms_client(at_server).send(PHONE, "x")

    assert result.outcome is outcome
    assert result.is_general is (code == 405)
    assert len(at_server.messages) == (1 if outcome is Outcome.SENT else 0)
    assert at_server.attempts == 1


def test_blacklisted_number_fails_without_an_id(at_server: FakeAfricasTalking) -> None:
    at_server.reject(PHONE, 406)

    assert sms_client(at_server).send(PHONE, "x") == SendResult(
        Outcome.FAILED, provider_id=None, cost="0", error="406 UserInBlacklist"
    )
    assert at_server.messages == []


def test_empty_purse_is_retried_because_the_text_is_not_to_blame(at_server: FakeAfricasTalking) -> None:
    at_server.misbehave(Fault.INSUFFICIENT_BALANCE)

    assert sms_client(at_server).send(PHONE, "x") == SendResult(
        Outcome.RETRY, cost="0", error="405 InsufficientBalance", is_general=True
    )
    assert at_server.messages == []


def test_number_that_is_not_to_be_disturbed_fails_alone(at_server: FakeAfricasTalking) -> None:
    at_server.misbehave(Fault.DO_NOT_DISTURB)

    result = sms_client(at_server).send(PHONE, "x")

    assert (result.outcome, result.is_general, result.error) == (Outcome.FAILED, False, "409 DoNotDisturbRejection")
    assert at_server.messages == []


def test_bad_sender_id_fails(at_server: FakeAfricasTalking) -> None:
    at_server.misbehave(Fault.INVALID_SENDER)

    assert sms_client(at_server).send(PHONE, "x") == SendResult(Outcome.FAILED, error="InvalidSenderId")
    assert at_server.messages == []


def test_json_with_a_charset_is_read(at_server: FakeAfricasTalking) -> None:
    at_server.misbehave(Fault.CHARSET_JSON)

    result = sms_client(at_server).send(PHONE, "x")

    assert result == SendResult(Outcome.SENT, provider_id=at_server.messages[0]["id"], cost="KES 0.8000")


@pytest.mark.parametrize("fault", [Fault.EMPTY_RECIPIENTS, Fault.WRONG_TYPES])
def test_answer_without_a_recipient_leaves_it_unknown(at_server: FakeAfricasTalking, fault: Fault) -> None:
    at_server.misbehave(fault)

    result = sms_client(at_server).send(PHONE, "x")

    assert (result.outcome, result.provider_id) == (Outcome.UNKNOWN, None)
    assert (result.error or "").startswith("HTTP 201 without a readable answer: {")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"OK",
        b"\xff\xfe\x00",
        b"null",
        b"[]",
        b'"SMSMessageData"',
        b"{}",
        b'{"SMSMessageData": null}',
        b'{"SMSMessageData": []}',
        b'{"SMSMessageData": {}}',
        b'{"SMSMessageData": {"Message": ["InvalidSenderId"], "Recipients": null}}',
        b'{"SMSMessageData": {"Recipients": [null, 5, "x", []]}}',
        b'{"SMSMessageData": {"Recipients": [{}]}}',
        b'{"SMSMessageData": {"Recipients": [{"statusCode": true}]}}',
        b'{"SMSMessageData": {"Recipients": [{"statusCode": 101.0}]}}',
        b'{"SMSMessageData": {"Recipients": [{"statusCode": {"a": 1}, "messageId": [], "cost": 0, "status": 1}]}}',
        b'{"SMSMessageData": {"Recipients": [{"statusCode": 999, "status": "New"}]}}',
        b'{"SMSMessageData": {"Recipients": [{"statusCode": 101}, {"statusCode": 406}]}}',
        b"[" * 100_000,
        b"1" * 10_000,
    ],
)
def test_unreadable_answer_never_raises_and_leaves_it_unknown(at_server: FakeAfricasTalking, body: bytes) -> None:
    at_server.misbehave(Answer(201, body))

    result = sms_client(at_server).send(PHONE, "x")

    assert (result.outcome, result.provider_id, result.cost) == (Outcome.UNKNOWN, None, None)
    assert result.error
    assert len(result.error) <= 300


def test_unknown_code_keeps_the_id_that_a_delivery_report_will_name(at_server: FakeAfricasTalking) -> None:
    recipient = {"statusCode": 103, "number": PHONE, "status": "Held", "cost": "KES 0.8000", "messageId": "ATXid_7"}
    at_server.misbehave(Answer(201, json.dumps({"SMSMessageData": {"Recipients": [recipient]}}).encode()))

    assert sms_client(at_server).send(PHONE, "x") == SendResult(
        Outcome.UNKNOWN, provider_id="ATXid_7", cost="KES 0.8000", error="103 Held"
    )


def test_code_written_as_a_string_and_a_missing_id_are_taken(at_server: FakeAfricasTalking) -> None:
    at_server.misbehave(Answer(201, b'{"SMSMessageData": {"Recipients": [{"statusCode": "101"}]}}'))

    assert sms_client(at_server).send(PHONE, "x") == SendResult(Outcome.SENT)


def test_of_several_recipients_the_one_that_was_asked_for_counts(at_server: FakeAfricasTalking) -> None:
    recipients = [{"statusCode": 406, "number": "+254711000009"}, {"statusCode": 101, "number": PHONE}]
    at_server.misbehave(Answer(201, json.dumps({"SMSMessageData": {"Recipients": recipients}}).encode()))

    assert sms_client(at_server).send(PHONE, "x") == SendResult(Outcome.SENT)


def test_html_500_leaves_it_unknown_with_a_reason_in_one_line(at_server: FakeAfricasTalking) -> None:
    at_server.misbehave(Fault.HTML_500)

    assert sms_client(at_server).send(PHONE, "x") == SendResult(
        Outcome.UNKNOWN,
        error="HTTP 500 without a readable answer: <html><body><h1>Internal Server Error</h1></body></html>",
    )
    assert at_server.messages == []


def test_500_with_a_readable_answer_is_read(at_server: FakeAfricasTalking) -> None:
    body = b'{"SMSMessageData": {"Recipients": [{"statusCode": 501, "status": "GatewayError"}]}}'
    at_server.misbehave(Answer(500, body))

    assert sms_client(at_server).send(PHONE, "x") == SendResult(Outcome.RETRY, error="501 GatewayError")


def test_nul_in_an_answer_does_not_reach_the_database(at_server: FakeAfricasTalking) -> None:
    recipient = {"statusCode": 406, "status": "User\x00In\nBlacklist", "messageId": "\x00"}
    at_server.misbehave(Answer(201, json.dumps({"SMSMessageData": {"Recipients": [recipient]}}).encode()))

    assert sms_client(at_server).send(PHONE, "x") == SendResult(Outcome.FAILED, error="406 User In Blacklist")


def test_wrong_api_key_is_retried_so_that_it_does_not_burn_every_text(at_server: FakeAfricasTalking) -> None:
    assert sms_client(at_server, api_key="wrong").send(PHONE, "x") == SendResult(
        Outcome.RETRY, error="HTTP 401: The supplied authentication is invalid", is_general=True
    )
    assert (at_server.messages, at_server.attempts) == ([], 1)


def test_too_many_requests_are_retried(at_server: FakeAfricasTalking) -> None:
    at_server.misbehave(Fault.TOO_MANY_REQUESTS)

    assert sms_client(at_server).send(PHONE, "x") == SendResult(
        Outcome.RETRY, error="HTTP 429: Too many requests", is_general=True
    )
    assert at_server.messages == []


@pytest.mark.parametrize("status", [400, 413, 414, 422, 431])
def test_request_that_is_refused_for_what_it_says_does_not_speak_for_the_others(
    at_server: FakeAfricasTalking, status: int
) -> None:
    at_server.misbehave(Answer(status, b"no", "text/plain"))

    assert sms_client(at_server).send(PHONE, "x") == SendResult(Outcome.RETRY, error=f"HTTP {status}: no")


@pytest.mark.parametrize(
    "number",
    [
        *("", "0711000001", "254711000001", "+0711000001", "+0000", "+2547", "+2547110000012345678901"),
        *("+254711000001\n", "+254711000001,+254711000002", "+2547110ooo01", "+٢٥٤٧١١٠٠٠٠٠١", "tel:+254711000001"),
    ],
)
def test_malformed_number_fails_without_a_call(at_server: FakeAfricasTalking, number: str) -> None:
    result = sms_client(at_server).send(number, "x")

    assert result.outcome is Outcome.FAILED
    assert (result.error or "").startswith("not an E.164 number: ")
    assert at_server.attempts == 0


def test_two_clients_keep_their_accounts_apart(at_server: FakeAfricasTalking) -> None:
    with FakeAfricasTalking(api_key="other-key") as other:
        first = sms_client(at_server)
        second = AfricasTalkingSms("branch", "other-key", "BRANCH", other.url, TIMEOUTS)

        assert first.send(PHONE, "one").outcome is Outcome.SENT
        assert second.send(PHONE, "two").outcome is Outcome.SENT

        assert [(m["username"], m["message"]) for m in at_server.messages] == [("shop", "one")]
        assert [(m["username"], m["message"]) for m in other.messages] == [("branch", "two")]
    assert africastalking.SMS is None, "the SDK's global account was touched"


@pytest.mark.parametrize(
    ("username", "base_url", "endpoint"),
    [
        ("shop", None, "https://api.africastalking.com/version1/messaging"),
        ("sandbox", None, "https://api.sandbox.africastalking.com/version1/messaging"),
        ("sandbox", "http://127.0.0.1:8080/", "http://127.0.0.1:8080/version1/messaging"),
    ],
)
def test_texts_go_to_the_live_service_the_sandbox_or_the_given_origin(
    username: str, base_url: str | None, endpoint: str
) -> None:
    assert AfricasTalkingSms(username, API_KEY, None, base_url).endpoint == endpoint


@pytest.mark.parametrize(
    "base_url",
    ["127.0.0.1:8080", "ftp://127.0.0.1", "http://", "http://host/version1", "http://host?x=1", "http://me@host"],
)
def test_base_url_that_is_more_than_an_origin_is_refused(base_url: str) -> None:
    with pytest.raises(ValueError, match="must be an origin"):
        AfricasTalkingSms("shop", API_KEY, None, base_url)


@pytest.mark.parametrize("api_key", ["ключ", "key\n", "key\r\nX-Other: 1"])
def test_api_key_that_no_header_can_carry_is_refused(api_key: str) -> None:
    with pytest.raises(ValueError, match="printable ASCII"):
        AfricasTalkingSms("shop", api_key)


def test_console_writes_the_text_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "grocery.notify.sms"):
        first = ConsoleSms().send(PHONE, "Code 123456\nERROR forged")
        second = ConsoleSms().send(PHONE, "again")

    assert caplog.messages == [f"SMS to {PHONE}: Code 123456 ERROR forged", f"SMS to {PHONE}: again"]
    assert first.outcome is second.outcome is Outcome.SENT
    assert (first.provider_id or "").startswith("console-")
    assert first.provider_id != second.provider_id
