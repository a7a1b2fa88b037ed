"""The e-mail clients against a server that behaves, and one that does not."""

import errno
import logging
import socket
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.header import decode_header, make_header
from email.utils import parseaddr, parsedate_to_datetime

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grocery.notify.clients.mail import ConsoleMail, SmtpMail
from grocery.notify.outcome import Outcome, SendResult, one_line
from tests.fakes.smtp import FakeSmtp, Trouble
from tests.notify.clients import AMINA, MESSAGE_ID, letter, mail_client
from tests.waiting import within


@pytest.fixture
def server() -> Iterator[FakeSmtp]:
    with FakeSmtp() as fake:
        yield fake


def test_accepted_mail_is_sent_as_it_was_written(server: FakeSmtp) -> None:
    body = "Habari Amina,\n\n.a line with a dot\nAsante sana 👋 – karibu tena.\n"

    result = mail_client(server).send(letter(AMINA, "Oda yako 👋 – imepokelewa", body))

    assert result == SendResult(Outcome.SENT, provider_id=MESSAGE_ID, cost=None, error=None)
    [mail] = server.mails
    assert (mail.envelope_from, mail.envelope_to) == ("shop@duka.example", [AMINA])
    assert (mail.to, mail.subject, mail.body, mail.message_id) == (AMINA, "Oda yako 👋 – imepokelewa", body, MESSAGE_ID)
    assert mail.message["From"] == "Duka <shop@duka.example>"
    assert mail.message["Auto-Submitted"] == "auto-generated"
    assert mail.message.get_content_type() == "text/plain"
    age = datetime.now(UTC) - parsedate_to_datetime(mail.message["Date"])
    assert timedelta(seconds=-1) < age < timedelta(seconds=10)
    assert server.connections == 1


def test_note_of_thousands_of_characters_in_one_line_arrives_whole(server: FakeSmtp) -> None:
    note = "tafadhali usipige hodi " * 200

    assert mail_client(server).send(letter(AMINA, "x", note)).outcome is Outcome.SENT

    assert server.mails[0].body.rstrip("\n") == note
    assert max(len(line) for line in server.mails[0].raw.split(b"\r\n")) <= 78


@pytest.mark.parametrize(
    ("sender", "shop_name", "written"),
    [
        ("shop@duka.example", "Mama Njéri, Duka (Nakuru) & Sons", "Mama Njéri, Duka (Nakuru) & Sons"),
        ("Orders <shop@duka.example>", "Duka", "Orders"),
        ("shop@duka.example", "Duka\r\nBcc: evil@example.com", "Duka Bcc: evil@example.com"),
    ],
)
def test_sender_is_the_shop_by_name(server: FakeSmtp, sender: str, shop_name: str, written: str) -> None:
    client = mail_client(server, sender=sender, shop_name=shop_name)

    assert client.send(letter()).outcome is Outcome.SENT

    [address] = server.mails[0].message["From"].addresses
    assert (address.display_name, address.addr_spec) == (written, "shop@duka.example")
    assert server.mails[0].message["Bcc"] is None
    assert server.mails[0].envelope_to == [AMINA]


def test_line_breaks_in_a_subject_become_spaces_not_headers(server: FakeSmtp) -> None:
    subject = "Order\r\nBcc: evil@example.com\r\n\r\nnot the body\u2028\x85\x0b\x00end"

    assert mail_client(server).send(letter(AMINA, subject, "the body")).outcome is Outcome.SENT

    [mail] = server.mails
    assert mail.subject == "Order Bcc: evil@example.com not the body end"
    assert mail.message.get_all("Bcc") is None
    assert (mail.body.strip(), mail.envelope_to) == ("the body", [AMINA])


