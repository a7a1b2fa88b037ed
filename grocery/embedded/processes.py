"""Starting and ending a server process that must never outlive its keeper."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from grocery.embedded.account import Account
from grocery.embedded.errors import EmbeddedStackError, last_lines

_PR_SET_PDEATHSIG = 1
# Loaded here because nothing may be loaded between fork and exec. Other systems have no such signal: there the next
# start ends what an earlier keeper left behind.
_LIBC = ctypes.CDLL(None) if sys.platform == "linux" else None
_MAX_LOG_BYTES = 10_000_000
_READY_TIMEOUT_S = 60.0


def die_with_parent(death_signal: int, parent: int | None = None) -> Callable[[], None]:
    """Return a function that, called in a new process, has the kernel send it ``death_signal`` when its parent dies.

    Meant as ``preexec_fn``: the parent is then the caller of this. The signal is bound to the thread that forks, so
    that one must live as long as its process.
    """
    parent = parent or os.getpid()

    def arrange() -> None:
        if _LIBC is not None:
            _LIBC.prctl(_PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
            # The parent may have died before the call above; then nobody would ever send the signal.
            if os.getppid() != parent:
                os._exit(1)

    return arrange


def spawn(
    command: Sequence[str], *, cwd: Path, account: Account, log: BinaryIO, death_signal: int, keep: Sequence[int] = ()
) -> subprocess.Popen[bytes]:
    """Start a server in its own session that gets ``death_signal`` when this process dies.

    ``keep`` lists file descriptors to hand down. Its own session keeps a terminal's Ctrl-C away from it.
    """
    return subprocess.Popen(
        command,
        cwd=cwd,
        env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        start_new_session=True,
        umask=0o077,
        pass_fds=tuple(keep),
        preexec_fn=die_with_parent(death_signal),
        **account.spawn_options(),
    )


def open_log(log: Path) -> BinaryIO:
    """Open a log for appending with mode 0600, putting an overlong one aside first.

    The file belongs to the owner of its directory, so that a run as root does not lock the user out afterwards.
    """
    if log.exists() and log.stat().st_size > _MAX_LOG_BYTES:
        log.replace(log.with_suffix(".log.1"))
    return os.fdopen(open_private(log, os.O_WRONLY | os.O_APPEND), "ab", buffering=0)


def open_private(path: Path, flags: int) -> int:
    """Open a file, created with mode 0600 for the owner of its directory; returns the descriptor."""
    descriptor = os.open(path, flags | os.O_CREAT | os.O_CLOEXEC, 0o600)
    directory = path.parent.stat()
    if os.geteuid() == 0 and directory.st_uid != os.fstat(descriptor).st_uid:
        os.fchown(descriptor, directory.st_uid, directory.st_gid)
    return descriptor


@dataclass
class Server:
    """One of the two servers: how to start it, how to ask whether it answers, how to end it."""

    name: str
    command: list[str]
    cwd: Path
    account: Account
    log: Path
    answers: Callable[[], bool]
    # Signals in the order to try, each with the seconds it gets; the kernel too sends the first, when the keeper dies.
    stop_signals: tuple[tuple[int, float], ...]
    keep: Sequence[int] = ()
    prepare: Callable[[], None] = lambda: None
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    @property
    def pid(self) -> int | None:
        """The process id, or None before the start."""
        return self.process.pid if self.process else None

    def start(self) -> None:
        """Start the process without waiting for it to answer."""
        self.prepare()
        with open_log(self.log) as log:
            self.process = spawn(
                self.command,
                cwd=self.cwd,
                account=self.account,
                log=log,
                death_signal=self.stop_signals[0][0],
                keep=self.keep,
            )

    def is_running(self) -> bool:
        """Whether the process exists."""
        return self.process is not None and self.process.poll() is None

    def wait_until_it_answers(self) -> None:
        """Wait for the first answer; raises EmbeddedStackError with the end of the log when it does not come."""
        deadline = time.monotonic() + _READY_TIMEOUT_S
        while not self.answers():
            if not self.is_running():
                raise EmbeddedStackError(f"{self.name} ended while starting; {self.log} says:{last_lines(self.log)}")
            if time.monotonic() > deadline:
                raise EmbeddedStackError(
                    f"{self.name} gave no answer for {_READY_TIMEOUT_S:.0f} s; {self.log} says:{last_lines(self.log)}"
                )
            time.sleep(0.01)


def stop_servers(servers: Iterable[Server]) -> None:
    """End all servers at once, with a harder signal for those that do not follow the first."""
    left = [server for server in servers if server.is_running()]
    for step in range(max((len(server.stop_signals) for server in left), default=0)):
        for server in left:
            if server.process:
                server.process.send_signal(server.stop_signals[step][0])
        deadline = time.monotonic() + max((server.stop_signals[step][1] for server in left), default=0)
        while left and time.monotonic() < deadline:
            left = [server for server in left if server.is_running()]
            time.sleep(0.01)


# PostgreSQL: fast shutdown, then immediate (recovers at the next start). Valkey knows only an orderly end.
POSTGRES_STOP = ((signal.SIGINT, 3.0), (signal.SIGQUIT, 1.5), (signal.SIGKILL, 0.5))
VALKEY_STOP = ((signal.SIGTERM, 3.0), (signal.SIGKILL, 1.5), (signal.SIGKILL, 0.5))
