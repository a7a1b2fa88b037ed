"""The supervisor: starts everything in order, keeps it running, and ends all of it.

One thread and one loop, so that forking is safe and the kernel's parent-death signal, which is bound to a thread, means
this process.
"""

import http.client
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from selectors import EVENT_READ, DefaultSelector
from types import FrameType

from grocery.config import Settings
from grocery.dev import sessions
from grocery.dev.address import check_address
from grocery.dev.child import Child, Lines, how_it_ended
from grocery.dev.guard import Guard
from grocery.dev.output import Terminal, welcome
from grocery.embedded import Stack, ensure_stack
from grocery.local import local_address

NAME = "make run"
_TURN_S = 0.2
# Together with a second for killing and the embedded stack's limit (5 s at worst, 0.2 s as a rule), that makes 10.
_GRACE_S = 4.0
# While nobody has been served yet there is nothing to finish, and a server that still loads would not hear of it.
_GRACE_WHILE_STARTING_S = 0.5
_PATIENCE_S = 30.0


class Supervisor:
    """Runs the shop with these settings, on an address that was found free."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._terminal = Terminal()
        self._selector = DefaultSelector()
        self._guard = Guard()
        self._stack: Stack | None = None
        self._preparation = Child("prepare", ("-m", "grocery.dev.prepare"))
        self._children, self._later = processes(settings)
        # Sessions that may still have processes, of children that run and of some that died.
        self._sessions: set[int] = set()
        self._is_open = False
        self._stop_signals = 0
        self._exit_code = 0

    def run(self) -> int:
        """Run until told to end by SIGINT, SIGTERM or SIGHUP; returns the exit code.

        Raises EmbeddedStackError when the servers do not start. Nothing is left running either way.
        """
        with self._signals():
            try:
                self._follow_stack()
                # The API loads while the database is prepared, and says that it is not ready yet.
                self._start(self._preparation, self._environ(with_urls=False))
                self._keep_running()
            finally:
                self._end()
        return self._exit_code

    @contextmanager
    def _signals(self) -> Iterator[None]:
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {number: signal.signal(number, self._note_signal) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _note_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._stop_signals += 1

    def _say(self, text: str) -> None:
        self._terminal.line(NAME, text)

    def _follow_stack(self) -> None:
        """Start the embedded stack if a URL is missing, and start it again should its keeper have been killed."""
        if self._settings.database_url and self._settings.redis_url:
            return
        if self._stack and self._stack.is_alive():
            return
        known = self._stack
        self._say("PostgreSQL and Valkey are gone, starting them again" if known else "starting PostgreSQL and Valkey")
        self._stack = ensure_stack(self._settings.data_dir)
        if known and known.database_url != self._stack.database_url:
            # Children that were started with the old address die by this and come back with the new one.
            sessions.send(self._sessions, signal.SIGTERM)

    def _environ(self, *, with_urls: bool = True) -> dict[str, str]:
        settings = self._settings
        environ = {**os.environ, "PYTHONUNBUFFERED": "1", "DATA_DIR": str(settings.data_dir)}
        # The relay is a `flask` command, which alone would take a .env of a parent folder.
        environ["FLASK_SKIP_DOTENV"] = "1"
        # There is no proxy that would have to turn away.
        environ["DRAIN_SECONDS"] = "0"
        environ |= {"HOST": settings.host, "PORT": str(settings.port)}
        if with_urls and self._stack:
            environ["DATABASE_URL"] = settings.database_url or self._stack.database_url
            environ["REDIS_URL"] = settings.redis_url or self._stack.redis_url
        return environ

    def _note_preparation(self) -> None:
        """Start the rest of the shop when the database is prepared; end if that failed."""
        code = self._preparation.process.poll() if self._preparation.process else None
        if code == 0:
            self._children += self._later
            self._preparation.process = None
            self._forget_ended_sessions()
        elif code is not None:
            self._read_the_rest()
            self._say(f"the database could not be prepared, see above ({how_it_ended(code)})")
            self._exit_code = 1

    def _start(self, child: Child, environ: dict[str, str]) -> None:
        process = child.start(environ)
        self._sessions.add(process.pid)
        self._guard.watch(process.pid)
        if process.stdout:
            self._selector.register(process.stdout, EVENT_READ, Lines(child.name, process.stdout))

    def _turn(self, seconds: float = _TURN_S) -> bool:
        """Pass on what the processes have written, after waiting up to ``seconds`` for it; False when nothing came."""
        ready = self._selector.select(seconds)
        for key, _ in ready:
            lines: Lines = key.data
            texts = lines.read()
            for text in texts or ():
                self._terminal.line(lines.name, text)
            if texts is None:
                self._selector.unregister(key.fileobj)
        if self._terminal.is_gone():
            self._stop_signals = max(1, self._stop_signals)
        return bool(ready)

    def _read_the_rest(self) -> None:
        while self._turn(0):
            pass

    def _keep_running(self) -> None:
        started_at = complained_at = time.monotonic()
        while not self._stop_signals and not self._exit_code:
            self._follow_stack()
            self._note_preparation()
            for child in self._children:
                self._note_death(child)
                if child.is_due():
                    self._start(child, self._environ())
            self._turn()
            if not self._is_open and not (problem := self._why_not_ready()):
                self._is_open = True
                self._terminal.write(welcome(self._settings))
            elif not self._is_open and time.monotonic() > complained_at + _PATIENCE_S:
                complained_at = time.monotonic()
                self._say(f"still not ready after {complained_at - started_at:.0f} s: {problem}")

    def _note_death(self, child: Child) -> None:
        code = child.process.poll() if child.process else None
        if child.process is None or code is None:
            return
        session = child.process.pid
        if child.port:
            sessions.kill({session})
            if not self._is_open:
                # Somebody may have taken the port since it was found free; then trying again would not help.
                check_address(self._settings.host, child.port)
        delay = child.schedule_restart()
        self._say(f"{child.name} {how_it_ended(code)}; starting it again in {delay:g} s")
        self._forget_ended_sessions()

    def _forget_ended_sessions(self) -> None:
        """A work-horse may outlive its worker for as long as its job takes; its session is watched until then."""
        for over in [session for session in self._sessions if not sessions.members(session)]:
            self._sessions.discard(over)
            self._guard.forget(over)

    def _why_not_ready(self) -> str | None:
        """Ask the shop whether it is ready: None when it is, with the demo's people in it too."""
        if self._preparation.process:
            return "the database is being prepared"
        connection = http.client.HTTPConnection(local_address(self._settings.host, self._settings.port), timeout=2)
        try:
            connection.request("GET", "/readyz")
            answer = connection.getresponse()
            return None if answer.status == 200 else f"{answer.status} {answer.read(300).decode(errors='replace')}"
        except (OSError, http.client.HTTPException) as error:
            return str(error)
        finally:
            connection.close()

    def _end(self) -> None:
        """End all: politely, after four seconds or at a second signal by force, the database last."""
        asked = self._stop_signals
        self._say("stopping")
        for child in (self._preparation, *self._children):
            if child.process:
                child.process.terminate()
        deadline = time.monotonic() + (_GRACE_S if self._is_open else _GRACE_WHILE_STARTING_S)
        while self._is_anything_left() and time.monotonic() < deadline and self._stop_signals <= max(asked, 1):
            self._turn(0.05)
        sessions.kill(self._sessions)
        self._read_the_rest()
        if self._stack:
            self._stack.stop()
        self._guard.dismiss()
        self._say("stopped")

    def _is_anything_left(self) -> bool:
        for child in (self._preparation, *self._children):
            if child.process:
                child.process.poll()
        return any(sessions.members(session) for session in self._sessions)


def processes(settings: Settings) -> tuple[list[Child], list[Child]]:
    """The processes of the shop: those that can start at once, and those that need the tables."""
    address = ("--host", settings.host, "--port", str(settings.port))
    stream_address = ("--host", settings.host, "--port", str(settings.stream_port))
    worker = ("-m", "rq.cli", "worker", "-w", "grocery.worker.Worker")
    return [Child("api", ("-m", "grocery.serving", *address), settings.port)], [
        Child("worker-orders", (*worker, "orders")),
        Child("worker-notify", (*worker, "notify")),
        Child("worker-bulk", (*worker, "bulk")),
        Child("relay", ("-m", "flask", "--app", "wsgi", "relay")),
        # What `flask stream` becomes, without loading the whole shop first.
        Child("stream", ("-m", "grocery.stream", *stream_address), settings.stream_port),
    ]
