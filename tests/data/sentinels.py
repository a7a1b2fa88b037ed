"""A Valkey with a replica and three Sentinels, on loopback, whose master a test may kill or freeze."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

from grocery.embedded.engines import find_engines
from tests.e2e.shop import free_port
from tests.waiting import wait_until

#: After so long without an answer, the Sentinels take the master for dead.
DOWN_AFTER_SECONDS = 1.0

PASSWORD = "password of the servers"
SENTINEL_PASSWORD = "password of the sentinels"


class Group:
    """Two servers and three Sentinels that know them as `shop`. Made by `sentinel_group()`."""

    def __init__(self, directory: Path):
        self._directory = directory
        self.servers = (free_port(), free_port())
        self.sentinels = (free_port(), free_port(), free_port())
        self._processes: dict[int, subprocess.Popen[bytes]] = {}

    @property
    def url(self) -> str:
        hosts = ",".join(f"127.0.0.1:{port}" for port in self.sentinels)
        secret, password = SENTINEL_PASSWORD.replace(" ", "%20"), PASSWORD.replace(" ", "%20")
        return f"redis+sentinel://:{password}@{hosts}/shop/0?sentinel_password={secret}"

    def start(self) -> None:
        for port in self.servers:
            self._start(port, f'requirepass "{PASSWORD}"\nmasterauth "{PASSWORD}"\nsave ""\n')
        replica = self.client(self.servers[1])
        replica.replicaof("127.0.0.1", str(self.servers[0]))
        wait_until(lambda: replica.info("replication")["master_link_status"] == "up", "the replica follows")
        for port in self.sentinels:
            self._start(port, self._sentinel_settings(), "--sentinel")
        wait_until(self._know_each_other, "the Sentinels know each other and the replica")

    def client(self, port: int, password: str = PASSWORD) -> Redis:
        return Redis(port=port, password=password, decode_responses=True, socket_timeout=2)

    def master(self) -> int:
        """The port of the server that the Sentinels have agreed on."""
        for port in self.sentinels:
            with suppress(RedisError):
                return int(self.client(port, SENTINEL_PASSWORD).sentinel_get_master_addr_by_name("shop")[1])
        raise AssertionError("no Sentinel answers")

    def kill(self, port: int) -> None:
        process = self._processes.pop(port)
        process.kill()
        process.wait()

    def signal(self, port: int, number: int) -> None:
        os.kill(self._processes[port].pid, number)

    def wait_for_failover(self, former: int) -> None:
        wait_until(lambda: self.master() != former, "another server is the master")
        client = self.client(self.master())
        wait_until(lambda: client.role()[0] == "master", "it knows")

    def close(self) -> None:
        for port in list(self._processes):
            with suppress(ProcessLookupError):
                self.signal(port, signal.SIGCONT)
            self.kill(port)

    def _sentinel_settings(self) -> str:
        return (
            f'requirepass "{SENTINEL_PASSWORD}"\n'
            f"sentinel monitor shop 127.0.0.1 {self.servers[0]} 2\n"
            f'sentinel auth-pass shop "{PASSWORD}"\n'
            f'sentinel sentinel-pass "{SENTINEL_PASSWORD}"\n'
            f"sentinel down-after-milliseconds shop {DOWN_AFTER_SECONDS * 1000:.0f}\n"
            "sentinel failover-timeout shop 5000\n"
        )

    def _start(self, port: int, settings: str, *options: str) -> None:
        directory = self._directory / str(port)
        directory.mkdir()
        file = directory / "valkey.conf"
        file.write_text(f"port {port}\nbind 127.0.0.1\ndir {directory}\n{settings}")
        with (directory / "log").open("ab") as log:
            command = [str(find_engines().valkey), str(file), *options]
            self._processes[port] = subprocess.Popen(command, stdout=log, stderr=log)
        password = SENTINEL_PASSWORD if options else PASSWORD
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            with suppress(RedisError):
                self.client(port, password).ping()
                return
            time.sleep(0.02)
        raise AssertionError((directory / "log").read_text())

    def _know_each_other(self) -> bool:
        states = [self.client(port, SENTINEL_PASSWORD).sentinel_master("shop") for port in self.sentinels]
        return all(state["num-other-sentinels"] == 2 and state["num-slaves"] == 1 for state in states)


@contextmanager
def sentinel_group() -> Iterator[Group]:
    directory = Path(tempfile.mkdtemp(prefix="sentinels-"))
    group = Group(directory)
    try:
        group.start()
        yield group
    finally:
        group.close()
        shutil.rmtree(directory)
