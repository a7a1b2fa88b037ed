"""The manifests as the tests see them: objects in lists, and ways to find what they refer to."""

import copy
import functools
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.e2e.shop import ROOT

K8S = ROOT / "k8s"
BASE = K8S / "base"
GENERATED = K8S / "deployment.yaml"
OVERLAYS = ("dev", "prod")

WORKLOADS = ("Deployment", "StatefulSet")

Object = dict[str, Any]

#: The label that all of our own pods have; engines and poolers have names of their own.
OURS = {"app.kubernetes.io/name": "grocery"}

needs_kubectl = pytest.mark.skipif(
    not shutil.which("kubectl"), reason="kubectl is not installed, which renders overlays"
)


@functools.cache
def _parse(text: str) -> list[Object]:
    return [found for found in yaml.load_all(text, yaml.CSafeLoader) if found]


def read(path: Path) -> list[Object]:
    """The objects of a file; the caller may change them."""
    return copy.deepcopy(_parse(path.read_text()))


def read_base() -> list[Object]:
    """The objects of k8s/base, file by file as its kustomization names them."""
    [kustomization] = read(BASE / "kustomization.yaml")
    return [found for name in kustomization["resources"] for found in read(BASE / name)]


@functools.cache
def _render(overlay: str) -> str:
    command = ["kubectl", "kustomize", str(K8S / "overlays" / overlay)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""  # warnings of what is out of date
    return done.stdout


def load(what: str) -> list[Object]:
    """The objects of `deployment.yaml`, or of an overlay as kubectl renders it."""
    return read(GENERATED) if what == "deployment" else copy.deepcopy(_parse(_render(what)))


#: For tests that hold for everything that can be applied.
ALL = ["deployment", *(pytest.param(name, marks=needs_kubectl) for name in OVERLAYS)]


def name_of(found: Object) -> str:
    return f"{found['kind']}/{found['metadata']['name']}"


def of_kind(objects: list[Object], *kinds: str) -> list[Object]:
    return [found for found in objects if found["kind"] in kinds]


def get(objects: list[Object], kind: str, name: str) -> Object:
    [found] = [found for found in of_kind(objects, kind) if found["metadata"]["name"] == name]
    return found


def workloads(objects: list[Object]) -> list[Object]:
    return of_kind(objects, *WORKLOADS)


def ours(objects: list[Object]) -> list[Object]:
    """The workloads that run our image."""
    return [found for found in workloads(objects) if fits(OURS, labels_of(found))]


def labels_of(workload: Object) -> dict[str, str]:
    """The labels of its pods."""
    labels: dict[str, str] = workload["spec"]["template"]["metadata"]["labels"]
    return labels


def pod_of(workload: Object) -> Object:
    spec: Object = workload["spec"]["template"]["spec"]
    return spec


def containers_of(pod: Object) -> list[Object]:
    return [*pod.get("initContainers", []), *pod["containers"]]


def containers(objects: list[Object]) -> Iterator[tuple[str, Object]]:
    """Every container, with a name that says where it is."""
    for workload in workloads(objects):
        for container in containers_of(pod_of(workload)):
            yield f"{name_of(workload)}/{container['name']}", container


def fits(selector: dict[str, str], labels: dict[str, str]) -> bool:
    return selector.items() <= labels.items()


def selects(selector: Object, labels: dict[str, str]) -> bool:
    """Whether a label selector, as policies and budgets have it, takes something with these labels."""
    return fits(selector.get("matchLabels", {}), labels) and all(
        {"In": labels.get(term["key"]) in term.get("values", []), "Exists": term["key"] in labels}[term["operator"]]
        for term in selector.get("matchExpressions", [])
    )


def port_names(workload: Object) -> dict[str, int]:
    return {
        port["name"]: port["containerPort"]
        for container in pod_of(workload)["containers"]
        for port in container.get("ports", [])
    }
