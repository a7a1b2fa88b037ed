"""The SMS clients against a provider that behaves, and one that does not."""

import json
import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import africastalking
import pytest
from rq.timeouts import JobTimeoutException

from grocery.notify.clients import sms
from grocery.notify.clients.sms import AfricasTalkingSms, ConsoleSms
from grocery.notify.outcome import Outcome, SendResult
from tests.fakes.africastalking import API_KEY, Answer, FakeAfricasTalking, Fault
from tests.notify.clients import PHONE, TIMEOUTS, sms_client
from tests.notify.interruption import interrupt_after


@pytest.fixture
def provider() -> Iterator[FakeAfricasTalking]:
    with FakeAfricasTalking() as fake:
        yield fake


def test_accepted_text_is_sent_with_the_id_and_the_cost_of_the_provider(provider: FakeAfricasTalking) -> None:
    result = sms_client(provider).send(PHONE, "Habari 👋 & karibu = 100%")

    [message] = provider.messages
    assert result == SendResult(Outcome.SENT, provider_id=message["id"], cost="KES 0.8000", error=None)
    assert timedelta(0) <= datetime.now(UTC) - message.pop("at") < timedelta(seconds=5)
    assert message.pop("id").startswith("ATXid_")
    assert message == {"to": PHONE, "message": "Habari 👋 & karibu = 100%", "from": None, "username": "shop"}
    assert provider.attempts == 1


def test_sender_id_is_passed_on(provider: FakeAfricasTalking) -> None:
    assert sms_client(provider, sender_id="DUKA").send(PHONE, "x").outcome is Outcome.SENT

    assert provider.messages[0]["from"] == "DUKA"


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
def test_code_of_the_recipient_decides(provider: FakeAfricasTalking, code: int, outcome: Outcome) -> None:
    provider.reject(PHONE, code)

    result = sms_client(provider).send(PHONE, "x")

    assert result.outcome is outcome
    assert result.is_general is (code == 405)
    assert len(provider.messages) == (1 if outcome is Outcome.SENT else 0)
    assert provider.attempts == 1


def test_blacklisted_number_fails_without_an_id(provider: FakeAfricasTalking) -> None:
    provider.reject(PHONE, 406)

    assert sms_client(provider).send(PHONE, "x") == SendResult(
        Outcome.FAILED, provider_id=None, cost="0", error="406 UserInBlacklist"
    )
    assert provider.messages == []


def test_empty_purse_is_retried_because_the_text_is_not_to_blame(provider: FakeAfricasTalking) -> None:
    provider.misbehave(Fault.INSUFFICIENT_BALANCE)

    assert sms_client(provider).send(PHONE, "x") == SendResult(
        Outcome.RETRY, cost="0", error="405 InsufficientBalance", is_general=True
    )
    assert provider.messages == []


def test_number_that_is_not_to_be_disturbed_fails_alone(provider: FakeAfricasTalking) -> None:
    provider.misbehave(Fault.DO_NOT_DISTURB)

    result = sms_client(provider).send(PHONE, "x")

    assert (result.outcome, result.is_general, result.error) == (Outcome.FAILED, False, "409 DoNotDisturbRejection")
    assert provider.messages == []


def test_bad_sender_id_fails(provider: FakeAfricasTalking) -> None:
    provider.misbehave(Fault.INVALID_SENDER)

    assert sms_client(provider).send(PHONE, "x") == SendResult(Outcome.FAILED, error="InvalidSenderId")
    assert provider.messages == []


def test_json_with_a_charset_is_read(provider: FakeAfricasTalking) -> None:
    provider.misbehave(Fault.CHARSET_JSON)

    result = sms_client(provider).send(PHONE, "x")

    assert result == SendResult(Outcome.SENT, provider_id=provider.messages[0]["id"], cost="KES 0.8000")


@pytest.mark.parametrize("fault", [Fault.EMPTY_RECIPIENTS, Fault.WRONG_TYPES])
def test_answer_without_a_recipient_leaves_it_unknown(provider: FakeAfricasTalking, fault: Fault) -> None:
    provider.misbehave(fault)

    result = sms_client(provider).send(PHONE, "x")

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
def test_unreadable_answer_never_raises_and_leaves_it_unknown(provider: FakeAfricasTalking, body: bytes) -> None:
    provider.misbehave(Answer(201, body))

    result = sms_client(provider).send(PHONE, "x")

    assert (result.outcome, result.provider_id, result.cost) == (Outcome.UNKNOWN, None, None)
    assert result.error
    assert len(result.error) <= 300


def test_unknown_code_keeps_the_id_that_a_delivery_report_will_name(provider: FakeAfricasTalking) -> None:
    recipient = {"statusCode": 103, "number": PHONE, "status": "Held", "cost": "KES 0.8000", "messageId": "ATXid_7"}
    provider.misbehave(Answer(201, json.dumps({"SMSMessageData": {"Recipients": [recipient]}}).encode()))

    assert sms_client(provider).send(PHONE, "x") == SendResult(
        Outcome.UNKNOWN, provider_id="ATXid_7", cost="KES 0.8000", error="103 Held"
    )


