"""The keeper: one process per data directory that owns PostgreSQL and Valkey.

Every process that uses the stack holds a connection to the keeper's control socket. The kernel closes it however that
process ends, so the keeper always knows its users: when the last one is gone it shuts both servers down and exits. Thus
a command that happened to start the stack can end while others go on using it, and nothing outlives a kill -9.

Should the keeper itself be killed, the kernel signals the servers (see ``spawn``); the next start waits until they are
gone, which it knows from a lock that they inherited, and takes over the same socket directory.
"""

import os
import signal
import socket
import sys
import time
from contextlib import suppress
from pathlib import Path
from selectors import EVENT_READ, DefaultSelector
from types import FrameType

from grocery.embedded import postgres, valkey
from grocery.embedded.account import Account, server_account
from grocery.embedded.engines import find_engines, reachable_engines
from grocery.embedded.errors import EmbeddedStackError
from grocery.embedded.layout import Layout, Record, lock_within, read_record
from grocery.embedded.processes import Server, stop_servers
from grocery.embedded.runtime import RuntimeDirectory, make_runtime_directory

# How long servers of a keeper that was killed may take to end by themselves, before they are told to.
_ORPHANS_END_ALONE_S = 3.0
_ORPHANS_END_S = 10.0
_CHECK_EVERY_S = 0.5
_MAX_RESTART_DELAY_S = 10.0
STAYS = b"stays\n"


