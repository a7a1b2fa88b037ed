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
from typing import Any, Final, Protocol, Self

from flask import Flask
from flask_mail import Mail, Message

from grocery.notify.clients.letter import Letter
from grocery.notify.clients.smtp import SmtpConnection, describe, judge, meets_every_mail
from grocery.notify.outcome import Outcome, SendResult, one_line

log = logging.getLogger("grocery.notify.mail")

# RFC 5321's dot-atom, in ASCII: what a server without SMTPUTF8 takes, and nothing that could start a header or a list.
_ATOM: Final = r"[\w!#$%&'*+/=?^`{|}~-]+"
ADDRESS: Final = re.compile(rf"{_ATOM}(\.{_ATOM})*@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*", re.ASCII)
MESSAGE_ID: Final = re.compile(r"<[^\s<>@]+@[^\s<>@]+>", re.ASCII)
HEADER_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9-]*", re.ASCII)
# RFC 5322 2.1.1: a line has 998 octets at the most, and none of these headers is folded.
HEADER_VALUE: Final = re.compile(r"[!-~][ -~]{0,900}")
SUBJECT_LENGTH: Final = 200


class MailSession(Protocol):
    """Something that hands mails over, one after the other."""

    def send(self, letter: Letter) -> SendResult:
        """Send one mail to one address; what goes wrong is told by the result, not by an exception."""


class MailBackend(MailSession, Protocol):
    """A session of its own for a single mail, or one session for many."""

    def session(self) -> AbstractContextManager[MailSession]:
        """Share one connection: `with backend.session() as session: session.send(…)`."""


class ConsoleMail:
    """Writes mails to the log, for development without a server.

    With `hides_content` neither text nor address: a token in a log opens an account to whoever reads that.
    """

    def __init__(self, *, hides_content: bool = False) -> None:
        self._hides_content = hides_content

    def send(self, letter: Letter) -> SendResult:
        """Log the mail in one line; in development links and codes are shown, since nothing else delivers them."""
        if self._hides_content:
            log.info("e-mail of %d characters, hidden since this is production; nothing is sent", len(letter.body))
        else:
            log.info("e-mail to %s: %s: %s", letter.to, one_line(letter.subject), one_line(letter.body, limit=5000))
        return SendResult(Outcome.SENT, provider_id=letter.message_id)

    def session(self) -> AbstractContextManager[MailSession]:
        """Nothing is shared, since nothing is opened."""
        return nullcontext(self)


class SmtpMail:
    """Sends over SMTP, and with a login if both `username` and `password` are set.

    `use_tls` is STARTTLS with a verified certificate, `use_implicit_tls` the same from the first byte. `sender` is an
    address, or a name and an address, which then takes the place of `shop_name`; `timeout` is in seconds for each
    answer of the server. Raises ValueError for settings that could never send.
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
        use_implicit_tls: bool = False,
        tls_context: ssl.SSLContext | None = None,
        timeout: float = 10.0,
    ) -> None:
        named = getaddresses([sender])
        name, written = named[0] if len(named) == 1 else ("", "")
        address = ascii_address(written)
        if address is None:
            raise ValueError(f"the sender must be one e-mail address, not {one_line(sender)!r}")
        if not ((username or "") + (password or "")).isascii():
            raise ValueError("smtplib can log in with ASCII user names and passwords only")
        self._name, self._address = one_line(name or shop_name), address
        self._timeout = timeout
        self.is_implicit = use_implicit_tls
        is_encrypted = use_tls or use_implicit_tls
        self._tls_context = (tls_context or ssl.create_default_context()) if is_encrypted else None
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

    def send(self, letter: Letter) -> SendResult:
        """Send one mail over a connection of its own."""
        with self.session() as session:
            return session.send(letter)

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
        connection = SmtpConnection(state, own_name, self._timeout, self._tls_context, self.is_implicit)
        return connection.__enter__()

    def compose(self, letter: Letter, address: str) -> Message:
        """Build the mail to `address`, which must be in ASCII; the headers of the letter must be sound."""
        message = _Mail(
            subject=one_line(letter.subject, SUBJECT_LENGTH),
            recipients=[address],
            body=letter.body,
            html=letter.html,
            sender=self._address,
            # RFC 3834: keeps holiday responders from answering the shop.
            extra_headers={"Auto-Submitted": "auto-generated", **letter.headers},
        )
        # Set afterwards, because the constructor joins the pair without quoting: "Mama, Fresh" would break the header.
        message.sender = (self._name, self._address)
        message.msgId = letter.message_id
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

    def send(self, letter: Letter) -> SendResult:
        """Send one mail over this session's connection."""
        address = ascii_address(letter.to)
        if address is None:
            return SendResult(Outcome.FAILED, error=f"not an e-mail address: {one_line(letter.to, limit=100)}")
        fault = _find_fault(letter)
        if fault is not None:
            return SendResult(Outcome.FAILED, error=fault)
        message = self._mail.compose(letter, address)
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
            self._given_up = SendResult(Outcome.RETRY, error=describe(error), is_general=True)
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
                silent = "not tried: the server had stopped answering"
                self._given_up = SendResult(Outcome.RETRY, error=silent, is_general=True)
            outcome = judge(error, connection.is_in_doubt)
            return SendResult(
                outcome,
                # It may have been taken: what bounces will name it.
                provider_id=message.msgId if outcome is Outcome.UNKNOWN else None,
                error=describe(error),
                is_general=outcome is Outcome.RETRY and meets_every_mail(error),
            )
        return SendResult(Outcome.SENT, provider_id=message.msgId)


class _Mail(Message):
    """Renders what Flask-Mail's own message renders wrongly."""

    def _message(self) -> MIMEBase:
        """Leave the headers as Flask-Mail encoded them, and a mail without attachments without the room for them.

        Its policy folds them anew, and Python then loses the quoting of a long From whose name has brackets or commas.
        """
        mail = super()._message()
        if self.html is not None:
            alternatives: Any = mail.get_payload(0)
            mail.set_payload(alternatives.get_payload())
            mail.set_type("multipart/alternative")
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


def _find_fault(letter: Letter) -> str | None:
    """What of the letter's headers would break the mail or make others, if anything."""
    if not MESSAGE_ID.fullmatch(letter.message_id):
        return f"not a Message-ID: {one_line(letter.message_id, limit=100)}"
    for name, value in letter.headers.items():
        if not (HEADER_NAME.fullmatch(name) and HEADER_VALUE.fullmatch(value)):
            return f"not a header: {one_line(f'{name}: {value}', limit=100)}"
    return None


def ascii_address(address: str) -> str | None:
    """The address as SMTP can carry it everywhere, or None: a local part outside ASCII would need SMTPUTF8."""
    local, _, domain = address.rpartition("@")
    try:
        candidate = f"{local}@{domain.encode('idna').decode('ascii')}"
    except UnicodeError:
        return None
    return candidate if len(candidate) <= 254 and ADDRESS.fullmatch(candidate) else None
