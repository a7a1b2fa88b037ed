"""PostgreSQL: a new cluster, the command line, the rules for who may connect."""

import os
import shutil
import signal
import tempfile
from contextlib import closing
from pathlib import Path

import psycopg2

from grocery.embedded.account import Account, account_name
from grocery.embedded.engines import Engines
from grocery.embedded.errors import EmbeddedStackError, last_lines
from grocery.embedded.processes import POSTGRES_STOP, Server, open_log, spawn
from grocery.embedded.runtime import RuntimeDirectory

DATABASE = "grocery"
ROLE = "grocery"
# Fixed, because libpq would otherwise take another one from the user's PGPORT.
_PORT = 5432
_INITDB_TIMEOUT_S = 120

_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "port": str(_PORT),
    "max_connections": "100",
    # For a solid-state disk: with the default, made for spinning ones, searches read whole tables instead of an index.
    "random_page_cost": "1.1",
    "shared_buffers": "128MB",
    "max_wal_size": "512MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_checkpoints": "off",
    "cluster_name": "grocery",
}


def database_url(runtime: RuntimeDirectory, database: str = DATABASE) -> str:
    """The address of a database, as libpq and SQLAlchemy read it."""
    return f"postgresql://{ROLE}@/{database}?host={runtime.quoted_sockets}&port={_PORT}"


def answers(url: str) -> bool:
    """Whether a connection can be opened."""
    try:
        with closing(psycopg2.connect(url, connect_timeout=3)):
            return True
    except psycopg2.OperationalError:
        return False


def create_cluster(engines: Engines, account: Account, cluster: Path, log: Path) -> None:
    """Make the cluster directory unless it is there.

    It is built beside its place and renamed at the end, so that a start that was killed half-way leaves nothing that
    looks like a database. Raises EmbeddedStackError when initdb fails.
    """
    if cluster.exists():
        return
    prefix = f"{cluster.name}.unfinished-"
    # The initdb of a start that was killed may still be tidying its own up, so each has a name of its own.
    for left_over in cluster.parent.glob(f"{prefix}*"):
        shutil.rmtree(left_over, ignore_errors=True)
    unfinished = Path(tempfile.mkdtemp(prefix=prefix, dir=cluster.parent))
    account.give(unfinished)
    command = [str(engines.initdb), "-D", account.data_argument(unfinished), "-U", ROLE, "--auth=peer"]
    # The same order and letters on every machine, whatever locales it has.
    command += ["--encoding=UTF8", "--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    with open_log(log) as output:
        initdb = spawn(command, cwd=unfinished, account=account, log=output, death_signal=signal.SIGTERM)
        if initdb.wait(timeout=_INITDB_TIMEOUT_S) != 0:
            raise EmbeddedStackError(f"A new database could not be made; {log} says:{last_lines(log)}")
    unfinished.rename(cluster)


def _remove_stale_lock(cluster: Path) -> None:
    """Remove the lock file of a server that is gone, when its process id now belongs to something else.

    PostgreSQL recognises most stale locks itself, but refuses to start when the number was given to another process of
    the same user, which is usual in containers. The caller holds the lock that every server of this directory shares.
    """
    lock = cluster / "postmaster.pid"
    try:
        pid = int(lock.read_text().split("\n", 1)[0])
        program = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError):
        return
    if b"postgres" not in program.split(b"\0", 1)[0]:
        lock.unlink()


def postgres_server(
    engines: Engines, account: Account, cluster: Path, runtime: RuntimeDirectory, log: Path, keep: int
) -> Server:
    """Describe the server for an existing cluster; writes who may connect into the runtime directory."""
    access = _write_access_rules(account, runtime)
    command = [str(engines.postgres), "-D", account.data_argument(cluster), "-k", str(runtime.sockets)]
    for name, value in {**_SETTINGS, **access}.items():
        command += ["-c", f"{name}={value}"]
    url = database_url(runtime, "postgres")
    return Server(
        name="PostgreSQL",
        command=command,
        cwd=cluster,
        account=account,
        log=log,
        answers=lambda: answers(url),
        stop_signals=POSTGRES_STOP,
        keep=(keep,),
        prepare=lambda: _remove_stale_lock(cluster),
    )


def _write_access_rules(account: Account, runtime: RuntimeDirectory) -> dict[str, str]:
    """Let in, through the socket only, the account that runs the server and the one that started it."""
    names = {account.name, account_name(os.geteuid())}
    rules = runtime.write("pg_hba.conf", "local all all peer map=owner\n", account)
    identities = "".join(f'owner "{name}" {ROLE}\n' for name in sorted(names))
    return {"hba_file": str(rules), "ident_file": str(runtime.write("pg_ident.conf", identities, account))}


def create_database(runtime: RuntimeDirectory) -> None:
    """Create the shop's database unless it is there; the server must answer."""
    with closing(psycopg2.connect(database_url(runtime, "postgres"))) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,))
            if cursor.fetchone() is None:
                cursor.execute(f"CREATE DATABASE {DATABASE}")
