"""E-mail clients: the console for development, SMTP through Flask-Mail for real."""

import logging
import re
import smtplib
import ssl
from contextlib import AbstractContextManager, ExitStack, nullcontext
from email import policy
from email.charset import QP, Charset
from email.mime.base import MIMEBase
from email.mime.text import MIMEText
from email.utils import getaddresses
from types import TracebackType
from typing import Final, Protocol, Self

from flask import Flask
from flask_mail import Mail, Message

from grocery.notify.clients.smtp import SmtpConnection, describe, judge
from grocery.notify.outcome import Outcome, SendResult, one_line

log = logging.getLogger("grocery.notify.mail")

# RFC 5321's dot-atom, in ASCII: what a server without SMTPUTF8 takes, and nothing that could start a header or a list.
_ATOM: Final = r"[\w!#$%&'*+/=?^`{|}~-]+"
ADDRESS: Final = re.compile(rf"{_ATOM}(\.{_ATOM})*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*", re.ASCII)
MESSAGE_ID: Final = re.compile(r"<[^\s<>@]+@[^\s<>@]+>", re.ASCII)
SUBJECT_LENGTH: Final = 200


class MailSession(Protocol):
    """Something that hands mails over, one after the other."""

    def send(self, to: str, subject: str, body: str, message_id: str) -> SendResult:
        """Send plain text to one address; what goes wrong is told by the result, not by an exception.

        `message_id` ("<…@…>") is the caller's, the same at every try, so that a mail sent twice can be known as one.
        """


class MailBackend(MailSession, Protocol):
    """A session of its own for a single mail, or one session for many."""

    def session(self) -> AbstractContextManager[MailSession]:
        """Share one connection: `with backend.session() as session: session.send(…)`."""


class ConsoleMail:
    """Writes mails to the log, for development without a server."""

    def send(self, to: str, subject: str, body: str, message_id: str) -> SendResult:
        """Log the mail in one line; links and codes are shown on purpose, since nothing else delivers them."""
        log.info("e-mail to %s: %s: %s", to, one_line(subject), one_line(body, limit=5000))
        return SendResult(Outcome.SENT, provider_id=message_id)

    def session(self) -> AbstractContextManager[MailSession]:
        """Nothing is shared, since nothing is opened."""
        return nullcontext(self)


class SmtpMail:
    """Sends over SMTP, with verified STARTTLS if `use_tls`, and with a login if both `username` and `password` are set.

    `sender` is an address, or a name and an address, which then takes the place of `shop_name`; `timeout` is in seconds
    for each answer of the server. Raises ValueError for settings that could never send.
    """

    def __init__(
        self,
        server: str,
        port: int,
        sender: str,
        shop_name: str,
        *,
        username: str | None = None,
        password: str | None = None,
        use_tls: bool = False,
        tls_context: ssl.SSLContext | None = None,
        timeout: float = 10.0,
    ) -> None:
        named = getaddresses([sender])
        name, written = named[0] if len(named) == 1 else ("", "")
        address = _ascii_address(written)
        if address is None:
            raise ValueError(f"the sender must be one e-mail address, not {one_line(sender)!r}")
        if not ((username or "") + (password or "")).isascii():
            raise ValueError("smtplib can log in with ASCII user names and passwords only")
        self._name, self._address = one_line(name or shop_name), address
        self._timeout = timeout
        self._tls_context = (tls_context or ssl.create_default_context()) if use_tls else None
        # Flask-Mail reads `current_app` while it renders and sends. An app of its own that holds nothing but these
        # settings frees this client from the shop's app, and from its TESTING, which would silently suppress mail.
        self._app = Flask(__name__, static_folder=None)
        self._app.config.update(
            MAIL_SERVER=server,
            MAIL_PORT=port,
            MAIL_USERNAME=username,
            MAIL_PASSWORD=password,
            MAIL_SUPPRESS_SEND=False,
        )
        Mail(self._app)

    def send(self, to: str, subject: str, body: str, message_id: str) -> SendResult:
        """Send one mail over a connection of its own."""
        with self.session() as session:
            return session.send(to, subject, body, message_id)

    def session(self) -> "SmtpSession":
        """Make a session, which connects when its first mail is sent."""
        return SmtpSession(self)

    def deliver(self, connection: SmtpConnection, message: Message) -> None:
        """Send over an open connection; raises smtplib's exceptions."""
        with self._app.app_context():
            connection.send(message, envelope_from=self._address)

    def connect(self) -> SmtpConnection:
        """Open a connection, encrypted and logged in as the settings say; raises OSError."""
        # RFC 5321 4.1.4: the greeting's name is not verified. smtplib would look its own up in DNS, without a timeout.
        own_name = self._address.rpartition("@")[2]
        state = self._app.extensions["mail"]
        return SmtpConnection(state, own_name, self._timeout, self._tls_context).__enter__()

    def compose(self, to: str, subject: str, body: str, message_id: str) -> Message:
        """Build the mail; `to` and `message_id` must be checked before."""
        message = _TextMessage(
            subject=one_line(subject, SUBJECT_LENGTH),
            recipients=[to],
            body=body,
            sender=self._address,
            # RFC 3834: keeps holiday responders from answering the shop.
            extra_headers={"Auto-Submitted": "auto-generated"},
        )
        # Set afterwards, because the constructor joins the pair without quoting: "Mama, Fresh" would break the header.
        message.sender = (self._name, self._address)
        message.msgId = message_id
        return message