def test_code_written_as_a_string_and_a_missing_id_are_taken(provider: FakeAfricasTalking) -> None:
    provider.misbehave(Answer(201, b'{"SMSMessageData": {"Recipients": [{"statusCode": "101"}]}}'))

    assert sms_client(provider).send(PHONE, "x") == SendResult(Outcome.SENT)


def test_of_several_recipients_the_one_that_was_asked_for_counts(provider: FakeAfricasTalking) -> None:
    recipients = [{"statusCode": 406, "number": "+254711000009"}, {"statusCode": 101, "number": PHONE}]
    provider.misbehave(Answer(201, json.dumps({"SMSMessageData": {"Recipients": recipients}}).encode()))

    assert sms_client(provider).send(PHONE, "x") == SendResult(Outcome.SENT)


def test_html_500_leaves_it_unknown_with_a_reason_in_one_line(provider: FakeAfricasTalking) -> None:
    provider.misbehave(Fault.HTML_500)

    assert sms_client(provider).send(PHONE, "x") == SendResult(
        Outcome.UNKNOWN,
        error="HTTP 500 without a readable answer: <html><body><h1>Internal Server Error</h1></body></html>",
    )
    assert provider.messages == []


def test_500_with_a_readable_answer_is_read(provider: FakeAfricasTalking) -> None:
    body = b'{"SMSMessageData": {"Recipients": [{"statusCode": 501, "status": "GatewayError"}]}}'
    provider.misbehave(Answer(500, body))

    assert sms_client(provider).send(PHONE, "x") == SendResult(Outcome.RETRY, error="501 GatewayError")


def test_nul_in_an_answer_does_not_reach_the_database(provider: FakeAfricasTalking) -> None:
    recipient = {"statusCode": 406, "status": "User\x00In\nBlacklist", "messageId": "\x00"}
    provider.misbehave(Answer(201, json.dumps({"SMSMessageData": {"Recipients": [recipient]}}).encode()))

    assert sms_client(provider).send(PHONE, "x") == SendResult(Outcome.FAILED, error="406 User In Blacklist")


def test_wrong_api_key_is_retried_so_that_it_does_not_burn_every_text(provider: FakeAfricasTalking) -> None:
    assert sms_client(provider, api_key="wrong").send(PHONE, "x") == SendResult(
        Outcome.RETRY, error="HTTP 401: The supplied authentication is invalid", is_general=True
    )
    assert (provider.messages, provider.attempts) == ([], 1)


def test_too_many_requests_are_retried(provider: FakeAfricasTalking) -> None:
    provider.misbehave(Fault.TOO_MANY_REQUESTS)

    assert sms_client(provider).send(PHONE, "x") == SendResult(
        Outcome.RETRY, error="HTTP 429: Too many requests", is_general=True
    )
    assert provider.messages == []


@pytest.mark.parametrize("status", [400, 413, 414, 422, 431])
def test_request_that_is_refused_for_what_it_says_does_not_speak_for_the_others(
    provider: FakeAfricasTalking, status: int
) -> None:
    provider.misbehave(Answer(status, b"no", "text/plain"))

    assert sms_client(provider).send(PHONE, "x") == SendResult(Outcome.RETRY, error=f"HTTP {status}: no")


def test_texts_of_a_session_share_a_connection(provider: FakeAfricasTalking) -> None:
    with sms_client(provider).session() as session:
        outcomes = [session.send(PHONE, str(number)).outcome for number in range(3)]

        assert outcomes == [Outcome.SENT] * 3
        assert len(open_connections(provider)) == 1
    assert open_connections(provider) == []


def test_idle_connection_is_not_used_again(provider: FakeAfricasTalking, monkeypatch: pytest.MonkeyPatch) -> None:
    """The provider may be about to close it, and a text that meets that would be in doubt."""
    monkeypatch.setattr(sms, "IDLE_SECONDS", 0.05)
    with sms_client(provider).session() as session:
        session.send(PHONE, "one")
        [first] = open_connections(provider)
        time.sleep(0.1)
        session.send(PHONE, "two")

        [second] = open_connections(provider)
    assert first != second
    assert [message["message"] for message in provider.messages] == ["one", "two"]


def test_connection_that_the_provider_has_closed_is_noticed_before_it_is_used() -> None:
    answer = json.dumps({"SMSMessageData": {"Recipients": [{"statusCode": 101}]}}).encode()
    head = b"HTTP/1.1 201 Created\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(answer)
    connections = 0

    def serve(server: socket.socket) -> None:
        nonlocal connections
        for _ in range(2):
            connection, _ = server.accept()
            connections += 1
            connection.recv(65536)
            connection.sendall(head + answer)
            connection.close()  # without having said so

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve, args=(server,))
        thread.start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        with AfricasTalkingSms("shop", API_KEY, None, url, TIMEOUTS).session() as session:
            first = session.send(PHONE, "one")
            time.sleep(0.05)
            second = session.send(PHONE, "two")
        thread.join(5)

    assert (first.outcome, second.outcome, connections) == (Outcome.SENT, Outcome.SENT, 2)