text = st.one_of(st.text(max_size=300), st.text('ab _é👋,"<>()\r\n\t.:;@', max_size=250)).filter(
    lambda t: "=?" not in t
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(subject=text, shop_name=text)
def test_no_subject_or_shop_name_makes_or_breaks_a_header(
    hypothesis_server: FakeSmtp, subject: str, shop_name: str
) -> None:
    client = mail_client(hypothesis_server, shop_name=shop_name, timeout=5)

    assert client.send(letter(subject=subject)).outcome is Outcome.SENT

    message = hypothesis_server.mails[-1].message
    subject_header = ["Subject"] if one_line(subject) else []
    assert message.keys() == [
        *("Content-Type", "MIME-Version", "Content-Transfer-Encoding", *subject_header),
        *("From", "To", "Date", "Message-ID", "Auto-Submitted"),
    ]
    assert (message["Subject"] or "") == one_line(subject, 200)
    [raw_from] = [value for name, value in message.raw_items() if name == "From"]
    encoded_name, address = parseaddr(raw_from)
    # Not the parsed header: Python puts a space between the halves of a long encoded name, which RFC 2047 6.2 forbids.
    assert (str(make_header(decode_header(encoded_name))), address) == (one_line(shop_name), "shop@duka.example")


@pytest.fixture(scope="module")
def hypothesis_server() -> Iterator[FakeSmtp]:
    with FakeSmtp() as fake:
        yield fake


@pytest.mark.parametrize(
    "address",
    [
        *("", "amina", "@example.com", "amina@", "amina @example.com", "a@b@c.d", "a..b@c.d", "a@b..c", "a@-\x00.c"),
        *("a@b.c\n", "amina@example.com\r\nRCPT TO:<evil@example.com>", "a@b.c, d@e.f", "Amina <amina@example.com>"),
        *("ämina@example.com", f"{'a' * 251}@b.c", f"a@{'b' * 64}.c"),
    ],
)
def test_malformed_recipient_fails_without_a_connection(server: FakeSmtp, address: str) -> None:
    result = mail_client(server).send(letter(address))

    assert result.outcome is Outcome.FAILED
    assert (result.error or "").startswith("not an e-mail address: ")
    assert "\n" not in (result.error or "")
    assert (server.connections, server.mails) == (0, [])


def test_recipient_at_an_international_domain_is_reached_by_its_ascii_name(server: FakeSmtp) -> None:
    assert mail_client(server).send(letter("amina@dükä.example")).outcome is Outcome.SENT

    assert server.mails[0].envelope_to == ["amina@xn--dk-wia8g.example"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(("List-Unsubscribe", "<https://a>\r\nBcc: <e@f>"), ("X", "a\nb"), ("X", "a\x00"), ("X", "ä"), ("X", "")),
        *(("X", " a"), ("X: y\r\nBcc", "e@f"), ("X Y", "a"), ("", "a"), ("X", "a" * 1000)),
    ],
)
def test_malformed_header_fails_without_a_connection(server: FakeSmtp, name: str, value: str) -> None:
    result = mail_client(server).send(letter(headers={name: value}))

    assert result.outcome is Outcome.FAILED
    assert (result.error or "").startswith("not a header: ")
    assert "\n" not in (result.error or "")
    assert server.connections == 0


@pytest.mark.parametrize("message_id", ["", "17", "<17>", "<1@b>\r\nBcc: <e@f>", "<1 2@b>", "<a@b> "])
def test_malformed_message_id_fails_without_a_connection(server: FakeSmtp, message_id: str) -> None:
    result = mail_client(server).send(letter(message_id=message_id))

    assert result.outcome is Outcome.FAILED
    assert (result.error or "").startswith("not a Message-ID: ")
    assert server.connections == 0


@pytest.mark.parametrize("trouble", [Trouble.DROP, Trouble.HANG, "421 4.3.2 Shutting down", "550 Never"])
def test_failing_goodbye_after_acceptance_is_still_sent(server: FakeSmtp, trouble: Trouble | str) -> None:
    server.misbehave("QUIT", trouble)
    with within(2):
        assert mail_client(server).send(letter()) == SendResult(Outcome.SENT, provider_id=MESSAGE_ID)
        assert (len(server.mails), server.connections) == (1, 1)


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        ("421 4.7.0 Try later", Outcome.RETRY),
        ("450 4.2.1 Mailbox busy", Outcome.RETRY),
        ("451 4.3.0 Greylisted", Outcome.RETRY),
        ("550 5.1.1 No such user", Outcome.FAILED),
        ("530 5.7.0 Log in first", Outcome.RETRY),
    ],
)
def test_answer_to_the_recipient_decides(server: FakeSmtp, reply: str, outcome: Outcome) -> None:
    server.refuse(AMINA, reply)

    result = mail_client(server).send(letter())

    assert result == SendResult(outcome, error=reply, is_general=reply.startswith("530"))
    assert (server.mails, server.connections, server.commands["DATA"]) == ([], 1, 0)


@pytest.mark.parametrize("command", ["DATA", "TEXT"])
@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        ("421 4.7.0 Try later", Outcome.RETRY),
        ("451 4.3.0 Disk full", Outcome.RETRY),
        ("554 5.7.1 Spam", Outcome.FAILED),
    ],
)
def test_answer_to_the_text_decides(server: FakeSmtp, command: str, reply: str, outcome: Outcome) -> None:
    server.misbehave(command, reply)

    assert mail_client(server).send(letter()) == SendResult(outcome, error=reply)
    assert (server.mails, server.connections) == ([], 1)


