"""One SMTP connection that survives what servers do, and what their answers mean."""

import logging
import smtplib
import ssl
from contextlib import ExitStack
from types import TracebackType
from typing import Any, Final

from flask_mail import Connection

from grocery.notify.outcome import Outcome, one_line

log = logging.getLogger("grocery.notify.mail")

GOODBYE_SECONDS: Final = 2.0


class SmtpConnection(Connection):
    """Flask-Mail's connection with a timeout, verified TLS, and a goodbye that cannot fail.

    With a `tls_context` it is encrypted: from its first byte if `is_implicit` (RFC 8314 3.3, port 465), else by
    STARTTLS.
    """

    def __init__(
        self, state: Any, own_name: str, timeout: float, tls_context: ssl.SSLContext | None, is_implicit: bool = False
    ) -> None:
        super().__init__(state)
        self._own_name = own_name
        self._timeout = timeout
        self._tls_context = tls_context
        self._is_implicit = is_implicit

    @property
    def is_open(self) -> bool:
        """Whether the server has not hung up."""
        return self.host is not None and self.host.sock is not None

    @property
    def is_in_doubt(self) -> bool:
        """Whether a mail's text was on its way and no answer came."""
        return isinstance(self.host, _Smtp) and self.host.is_in_doubt

    def configure_host(self) -> smtplib.SMTP:
        """Connect, encrypt and log in; raises OSError, of which smtplib's exceptions are children."""
        host = self._dial()
        with ExitStack() as undo:
            undo.callback(host.close)
            if self._tls_context is not None and not self._is_implicit:
                host.starttls(context=self._tls_context)
            host.ehlo_or_helo_if_needed()
            if self.mail.username and self.mail.password:
                host.login(self.mail.username, self.mail.password)
            undo.pop_all()
        return host

    def _dial(self) -> "_Smtp":
        server, port, name = self.mail.server, self.mail.port, self._own_name
        if self._is_implicit:
            return _SmtpOverTls(server, port, name, timeout=self._timeout, context=self._tls_context)
        return _Smtp(server, port, name, timeout=self._timeout)

    def close(self) -> None:
        """Hang up without a word."""
        if self.host is not None:
            self.host.close()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Say QUIT and do not mind the answer: what the server took it has, and sending it again would double it."""
        try:
            if kind is None and self.host is not None and self.host.sock is not None:
                self.host.sock.settimeout(min(self._timeout, GOODBYE_SECONDS))
                self.host.quit()
        except OSError as failure:
            log.debug("the mail server hung up at QUIT: %s", failure)
        finally:
            self.close()


class _Smtp(smtplib.SMTP):
    """Knows whether a lost connection may have cost an answer that was already given."""

    is_in_doubt = False

    def getreply(self) -> tuple[int, bytes]:
        code, reply = super().getreply()
        # After 354 the text is sent; until the next reply is read the server may have taken it (RFC 5321 6.1).
        self.is_in_doubt = code == 354
        return code, reply


class _SmtpOverTls(_Smtp, smtplib.SMTP_SSL):
    """The same, encrypted from the first byte."""


def judge(error: smtplib.SMTPException, is_in_doubt: bool) -> Outcome:
    """Read the server's answer: RFC 5321 4.2.1, 4xx is for now and 5xx for good.

    5xx before the recipient is named (the sender is refused) and 530 (RFC 4954: log in first) would meet every mail
    alike: the shop's settings are wrong, and no mail should be lost for it.
    """
    if is_in_doubt:
        return Outcome.UNKNOWN
    code = _code(error)
    if not isinstance(error, smtplib.SMTPRecipientsRefused | smtplib.SMTPDataError) or code == 530:
        return Outcome.RETRY
    if 500 <= code < 600:
        return Outcome.FAILED
    is_gibberish = isinstance(error, smtplib.SMTPDataError) and not 400 <= code < 500
    return Outcome.UNKNOWN if is_gibberish else Outcome.RETRY


def meets_every_mail(error: smtplib.SMTPException) -> bool:
    """Whether the server's answer is about the shop, so that the next mail would get the same one.

    That is when no recipient was named yet: the sender is refused. And 530 (RFC 4954): log in first.
    """
    return isinstance(error, smtplib.SMTPSenderRefused) or _code(error) == 530


def _code(error: Exception) -> int:
    return _reply(error)[0]


def _reply(error: Exception) -> tuple[int, bytes]:
    """The server's code and words, -1 and nothing when it did not answer."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return next(iter(error.recipients.values()))
    if isinstance(error, smtplib.SMTPResponseException):
        words = error.smtp_error
        return error.smtp_code, words if isinstance(words, bytes) else words.encode()
    return -1, b""


def describe(error: Exception) -> str:
    """The server's own code and words if it answered, else what broke."""
    code, words = _reply(error)
    if code < 0:
        return one_line(f"{type(error).__name__}: {error}")
    return one_line(f"{code} {words.decode('utf-8', 'replace')}")
