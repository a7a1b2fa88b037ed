"""API servers behind nginx, replaced one after the other as an orchestrator does it: by what `/readyz` says."""

import http.client
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path

from tests.e2e.shop import ROOT, free_port
from tests.rollout.nginx import Nginx
from tests.waiting import wait_until

_ASK_EVERY_SECONDS = 0.1

# What `python -m grocery.serving` starts; for versions of the program that do not have it.
_BY_HAND = ("granian", "--interface", "wsgi", "--workers", "2", "--blocking-threads", "80", "--no-ws")


@dataclass(frozen=True)
class Version:
    """A checkout of the program, and the settings that its processes have."""

    directory: Path
    environ: Mapping[str, str]

    @property
    def drains(self) -> bool:
        return (self.directory / "grocery/serving").exists()

    def with_settings(self, **settings: str) -> "Version":
        return replace(self, environ={**self.environ, **settings})


@dataclass
class Fleet:
    """Slots for servers, of which nginx is turned to those that say that they are ready."""

    nginx: Nginx
    ports: Sequence[int]
    log: Path
    servers: dict[int, tuple[Version, subprocess.Popen[bytes]]] = field(default_factory=dict)
    _closing: threading.Event = field(default_factory=threading.Event)

    def start(self, version: Version) -> int:
        """Start a server in a free slot and wait until requests can reach it; returns the slot."""
        slot = next(slot for slot in range(len(self.ports)) if slot not in self.servers)
        address = ("--host", "127.0.0.1", "--port", str(self.ports[slot]))
        command = ["grocery.serving", *address] if version.drains else [*_BY_HAND, *address, "wsgi:app"]
        with self.log.open("ab") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=version.directory,
                env=dict(version.environ),
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self.servers[slot] = (version, process)
        wait_until(lambda: is_ready(self.ports[slot]), f"server {slot} is ready")
        self.nginx.turn_to(slot)
        return slot

    def end(self, slot: int) -> int:
        """Tell a server to end, as a roll-out does, and wait until it has; returns its exit code."""
        version, process = self.servers[slot]
        if not version.drains:
            self.nginx.turn_away(slot)
            time.sleep(1)
        process.send_signal(signal.SIGTERM)
        code = process.wait(60)
        self.nginx.turn_away(slot)
        del self.servers[slot]
        return code

    def replace_all(self, version: Version) -> list[int]:
        """Roll out: for each server a new one first, then the old one's end; returns the exit codes."""
        codes = []
        for slot in list(self.servers):
            self.start(version)
            codes.append(self.end(slot))
        return codes

    def follow_readiness(self) -> None:
        """Turn nginx away from servers that are not ready any more; runs until the fleet is closed."""
        while not self._closing.wait(_ASK_EVERY_SECONDS):
            for slot in list(self.servers):
                if not is_ready(self.ports[slot]):
                    self.nginx.turn_away(slot)

    def __enter__(self) -> "Fleet":
        self._follower = threading.Thread(target=self.follow_readiness)
        self._follower.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        self._follower.join()
        for _version, process in self.servers.values():
            process.terminate()
        for _version, process in self.servers.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(30)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def is_ready(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def open_fleet(directory: Path) -> Fleet:
    """A fleet of three slots, without servers, behind an nginx that the caller starts."""
    ports = [free_port() for _ in range(3)]
    return Fleet(Nginx(directory / "nginx", ports), ports, directory / "servers.log")


def this_version(environ: Mapping[str, str]) -> Version:
    return Version(ROOT, environ)
