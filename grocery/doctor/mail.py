"""The mail server: everything but a mail."""

import smtplib
import ssl
from collections.abc import Iterator
from contextlib import ExitStack

from grocery.doctor.examining import Patient
from grocery.doctor.findings import Finding, failure, ok, warning
from grocery.notify.clients.mail import SmtpMail
from grocery.notify.clients.smtp import describe
from grocery.notify.extension import build_backends


def look(patient: Patient) -> Iterator[Finding]:
    """Connect, encrypt and log in as for a mail."""
    settings = patient.settings
    client = build_backends(settings).mail
    if not isinstance(client, SmtpMail):
        yield ok("MAIL_BACKEND is console: mails are written to the log.")
        return
    where = f"{settings.mail_server}:{settings.mail_port}"
    try:
        with ExitStack() as leaving:
            connection = client.connect()
            leaving.push(connection)
            server: smtplib.SMTP = connection.host  # type: ignore[assignment]  # it is open
            is_encrypted = isinstance(server.sock, ssl.SSLSocket)
            extensions = dict(server.esmtp_features)
    except (OSError, UnicodeError) as error:
        yield failure(f"{where} cannot be used: {describe(error)}", "See docs/troubleshooting.md, E-mail.")
        return
    has_login = bool(settings.mail_username and settings.mail_password)
    said = ["it is encrypted" if is_encrypted else "it is not encrypted", "signed in" if has_login else "no sign-in"]
    yield ok(f"{where} answers: {', '.join(said)}. To try a mail: flask --app wsgi notify test-email")
    if "auth" in extensions and not has_login:
        what = f"{where} offers a sign-in, and MAIL_USERNAME and MAIL_PASSWORD are not both set."
        yield warning(what, "Set both, unless it takes mail from this address without.")
