"""The guard: a small process that ends the shop's processes when the supervisor was killed and could not.

The kernel's parent-death signal reaches only the supervisor's children, not theirs. The guard reads from a pipe which
sessions there are (``+number``, ``-number``); the pipe's end, however it comes, is its cue.
"""

import signal
import subprocess
import sys
import time
from contextlib import suppress
from typing import IO

from grocery.dev import sessions

_GRACE_S = 3.0


class Guard:
    """The supervisor's end of the pipe."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "grocery.dev.guard"], stdin=subprocess.PIPE, start_new_session=True
        )

    def watch(self, session: int) -> None:
        """Have this session ended when the supervisor dies."""
        self._say(f"+{session}\n")

    def forget(self, session: int) -> None:
        """Nothing of this session is left; its number may be given to a stranger."""
        self._say(f"-{session}\n")

    def dismiss(self) -> None:
        """End the guard, whose work is done."""
        with suppress(BrokenPipeError, subprocess.TimeoutExpired):
            self._process.communicate(timeout=_GRACE_S + 3)

    def _say(self, line: str) -> None:
        # A guard that was killed is missed only if the supervisor is killed too.
        with suppress(BrokenPipeError):
            if self._process.stdin:
                self._process.stdin.write(line.encode())
                self._process.stdin.flush()


def watch_over(orders: IO[str]) -> None:
    """Note sessions until the pipe ends, then end what is left of them, politely at first."""
    watched: set[int] = set()
    for line in orders:
        session = int(line[1:])
        watched.add(session) if line[0] == "+" else watched.discard(session)
    deadline = time.monotonic() + _GRACE_S
    sessions.send(watched, signal.SIGTERM)
    while any(sessions.members(session) for session in watched) and time.monotonic() < deadline:
        time.sleep(0.05)
    sessions.kill(watched)


if __name__ == "__main__":
    watch_over(sys.stdin)
