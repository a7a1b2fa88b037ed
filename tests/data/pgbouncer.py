"""A PgBouncer of a test's own, with the settings of deploy/pgbouncer and pools so small that sessions are shared."""

import configparser
import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import closing, suppress
from pathlib import Path

import psycopg2
import pytest

from tests.data.postgres import PASSWORD, ROLE
from tests.e2e.shop import ROOT, free_port
from tests.waiting import wait_until

PROGRAM = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
CONFIGURATION = ROOT / "deploy" / "pgbouncer" / "pgbouncer.ini"

needs_pgbouncer = pytest.mark.skipif(PROGRAM is None, reason="the program pgbouncer is not installed")


class PgBouncer:
    """In front of the PostgreSQL with this libpq address (`host=… port=…`), to which it says `password`."""

    def __init__(self, server: str, *, password: str = PASSWORD, pool_size: int = 2):
        self.directory = Path(tempfile.mkdtemp(prefix="pgbouncer-"))
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._configure(server, pool_size)
        (self.directory / "userlist.txt").write_text(f'"{ROLE}" "{password}"\n')
        for path in (self.directory, *self.directory.iterdir()):
            if os.geteuid() == 0:
                shutil.chown(path, "nobody")

    @property
    def url(self) -> str:
        return f"postgresql://{ROLE}:{PASSWORD.replace(' ', '%20')}@127.0.0.1:{self.port}/grocery"

    @property
    def log(self) -> str:
        return (self.directory / "log").read_text()

    def start(self) -> None:
        command = [PROGRAM or "", str(self.directory / "pgbouncer.ini")]
        if os.geteuid() == 0:
            command[1:1] = ["-u", "nobody"]
        with (self.directory / "log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        wait_until(self._is_answering, "PgBouncer answers")

    def stop(self, number: int = signal.SIGTERM) -> None:
        if self._process:
            self._process.send_signal(number)
            self._process.wait(20)
            self._process = None

    def close(self) -> None:
        self.stop(signal.SIGKILL)
        shutil.rmtree(self.directory)

    def _is_answering(self) -> bool:
        with suppress(psycopg2.OperationalError), closing(psycopg2.connect(self.url, connect_timeout=3)):
            return True
        return False

    def _configure(self, server: str, pool_size: int) -> None:
        """The file as it is shipped, but for where things are and how many."""
        settings = configparser.ConfigParser(interpolation=None, comment_prefixes=(";",), delimiters=("=",))
        settings.read(CONFIGURATION)
        shipped = settings["databases"]["grocery"]
        settings["databases"]["grocery"] = shipped.replace("host=postgres port=5432", server)
        settings["pgbouncer"].update(
            {
                "listen_addr": "127.0.0.1",
                "listen_port": str(self.port),
                "auth_file": str(self.directory / "userlist.txt"),
                "default_pool_size": str(pool_size),
                "reserve_pool_size": "0",
            }
        )
        with (self.directory / "pgbouncer.ini").open("w") as file:
            settings.write(file)
