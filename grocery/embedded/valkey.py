"""Valkey: the command line, and one question over its socket."""

import socket
from pathlib import Path

from grocery.embedded.account import Account
from grocery.embedded.engines import Engines
from grocery.embedded.processes import VALKEY_STOP, Server
from grocery.embedded.runtime import RuntimeDirectory

_SOCKET = "valkey.sock"


def redis_url(runtime: RuntimeDirectory) -> str:
    """The address for redis-py and RQ."""
    return f"unix://{runtime.quoted_sockets}/{_SOCKET}"


def answers(path: Path) -> bool:
    """Whether the server behind the socket is ready for commands (it is not while it loads its file)."""
    try:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(3)
            connection.connect(str(path))
            connection.sendall(b"PING\r\n")
            return connection.recv(64).startswith(b"+PONG")
    except OSError:
        return False


def socket_path(runtime: RuntimeDirectory) -> Path:
    """Where the server listens."""
    return runtime.sockets / _SOCKET


def valkey_server(
    engines: Engines, account: Account, directory: Path, runtime: RuntimeDirectory, log: Path, keep: int
) -> Server:
    """Describe the server whose append-only file is in ``directory``, which is created."""
    if not directory.exists():
        directory.mkdir(mode=0o700)
        account.give(directory)
    path = socket_path(runtime)
    # The directory is named by "." because the server's own option parser breaks on spaces.
    command = [str(engines.valkey), "--port", "0", "--unixsocket", str(path), "--unixsocketperm", "700"]
    command += ["--appendonly", "yes", "--save", "", "--dir", "."]
    return Server(
        name="Valkey",
        command=command,
        cwd=directory,
        account=account,
        log=log,
        answers=lambda: answers(path),
        stop_signals=VALKEY_STOP,
        keep=(keep,),
    )
