"""The queue's workers and the relay as they are started in earnest, and what kills them."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from grocery.queues import NOTIFY
from tests.fakes.africastalking import API_KEY
from tests.waiting import wait_until

ROOT = Path(__file__).parent.parent.parent.parent
RQ = Path(sys.executable).with_name("rq")


def sms_settings(origin: str) -> dict[str, str]:
    """The settings that lead to a provider on loopback."""
    return {
        "SMS_BACKEND": "africastalking",
        "AT_USERNAME": "duka",
        "AT_API_KEY": API_KEY,
        "AT_BASE_URL": origin,
        "SMS_UNKNOWN_WAIT": "1",
    }


@contextmanager
def running(
    command: list[str | Path], environ: Mapping[str, str], log: Path, ready: str | None
) -> Iterator[subprocess.Popen]:
    """A process, which has logged `ready` if that is given; killed at the end, with its children."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env={"PATH": os.environ["PATH"], **environ}, stdout=output, stderr=output
        )
    try:
        if ready is not None:
            wait_until(lambda: ready in log.read_text(), f"{ready!r}, see {log}")
        yield process
    finally:
        kill(process)


def running_worker(environ: Mapping[str, str], log: Path, *, is_awaited: bool = True):  # type: ignore[no-untyped-def]
    """`rq worker … notify`, ready for work; if it is not awaited, it may begin when others work already."""
    command = [RQ, "worker", "-w", "grocery.worker.Worker", NOTIFY]
    return running(command, {**environ, "LOG_LEVEL": "INFO"}, log, "worker ready" if is_awaited else None)


def running_relay(environ: Mapping[str, str], log: Path, *, is_awaited: bool = True):  # type: ignore[no-untyped-def]
    """`flask relay`, at work if it is awaited."""
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "relay"]
    return running(command, {**environ, "LOG_LEVEL": "INFO"}, log, "the relay is at work" if is_awaited else None)


def horses(worker: subprocess.Popen) -> list[int]:
    """The processes of the worker's job."""
    with suppress(OSError):
        return [int(pid) for pid in Path(f"/proc/{worker.pid}/task/{worker.pid}/children").read_text().split()]
    return []


def kill(worker: subprocess.Popen, *, is_worker_spared: bool = False) -> None:
    """End the worker and the process of its job as the machine does when memory is short: without a warning."""
    if worker.poll() is not None:
        return
    pids = horses(worker)
    for pid in pids if is_worker_spared else (*pids, worker.pid):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    if not is_worker_spared:
        worker.wait()
    wait_until(lambda: not any(map(_is_alive, pids)), "the killed processes to end")


def _is_alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rpartition(")")[2].split()[0] != "Z"


def memory_mb(pid: int) -> float:
    """What the process holds of the machine's memory for itself, 0 when it has ended."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss_Anon"):
                return int(line.split()[1]) / 1024
    return 0.0
