"""granian's parent: starts it, tells its workers when the server is to end, and ends it.

It works as the first process of a container, too: signals are taken from the kernel's queue, where they wait even for
a first process without handlers, and orphans that end are buried.
"""

import logging
import os
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from grocery.config import Settings
from grocery.embedded.processes import die_with_parent
from grocery.liveness import Liveness
from grocery.local import local_address

log = logging.getLogger(__name__)

#: Seconds for the requests under way when draining is over: a statement may take 15.
FINISH_SECONDS = 20

# What granian needs after that to kill what has not finished.
_KILL_SECONDS = 3.0

_ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
_AWAITED = (*_ENDING, signal.SIGCHLD)


class Server:
    """One API server at an address that was found free."""

    def __init__(self, settings: Settings, host: str, port: int):
        self._settings = settings
        self._host = host
        self._port = port

    def run(self) -> int:
        """Serve until SIGTERM, SIGINT or SIGHUP, or until granian ends by itself; returns the exit code."""
        # Before there is a child, so that no signal is lost.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, _AWAITED)
        try:
            with ExitStack() as stack:
                directory = Path(stack.enter_context(TemporaryDirectory(prefix="grocery-")))
                drain_file = self._settings.drain_file or directory / "draining"
                _clear(drain_file)
                granian = self._start(directory, drain_file)
                stack.callback(_kill_group, granian)
                Liveness(self._settings.liveness_file).point_to(
                    f"http://{local_address(self._host, self._port)}/healthz"
                )
                return self._attend(granian, drain_file)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def _start(self, directory: Path, drain_file: Path) -> subprocess.Popen[bytes]:
        metrics = self._settings.prometheus_multiproc_dir or directory
        environ = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(metrics), "DRAIN_FILE": str(drain_file)}
        tie = die_with_parent(signal.SIGTERM)

        def prepare() -> None:
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _AWAITED)
            tie()

        return subprocess.Popen(
            [sys.executable, *granian_arguments(self._settings, self._host, self._port)],
            env=environ,
            stdin=subprocess.DEVNULL,
            # A group of its own keeps a terminal's Ctrl-C away from it.
            process_group=0,
            preexec_fn=prepare,
        )

    def _attend(self, granian: subprocess.Popen[bytes], drain_file: Path) -> int:
        _bury_children(granian)  # those that ended before their signals were waited for
        if not _is_told_to_end(granian, None):
            code = granian.returncode
            log.error("granian has ended by itself with exit code %d", code)
            return 128 - code if code < 0 else code or 1
        if self._settings.drain_seconds:
            log.info("told to end: served on for %d s, while proxies turn away", self._settings.drain_seconds)
            try:
                drain_file.touch()
            except OSError as error:
                log.error("the workers cannot be told: %s", error)
            _is_told_to_end(granian, self._settings.drain_seconds)
        log.info("requests under way finish")
        granian.terminate()
        if _is_told_to_end(granian, FINISH_SECONDS + _KILL_SECONDS) or granian.returncode is None:
            log.warning("requests under way are broken off")
        log.info("the server has stopped")
        return 0


def granian_arguments(settings: Settings, host: str, port: int) -> list[str]:
    """What Python is to run. HTTP/1 only: HTTP/2 has no `Connection: close`, by which proxies are sent away."""
    return [
        *("-m", "granian", "--interface", "wsgi", "--http", "1", "--no-ws"),
        *("--workers", str(settings.server_processes), "--blocking-threads", str(settings.server_threads)),
        *("--respawn-failed-workers", "--workers-kill-timeout", str(FINISH_SECONDS)),
        *("--host", host, "--port", str(port), "--factory", "grocery.serving.loading:load_app"),
    ]


def _clear(drain_file: Path) -> None:
    """Take away what a container left that was started again. Raises OSError now rather than when it is to be made."""
    drain_file.unlink(missing_ok=True)
    drain_file.touch()
    drain_file.unlink()


def _is_told_to_end(granian: subprocess.Popen[bytes], seconds: float | None) -> bool:
    """Wait for a signal to end. False when the time is up, and when granian has ended."""
    deadline = None if seconds is None else time.monotonic() + seconds
    while granian.returncode is None:
        left = 3600.0 if deadline is None else deadline - time.monotonic()
        if left <= 0:
            return False
        told = signal.sigtimedwait(_AWAITED, left)
        if told is None:
            continue
        if told.si_signo in _ENDING:
            if told.si_signo == signal.SIGHUP and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:
                continue  # `nohup`: the kernel hands over what is waited for, though it is ignored
            return True
        _bury_children(granian)
    return False


def _bury_children(granian: subprocess.Popen[bytes]) -> None:
    """Take note of every child that has ended: granian, and orphans that the first process of a container inherits."""
    with suppress(ChildProcessError):
        while ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            if ended.si_pid == granian.pid:
                granian.wait()
            else:
                os.waitpid(ended.si_pid, 0)


def _kill_group(granian: subprocess.Popen[bytes]) -> None:
    """Leave nothing behind: not granian, and not its workers when it was killed itself."""
    with suppress(ProcessLookupError):
        os.killpg(granian.pid, signal.SIGKILL)
    granian.wait()
