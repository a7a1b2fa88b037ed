"""The SMS client's connections to the provider: kept, closed, refused, hanging."""

import json
import os
import socket
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

import pytest
from rq.timeouts import JobTimeoutException

from grocery.notify.clients import sms
from grocery.notify.clients.sms import AfricasTalkingSms
from grocery.notify.outcome import Outcome, SendResult
from tests.fakes.africastalking import API_KEY, Answer, FakeAfricasTalking, Fault
from tests.notify.clients import PHONE, TIMEOUTS, sms_client
from tests.notify.interruption import interrupt_after
from tests.waiting import within


def test_texts_of_a_session_share_a_connection(at_server: FakeAfricasTalking) -> None:
    with sms_client(at_server).session() as session:
        outcomes = [session.send(PHONE, str(number)).outcome for number in range(3)]

        assert outcomes == [Outcome.SENT] * 3
        assert len(open_connections(at_server)) == 1
    assert open_connections(at_server) == []


def test_idle_connection_is_not_used_again(at_server: FakeAfricasTalking, monkeypatch: pytest.MonkeyPatch) -> None:
    """The provider may be about to close it, and a text that meets that would be in doubt."""
    monkeypatch.setattr(sms, "IDLE_SECONDS", 0.05)
    with sms_client(at_server).session() as session:
        session.send(PHONE, "one")
        [first] = open_connections(at_server)
        time.sleep(0.1)
        session.send(PHONE, "two")

        [second] = open_connections(at_server)
    assert first != second
    assert [message["message"] for message in at_server.messages] == ["one", "two"]


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
        thread.join(60)

    assert (first.outcome, second.outcome, connections) == (Outcome.SENT, Outcome.SENT, 2)


def open_connections(at_server: FakeAfricasTalking) -> list[str]:
    """The local ends of this process's connections to the provider."""
    port = int(at_server.url.rpartition(":")[2])
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


def test_redirect_is_not_followed_with_the_api_key(at_server: FakeAfricasTalking) -> None:
    with FakeAfricasTalking() as elsewhere:
        location = f"{elsewhere.url}/version1/messaging"
        at_server.misbehave(Answer(307, b"moved", "text/plain", location=location))

        assert sms_client(at_server).send(PHONE, "x") == SendResult(
            Outcome.RETRY, error="HTTP 307: moved", is_general=True
        )
        assert (elsewhere.attempts, at_server.attempts) == (0, 1)


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
    at_server: FakeAfricasTalking, fault: Fault, accepted: int, error: str
) -> None:
    at_server.misbehave(fault, times=None)
    with within(2):
        result = sms_client(at_server).send(PHONE, "x")
    assert (result.outcome, result.is_general) == (Outcome.UNKNOWN, False)
    assert (result.error or "").startswith(f"{error}: ")
    assert (len(at_server.messages), at_server.attempts) == (accepted, 1)


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


@pytest.mark.parametrize("error", [JobTimeoutException, KeyboardInterrupt])
def test_end_of_the_jobs_time_is_not_swallowed(at_server: FakeAfricasTalking, error: type[BaseException]) -> None:
    at_server.misbehave(Fault.HANG_AFTER_ACCEPTING)
    client = AfricasTalkingSms("shop", API_KEY, None, at_server.url, (5, 5))

    with pytest.raises(error), interrupt_after(0.2, error):
        client.send(PHONE, "x")
