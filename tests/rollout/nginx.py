"""A real nginx before up to three servers: it hands requests to those that a file names ready, and repeats none."""

import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from itertools import combinations
from pathlib import Path

from tests.e2e.shop import free_port
from tests.waiting import wait_until

PROGRAM = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")

_CONFIG = """
{user}
daemon off;
worker_processes 2;
pid {directory}/nginx.pid;
error_log {directory}/error.log warn;
events {{ worker_connections 512; }}
http {{
    access_log off;
    client_body_temp_path {directory}/body;
    proxy_temp_path {directory}/proxy;
    fastcgi_temp_path {directory}/fastcgi;
    uwsgi_temp_path {directory}/uwsgi;
    scgi_temp_path {directory}/scgi;
    keepalive_requests 1000000;
    {upstreams}
    server {{
        listen 127.0.0.1:{port};
        location / {{
            set $ready "";
            {choices}
            proxy_pass http://shop$ready;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $remote_addr;
            # A request that fails is not tried again elsewhere: the test is to see it.
            proxy_next_upstream off;
        }}
    }}
}}
"""


class Nginx:
    """Listens on `port` and shares requests out to the servers at `ports`, as far as they are turned to."""

    def __init__(self, directory: Path, ports: Sequence[int]):
        directory.mkdir()
        self._directory = directory
        self.port = free_port()
        slots = range(len(ports))
        groups = [group for size in range(1, len(ports) + 1) for group in combinations(slots, size)]
        upstreams = [
            f"upstream shop{''.join(map(str, group))} {{ "
            + " ".join(f"server 127.0.0.1:{ports[slot]} max_fails=0;" for slot in group)
            + " keepalive 32; }"
            for group in groups
        ]
        choices = [f'if (-f {directory}/ready-{slot}) {{ set $ready "${{ready}}{slot}"; }}' for slot in slots]
        config = _CONFIG.format(
            # Else it would work as somebody who may not look into the directories of tests.
            user="user root;" if os.geteuid() == 0 else "",
            directory=directory,
            port=self.port,
            upstreams="\n    ".join(upstreams),
            choices="\n            ".join(choices),
        )
        (directory / "nginx.conf").write_text(config)

    @property
    def errors(self) -> str:
        return (self._directory / "error.log").read_text()

    def turn_to(self, slot: int) -> None:
        """From now on, this server gets requests."""
        (self._directory / f"ready-{slot}").touch()

    def turn_away(self, slot: int) -> None:
        """From now on, it gets none that is not under way."""
        (self._directory / f"ready-{slot}").unlink(missing_ok=True)

    def __enter__(self) -> "Nginx":
        assert PROGRAM
        arguments = ["-p", str(self._directory), "-c", "nginx.conf", "-e", str(self._directory / "error.log")]
        self._process = subprocess.Popen([PROGRAM, *arguments])
        wait_until((self._directory / "nginx.pid").exists, "nginx has started")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGQUIT)
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
