"""A worker as a process of its own."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

from redis import Redis

from grocery.config import setting_names
from grocery.queues import ORDERS, Doorbell
from tests.valkey_process import ValkeyProcess
from tests.waiting import wait_until
from tests.worker_jobs import JOB

ROOT = Path(__file__).parent.parent
RQ = Path(sys.executable).with_name("rq")

T = TypeVar("T")


class RunningWorker:
    """An `rq worker` process and what it wrote to its standard error."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path):
        self.process = process
        self._log = log

    @property
    def log(self) -> str:
        return self._log.read_text()

    def wait_for_line(self, text: str) -> None:
        wait_until(lambda: text in self.log, f"{text!r} in {self._log}")

    def kill(self) -> None:
        """As by the machine's memory watch: no warning, and the running job with it."""
        for pid in [*children(self.process.pid), self.process.pid]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.process.wait()


def children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def environment(valkey: ValkeyProcess, **more: str) -> dict[str, str]:
    """Settings without a database that could be reached: the worker must not need one."""
    return {
        **dict.fromkeys(setting_names(), ""),  # an empty value keeps out the one of the developer's own `.env`
        "PATH": os.environ["PATH"],
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing",
        "REDIS_URL": valkey.url,
        "SECRET_KEY": "secret-for-tests-only-0123456789abcdef",
        "JWT_SECRET_KEYS": "test:secret-for-tests-only-fedcba9876543210",
        **more,
    }


@contextmanager
def running_worker(
    valkey: ValkeyProcess, log: Path, name: str = "ScriptWorker", **more: str
) -> Iterator[RunningWorker]:
    command = [RQ, "worker", "-w", f"tests.worker_jobs.{name}", ORDERS]
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=environment(valkey, **more), stderr=output)
    worker = RunningWorker(process, log)
    try:
        yield worker
    finally:
        if process.poll() is None:
            worker.kill()


@contextmanager
def bell_of(valkey: ValkeyProcess) -> Iterator[Callable[[], bool]]:
    bell = Doorbell(lambda: valkey.url, jobs={ORDERS: JOB}, token_seconds=1, pause_seconds=0.1)
    yield lambda: bell.ring(ORDERS)
    bell.close()


def script(redis: Redis, *lines: str) -> None:
    redis.rpush("script", *lines)


def done(redis: Redis) -> list[str]:
    return [line.decode() for line in redis.lrange("done", 0, -1)]


def begun(redis: Redis) -> list[str]:
    return [line.decode().split()[0] for line in redis.lrange("begun", 0, -1)]