class Keeper:
    """Starts the servers of one data directory, keeps them running while there are users, and ends them."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout
        self._servers: list[Server] = []
        self._restarts = {"PostgreSQL": _Restarts(), "Valkey": _Restarts()}
        self._runtime: RuntimeDirectory | None = None
        self._servers_lock = -1
        # Kept open until the very end: its closing tells the last users that all has stopped.
        self._last_users: set[socket.socket] = set()
        self._is_told_to_end = False

    def tell_to_end(self, _signal: int, _frame: FrameType | None) -> None:
        """Signal handler: end at the next turn of the loop, users or not."""
        self._is_told_to_end = True

    def run(self, starter: socket.socket) -> None:
        """Start, report to the process that asked for it, serve until nobody is left, stop.

        Raises EmbeddedStackError when the start fails; nothing is left running then.
        """
        try:
            with self._start() as listener:
                self._serve(listener, starter)
        finally:
            self._stop()

    def _start(self) -> socket.socket:
        earlier = self._take_over()
        account = server_account(self._layout.cluster)
        runtime = self._runtime = make_runtime_directory(account, earlier.runtime_dir if earlier else None)
        # Before anything can be killed, so that the next start finds and clears the runtime directory.
        self._record(runtime).write(self._layout.record)
        self._servers = self._prepare_servers(account, runtime)
        for server in self._servers:
            server.start()
        for server in self._servers:
            server.wait_until_it_answers()
        postgres.create_database(runtime)
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(runtime.control))
        listener.listen(64)
        self._record(runtime).write(self._layout.record)
        return listener

    def _take_over(self) -> Record | None:
        """Wait until nothing of an earlier run is left; returns where it ran, if it did not end properly."""
        data_dir = self._layout.data_dir
        lock_within(self._layout.lock("keeper"), 15, f"The stack of {data_dir} is still stopping: try again.")
        earlier = read_record(self._layout)
        servers_lock = self._layout.lock("servers")
        try:
            lock_within(servers_lock, _ORPHANS_END_ALONE_S, "")
        except EmbeddedStackError:
            # Only where the kernel has no parent-death signal. They hold the lock, so the numbers are still theirs.
            _signal(earlier.postgres_pid if earlier else None, signal.SIGINT)
            _signal(earlier.valkey_pid if earlier else None, signal.SIGTERM)
            pids = f"{earlier.postgres_pid} and {earlier.valkey_pid}" if earlier else "unknown"
            lock_within(servers_lock, _ORPHANS_END_S, f"Servers of {data_dir} still run, process ids {pids}: end them.")
        self._servers_lock = servers_lock
        return earlier

    def _prepare_servers(self, account: Account, runtime: RuntimeDirectory) -> list[Server]:
        layout, lock = self._layout, self._servers_lock
        engines = reachable_engines(find_engines(), account, runtime.path)
        log = layout.log("postgres")
        postgres.create_cluster(engines, account, layout.cluster, log)
        return [
            postgres.postgres_server(engines, account, layout.cluster, runtime, log, lock),
            valkey.valkey_server(engines, account, layout.valkey, runtime, layout.log("valkey"), lock),
        ]

    def _record(self, runtime: RuntimeDirectory) -> Record:
        return Record(
            self._layout.identity,
            postgres.database_url(runtime),
            valkey.redis_url(runtime),
            str(runtime.path),
            os.getpid(),
            *(server.pid for server in self._servers),
        )

    def _serve(self, listener: socket.socket, starter: socket.socket) -> None:
        users = {starter}
        self._greet(starter)
        with DefaultSelector() as selector:
            selector.register(listener, EVENT_READ)
            selector.register(starter, EVENT_READ)
            while users and not self._is_told_to_end:
                leaving = set()
                for key, _ in selector.select(_CHECK_EVERY_S):
                    if key.fileobj is listener:
                        user, _ = listener.accept()
                        selector.register(user, EVENT_READ)
                        users.add(user)
                        self._greet(user)
                    elif isinstance(key.fileobj, socket.socket) and _has_left(key.fileobj):
                        selector.unregister(key.fileobj)
                        leaving.add(key.fileobj)
                users -= leaving
                self._say_goodbye(leaving, bool(users))
                self._revive_servers()

    def _greet(self, user: socket.socket) -> None:
        if self._runtime:
            with suppress(OSError):
                user.sendall(f"{self._record(self._runtime).to_json()}\n".encode())

    def _say_goodbye(self, leaving: set[socket.socket], others_stay: bool) -> None:
        """Let those who leave go on at once if others stay; the last ones see the end only when all is stopped."""
        self._last_users = leaving
        for user in leaving if others_stay else ():
            with suppress(OSError):
                user.sendall(STAYS)
            user.close()

    def _revive_servers(self) -> None:
        """Start again a server that died, after a delay that grows while it keeps dying."""
        if not self._layout.cluster.is_dir():
            _log(f"{self._layout.cluster} is gone: nothing to serve.")
            self._is_told_to_end = True
        for server in self._servers:
            restarts = self._restarts[server.name]
            if self._is_told_to_end or server.is_running() or not restarts.is_due():
                continue
            _log(f"{server.name} ended unexpectedly; starting it again.")
            server.start()
            if self._runtime:
                self._record(self._runtime).write(self._layout.record)

    def _stop(self) -> None:
        with suppress(FileNotFoundError):
            self._layout.record.unlink()
        stop_servers(self._servers)
        if self._runtime:
            self._runtime.remove()


class _Restarts:
    """Says when a server that died may be started again: 0, 0.5, 1, 2 … 10 s after the last time."""

    def __init__(self) -> None:
        self._at = 0.0
        self._delay = 0.0

    def is_due(self) -> bool:
        """Whether it may be started now; counts as a start when it says yes."""
        now = time.monotonic()
        if now < self._at + self._delay:
            return False
        calm = now > self._at + self._delay + 6 * _MAX_RESTART_DELAY_S
        self._delay = 0.5 if calm else min(_MAX_RESTART_DELAY_S, 2 * self._delay or 0.5)
        self._at = now
        return True


def _has_left(user: socket.socket) -> bool:
    try:
        return not user.recv(64)
    except OSError:
        return True


def _signal(pid: int | None, number: int) -> None:
    if pid:
        with suppress(OSError):
            os.kill(pid, number)


def _log(text: str) -> None:
    """Standard error is the file keeper.log."""
    sys.stderr.write(f"{time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())} {text}\n")
    sys.stderr.flush()


def main(data_dir: str, starter_descriptor: str) -> None:
    """Run the keeper; a failed start is told to the starter in plain words instead of a record."""
    os.umask(0o077)
    starter = socket.socket(fileno=int(starter_descriptor))
    # Popen made it inheritable for us; the servers must not hold it, or its end would never be seen.
    starter.set_inheritable(False)
    keeper = Keeper(Layout(Path(data_dir)))
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, keeper.tell_to_end)
    signal.signal(signal.SIGTERM, keeper.tell_to_end)
    try:
        keeper.run(starter)
    except EmbeddedStackError as error:
        _log(str(error))
        with suppress(OSError):
            starter.sendall(str(error).encode())
        sys.exit(1)


if __name__ == "__main__":
    main(*sys.argv[1:])