class SmtpSession:
    """Mails over one connection, opened again when the server closes it between two mails.

    A server that cannot be reached, refuses the login or stops answering is asked once only: the rest of the session's
    mails come back as RETRY at once, so that a batch neither waits a timeout for each nor puts each in doubt.
    """

    def __init__(self, mail: SmtpMail) -> None:
        self._mail = mail
        self._connection: SmtpConnection | None = None
        self._given_up: SendResult | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._connection is not None:
            self._connection.__exit__(kind, error, trace)
            self._connection = None

    def send(self, to: str, subject: str, body: str, message_id: str) -> SendResult:
        """Send one mail over this session's connection."""
        address = _ascii_address(to)
        if address is None:
            return SendResult(Outcome.FAILED, error=f"not an e-mail address: {one_line(to, limit=100)}")
        if not MESSAGE_ID.fullmatch(message_id):
            return SendResult(Outcome.FAILED, error=f"not a Message-ID: {one_line(message_id, limit=100)}")
        message = self._mail.compose(address, subject, body, message_id)
        was_open = self._connection is not None
        result = self._try(message)
        if was_open and self._connection is None and result.outcome is Outcome.RETRY:
            # Servers close idle and well-used connections (RFC 5321 3.8: 421), which says nothing about this mail.
            return self._try(message)
        return result

    def _try(self, message: Message) -> SendResult:
        if self._given_up is not None:
            return self._given_up
        try:
            connection = self._connection or self._mail.connect()
        except (OSError, UnicodeError) as error:
            # Refused, timed out, no such host, bad certificate, login refused: no mail has been spoken of yet.
            self._given_up = SendResult(Outcome.RETRY, error=describe(error))
            return self._given_up
        # While a mail is under way the connection belongs to nobody: whatever interrupts it leaves answers unread, and
        # the next mail would take them for its own.
        self._connection = None
        with ExitStack() as undo:
            undo.callback(connection.close)
            result = self._converse(connection, message)
            if connection.is_open:
                undo.pop_all()
                self._connection = connection
        return result

    def _converse(self, connection: SmtpConnection, message: Message) -> SendResult:
        try:
            self._mail.deliver(connection, message)
        except smtplib.SMTPException as error:
            if isinstance(error.__context__, TimeoutError):
                self._given_up = SendResult(Outcome.RETRY, error="not tried: the server had stopped answering")
            return SendResult(judge(error, connection.is_in_doubt), error=describe(error))
        return SendResult(Outcome.SENT, provider_id=message.msgId)


class _TextMessage(Message):
    """Renders what Flask-Mail's own message renders wrongly."""

    def _message(self) -> MIMEBase:
        """Leave the headers as Flask-Mail encoded them.

        Its policy folds them anew, and Python then loses the quoting of a long From whose name has brackets or commas.
        """
        mail = super()._message()
        mail.policy = policy.SMTP.clone(refold_source="none")
        return mail

    def _mimetext(self, text: str | None, subtype: str = "plain") -> MIMEText:
        """Use quoted-printable: 8-bit text with a long note breaks RFC 5321's 1,000 octets a line, and is refused."""
        charset = Charset("utf-8")
        charset.body_encoding = QP
        part = MIMEText("", subtype, "utf-8")
        del part["Content-Transfer-Encoding"]
        part.set_payload(text or "", charset)
        return part


def _ascii_address(address: str) -> str | None:
    """The address as SMTP can carry it everywhere, or None: a local part outside ASCII would need SMTPUTF8."""
    local, _, domain = address.rpartition("@")
    try:
        candidate = f"{local}@{domain.encode('idna').decode('ascii')}"
    except UnicodeError:
        return None
    return candidate if len(candidate) <= 254 and ADDRESS.fullmatch(candidate) else None
