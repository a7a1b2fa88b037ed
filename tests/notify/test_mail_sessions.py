"""Many mails over one connection, and a server that may hang up at any point of it."""

from collections.abc import Iterator

import pytest
from rq.timeouts import JobTimeoutException

from grocery.notify.outcome import Outcome, SendResult
from tests.fakes.smtp import FakeSmtp, Trouble
from tests.notify.clients import AMINA, letter, mail_client
from tests.notify.interruption import interrupt_after
from tests.waiting import within


@pytest.fixture
def server() -> Iterator[FakeSmtp]:
    with FakeSmtp() as fake:
        yield fake


def test_many_mails_share_one_connection(server: FakeSmtp) -> None:
    with mail_client(server).session() as session:
        results = [session.send(letter(subject=f"mail {n}", message_id=f"<{n}@b>")) for n in range(3)]

    assert [(r.outcome, r.provider_id) for r in results] == [(Outcome.SENT, f"<{n}@b>") for n in range(3)]
    assert [(m.subject, m.connection) for m in server.mails] == [("mail 0", 1), ("mail 1", 1), ("mail 2", 1)]
    assert server.commands["QUIT"] == 1


def test_session_that_sends_nothing_connects_to_nothing(server: FakeSmtp) -> None:
    with mail_client(server).session():
        pass

    assert server.connections == 0


@pytest.mark.parametrize("trouble", [Trouble.DROP, "421 4.7.0 Too many mails on this connection"])
@pytest.mark.parametrize("command", ["MAIL", "RCPT"])
def test_server_that_hangs_up_between_mails_is_called_again(
    server: FakeSmtp, command: str, trouble: Trouble | str
) -> None:
    with mail_client(server).session() as session:
        first = session.send(letter(subject="one", message_id="<1@b>"))
        server.misbehave(command, trouble)
        second = session.send(letter(subject="two", message_id="<2@b>"))

    assert (first.outcome, second.outcome) == (Outcome.SENT, Outcome.SENT)
    assert [(mail.subject, mail.connection) for mail in server.mails] == [("one", 1), ("two", 2)]


def test_refused_mail_does_not_stop_the_next_on_the_same_connection(server: FakeSmtp) -> None:
    server.refuse(AMINA, "550 5.1.1 No such user")

    with mail_client(server).session() as session:
        outcomes = [session.send(letter(to)).outcome for to in (AMINA, "juma@example.com", AMINA)]

    assert outcomes == [Outcome.FAILED, Outcome.SENT, Outcome.FAILED]
    assert [mail.to for mail in server.mails] == ["juma@example.com"]
    assert server.connections == 1


def test_mail_lost_in_doubt_is_not_repeated_and_the_next_is_sent(server: FakeSmtp) -> None:
    with mail_client(server).session() as session:
        first = session.send(letter(subject="one", message_id="<1@b>"))
        server.misbehave("TEXT", Trouble.DROP)
        second = session.send(letter(subject="two", message_id="<2@b>"))
        third = session.send(letter(subject="three", message_id="<3@b>"))

    assert (first.outcome, second.outcome, third.outcome) == (Outcome.SENT, Outcome.UNKNOWN, Outcome.SENT)
    assert [mail.subject for mail in server.mails] == ["one", "two", "three"]


def test_server_that_stopped_answering_puts_one_mail_in_doubt_not_the_batch(server: FakeSmtp) -> None:
    server.misbehave("TEXT", Trouble.HANG, times=None)
    with within(2), mail_client(server).session() as session:
        results = [session.send(letter(subject=f"mail {n}")) for n in range(20)]
    assert results[0].outcome is Outcome.UNKNOWN
    untried = SendResult(Outcome.RETRY, error="not tried: the server had stopped answering", is_general=True)
    assert results[1:] == [untried] * 19
    assert [mail.subject for mail in server.mails] == ["mail 0"]


def test_server_that_is_away_is_asked_once_by_a_session_and_again_by_the_next(server: FakeSmtp) -> None:
    client = mail_client(server)
    server.misbehave("GREETING", Trouble.DROP)

    with client.session() as session:
        outcomes = [session.send(letter()).outcome for _ in range(3)]

    assert outcomes == [Outcome.RETRY] * 3
    assert (server.connections, server.mails) == (1, [])
    assert client.send(letter()).outcome is Outcome.SENT


@pytest.mark.parametrize("error", [JobTimeoutException, KeyboardInterrupt])
def test_end_of_the_jobs_time_is_not_swallowed_and_leaves_no_stale_answer(
    server: FakeSmtp, error: type[BaseException]
) -> None:
    with mail_client(server, timeout=5).session() as session:
        assert session.send(letter(subject="one", message_id="<1@b>")).outcome is Outcome.SENT
        server.misbehave("RCPT", Trouble.HANG)
        with pytest.raises(error), interrupt_after(0.2, error):
            session.send(letter(subject="two", message_id="<2@b>"))
        assert session.send(letter(subject="three", message_id="<3@b>")).outcome is Outcome.SENT

    assert [(mail.subject, mail.connection) for mail in server.mails] == [("one", 1), ("three", 2)]


def test_error_inside_the_session_is_not_hidden_and_hangs_up(server: FakeSmtp) -> None:
    def fail_half_way() -> None:
        with mail_client(server).session() as session:
            session.send(letter(subject="one"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_half_way()

    assert (len(server.mails), server.commands["QUIT"]) == (1, 0)
