"""A real SMTP server on loopback (aiosmtpd) that keeps what it was given, and misbehaves when told to."""

import asyncio
import ssl
import threading
from collections import defaultdict, deque
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from enum import Enum, auto
from types import TracebackType
from typing import Any, AnyStr, Self
from weakref import WeakSet

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from tests.waiting import PATIENCE_SECONDS

MAX_HANG_SECONDS = 60.0


class Trouble(Enum):
    """What a command can meet instead of an answer."""

    DROP = auto()
    HANG = auto()


@dataclass(frozen=True)
class Mail:
    """One mail that was taken, its text decoded and its line ends plain."""

    envelope_from: str
    envelope_to: list[str]
    to: str
    subject: str
    body: str
    message_id: str
    message: EmailMessage
    raw: bytes
    connection: int
    at: datetime


class FakeSmtp:
    """A context manager; `host` and `port` say where it listens, `mails` what it took.

    With `tls` it offers STARTTLS, or speaks TLS from the first byte if `is_implicit`. `login` is the pair of user name
    and password that it demands; it needs `tls`, since AUTH is offered over TLS only.
    `connections` and `logins` count what was tried, `commands` how often each command came.
    """

    host = "127.0.0.1"

    def __init__(
        self, tls: ssl.SSLContext | None = None, login: tuple[str, str] | None = None, is_implicit: bool = False
    ) -> None:
        self.connections = 0
        self.logins = 0
        self.commands: dict[str, int] = defaultdict(int)
        self._login = login
        self._mails: list[Mail] = []
        self._refusals: dict[str, str] = {}
        self._script: dict[str, deque[Trouble | str]] = defaultdict(deque)
        self._always: dict[str, Trouble | str] = {}
        self._changed = threading.Condition()
        self._lines: WeakSet[_Server] = WeakSet()
        self._controller = _Controller(self, tls, login is not None, is_implicit)

    def __enter__(self) -> Self:
        self._controller.start()
        self.port: int = self._controller.port
        self.clear()  # the controller makes a connection of its own to prove that it listens
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        asyncio.run_coroutine_threadsafe(self._hang_up_all(), self._controller.loop).result(60)
        self._controller.stop()

    async def _hang_up_all(self) -> None:
        """Close what is still open: asyncio complains of every transport that its loop leaves behind."""
        for line in list(self._lines):
            if isinstance(line.transport, asyncio.Transport):
                line.transport.abort()
                await line.gone.wait()

    @property
    def mails(self) -> list[Mail]:
        """What was taken so far."""
        with self._changed:
            return list(self._mails)

    def misbehave(self, command: str, trouble: Trouble | str, times: int | None = 1) -> None:
        """Answer `command` with `trouble`: an answer such as "451 4.3.0 Later", a dropped line or silence.

        Commands are GREETING, EHLO, MAIL, RCPT, DATA, QUIT; TEXT is the end of a mail's text, and a mail whose text is
        dropped or hung upon has been taken, the worst case for the sender. `times` None means from now on.
        """
        with self._changed:
            if times is None:
                self._always[command] = trouble
            else:
                self._script[command].extend([trouble] * times)

    def refuse(self, address: str, reply: str) -> None:
        """Answer RCPT for this address with `reply`, such as "550 5.1.1 No such user", from now on."""
        self._refusals[address] = reply

    def behave(self) -> None:
        """Forget every trouble and refusal."""
        with self._changed:
            self._script.clear()
            self._always.clear()
            self._refusals.clear()

    def clear(self) -> None:
        """Forget the recorded mails and counts."""
        with self._changed:
            self._mails.clear()
            self.commands.clear()
            self.connections = self.logins = 0

    def wait_for(self, count: int, timeout: float = PATIENCE_SECONDS) -> list[Mail]:
        """Wait until `count` mails were taken and return them all; raises AssertionError after `timeout` seconds."""
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._mails) >= count, timeout):
                raise AssertionError(f"{len(self._mails)} of {count} mails were taken within {timeout} s")
            return list(self._mails)

    def connect(self, line: "_Server") -> int:
        """Number a new connection."""
        self._lines.add(line)
        self.connections += 1
        return self.connections

    def next_trouble(self, command: str) -> Trouble | str | None:
        """Count the command and say what it shall meet."""
        with self._changed:
            self.commands[command] += 1
            script = self._script[command]
            return script.popleft() if script else self._always.get(command)

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """aiosmtpd's hook: take or refuse a recipient."""
        if address in self._refusals:
            return self._refusals[address]
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, server: "_Server", session: Session, envelope: Envelope) -> str:
        """aiosmtpd's hook: take or refuse a mail whose text has come."""
        trouble = self.next_trouble("TEXT")
        if isinstance(trouble, str):
            return trouble
        self._record(envelope, server.number)
        if trouble is not None:
            await server.suffer(trouble)
        return "250 2.0.0 Ok: queued"

    def _record(self, envelope: Envelope, connection: int) -> None:
        raw = envelope.original_content or b""
        message = message_from_bytes(raw, policy=policy.default)
        assert isinstance(message, EmailMessage)
        text = message.get_body(("plain",))
        mail = Mail(
            envelope_from=envelope.mail_from or "",
            envelope_to=list(envelope.rcpt_tos),
            to=str(message["To"]),
            subject=str(message["Subject"]),
            body=text.get_content().replace("\r\n", "\n") if text is not None else "",
            message_id=str(message["Message-ID"]),
            message=message,
            raw=raw,
            connection=connection,
            at=datetime.now(UTC),
        )
        with self._changed:
            self._mails.append(mail)
            self._changed.notify_all()

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        """aiosmtpd's hook: check user name and password."""
        self.logins += 1
        given = (data.login.decode(), data.password.decode()) if isinstance(data, LoginPassword) else None
        return AuthResult(success=given == self._login, handled=False)

    async def handle_exception(self, error: Exception) -> str:
        """aiosmtpd's hook: stay silent, a client that refuses the certificate is what a test is about."""
        return f"500 {type(error).__name__}"


