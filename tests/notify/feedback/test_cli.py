"""`flask notify bounce`: a mail server pipes to it what came back."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result
from flask import Flask

from grocery.app import create_app
from grocery.config import Settings
from grocery.db import db
from tests.notify.clients import AMINA, MESSAGE_ID
from tests.notify.factories import make_notification, pick
from tests.notify.feedback.mails import bounce_mail, group, holiday_mail

RunSql = Callable[..., list[tuple[Any, ...]]]
Run = Callable[..., Result]

REASON = "5.1.1 550 5.1.1 <amina@example.com>: Recipient address rejected: User unknown"


@pytest.fixture
def run(app: Flask, context: None) -> Run:
    def invoke(*arguments: str, mail: bytes | None = None) -> Result:
        db.session.remove()
        return app.test_cli_runner().invoke(args=["notify", "bounce", *arguments], input=mail)

    return invoke


@pytest.fixture
def message(context: None) -> int:
    return make_notification(channel="email", status="sent", next_attempt_at=None, provider_id=MESSAGE_ID)


def test_bounce_from_standard_input_fails_the_message(run: Run, message: int, run_sql: RunSql) -> None:
    result = run(mail=bounce_mail(group(), message_id=MESSAGE_ID))

    assert (result.exit_code, result.output) == (
        0,
        f"amina@example.com: notification {message} has come back ({REASON}). The address gets no more mail.\n",
    )
    assert pick(message, "status", "error") == {"status": "failed", "error": f"Came back: {REASON}"}
    assert run_sql("SELECT channel, address, reason FROM suppressions") == [("email", AMINA, "bounce")]


def test_bounce_from_a_file(run: Run, message: int, tmp_path: Path) -> None:
    file = tmp_path / "bounce.eml"
    file.write_bytes(bounce_mail(group(), message_id=MESSAGE_ID))

    assert run(str(file)).exit_code == 0
    assert pick(message, "status") == {"status": "failed"}


@pytest.mark.parametrize(
    ("status", "action", "told", "becomes"),
    [
        ("4.4.1", "delayed", "is delayed (4.4.1 late). The address still gets mail.", "sent"),
        ("4.4.7", "failed", "has come back (4.4.7 late). The address still gets mail.", "failed"),
        ("5.2.2", "failed", "has come back (5.2.2 late). The address still gets mail.", "failed"),
    ],
)
def test_address_with_a_mailbox_is_not_suppressed(
    run: Run, message: int, run_sql: RunSql, status: str, action: str, told: str, becomes: str
) -> None:
    result = run(mail=bounce_mail(group(status=status, action=action, diagnosis="smtp; late"), message_id=MESSAGE_ID))

    assert (result.exit_code, result.output) == (0, f"amina@example.com: notification {message} {told}\n")
    assert pick(message, "status") == {"status": becomes}
    assert run_sql("SELECT count(*) FROM suppressions") == [(0,)]


@pytest.mark.parametrize("message_id", ["<other@duka.example>", None])
def test_mail_that_anybody_could_have_written_silences_nobody(
    run: Run, message: int, run_sql: RunSql, message_id: str | None
) -> None:
    result = run(mail=bounce_mail(group(), message_id=message_id))

    assert result.output == (
        f"amina@example.com: no message that we know has come back ({REASON}). The address still gets mail.\n"
    )
    assert pick(message, "status") == {"status": "sent"}
    assert run_sql("SELECT count(*) FROM suppressions") == [(0,)]


@pytest.mark.parametrize(
    ("mail", "told"),
    [
        (holiday_mail(), "Error: This mail is no bounce: it has no delivery status (RFC 3464) of any recipient.\n"),
        (b"", "Error: This mail is no bounce: it has no delivery status (RFC 3464) of any recipient.\n"),
        (b"x" * (10 * 1024 * 1024 + 1), "Error: This mail is no bounce: it is larger than 10 MB.\n"),
    ],
    ids=["holiday", "empty", "huge"],
)
def test_mail_that_is_no_bounce_changes_nothing(
    run: Run, message: int, run_sql: RunSql, mail: bytes, told: str
) -> None:
    result = run(mail=mail)

    assert (result.exit_code, result.output) == (1, told)
    assert pick(message, "status", "error") == {"status": "sent", "error": None}
    assert run_sql("SELECT count(*) FROM suppressions") == [(0,)]


def test_mail_server_is_told_to_try_again_while_the_database_is_away(settings: Settings) -> None:
    elsewhere = create_app(replace(settings, database_url="postgresql+psycopg2:///grocery?host=/nowhere"))

    mail = bounce_mail(group(), message_id=MESSAGE_ID)
    result = elsewhere.test_cli_runner().invoke(args=["notify", "bounce"], input=mail)

    assert (result.exit_code, result.output) == (75, "The database is away.\n")
