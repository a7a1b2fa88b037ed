"""`python -m grocery.dev` as a process, and what of it still runs."""

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from grocery.config import setting_names
from tests.waiting import PATIENCE_SECONDS, stopwatch, wait_until

ROOT = Path(__file__).parents[2]
PARTS = {
    "api": "grocery.serving",
    "worker-orders": "grocery.worker.Worker\0orders",
    "worker-notify": "grocery.worker.Worker\0notify",
    "worker-bulk": "grocery.worker.Worker\0bulk",
    "relay": "wsgi\0relay",
    "stream": "grocery.stream\0",
}


def free_port() -> int:
    """A port for the shop, whose next one, for the streams, is free too.

    Of those that no system gives to outgoing connections: one of these could take the second in the meantime.
    """
    while True:
        port = random.randrange(20_000, 32_000, 2)
        if _is_free(port) and _is_free(port + 1):
            return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def wait_for_seconds(condition: Callable[[], Any]) -> float:
    """How long it took until `condition` was true."""
    with stopwatch() as watch:
        wait_until(condition)
    return watch.seconds


class Shop:
    """A run of the whole shop, away from the settings and the `.env` file of whoever runs the tests."""

    def __init__(self, data_dir: Path, **settings: str) -> None:
        self.data_dir = data_dir
        self.port = int(settings.setdefault("PORT", str(free_port())))
        data_dir.parent.mkdir(exist_ok=True)
        self._log = data_dir.parent / f"run-{self.port}.log"
        environ = {name: value for name, value in os.environ.items() if name not in setting_names()}
        self.started_at = time.monotonic()
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "grocery.dev"],
                cwd=data_dir.parent,
                env={**environ, "PYTHONPATH": str(ROOT), "DATA_DIR": str(data_dir), **settings},
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def output(self) -> str:
        return self._log.read_text()

    def readiness(self) -> dict[str, str] | None:
        """What /readyz says, if it says that the shop is ready."""
        with suppress(OSError), urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5) as answer:
            told: dict[str, str] = json.load(answer)
            return told
        return None

    def wait_until_open(self) -> float:
        """Wait for the screen; returns the seconds since the start."""
        wait_until(lambda: "Ctrl-C stops everything" in self.output or self.process.poll() is not None)
        assert self.process.poll() is None, self.output
        return time.monotonic() - self.started_at

    def lines(self, part: str) -> list[str]:
        """What a process has logged."""
        parted = [line.partition("|") for line in self.output.splitlines()]
        return [text.strip() for name, bar, text in parted if bar and name.strip() == part]

    def main_process(self, part: str) -> int | None:
        """The process that the supervisor started for this part."""
        for pid in self.running():
            status = Path(f"/proc/{pid}/stat")
            with suppress(OSError):
                parent = int(status.read_text().rpartition(")")[2].split()[1])
                if parent == self.process.pid and PARTS[part] in Path(f"/proc/{pid}/cmdline").read_text():
                    return pid
        return None

    def running(self) -> list[int]:
        """All processes of this run, however they were started: they have its DATA_DIR, the servers its sockets."""
        marks = [f"DATA_DIR={self.data_dir}\0".encode()]
        with suppress(OSError):
            marks.append(json.loads((self.data_dir / "stack.json").read_text())["runtime_dir"].encode())
        return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and _has(entry, marks)]

    def end(self, number: int = signal.SIGTERM) -> float:
        """Tell the supervisor to end; returns the seconds that it took."""
        with stopwatch() as watch:
            self.process.send_signal(number)
            self.process.wait(PATIENCE_SECONDS)
        return watch.seconds


def _has(process: Path, marks: list[bytes]) -> bool:
    try:
        text = b"".join((process / name).read_bytes() + b"\0" for name in ("environ", "cmdline"))
        is_zombie = (process / "stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return False
    return not is_zombie and any(mark in text for mark in marks)