class _Controller(Controller):
    def __init__(self, fake: FakeSmtp, tls: ssl.SSLContext | None, auth_required: bool, is_implicit: bool) -> None:
        super().__init__(
            fake,
            hostname=FakeSmtp.host,
            port=0,
            server_hostname="mail.fake.test",
            tls_context=None if is_implicit else tls,
            ssl_context=tls if is_implicit else None,
            auth_require_tls=not is_implicit,
            # aiosmtpd does not know of TLS from the first byte: it would take the line for a bare one.
            auth_required=auth_required and not is_implicit,
            authenticator=fake.authenticate,
        )

    def factory(self) -> "_Server":
        return _Server(self.handler, **self.SMTP_kwargs)

    def _trigger_server(self) -> None:
        # The port is known only now, and aiosmtpd is about to call it.
        assert isinstance(self.server, asyncio.Server)
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


class _Server(SMTP):
    """One connection; asks the fake before each command."""

    def __init__(self, fake: FakeSmtp, **settings: Any) -> None:
        super().__init__(fake, **settings)
        self._fake = fake
        self.number = fake.connect(self)
        self.gone = asyncio.Event()

    def connection_lost(self, error: Exception | None) -> None:
        super().connection_lost(error)
        self.gone.set()

    async def push(self, status: AnyStr) -> None:
        await super().push(status)
        if str(status).startswith("421"):
            # RFC 5321 3.8: who answers 421 closes the connection.
            self._hang_up()

    async def suffer(self, trouble: Trouble) -> None:
        """Never return: asyncio cancels this when the connection is gone."""
        if trouble is Trouble.DROP:
            self._hang_up()
        await asyncio.sleep(MAX_HANG_SECONDS)

    def _hang_up(self) -> None:
        if self.transport is not None:
            self.transport.close()

    async def _is_spoiled(self, command: str) -> bool:
        trouble = self._fake.next_trouble(command)
        if isinstance(trouble, Trouble):
            await self.suffer(trouble)
        elif trouble is not None:
            await self.push(trouble)
        return trouble is not None

    async def _handle_client(self) -> None:
        if not await self._is_spoiled("GREETING"):
            await super()._handle_client()

    async def smtp_EHLO(self, hostname: str) -> None:
        if not await self._is_spoiled("EHLO"):
            await super().smtp_EHLO(hostname)

    async def smtp_MAIL(self, arg: str | None) -> None:
        if not await self._is_spoiled("MAIL"):
            await super().smtp_MAIL(arg)

    async def smtp_RCPT(self, arg: str | None) -> None:
        if not await self._is_spoiled("RCPT"):
            await super().smtp_RCPT(arg)

    async def smtp_DATA(self, arg: str) -> None:
        if not await self._is_spoiled("DATA"):
            await super().smtp_DATA(arg)

    async def smtp_QUIT(self, arg: str) -> None:
        if not await self._is_spoiled("QUIT"):
            await super().smtp_QUIT(arg)
