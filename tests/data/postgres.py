"""PostgreSQL clusters of a test's own, on loopback: to be copied, stopped, killed, promoted and restored."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg2

from grocery.embedded.account import Account, server_account
from grocery.embedded.engines import Engines, find_engines, reachable_engines
from tests.e2e.shop import free_port
from tests.waiting import wait_until

ROLE = "grocery"
PASSWORD = "password of the tests"

_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "60",
    "shared_buffers": "32MB",
    # Another time zone than that of the program, which must not matter.
    "timezone": "Africa/Nairobi",
    "fsync": "off",
    "wal_keep_size": "256MB",
    "wal_receiver_status_interval": "1s",
    "wal_retrieve_retry_interval": "200ms",
    "track_activity_query_size": "4096",
}


class Cluster:
    """One server: its directory, its port and its process. Made by `clusters()`."""

    def __init__(self, directory: Path, engines: Engines, account: Account):
        self.directory = directory
        self.port = free_port()
        self.settings = dict(_SETTINGS)
        self._engines = engines
        self._account = account
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return self.url_of("grocery")

    def url_of(self, database: str) -> str:
        password = PASSWORD.replace(" ", "%20")
        return f"postgresql://{ROLE}:{password}@127.0.0.1:{self.port}/{database}"

    def program(self, name: str) -> str:
        """A client program of the installation."""
        return str(find_engines().installation / "bin" / name)

    def create(self) -> None:
        """A new cluster with an empty database."""
        self.directory.mkdir(mode=0o700)
        self._account.give(self.directory)
        secret = self.directory.with_suffix(".password")
        secret.write_text(PASSWORD)
        self._account.give(secret)
        command = [str(self._engines.initdb), "-D", str(self.directory), "-U", ROLE, "--auth=scram-sha-256"]
        command += [f"--pwfile={secret}", "--encoding=UTF8", "--locale=C", "--locale-provider=builtin"]
        command += ["--builtin-locale=C.UTF-8", "--no-sync"]
        self._run(command)
        self.start()
        self.execute("CREATE DATABASE grocery", database="postgres")

    def copy_of(self, other: "Cluster", *options: str) -> None:
        """A base backup of another one; with `-R`, a replica of it."""
        command = [self.program("pg_basebackup"), "-d", other.url_of("postgres"), "-D", str(self.directory)]
        subprocess.run([*command, "-c", "fast", "-X", "stream", "--no-sync", *options], check=True, timeout=60)
        self.own()

    def own(self) -> None:
        """Give what others have put into the directory to the server's account."""
        for path in (self.directory, *self.directory.rglob("*")):
            if not path.is_symlink():
                self._account.give(path)

    def start(self, *, seconds: float = 30) -> None:
        command = [str(self._engines.postgres), "-D", str(self.directory), "-p", str(self.port)]
        for name, value in self.settings.items():
            command += ["-c", f"{name}={value}"]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, cwd="/", stdout=log, stderr=log, umask=0o077, **self._account.spawn_options()
            )
        wait_until(self.is_answering, f"PostgreSQL answers; its log: {self.log.read_text()[-1500:]}", seconds)

    def stop(self, number: int = signal.SIGINT) -> None:
        """End it: at once, unless told otherwise; SIGQUIT as in a crash."""
        if self._process:
            self.unfreeze()
            self._process.send_signal(number)
            self._process.wait(20)
            self._process = None

    def freeze(self) -> None:
        """Keep connections open without answering, as a host in trouble does."""
        for pid in self._pids():
            os.kill(pid, signal.SIGSTOP)

    def unfreeze(self) -> None:
        for pid in self._pids():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    @property
    def log(self) -> Path:
        return self.directory.with_suffix(".log")

    def is_answering(self) -> bool:
        try:
            return self.execute("SELECT 1", database="postgres") == [(1,)]
        except psycopg2.OperationalError:
            return False

    def execute(self, statement: str, *, database: str = "grocery") -> list[tuple[Any, ...]]:
        with closing(psycopg2.connect(self.url_of(database), connect_timeout=20)) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)
                return cursor.fetchall() if cursor.description else []

    def _pids(self) -> list[int]:
        if self._process is None:
            return []
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        return [self._process.pid, *map(int, children)]

    def _run(self, command: list[str]) -> None:
        done = subprocess.run(command, cwd="/", capture_output=True, text=True, **self._account.spawn_options())
        assert done.returncode == 0, done.stderr


class Clusters:
    """Makes clusters side by side in one directory."""

    def __init__(self, root: Path):
        self.root = root
        self.made: list[Cluster] = []
        self._account = server_account(root / "none")
        self._engines = reachable_engines(find_engines(), self._account, root)

    def new(self, name: str) -> Cluster:
        cluster = Cluster(self.root / name, self._engines, self._account)
        self.made.append(cluster)
        return cluster

    def directory(self, name: str) -> Path:
        """A directory that the servers may write to."""
        path = self.root / name
        path.mkdir(mode=0o700)
        self._account.give(path)
        return path


@contextmanager
def clusters() -> Iterator[Clusters]:
    """A place for clusters, which all end with it."""
    root = Path(tempfile.mkdtemp(prefix="clusters-"))
    root.chmod(0o755)
    making = Clusters(root)
    try:
        yield making
    finally:
        for cluster in making.made:
            cluster.stop(signal.SIGQUIT)
        shutil.rmtree(root, ignore_errors=True)
