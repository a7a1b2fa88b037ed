"""`python -m grocery.serving` as a process, and what it started."""

import http.client
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from grocery.dev import sessions
from tests.e2e.shop import ROOT, free_port
from tests.waiting import wait_until


class RunningServer:
    """A server with one worker."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path):
        self.process = process
        self.port = port
        self._log = log

    @property
    def log(self) -> str:
        return self._log.read_text()

    def get(self, path: str, kept: http.client.HTTPConnection | None = None) -> http.client.HTTPResponse:
        """The answer, read to its end; over a connection that is kept, if there is one."""
        connection = kept or http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            answer.read()
            return answer
        finally:
            if kept is None:
                connection.close()

    def status(self, path: str) -> int | None:
        """None when there is no answer."""
        with suppress(OSError, http.client.HTTPException):
            return self.get(path).status
        return None

    def wait_until_ready(self) -> None:
        wait_until(lambda: self.status("/readyz") == 200 or self.process.poll() is not None, "the server is ready")
        assert self.process.poll() is None, self.log

    def tell(self, number: int = signal.SIGTERM) -> None:
        self.process.send_signal(number)

    def processes(self) -> list[int]:
        """All that still runs of it."""
        return sessions.members(self.process.pid)

    def granian(self) -> int:
        """The process that the parent has started."""
        [pid] = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(pid)


@contextmanager
def running_server(environ: Mapping[str, str], log: Path, *prefix: str, **settings: str) -> Iterator[RunningServer]:
    """A server that was started, and may not be ready yet; `prefix` is a command that runs it."""
    port = free_port()
    command = [*prefix, sys.executable, "-m", "grocery.serving", "--host", "127.0.0.1", "--port", str(port)]
    own = {**os.environ, **environ, "SERVER_PROCESSES": "1", "LOG_LEVEL": "INFO", **settings}
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=own, stdout=output, stderr=output, start_new_session=True)
    try:
        yield RunningServer(process, port, log)
    finally:
        sessions.kill({process.pid})
        process.wait()
