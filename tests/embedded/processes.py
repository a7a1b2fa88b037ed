"""Starting users of the stack as processes of their own, and asking what still runs."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType

from grocery.embedded.layout import Record
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]


class StackUser:
    """A process that runs `stack_user.py`, behind the command `prefix` if there is one."""

    def __init__(self, data_dir: Path, environ: Mapping[str, str] | None = None, prefix: Sequence[str] = ()) -> None:
        self.process = subprocess.Popen(
            [*prefix, sys.executable, "-m", "tests.embedded.stack_user", str(data_dir)],
            cwd=ROOT,
            env={**os.environ, **(environ or {})},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def __enter__(self) -> "StackUser":
        return self

    def __exit__(self, _type: type[BaseException] | None, _error: object, _traceback: TracebackType | None) -> None:
        self.end()

    def uses(self) -> tuple[Record, bool]:
        """Wait until it has the stack: where that is, and whether this process started it."""
        assert self.process.stdout is not None
        answer = self.process.stdout.readline()
        assert answer, self.process.stderr and self.process.stderr.read()
        told = json.loads(answer)
        return Record(**told["record"]), told["started_here"]

    def error(self) -> str:
        """Wait for its end, which must be a failure: what it says."""
        _, errors = self.process.communicate(timeout=60)
        assert self.process.returncode == 1
        return errors

    def end(self) -> None:
        """Let it end in its own time, as a command does."""
        if self.process.poll() is None:
            self.process.communicate(timeout=30)

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.communicate(timeout=30)


def is_running(pid: int | None) -> bool:
    """Whether a process runs; a dead one that nobody has waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def pids(record: Record) -> list[int | None]:
    return [record.keeper_pid, record.postgres_pid, record.valkey_pid]


def wait_until_ended(record: Record) -> None:
    """The keeper and both servers are gone."""
    wait_until(lambda: not any(is_running(pid) for pid in pids(record)))
