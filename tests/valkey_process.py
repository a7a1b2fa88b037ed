"""A Valkey of its own for tests that stop, restart or freeze it."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from grocery.embedded.engines import find_engines
from grocery.queues import connect
from tests.waiting import PATIENCE_SECONDS


class ValkeyProcess:
    """Keeps nothing over a restart."""

    def __init__(self) -> None:
        # pytest's own directories can be too long for a socket's path.
        self._directory = Path(tempfile.mkdtemp(prefix="valkey-"))
        self._socket = self._directory / "socket"
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"unix://{self._socket}"
        self.client: Redis = connect(self.url, request_path=False)

    def start(self) -> None:
        command = [str(find_engines().valkey), "--port", "0", "--unixsocket", str(self._socket), "--save", ""]
        self._process = subprocess.Popen(command, cwd=self._directory, stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + PATIENCE_SECONDS
        probe = connect(self.url)
        while time.monotonic() < deadline:
            try:
                probe.ping()
                probe.close()
                return
            except RedisError:
                time.sleep(0.01)
        raise AssertionError("Valkey did not start")

    def restart_if_ended(self) -> None:
        if self._process is None or self._process.poll() is not None:
            self.stop()
            self.start()

    def stop(self) -> None:
        if self._process:
            self._process.send_signal(signal.SIGCONT)
            self._process.kill()
            self._process.wait()
            self._process = None
            self._socket.unlink(missing_ok=True)

    def freeze(self) -> None:
        """Keep the socket open without answering."""
        assert self._process
        os.kill(self._process.pid, signal.SIGSTOP)

    def unfreeze(self) -> None:
        assert self._process
        os.kill(self._process.pid, signal.SIGCONT)

    def close(self) -> None:
        self.client.close()
        self.stop()
        shutil.rmtree(self._directory)
