"""Using the stack of a data directory: attach to the running one, or start its keeper."""

import atexit
import logging
import os
import socket
import subprocess
import sys
import threading
import time
from contextlib import closing, suppress
from pathlib import Path

from grocery.embedded import postgres, valkey
from grocery.embedded.account import account_name
from grocery.embedded.engines import find_engines
from grocery.embedded.errors import EmbeddedStackError, last_lines
from grocery.embedded.layout import Layout, Record, lock_within, parse_record, read_record
from grocery.embedded.processes import open_log
from grocery.embedded.runtime import RuntimeDirectory

_log = logging.getLogger(__name__)
# A first start on a slow disk; every step inside has a shorter limit and a clearer message.
_START_TIMEOUT_S = 200.0
_ANSWER_TIMEOUT_S = 10.0
_STOP_TIMEOUT_S = 15.0

_lock = threading.Lock()
_stacks: dict[Path, "Stack"] = {}


class Stack:
    """A use of the embedded stack; it lasts until ``stop()`` or the end of this process, however that comes.

    ``started_here`` tells whether this process was the one that started it, and ``record`` holds the process ids.
    """

    def __init__(self, record: Record, connection: socket.socket, keeper: subprocess.Popen[bytes] | None) -> None:
        self.record = record
        self.database_url = record.database_url
        self.redis_url = record.redis_url
        self.started_here = keeper is not None
        self._connection = connection
        self._keeper = keeper
        self._process = os.getpid()
        self._is_stopped = False
        connection.setblocking(False)
        atexit.register(self.stop)

    def is_alive(self) -> bool:
        """Whether the keeper is there. The servers follow it, and it brings back one of them that died."""
        if self._is_stopped:
            return False
        try:
            return bool(self._connection.recv(1, socket.MSG_PEEK))
        except BlockingIOError:
            return True
        except OSError:
            return False

    def stop(self) -> None:
        """Give up this use. If it was the last one, wait until both servers have shut down; else they go on.

        Does nothing the second time, and nothing in a forked child, whose parent still uses the stack.
        """
        if self._is_stopped or self._process != os.getpid():
            return
        self._is_stopped = True
        atexit.unregister(self.stop)
        goodbye = b""
        with closing(self._connection), suppress(OSError):
            self._connection.shutdown(socket.SHUT_WR)
            self._connection.settimeout(_STOP_TIMEOUT_S)
            goodbye = self._connection.recv(64)
        if goodbye and self.started_here:
            _log.info("The embedded database was started here and goes on: another process uses it.")
        elif self._keeper:
            with suppress(subprocess.TimeoutExpired):
                self._keeper.wait(_STOP_TIMEOUT_S)


def ensure_stack(data_dir: Path) -> Stack:
    """Return the running stack of ``data_dir``, started if need be; the same object each time within one process.

    Raises EmbeddedStackError when the wheels are missing, the directory cannot be used or a server does not start.
    """
    path = Path(data_dir).absolute()
    with _lock:
        stack = _stacks.get(path)
        if stack is None or not stack.is_alive():
            stack = _stacks[path] = _attach_or_start(Layout(path))
        return stack


def _attach_or_start(layout: Layout) -> Stack:
    try:
        layout.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = layout.lock("start")
        try:
            lock_within(
                lock, _START_TIMEOUT_S, f"Another process is starting the stack of {layout.data_dir} and hangs."
            )
            return _attach(layout) or _start(layout)
        finally:
            os.close(lock)
    except OSError as error:
        raise EmbeddedStackError(_unusable(layout, error)) from error


def _unusable(layout: Layout, error: OSError) -> str:
    is_inside = error.filename is not None and Path(os.fsdecode(error.filename)).is_relative_to(layout.data_dir)
    if isinstance(error, PermissionError) and is_inside:
        return (
            f"{error.filename} belongs to another user than {account_name(os.geteuid())}: "
            "run as that user or set another DATA_DIR."
        )
    return f"The data directory {layout.data_dir} cannot be used: {error}."


def _attach(layout: Layout) -> Stack | None:
    """Become a user of the running stack; None when none runs."""
    record = read_record(layout)
    if record is None:
        return None
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.settimeout(_ANSWER_TIMEOUT_S)
        connection.connect(str(RuntimeDirectory(Path(record.runtime_dir)).control))
        record = parse_record(_read_line(connection))
    except OSError:
        record = None
    if record is None:
        connection.close()
        return None
    _wait_for_answers(layout, record)
    return Stack(record, connection, keeper=None)


def _wait_for_answers(layout: Layout, record: Record) -> None:
    """Give a server that is being restarted the time to come back."""
    runtime = RuntimeDirectory(Path(record.runtime_dir))
    deadline = time.monotonic() + _ANSWER_TIMEOUT_S
    while not (postgres.answers(record.database_url) and valkey.answers(valkey.socket_path(runtime))):
        if time.monotonic() > deadline:
            logs = "".join(f"\n  {layout.log(name)}:{last_lines(layout.log(name))}" for name in ("postgres", "valkey"))
            raise EmbeddedStackError(f"The stack of {layout.data_dir} runs but does not answer.{logs}")
        time.sleep(0.05)


def _start(layout: Layout) -> Stack:
    find_engines()
    ours, keepers = socket.socketpair()
    log = layout.log("keeper")
    package_root = str(Path(__file__).resolve().parents[2])
    search_path = os.pathsep.join(filter(None, [package_root, os.environ.get("PYTHONPATH")]))
    with keepers, open_log(log) as output:
        keeper = subprocess.Popen(
            [sys.executable, "-m", "grocery.embedded.keeper", str(layout.data_dir), str(keepers.fileno())],
            cwd="/",
            env={**os.environ, "PYTHONPATH": search_path},
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            pass_fds=(keepers.fileno(),),
            start_new_session=True,
        )
    ours.settimeout(_START_TIMEOUT_S)
    answer = _read_line(ours)
    record = parse_record(answer)
    if record is None:
        ours.close()
        keeper.wait()
        raise EmbeddedStackError(answer or f"The embedded stack did not start; {log} says:{last_lines(log)}")
    return Stack(record, ours, keeper)


def _read_line(connection: socket.socket) -> str:
    """Read up to the first line break that ends a record, or to the end (an error text has several lines)."""
    received = b""
    while not (received.startswith(b"{") and received.endswith(b"\n")):
        part = connection.recv(65536)
        if not part:
            break
        received += part
    return received.decode(errors="replace").strip()
