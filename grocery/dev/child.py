"""One process of the shop: started in its own session, its output read line by line, started again when it dies."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import IO

from grocery.embedded.processes import die_with_parent

_FIRST_DELAY_S = 0.5
_MAX_DELAY_S = 30.0
# A process that ran for this long did not die of the same thing as last time.
_CALM_S = 60.0


@dataclass
class Child:
    """A command of the shop. ``port``: where it listens; what it leaves there must be killed before it starts again."""

    name: str
    arguments: tuple[str, ...]
    port: int | None = None
    process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _delay: float = field(default=_FIRST_DELAY_S, init=False)
    _started_at: float = field(default=0.0, init=False)
    _start_again_at: float = field(default=0.0, init=False)

    def start(self, environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
        """Start it; the caller reads ``process.stdout``."""
        self._started_at = time.monotonic()
        self.process = subprocess.Popen(
            [sys.executable, *self.arguments],
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            bufsize=0,
            start_new_session=True,
            preexec_fn=die_with_parent(signal.SIGTERM),
        )
        return self.process

    def schedule_restart(self) -> float:
        """Decide when to start it again; returns the seconds until then."""
        if time.monotonic() - self._started_at > _CALM_S:
            self._delay = _FIRST_DELAY_S
        delay, self._delay = self._delay, min(_MAX_DELAY_S, 2 * self._delay)
        self._start_again_at = time.monotonic() + delay
        self.process = None
        return delay

    def is_due(self) -> bool:
        """Whether it waits for its start and the time has come."""
        return self.process is None and time.monotonic() >= self._start_again_at


class Lines:
    """Cuts what a process writes into lines."""

    def __init__(self, name: str, pipe: IO[bytes]) -> None:
        self.name = name
        self._pipe = pipe
        self._rest = b""

    def read(self) -> list[str] | None:
        """The lines that have come, or None once at the end, when all who could write are gone."""
        part = os.read(self._pipe.fileno(), 65536)
        *complete, self._rest = (self._rest + part).split(b"\n")
        if not part and not self._rest:
            self._pipe.close()
            return None
        if not part:
            complete, self._rest = [self._rest], b""
        return [line.decode(errors="replace").rstrip("\r") for line in complete]


def how_it_ended(code: int) -> str:
    """An exit code in words."""
    return f"was ended by signal {-code}" if code < 0 else f"ended with exit code {code}"
