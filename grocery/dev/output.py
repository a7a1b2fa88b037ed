"""What the person at the terminal sees: the processes' log lines by name, and one screen when the shop is open."""

import errno
import json
import os
import sys
from pathlib import Path
from typing import TextIO

from grocery.config import Settings
from grocery.local import local_address

_COLOURS = (36, 33, 32, 35, 34, 31)
_WIDTH = 13


class Terminal:
    """Writes lines, and notices when nobody can read them any more."""

    def __init__(self, stream: TextIO = sys.stdout) -> None:
        self._stream = stream
        self._is_tty = stream.isatty()
        self._is_coloured = self._is_tty and "NO_COLOR" not in os.environ
        self._colours: dict[str, int] = {}
        self._reader_left = False

    def is_gone(self) -> bool:
        """Whether the terminal was closed, or the pipe's reader left.

        The kernel tells a closed terminal only to the first process in it, which may be `make` and does not pass it on.
        """
        return self._reader_left or (self._is_tty and not self._stream.isatty())

    def line(self, name: str, text: str) -> None:
        """Write one line of a process."""
        colour = self._colours.setdefault(name, _COLOURS[len(self._colours) % len(_COLOURS)])
        prefix = f"{name:<{_WIDTH}} |"
        self.write(f"\033[{colour}m{prefix}\033[0m {text}\n" if self._is_coloured else f"{prefix} {text}\n")

    def write(self, text: str) -> None:
        """Write text as it is."""
        try:
            self._stream.write(text)
            self._stream.flush()
        except OSError as error:
            # A full disk under a redirected output, say, is no reason to close the shop.
            self._reader_left |= error.errno in (errno.EPIPE, errno.EIO)


def welcome(settings: Settings) -> str:
    """The screen: where everything is, and how to sign in."""
    address = f"http://{local_address(settings.host, settings.port)}"
    rows = [
        ("Shop and API", f"{address}/"),
        ("Swagger UI", f"{address}/docs"),
        ("Live tracking", f"http://{local_address(settings.host, settings.stream_port)}/stream/orders/{{id}}"),
    ]
    if settings.database_url is None:
        rows += _sign_ins(settings.demo_sign_ins)
        rows.append(("Data", f"{settings.data_dir}  (remove the folder to start afresh)"))
    lines = [f"    {label:<{_WIDTH}} {value}" for label, value in rows]
    return "\n".join(["", f"  {settings.shop_name} is open.", "", *lines, "", "  Ctrl-C stops everything.", "", ""])


def _sign_ins(path: Path) -> list[tuple[str, str]]:
    """The demo shop's people; none when the database was not filled by the demo."""
    try:
        people = json.loads(path.read_text())
    except FileNotFoundError:
        return []
    width = max((len(person["email"]) for person in people), default=0)
    return [(f"  {person['role']}", f"{person['email']:<{width}}  {person['password']}") for person in people]
