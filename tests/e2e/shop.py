"""The whole shop as processes, as an operator starts them, on engines of its own that tests may stop and kill."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg2
import requests

from grocery.config import setting_names
from grocery.dev import sessions
from grocery.embedded import Stack, ensure_stack
from tests.fakes.africastalking import FakeAfricasTalking
from tests.fakes.smtp import FakeSmtp
from tests.valkey_process import ValkeyProcess
from tests.waiting import wait_until

ROOT = Path(__file__).parent.parent.parent
PASSWORD = "a long enough password"

COMMANDS = {
    "api": ["-m", "grocery.serving"],
    "worker-orders": ["-m", "rq.cli", "worker", "-w", "grocery.worker.Worker", "orders"],
    "worker-notify": ["-m", "rq.cli", "worker", "-w", "grocery.worker.Worker", "notify"],
    "worker-bulk": ["-m", "rq.cli", "worker", "-w", "grocery.worker.Worker", "bulk"],
    "relay": ["-m", "flask", "--app", "wsgi", "relay"],
    "stream": ["-m", "flask", "--app", "wsgi", "stream"],
}


@dataclass
class Shop:
    """A running shop: its address, its engines, the providers that it sends to, and its processes."""

    stack: Stack
    valkey: ValkeyProcess
    sms: FakeAfricasTalking
    smtp: FakeSmtp
    environ: dict[str, str]
    logs: Path
    port: int
    stream_port: int
    heartbeat_seconds: float = 0.5
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def stream_url(self) -> str:
        return f"http://127.0.0.1:{self.stream_port}"

    def start(self, *names: str) -> None:
        for name in names:
            command = [sys.executable, *COMMANDS[name]]
            if name == "api":
                command += ["--host", "127.0.0.1", "--port", str(self.port)]
            if name == "stream":
                command += ["--port", str(self.stream_port), "--heartbeat", str(self.heartbeat_seconds)]
            with (self.logs / f"{name}.log").open("ab") as log:
                self.processes[name] = subprocess.Popen(
                    command, cwd=ROOT, env=self.environ, stdout=log, stderr=log, start_new_session=True
                )
        if "api" in names:
            wait_until(lambda: self.get("/readyz").status_code == 200, "the API is ready", 90)
        if "stream" in names:
            wait_until(lambda: self.stream_health()["status"] == "alive", "the stream process is ready", 90)

    def is_running(self, name: str) -> bool:
        return name in self.processes and self.processes[name].poll() is None

    def end(self, name: str, number: int = signal.SIGTERM) -> None:
        """End a process and all that it started."""
        process = self.processes.pop(name)
        if name == "api" and number == signal.SIGKILL:
            # granian has a group of its own, and would finish what it does: the port would not be free yet.
            sessions.kill({process.pid})
        with suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        process.wait(60)

    def end_all(self) -> None:
        for name in list(self.processes):
            self.end(name, signal.SIGKILL)

    def get(self, path: str, **kwargs: Any) -> requests.Response:
        return requests.get(self.url + path, timeout=60, **kwargs)

    def post(self, path: str, **kwargs: Any) -> requests.Response:
        return requests.post(self.url + path, timeout=60, **kwargs)

    def patch(self, path: str, **kwargs: Any) -> requests.Response:
        return requests.patch(self.url + path, timeout=60, **kwargs)

    def stream_health(self) -> dict[str, Any]:
        health: dict[str, Any] = requests.get(f"{self.stream_url}/healthz", timeout=60).json()
        return health

    def flask(self, *arguments: str, given: str = "") -> str:
        """Output of a `flask` command that must succeed."""
        command = [sys.executable, "-m", "flask", "--app", "wsgi", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self.environ, input=given, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def sign_in(self, email: str, password: str = PASSWORD) -> dict[str, str]:
        answer = self.post("/auth/login", json={"email": email, "password": password})
        assert answer.status_code == 200, answer.text
        return {"Authorization": f"Bearer {answer.json()['access_token']}"}

    def sql(self, statement: str) -> list[tuple[Any, ...]]:
        with (
            closing(psycopg2.connect(self.stack.database_url)) as connection,
            connection,
            connection.cursor() as cursor,
        ):
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []


@contextmanager
def running_shop(directory: Path, **settings: str) -> Iterator[Shop]:
    """A migrated shop with an admin (owner@shop.example); its processes are not started yet."""
    stack = ensure_stack(directory / "engines")
    valkey = ValkeyProcess()
    valkey.start()
    port, stream_port = free_port(), free_port()
    with FakeAfricasTalking() as sms, FakeSmtp() as smtp:
        environ = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "LANG", "VIRTUAL_ENV") if name in os.environ},
            # An empty value keeps out the one of the developer's own `.env`.
            **dict.fromkeys(setting_names(), ""),
            "PYTHONUNBUFFERED": "1",
            "DATA_DIR": str(directory / "data"),
            "DATABASE_URL": stack.database_url,
            "REDIS_URL": valkey.url,
            "SHOP_NAME": "Test Grocer",
            "PORT": str(port),
            "STREAM_URL": f"http://127.0.0.1:{stream_port}",
            "SMS_BACKEND": "africastalking",
            "AT_USERNAME": "sandbox",
            "AT_API_KEY": sms.api_key,
            "AT_BASE_URL": sms.url,
            "MAIL_BACKEND": "smtp",
            "MAIL_SERVER": smtp.host,
            "MAIL_PORT": str(smtp.port),
            "MAIL_USE_TLS": "false",
            "MAIL_FROM": "shop@shop.example",
            # One customer orders for all of the tests.
            "MAX_OPEN_UNPAID_ORDERS": "0",
            # There is no proxy that would have to turn away.
            "DRAIN_SECONDS": "0",
            **settings,
        }
        (directory / "logs").mkdir()
        shop = Shop(stack, valkey, sms, smtp, environ, directory / "logs", port, stream_port)
        try:
            shop.flask("db", "upgrade")
            create = ("auth", "create-admin", "--email", "owner@shop.example", "--name", "Owner", "--password-stdin")
            shop.flask(*create, given=PASSWORD)
            yield shop
        finally:
            shop.end_all()
            valkey.close()
            stack.stop()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