@pytest.mark.parametrize("reply", ["550 5.7.1 Not your address", "451 4.3.0 Later", "530 5.7.0 Log in first"])
def test_refused_sender_is_retried_so_that_it_does_not_burn_every_mail(server: FakeSmtp, reply: str) -> None:
    server.misbehave("MAIL", reply)

    assert mail_client(server).send(letter()) == SendResult(Outcome.RETRY, error=reply, is_general=True)
    assert (server.mails, server.commands["RCPT"]) == ([], 0)


@pytest.mark.parametrize("command", ["GREETING", "EHLO", "MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("trouble", [Trouble.DROP, Trouble.HANG])
def test_line_lost_before_the_text_is_retried(server: FakeSmtp, command: str, trouble: Trouble) -> None:
    server.misbehave(command, trouble)
    with within(2):
        result = mail_client(server).send(letter())
    assert (result.outcome, result.provider_id) == (Outcome.RETRY, None)
    assert result.is_general is (command in ("GREETING", "EHLO"))
    assert (result.error or "").startswith("SMTPServerDisconnected: Connection unexpectedly closed")
    assert (server.mails, server.connections) == ([], 1)


@pytest.mark.parametrize("trouble", [Trouble.DROP, Trouble.HANG])
def test_line_lost_after_the_text_leaves_it_unknown_and_is_not_tried_again(server: FakeSmtp, trouble: Trouble) -> None:
    server.misbehave("TEXT", trouble, times=None)

    result = mail_client(server).send(letter())

    assert (result.outcome, result.provider_id, result.is_general) == (Outcome.UNKNOWN, MESSAGE_ID, False)
    assert (result.error or "").startswith("SMTPServerDisconnected: ")
    assert (len(server.mails), server.connections) == (1, 1)


def test_gibberish_after_the_text_leaves_it_unknown(server: FakeSmtp) -> None:
    server.misbehave("TEXT", "what?")

    assert mail_client(server).send(letter()).outcome is Outcome.UNKNOWN


def test_greeting_that_refuses_service_is_retried(server: FakeSmtp) -> None:
    server.misbehave("GREETING", "554 5.3.2 No service")

    assert mail_client(server).send(letter()) == SendResult(
        Outcome.RETRY, error="554 5.3.2 No service", is_general=True
    )


def test_refused_connection_is_retried() -> None:
    with FakeSmtp() as gone:
        client = mail_client(gone)

    result = client.send(letter())

    assert result == SendResult(
        Outcome.RETRY, error=f"ConnectionRefusedError: [Errno {errno.ECONNREFUSED}] Connection refused", is_general=True
    )


def test_unresolvable_host_is_retried(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: object, **options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    # The resolver cannot be passed in, and asking a real one would leave the loopback.
    monkeypatch.setattr(socket, "getaddrinfo", fail)

    result = SmtpMail("nowhere.invalid", 25, "shop@duka.example", "Duka").send(letter())

    error = f"gaierror: [Errno {socket.EAI_NONAME}] Name or service not known"
    assert result == SendResult(Outcome.RETRY, error=error, is_general=True)


def test_host_name_that_cannot_be_one_is_retried() -> None:
    result = SmtpMail("a..b", 25, "shop@duka.example", "Duka").send(letter())

    assert result.outcome is Outcome.RETRY
    assert (result.error or "").startswith("UnicodeError: ")


@pytest.mark.parametrize("sender", ["", "Duka", "Mama, Fresh <shop@duka.example>", "a@b.c, d@e.f", "a@b.c\r\nX: y@z"])
def test_sender_that_is_no_address_is_refused(sender: str) -> None:
    with pytest.raises(ValueError, match="must be one e-mail address"):
        SmtpMail("127.0.0.1", 25, sender, "Duka")


def test_password_that_smtplib_cannot_send_is_refused() -> None:
    with pytest.raises(ValueError, match="ASCII"):
        SmtpMail("127.0.0.1", 25, "shop@duka.example", "Duka", username="duka", password="sirí")


def test_console_writes_each_mail_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "grocery.notify.mail"), ConsoleMail().session() as session:
        result = session.send(letter(AMINA, "Reset\nyour password", "Open\nhttp://shop.example/reset/abc"))

    assert result == SendResult(Outcome.SENT, provider_id=MESSAGE_ID)
    assert caplog.messages == ["e-mail to amina@example.com: Reset your password: Open http://shop.example/reset/abc"]
