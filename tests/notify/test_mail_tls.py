"""The mail client shows its password and its mails to nobody but the server that it was told."""

import ssl
from collections.abc import Iterator

import pytest
import trustme

from grocery.notify.outcome import Outcome, SendResult
from tests.fakes.smtp import FakeSmtp
from tests.notify.clients import MESSAGE_ID, letter, mail_client, server_context


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def trust(authority: trustme.CA) -> ssl.SSLContext:
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture
def secure_server(authority: trustme.CA) -> Iterator[FakeSmtp]:
    with FakeSmtp(tls=server_context(authority, "127.0.0.1"), login=("duka", "secret")) as fake:
        yield fake


def test_mail_goes_encrypted_and_logged_in(secure_server: FakeSmtp, trust: ssl.SSLContext) -> None:
    client = mail_client(secure_server, username="duka", password="secret", use_tls=True, tls_context=trust)

    assert client.send(letter()) == SendResult(Outcome.SENT, provider_id=MESSAGE_ID)
    assert len(secure_server.mails) == 1


def test_certificate_of_a_stranger_is_retried_and_the_password_not_shown(secure_server: FakeSmtp) -> None:
    client = mail_client(secure_server, username="duka", password="secret", use_tls=True)

    result = client.send(letter())

    assert (result.outcome, result.is_general) == (Outcome.RETRY, True)
    assert (result.error or "").startswith("SSLCertVerificationError: ")
    assert (secure_server.mails, secure_server.logins, secure_server.commands["MAIL"]) == ([], 0, 0)


def test_certificate_for_another_host_is_retried(authority: trustme.CA, trust: ssl.SSLContext) -> None:
    with FakeSmtp(tls=server_context(authority, "other.example")) as other:
        result = mail_client(other, use_tls=True, tls_context=trust).send(letter())

        assert result.outcome is Outcome.RETRY
        assert "IP address mismatch" in (result.error or "")
        assert other.commands["MAIL"] == 0


def test_refused_login_is_retried_and_asked_once_for_a_whole_session(
    secure_server: FakeSmtp, trust: ssl.SSLContext
) -> None:
    client = mail_client(secure_server, username="duka", password="wrong", use_tls=True, tls_context=trust)

    with client.session() as session:
        results = [session.send(letter()) for _ in range(3)]

    refused = SendResult(Outcome.RETRY, error="535 5.7.8 Authentication credentials invalid", is_general=True)
    assert results == [refused] * 3
    assert (secure_server.connections, secure_server.mails) == (1, [])


def test_login_is_not_sent_to_a_server_without_tls() -> None:
    with FakeSmtp() as server:
        client = mail_client(server, username="duka", password="secret", use_tls=True)

        assert client.send(letter()) == SendResult(
            Outcome.RETRY,
            error="SMTPNotSupportedError: STARTTLS extension not supported by server.",
            is_general=True,
        )
        assert (server.logins, server.mails) == (0, [])


def test_port_that_speaks_tls_from_the_first_byte(authority: trustme.CA, trust: ssl.SSLContext) -> None:
    with FakeSmtp(tls=server_context(authority, "127.0.0.1"), login=("duka", "secret"), is_implicit=True) as server:
        client = mail_client(server, username="duka", password="secret", use_implicit_tls=True, tls_context=trust)
        plain = mail_client(server, username="duka", password="secret", use_tls=True, tls_context=trust)

        assert client.send(letter()) == SendResult(Outcome.SENT, provider_id=MESSAGE_ID)
        assert (len(server.mails), server.logins) == (1, 1)
        assert plain.send(letter()).outcome is Outcome.RETRY
        assert (len(server.mails), server.logins) == (1, 1)


def test_stranger_who_speaks_tls_from_the_first_byte_sees_no_mail(authority: trustme.CA) -> None:
    with FakeSmtp(tls=server_context(authority, "127.0.0.1"), is_implicit=True) as server:
        result = mail_client(server, use_implicit_tls=True).send(letter())

        assert (result.outcome, result.is_general) == (Outcome.RETRY, True)
        assert (result.error or "").startswith("SSLCertVerificationError: ")
        assert (server.mails, server.commands["EHLO"]) == ([], 0)
