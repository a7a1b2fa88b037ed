"""A way to PostgreSQL that a test can freeze or cut."""

import contextlib
import socket
import threading
from collections.abc import Callable
from types import TracebackType


class Proxy:
    """Passes connections to 127.0.0.1:`port` on to a Unix socket, while `flowing` is set."""

    def __init__(self, target: str):
        self._target = target
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.flowing = threading.Event()
        self.flowing.set()
        self._open: list[socket.socket] = []

    def __enter__(self) -> "Proxy":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.flowing.set()
        self._listening.close()
        self.cut()

    def cut(self) -> None:
        """End all connections, as a server that is killed."""
        for one in self._open:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        self._open.clear()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listening.accept()
                server = socket.socket(socket.AF_UNIX)
                server.connect(self._target)
                self._open += [client, server]
                for way in ((client, server, bytes), (server, client, self.answer)):
                    threading.Thread(target=self._copy, args=way, daemon=True).start()

    def answer(self, data: bytes) -> bytes:
        """What the client is given of what the server has sent."""
        return data

    def _copy(self, source: socket.socket, target: socket.socket, change: Callable[[bytes], bytes]) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self.flowing.wait()
                target.sendall(change(data))
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


class JoiningProxy(Proxy):
    """Holds answers back while `is_holding`, to pass them on in one packet."""

    is_holding = False
    held = b""

    def answer(self, data: bytes) -> bytes:
        if not self.is_holding:
            return data
        self.held += data
        return b""

    def release(self) -> None:
        """Pass on what was held; for one connection, whose client is waiting for that."""
        self.is_holding = False
        self._open[0].sendall(self.held)


class Pooler(Proxy):
    """Gives clients another number than that of the process that serves them, as poolers do."""

    def answer(self, data: bytes) -> bytes:
        before, key, after = data.partition(b"K\0\0\0\x0c")  # the message BackendKeyData with its length
        return before + key + b"\0\0\0\1" + after[4:] if key else data
