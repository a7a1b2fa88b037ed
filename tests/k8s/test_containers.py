"""The overlay for trying, in containers of the image that may do no more than its pods; only the cluster is missing."""

import base64
import json
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.k8s.manifests import (
    Object,
    containers,
    containers_of,
    get,
    load,
    name_of,
    needs_kubectl,
    of_kind,
    ours,
    pod_of,
    workloads,
)

PREFIX = "grocery-pod-"
NETWORK = "grocery-pods"


def docker(*words: str, seconds: float = 60) -> str:
    done = subprocess.run(["docker", *words], capture_output=True, text=True, timeout=seconds)
    assert done.returncode == 0, f"docker {' '.join(words)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def missing() -> str | None:
    """What is missing of an engine and the images that the overlay names."""
    if not shutil.which("docker"):
        return "docker is not installed"
    for name in sorted({container["image"] for _, container in containers(load("dev"))}):
        asked = ["docker", "image", "inspect", "--format", "{{.Config.Entrypoint}}", name]
        done = subprocess.run(asked, capture_output=True, text=True, timeout=30)
        if done.returncode != 0:
            return f"there is no docker engine, or no image {name} in it"
        if name.startswith("postgres:") and "docker-entrypoint.sh" not in done.stdout:
            return f"{name} is not the official image, which makes its database itself"
    return None


pytestmark = [pytest.mark.prove, pytest.mark.e2e, needs_kubectl]


class Pods:
    """Starts the pods of an overlay as docker would have them: one container for each."""

    def __init__(self, objects: list[Object]):
        self.objects = objects
        self.started: list[str] = []

    def run(self, workload: Object, container: Object, *options: str) -> str:
        """Start a container with its user, its settings, its memory and nothing else that it could write to."""
        pod, name = pod_of(workload), f"{PREFIX}{workload['metadata']['name']}-{container['name']}"
        context = pod["securityContext"]
        words = ["--name", name, "--network", NETWORK, "--user", f"{context['runAsUser']}:{context['runAsGroup']}"]
        words += ["--read-only", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]
        words += ["--memory", container["resources"]["limits"]["memory"].replace("i", "").lower()]
        words += self._volumes(workload, container) + self._environment(container)
        command = [*container.get("command", []), *container.get("args", [])]
        self.started.append(name)
        docker("run", "--detach", *options, *words, container["image"], *command)
        return name

    def _volumes(self, workload: Object, container: Object) -> list[str]:
        # A cluster makes volumes writable for the pod's group; docker gives them the mode of the image's directory.
        context = pod_of(workload)["securityContext"]
        owner = f"uid={context['runAsUser']},gid={context['fsGroup']}"
        sizes = {one["name"]: one.get("emptyDir", {}).get("sizeLimit", "512Mi") for one in pod_of(workload)["volumes"]}
        words = []
        for mount in container["volumeMounts"]:
            size = sizes.get(mount["name"], "512Mi").replace("i", "").lower()
            words += ["--tmpfs", f"{mount['mountPath']}:rw,{owner},size={size}"]
        return words

    def _environment(self, container: Object) -> list[str]:
        values = {one["name"]: one["value"] for one in container.get("env", [])}
        for source in container.get("envFrom", []):
            if "configMapRef" in source:
                values |= get(self.objects, "ConfigMap", source["configMapRef"]["name"])["data"]
            else:
                data = get(self.objects, "Secret", source["secretRef"]["name"])["data"]
                values |= {name: base64.b64decode(value).decode() for name, value in data.items()}
        return [word for name, value in values.items() for word in ("--env", f"{name}={value}")]

    def end(self) -> None:
        for name in self.started:
            subprocess.run(["docker", "rm", "--force", "--volumes", name], capture_output=True, timeout=60)


@pytest.fixture
def pods() -> Iterator[Pods]:
    if reason := missing():
        pytest.skip(reason)
    made = Pods(load("dev"))
    docker("network", "create", "--internal", NETWORK)
    yield made
    made.end()
    docker("network", "rm", NETWORK)


def passes(name: str, probe: dict[str, Any], port: int | None) -> bool:
    """Run a probe in its container, as the node would."""
    command = probe.get("exec", {}).get("command")
    if command is None:
        url = f"http://127.0.0.1:{port}{probe['httpGet']['path']}"
        command = ["python", "-c", f"import urllib.request; urllib.request.urlopen({url!r}, timeout=5)"]
    return subprocess.run(["docker", "exec", name, *command], capture_output=True, timeout=60).returncode == 0


def wait_for(is_true: Callable[[], bool], what: str, seconds: float = 240) -> None:
    deadline = time.monotonic() + seconds
    while not is_true():
        assert time.monotonic() < deadline, what
        time.sleep(2)


def await_probes(name: str, container: Object) -> None:
    port = next((one["containerPort"] for one in container.get("ports", [])), None)
    for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
        if kind in container:
            wait_for(lambda: passes(name, container[kind], port), f"{name}: {kind}")  # noqa: B023


def state_of(name: str) -> dict[str, Any]:
    state: dict[str, Any] = json.loads(docker("inspect", "--format", "{{json .State}}", name))
    return state


def test_the_shop_runs_in_pods_that_may_write_nowhere(pods: Pods) -> None:
    own = ours(pods.objects)
    for engine in of_kind(pods.objects, "StatefulSet"):
        [container] = containers_of(pod_of(engine))
        await_probes(pods.run(engine, container, "--network-alias", engine["metadata"]["name"]), container)

    migrating = [pods.run(found, pod_of(found)["initContainers"][0]) for found in own]
    for name in migrating:
        assert docker("wait", name, seconds=300).strip() == "0", docker("logs", name)

    running = {}
    for found in own:
        [container] = pod_of(found)["containers"]
        running[pods.run(found, container)] = container
    for name, container in running.items():
        await_probes(name, container)

    api = f"{PREFIX}api-api"
    create = "flask --app wsgi auth create-admin --email owner@example.com --name Owner --password-stdin"
    docker("exec", api, "sh", "-c", f"echo 'a long enough password' | {create}")
    asked = "import urllib.request as r; print(r.urlopen('http://127.0.0.1:8000/readyz', timeout=5).read().decode())"
    ready = json.loads(docker("exec", api, "python", "-c", asked))
    assert (ready["database"], ready["redis"]) == ("ok", "ok")

    seconds = [str(pod_of(found)["terminationGracePeriodSeconds"]) for found in own]
    docker("stop", "--time", max(seconds, key=int), *running, seconds=300)
    ends = {name: (state_of(name)["ExitCode"], state_of(name)["OOMKilled"]) for name in running}
    assert ends == dict.fromkeys(running, (0, False))
    assert [name_of(found) for found in workloads(pods.objects) if found not in own] != []
