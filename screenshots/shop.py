"""The demo shop of `make run` on engines of its own, which are gone with the directory."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import requests

from grocery.config import load_settings, setting_names
from grocery.local import next_port

_ROOT = Path(__file__).parent.parent
_SECONDS_TO_OPEN = 120
_SECONDS_TO_ANSWER = 20


class ShopError(Exception):
    """The shop does not do what it is asked; the message says what came instead."""


@dataclass
class Shop:
    """A running shop, and the passwords of its people by e-mail."""

    url: str
    passwords: dict[str, str]

    def ask(self, method: str, path: str, who: str, **values: Any) -> Any:
        """What the API answers to this person; raises ShopError unless it is well."""
        headers = {"Authorization": f"Bearer {self._tokens[who]}"}
        return self._ask(method, path, headers=headers, **values)

    @cached_property
    def _tokens(self) -> dict[str, str]:
        return {email: self._sign_in(email, password) for email, password in self.passwords.items()}

    def _sign_in(self, email: str, password: str) -> str:
        pair = self._ask("POST", "/auth/login", json={"email": email, "password": password})
        return str(pair["access_token"])

    def _ask(self, method: str, path: str, **values: Any) -> Any:
        answer = requests.request(method, self.url + path, timeout=_SECONDS_TO_ANSWER, **values)
        if not answer.ok:
            raise ShopError(f"{method} {path}: {answer.status_code} {answer.text}")
        return answer.json() if answer.content else None


@contextmanager
def running_shop(directory: Path) -> Iterator[Shop]:
    """A shop that is open; raises ShopError with what it wrote when it does not open."""
    data_dir, log, port = directory / "data", directory / "log", _free_port()
    environ = _environ(data_dir, port)
    with log.open("wb") as output:
        command = [sys.executable, "-m", "grocery.dev", "--with-parent"]
        process = subprocess.Popen(command, cwd=_ROOT, env=environ, stdout=output, stderr=output)
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(process, log)
        people = json.loads(load_settings({"DATA_DIR": str(data_dir)}).demo_sign_ins.read_text())
        yield Shop(url, {person["email"]: person["password"] for person in people})
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def _environ(data_dir: Path, port: int) -> dict[str, str]:
    # An empty value keeps out the one of `.env`, which may lead to a real shop's database.
    own = dict.fromkeys(setting_names(), "")
    # One customer orders more here than a stranger may.
    shop = {"DATA_DIR": str(data_dir), "PORT": str(port), "MAX_OPEN_UNPAID_ORDERS": "0"}
    return {**os.environ, **own, **shop}


def _wait(process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _SECONDS_TO_OPEN
    while time.monotonic() < deadline and process.poll() is None:
        # The API answers earlier, while the demo shop is still being filled.
        if " is open." in log.read_text(errors="replace"):
            return
        time.sleep(0.1)
    lines = log.read_text(errors="replace").splitlines()
    raise ShopError("\n".join(["The demo shop did not open:", *lines[-20:]]))


def _free_port() -> int:
    """A port that is free, and the one beside it, where the streams are."""
    while True:
        with socket.socket() as first, socket.socket() as second, suppress(OSError):
            first.bind(("127.0.0.1", 0))
            port: int = first.getsockname()[1]
            second.bind(("127.0.0.1", next_port(port)))
            return port