def open_connections(provider: FakeAfricasTalking) -> list[str]:
    """The local ends of this process's connections to the provider."""
    port = int(provider.url.rpartition(":")[2])
    rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    established = "01"
    # Another process's connection may happen to come from a port of the same number.
    own = set()
    for descriptor in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):  # closed since
            own.add(os.readlink(f"/proc/self/fd/{descriptor}"))
    return [
        row[1]
        for row in rows
        if row[2].endswith(f":{port:04X}") and row[3] == established and f"socket:[{row[9]}]" in own
    ]


def test_redirect_is_not_followed_with_the_api_key(provider: FakeAfricasTalking) -> None:
    with FakeAfricasTalking() as elsewhere:
        location = f"{elsewhere.url}/version1/messaging"
        provider.misbehave(Answer(307, b"moved", "text/plain", location=location))

        assert sms_client(provider).send(PHONE, "x") == SendResult(
            Outcome.RETRY, error="HTTP 307: moved", is_general=True
        )
        assert (elsewhere.attempts, provider.attempts) == (0, 1)


@pytest.mark.parametrize(
    ("fault", "accepted", "error"),
    [
        (Fault.HANG_BEFORE_ACCEPTING, 0, "ReadTimeout"),
        (Fault.HANG_AFTER_ACCEPTING, 1, "ReadTimeout"),
        (Fault.RESET_BEFORE_ACCEPTING, 0, "ConnectionError"),
        (Fault.RESET_AFTER_ACCEPTING, 1, "ConnectionError"),
    ],
)
def test_lost_answer_leaves_it_unknown_and_is_not_asked_for_again(
    provider: FakeAfricasTalking, fault: Fault, accepted: int, error: str
) -> None:
    provider.misbehave(fault, times=None)
    started = time.monotonic()

    result = sms_client(provider).send(PHONE, "x")

    assert time.monotonic() - started < 2
    assert (result.outcome, result.is_general) == (Outcome.UNKNOWN, False)
    assert (result.error or "").startswith(f"{error}: ")
    assert (len(provider.messages), provider.attempts) == (accepted, 1)


def test_refused_connection_is_retried() -> None:
    with FakeAfricasTalking() as gone:
        client = sms_client(gone)

    result = client.send(PHONE, "x")

    assert (result.outcome, result.is_general) == (Outcome.RETRY, True)
    assert "Connection refused" in (result.error or "")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems fill their queues differently")
def test_connect_timeout_is_retried() -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=0) as busy:
        address = busy.getsockname()
        # A full queue of connections that nobody accepts makes Linux drop the next one's SYN.
        with socket.create_connection(address):
            client = AfricasTalkingSms("shop", API_KEY, None, f"http://127.0.0.1:{address[1]}", TIMEOUTS)

            result = client.send(PHONE, "x")

    assert (result.outcome, result.is_general) == (Outcome.RETRY, True)
    assert (result.error or "").startswith("ConnectTimeout: ")


def test_unresolvable_host_is_retried(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    # The resolver cannot be passed in, and asking a real one would leave the loopback.
    monkeypatch.setattr(socket, "getaddrinfo", fail)

    result = AfricasTalkingSms("shop", API_KEY, None, "https://nowhere.invalid", TIMEOUTS).send(PHONE, "x")

    assert (result.outcome, result.is_general) == (Outcome.RETRY, True)
    assert "Name or service not known" in (result.error or "")


@pytest.mark.parametrize(
    "number",
    [
        *("", "0711000001", "254711000001", "+0711000001", "+0000", "+2547", "+2547110000012345678901"),
        *("+254711000001\n", "+254711000001,+254711000002", "+2547110ooo01", "+٢٥٤٧١١٠٠٠٠٠١", "tel:+254711000001"),
    ],
)
def test_malformed_number_fails_without_a_call(provider: FakeAfricasTalking, number: str) -> None:
    result = sms_client(provider).send(number, "x")

    assert result.outcome is Outcome.FAILED
    assert (result.error or "").startswith("not an E.164 number: ")
    assert provider.attempts == 0


@pytest.mark.parametrize("error", [JobTimeoutException, KeyboardInterrupt])
def test_end_of_the_jobs_time_is_not_swallowed(provider: FakeAfricasTalking, error: type[BaseException]) -> None:
    provider.misbehave(Fault.HANG_AFTER_ACCEPTING)
    client = AfricasTalkingSms("shop", API_KEY, None, provider.url, (5, 5))

    with pytest.raises(error), interrupt_after(0.2, error):
        client.send(PHONE, "x")


def test_two_clients_keep_their_accounts_apart(provider: FakeAfricasTalking) -> None:
    with FakeAfricasTalking(api_key="other-key") as other:
        first = sms_client(provider)
        second = AfricasTalkingSms("branch", "other-key", "BRANCH", other.url, TIMEOUTS)

        assert first.send(PHONE, "one").outcome is Outcome.SENT
        assert second.send(PHONE, "two").outcome is Outcome.SENT

        assert [(m["username"], m["message"]) for m in provider.messages] == [("shop", "one")]
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
