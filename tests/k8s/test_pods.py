"""The pods of the overlay for trying, as processes of this machine: their commands, settings, probes and ends."""

import base64
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from grocery.embedded import ensure_stack
from tests.e2e.shop import ROOT, free_port
from tests.k8s.manifests import Object, get, load, needs_kubectl, ours, pod_of
from tests.valkey_process import ValkeyProcess
from tests.waiting import wait_until

pytestmark = [pytest.mark.prove, pytest.mark.e2e, needs_kubectl]

#: Console scripts break in paths with spaces; in the image they are what the manifests name.
PROGRAMS = {"python": [], "flask": ["-m", "flask"], "rq": ["-m", "rq.cli"]}


@dataclass
class Pod:
    """A pod with a /tmp and a port of its own."""

    name: str
    spec: Object
    environ: dict[str, str]
    directory: Path
    port: int

    def start(self, container: Object) -> subprocess.Popen[bytes]:
        with (self.directory / f"{container['name']}.log").open("wb") as log:
            return subprocess.Popen(
                self.command(container["command"]), cwd=ROOT, env=self.environ, stdout=log, stderr=log
            )

    def command(self, words: list[str]) -> list[str]:
        program, *arguments = words
        moved = {"8000": str(self.port), "8001": str(self.port), "0.0.0.0": "127.0.0.1"}
        return [sys.executable, *PROGRAMS[program], *(moved.get(word, word) for word in arguments)]

    def passes(self, probe: dict[str, Any]) -> bool:
        if "httpGet" in probe:
            url = f"http://127.0.0.1:{self.port}{probe['httpGet']['path']}"
            return requests.get(url, timeout=probe["timeoutSeconds"]).status_code == 200
        command = self.command(probe["exec"]["command"])
        done = subprocess.run(command, cwd=ROOT, env=self.environ, timeout=probe["timeoutSeconds"], capture_output=True)
        return done.returncode == 0

    @property
    def main(self) -> Object:
        [main] = self.spec["containers"]
        return dict(main)


@pytest.fixture
def pods(tmp_path: Path) -> Iterator[list[Pod]]:
    objects = load("dev")
    secret = {
        name: base64.b64decode(value).decode() for name, value in get(objects, "Secret", "grocery")["data"].items()
    }
    stack = ensure_stack(tmp_path / "engines")
    valkey = ValkeyProcess()
    valkey.start()
    here = {
        "DATABASE_URL": stack.database_url,
        "DATABASE_DIRECT_URL": stack.database_url,
        "REDIS_URL": valkey.url,
        "MEDIA_DIR": str(tmp_path / "media"),
    }
    made = []
    for workload in ours(objects):
        directory = tmp_path / workload["metadata"]["name"]
        directory.mkdir()
        settings = {**get(objects, "ConfigMap", "grocery")["data"], **secret}
        settings = {name: value.replace("/tmp/", f"{directory}/") for name, value in settings.items()}
        environ = {"PATH": os.environ["PATH"], "PYTHONUNBUFFERED": "1", **settings, **here}
        made.append(Pod(workload["metadata"]["name"], pod_of(workload), environ, directory, free_port()))
    yield made
    valkey.close()
    stack.stop()


def test_pods_start_are_found_alive_and_end(pods: list[Pod]) -> None:
    with ExitStack() as ending:
        # All at the same time, as after `kubectl apply`.
        migrating = [(pod, pod.start(pod.spec["initContainers"][0])) for pod in pods]
        for _, process in migrating:
            ending.callback(process.kill)
        assert [(pod.name, process.wait(120)) for pod, process in migrating] == [(pod.name, 0) for pod in pods]

        running = [(pod, pod.start(pod.main)) for pod in pods]
        for _, process in running:
            ending.callback(process.kill)
        for pod, process in running:
            for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
                if kind in pod.main:
                    wait_until(lambda pod=pod, kind=kind: pod.passes(pod.main[kind]), f"{pod.name}: {kind}")
            assert process.poll() is None, pod.name

        for _, process in running:
            process.send_signal(signal.SIGTERM)
        assert [(pod.name, process.wait(pod.spec["terminationGracePeriodSeconds"])) for pod, process in running] == [
            (pod.name, 0) for pod in pods
        ]
        for pod in [pod for pod in pods if "httpGet" in pod.main["livenessProbe"]]:
            with pytest.raises(requests.ConnectionError):
                pod.passes(pod.main["livenessProbe"])
