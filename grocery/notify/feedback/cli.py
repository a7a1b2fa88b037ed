"""`flask notify bounce`: for a mail server that hands over what comes back."""

from typing import BinaryIO, Final

import click
from sqlalchemy.exc import DBAPIError

from grocery.db import transaction
from grocery.errors import is_database_away
from grocery.notify.feedback.bounces import Noted, note_bounce
from grocery.notify.feedback.errors import NotABounceError
from grocery.notify.feedback.reports import Report, read_reports
from grocery.notify.group import notify

_MAX_BYTES: Final = 10 * 1024 * 1024
# sysexits.h's EX_TEMPFAIL: mail servers keep the mail then, and try again.
_TRY_AGAIN: Final = 75


@notify.command("bounce")
@click.argument("file", type=click.File("rb"), default="-")
def bounce(file: BinaryIO) -> None:
    """Take a mail that came back, from FILE or from standard input.

    A mail server can pipe what comes to the sender's address (MAIL_FROM) to it. Messages whose recipient does not exist
    have failed, and the address gets no more mail. Exit code 1 for a mail that is no bounce, 75 while the database is
    away.
    """
    raw = file.read(_MAX_BYTES + 1)
    if len(raw) > _MAX_BYTES:
        raise NotABounceError("This mail is no bounce: it is larger than 10 MB.")
    reports = read_reports(raw)
    try:
        with transaction():
            noted = [_note(report) for report in reports]
    except DBAPIError as error:
        if not is_database_away(error):
            raise
        click.echo("The database is away.", err=True)
        click.get_current_context().exit(_TRY_AGAIN)
    for report, result in zip(reports, noted, strict=True):
        click.echo(_describe(report, result))


def _note(report: Report) -> Noted:
    return note_bounce(
        report.recipient,
        is_permanent=report.is_permanent,
        is_given_up=report.is_given_up,
        reason=report.reason,
        message_id=report.message_id,
        # Anybody can write such a mail. Who names the Message-ID has at least seen one that went to this address.
        is_trusted=False,
    )


def _describe(report: Report, noted: Noted) -> str:
    about = f"notification {noted.notification_id}" if noted.notification_id is not None else "no message that we know"
    outcome = "has come back" if report.is_given_up else "is delayed"
    consequence = "The address gets no more mail." if noted.is_suppressed else "The address still gets mail."
    return f"{report.recipient}: {about} {outcome} ({report.reason}). {consequence}"
